/** `moderation approve`, `ban` and the other commands that decide: for a reason, after a question where something is taken away. */
import { banJson, reportJson, type Decider } from '@omnizap/catalog';
import { AppError, isAppError } from '@omnizap/runtime';
import { changerOf, changerOptions } from './changer-options.ts';
import { UsageError, type Call, type Command, type OptionSpec } from './command.ts';
import { nameOfTarget, parseBan, parseBanSubject, parseTarget } from './moderation-targets.ts';

type Decision = 'approve' | 'reject' | 'take-down' | 'restore';

/** Of a pack or an owner. */
const reasonOption: Record<string, OptionSpec> = {
  reason: { type: 'string', value: 'text', description: 'Why; the owner reads it, and it is kept in the audit log' },
};
const yesOption: Record<string, OptionSpec> = { yes: { type: 'boolean', description: 'Do not ask' } };
/** Of one subject: the others have their turn all the same. */
const refusals: string[] = ['pack-not-found', 'sticker-not-found', 'not-found', 'moderation-conflict'];

const summaries: Record<Decision, string> = {
  approve: 'Shows what is held or rejected, and closes its reports as unfounded',
  reject: 'Refuses held packs; a change by the owner asks again',
  'take-down': 'Hides packs or stickers from everybody at once, until they are restored',
  restore: 'Shows again what was taken down',
};

export const [approve, reject, takeDown, restore] = (['approve', 'reject', 'take-down', 'restore'] as const).map(
  (decision): Command => ({
    name: decision,
    summary: summaries[decision],
    operands: decision === 'reject' ? '<pack>...' : '<pack>|sticker:<id>...',
    options: { ...changerOptions, ...reasonOption, ...(takesAway(decision) ? yesOption : {}) },
    examples: [`moderation ${decision} k3x9-cats --reason "looked at"${takesAway(decision) ? ' --yes' : ''}`],
    run: (call) => decide(call, decision),
  }),
) as [Command, Command, Command, Command];

export const dismiss: Command = {
  name: 'dismiss',
  summary: 'Closes single reports as unfounded; a decision about the pack or sticker closes all of its reports',
  operands: '<report id>...',
  options: changerOptions,
  examples: ['moderation dismiss 17 18 --reason "nothing wrong with it"'],
  async run(call) {
    const by = changerOf(call.options);
    const ids = named(call, 'Which reports? Give their ids, as "moderation queue --reported" shows them.');
    for (const id of ids)
      if (!/^\d{1,15}$/.test(id)) throw new UsageError(`"${id}" is no report: give ids such as 17.`);
    const { reports } = await call.session.moderation();
    return each(call, ids, async (id) => {
      const report = await reports.dismiss(Number(id), by);
      return { data: reportJson(report), text: `Report ${id} is ${report.state}.` };
    });
  },
};

export const ban: Command = {
  name: 'ban',
  summary: 'Bans owners with all their packs, or stickers: their bytes are refused, and what looks like them is held',
  operands: 'owner:<id>|sticker:<id>|sha256:<hex>...',
  options: { ...changerOptions, ...reasonOption, ...yesOption },
  examples: [
    'moderation ban owner:5511999@bot --reason "spam in every pack"',
    'moderation ban sticker:0199-... --reason "somebody else\'s work" --yes',
  ],
  async run(call) {
    const by = changerOf(call.options);
    const subjects = named(call, 'Ban whom? Say owner:<id>, sticker:<id> or sha256:<hex>.');
    const parsed = new Map(subjects.map((subject) => [subject, parseBanSubject(subject)]));
    if (!(await mayTake(call, 'ban', subjects))) return 1;
    const { bans } = await call.session.moderation();
    return each(call, [...parsed], async ([subject, input]) => {
      const { ban: made, isNew } = await bans.make(input, by);
      const rest = made.settledAt === null ? '; it goes on taking what is there' : '';
      const verb = isNew ? 'is banned' : 'was banned already';
      return { data: banJson(made), text: `${subject} ${verb} (${made.id}), ${made.affected} taken${rest}.` };
    });
  },
};

export const unban: Command = {
  name: 'unban',
  summary: 'Ends bans and gives back exactly what they took',
  operands: '<ban id>|owner:<id>|sha256:<hex>...',
  options: changerOptions,
  examples: ['moderation unban owner:5511999@bot --reason "it was somebody else"'],
  async run(call) {
    const by = changerOf(call.options);
    const subjects = named(call, 'Which ban? Give its id, owner:<id> or sha256:<hex>.');
    const parsed = new Map(subjects.map((subject) => [subject, parseBan(subject)]));
    const { bans } = await call.session.moderation();
    return each(call, [...parsed], async ([subject, given]) => {
      const banId = 'banId' in given ? given.banId : (await bans.inForce(given))?.id;
      if (banId === undefined) throw new AppError('not-found', `There is no ban in force of ${subject}.`);
      const over = await bans.revoke(banId, by);
      const rest = over.settledAt === null ? `; ${over.affected} are still to be given back` : '';
      return { data: banJson(over), text: `The ban ${banId} is over${rest}.` };
    });
  },
};

async function decide(call: Call, decision: Decision): Promise<number> {
  const by: Decider = changerOf(call.options);
  const targets = named(call, 'Which ones? Give keys of packs, or sticker:<id>.').map(parseTarget);
  if (decision === 'reject' && targets.some(({ type }) => type === 'sticker'))
    throw new UsageError('Only packs are rejected: take a sticker down instead.');
  if (takesAway(decision) && !(await mayTake(call, decision, targets.map(nameOfTarget)))) return 1;
  const { moderation } = await call.session.moderation();
  return each(call, targets, async (target) => {
    const verdict =
      target.type === 'pack'
        ? await moderation.decidePack(target.key, decision, by)
        : await moderation.decideSticker(target.id, decision as Exclude<Decision, 'reject'>, by);
    const which = target.type === 'pack' ? { pack_key: target.key } : { sticker_id: target.id };
    return {
      data: { type: target.type, ...which, moderation: verdict },
      text: `${nameOfTarget(target)} is ${verdict.state}.`,
    };
  });
}

function takesAway(decision: Decision): boolean {
  return decision === 'reject' || decision === 'take-down';
}

/** @throws UsageError with what is missing */
function named({ operands }: Call, question: string): string[] {
  if (operands.length === 0) throw new UsageError(question);
  return [...new Set(operands)];
}

/** False after a no. @throws UsageError when nobody can be asked */
async function mayTake({ options, terminal }: Call, verb: string, names: string[]): Promise<boolean> {
  if (options.flag('yes')) return true;
  if (!terminal.isInteractive()) throw new UsageError('There is no terminal to ask on: say --yes.');
  if (await terminal.confirm(`About to ${verb} ${names.join(', ')}. Continue?`)) return true;
  terminal.note('Nothing was changed.');
  return false;
}

/** One after the other; what is refused keeps nobody from their turn, and makes the exit code 1. */
async function each<T>(
  { terminal, isJson }: Call,
  subjects: T[],
  act: (subject: T) => Promise<{ data: object; text: string }>,
): Promise<number> {
  const done: object[] = [];
  const failed: { code: string; error: string }[] = [];
  for (const subject of subjects) {
    try {
      const { data, text } = await act(subject);
      done.push(data);
      if (!isJson) terminal.say(text);
    } catch (error) {
      if (!isAppError(error) || !refusals.includes(error.code)) throw error;
      failed.push({ code: error.code, error: error.message });
      terminal.note(error.message);
    }
  }
  if (isJson) terminal.json({ data: done, failed });
  return failed.length === 0 ? 0 : 1;
}
