/** Moderation without an API: what waits, one pack, bans. What decides is in decide-commands.ts. */
import { z } from 'zod';
import {
  adminOwnerId,
  auditJson,
  banJson,
  formatKeyset,
  keysetInstant,
  parseKeyset,
  queuedJson,
  reportGroupJson,
  reportJson,
  type QueuedCase,
  type ReportGroup,
} from '@omnizap/catalog';
import { UsageError, type Call, type Command, type Group, type OptionSpec } from '../command.ts';
import { approve, ban, dismiss, reject, restore, takeDown, unban } from '../decide-commands.ts';
import { parseTarget } from '../moderation-targets.ts';
import { age, type Terminal } from '../terminal.ts';

const longestPage = 100;
const pageOptions: Record<string, OptionSpec> = {
  limit: { type: 'string', value: 'n', description: `At most so many (1..${longestPage}; 50)` },
  cursor: { type: 'string', value: 'cursor', description: 'Go on where a list ended' },
};
const limitOf = ({ options }: Call): number =>
  options.number('limit', { min: 1, max: longestPage, isWhole: true }) ?? 50;

const queue: Command = {
  name: 'queue',
  summary: 'Lists what is held, the longest waiting first; with --reported, what visitors reported',
  options: {
    reported: { type: 'boolean', description: 'Open reports by pack and sticker instead' },
    type: { type: 'string', value: 'pack|sticker', description: 'Only these of what is held' },
    ...pageOptions,
  },
  examples: ['moderation queue', 'moderation queue --reported', 'moderation queue --type sticker --json'],
  async run(call) {
    const type = call.options.oneOf('type', ['pack', 'sticker']);
    if (!call.options.flag('reported')) return listHeld(call, type);
    if (type !== undefined) throw new UsageError('--type goes with what is held: leave it or --reported away.');
    return listReported(call);
  },
};

async function listHeld(call: Call, target: 'pack' | 'sticker' | undefined): Promise<number> {
  const position = parseKeyset('queue', call.options.text('cursor'), { t: keysetInstant, i: z.uuid() });
  const { moderation } = await call.session.moderation();
  const { cases, next } = await moderation.queue({
    ...{ target, limit: limitOf(call) },
    after: position && { sinceAt: new Date(position.t), id: position.i },
  });
  const nextCursor = next && formatKeyset('queue', { t: next.sinceAt.getTime(), i: next.id });
  const nameOf = (entry: QueuedCase): string =>
    entry.target === 'sticker' ? `sticker:${entry.id}` : `pack:${entry.packKeys[0] ?? entry.id}`;
  return tell(call, cases.map(queuedJson), nextCursor, 'Nothing is held.', () =>
    call.terminal.table(
      ['WHAT', 'OWNER', 'SINCE', 'REPORTS', 'REASON'],
      cases.map((entry) => [
        nameOf(entry),
        entry.ownerId,
        `${age(entry.sinceAt)} ago`,
        String(entry.openReports),
        entry.reason ?? '',
      ]),
    ),
  );
}

async function listReported(call: Call): Promise<number> {
  const afterId = parseKeyset('reports', call.options.text('cursor'), { i: z.int().positive() })?.i ?? 0;
  const { reports } = await call.session.moderation();
  const { groups, nextId } = await reports.groups({ afterId, limit: limitOf(call) });
  const nextCursor = nextId === null ? null : formatKeyset('reports', { i: nextId });
  const wordsOf = ({ reports: some }: ReportGroup): string =>
    some.map(({ id, reason, details }) => `${id} ${reason}${details === null ? '' : ` "${details}"`}`).join('; ');
  return tell(call, groups.map(reportGroupJson), nextCursor, 'No report is open.', () =>
    call.terminal.table(
      ['WHAT', 'NAME', 'OWNER', 'REPORTS', 'FIRST', 'WORDS'],
      groups.map((group) => [
        group.stickerId === null ? `pack:${group.packKey}` : `sticker:${group.stickerId}`,
        group.packName,
        group.ownerId,
        String(group.openReports),
        `${age(group.firstAt)} ago`,
        wordsOf(group),
      ]),
    ),
  );
}

const show: Command = {
  name: 'show',
  summary: 'Shows a pack with its owner, its stickers, open reports, and what was decided about it',
  operands: '<pack>',
  options: {},
  examples: ['moderation show k3x9-cats', 'moderation show k3x9-cats --json'],
  async run({ operands, session, terminal, isJson }) {
    const [text, ...more] = operands;
    const target = text === undefined ? null : parseTarget(text);
    if (target?.type !== 'pack' || more.length > 0) throw new UsageError('Which one? Give the key of one pack.');
    const { moderation } = await session.moderation();
    const file = await moderation.packFile(target.key);
    const actor = { ownerId: adminOwnerId, isAdmin: true };
    const { view, stickers } = await (await session.reader()).readPack(target.key, actor);
    const { state, reason, sinceAt, banId } = file.moderation;
    const { name, publisher, description, visibility, status } = view.pack;
    const fields = { pack_key: target.key, name, publisher, description, visibility, status, owner_id: file.ownerId };
    if (isJson) {
      terminal.json({
        data: {
          ...fields,
          moderation: { state, reason, since_at: sinceAt?.toISOString() ?? null, ban_id: banId },
          stickers: stickers.map((sticker) => ({
            ...{ sticker_id: sticker.stickerId, status: sticker.status },
            moderation: { state: sticker.moderation, reason: sticker.moderationReason },
          })),
          reports: file.reports.map(reportJson),
          actions: file.actions.map(auditJson),
        },
      });
      return 0;
    }
    const since = sinceAt === null ? null : `${age(sinceAt)} ago`;
    terminal.fields({ ...fields, moderation: state, reason, since, ban: banId });
    section(
      terminal,
      'Stickers',
      ['STICKER', 'STATUS', 'MODERATION', 'REASON'],
      stickers.map((one) => [`sticker:${one.stickerId}`, one.status, one.moderation, one.moderationReason ?? '']),
    );
    section(
      terminal,
      'Open reports',
      ['REPORT', 'AT', 'ABOUT', 'REASON', 'DETAILS'],
      file.reports.map((report) => [
        String(report.id),
        report.createdAt.toISOString(),
        report.stickerId === null ? 'the pack' : `sticker:${report.stickerId}`,
        report.reason,
        report.details ?? '',
      ]),
    );
    section(
      terminal,
      'Decisions',
      ['AT', 'WHAT', 'BY', 'REASON'],
      file.actions.map(({ at, action, actor: by, reason: why }) => [at.toISOString(), action, by, why ?? '']),
    );
    return 0;
  },
};

const bans: Command = {
  name: 'bans',
  summary: 'Lists bans with what they have in their hands, the newest first',
  options: { active: { type: 'boolean', description: 'Only those in force' }, ...pageOptions },
  examples: ['moderation bans --active', 'moderation bans --json'],
  async run(call) {
    const beforeId = parseKeyset('bans', call.options.text('cursor'), { i: z.uuid() })?.i ?? null;
    const { bans: library } = await call.session.moderation();
    const page = await library.list({ limit: limitOf(call), beforeId, onlyActive: call.options.flag('active') });
    const nextCursor = page.nextId === null ? null : formatKeyset('bans', { i: page.nextId });
    return tell(call, page.bans.map(banJson), nextCursor, 'There is no ban.', () =>
      call.terminal.table(
        ['BAN', 'OF', 'STATE', 'TAKEN', 'MADE', 'BY', 'REASON'],
        page.bans.map((one) => [
          one.id,
          one.ownerId === null ? `sha256:${one.sha256}` : `owner:${one.ownerId}`,
          `${one.revoked ? 'over' : 'in force'}${one.settledAt === null ? ', at work' : ''}`,
          String(one.affected),
          `${age(one.createdAt)} ago`,
          one.madeBy,
          one.reason,
        ]),
      ),
    );
  },
};

function section(terminal: Terminal, title: string, heading: string[], rows: string[][]): void {
  if (rows.length === 0) return;
  terminal.say(`\n${title}`);
  terminal.table(heading, rows);
}

function tell(
  { terminal, isJson }: Call,
  data: object[],
  nextCursor: string | null,
  nothing: string,
  table: () => void,
): number {
  if (isJson) terminal.json({ data, next_cursor: nextCursor });
  else if (data.length === 0) terminal.say(nothing);
  else table();
  if (nextCursor !== null) terminal.note(`There are more: --cursor ${nextCursor}`);
  return 0;
}

export const moderation: Group = {
  name: 'moderation',
  summary: 'What may be seen: what is held or reported, decisions, bans',
  commands: [queue, show, approve, reject, takeDown, restore, dismiss, ban, unban, bans],
};
