/** Feature flags: what they are, who changed them, whom they mean. */
import {
  createFlagProvider,
  flagJson,
  flagNames,
  flagsTopic,
  requireFlagName,
  storedEvaluation,
  type FlagRow,
} from '@omnizap/rollout';
import { OpenFeature } from '@openfeature/server-sdk';
import { changerOf, changerOptions } from '../changer-options.ts';
import { UsageError, type Call, type Command, type Group } from '../command.ts';
import { age } from '../terminal.ts';

const describe = (flag: FlagRow): string => (flag.isEnabled ? `on ${flag.rolloutPercent} %` : 'off');

/** @throws UsageError */
function oneFlag({ operands }: Call): string {
  const [name, ...others] = operands;
  if (name === undefined || others.length > 0) throw new UsageError(`Name one flag: ${flagNames.join(', ')}.`);
  return requireFlagName(name);
}

const list: Command = {
  name: 'list',
  summary: 'Lists the flags with their percentages and who changed each last',
  options: {},
  examples: ['flags list', 'flags list --json'],
  async run({ session, terminal, isJson }) {
    const flags = await (await session.flagStore()).list();
    if (isJson) terminal.json({ data: flags.map(flagJson) });
    else
      terminal.table(
        ['FLAG', 'STATE', 'CHANGED', 'BY', 'DESCRIPTION'],
        flags.map((flag) => [
          flag.flagName,
          // At 0 % an enabled flag does as much as one that is off, but not to whoever reads the table.
          flag.isEnabled ? describe(flag) : `off (${flag.rolloutPercent} %)`,
          `${age(flag.updatedAt)} ago`,
          flag.updatedBy,
          flag.description,
        ]),
      );
    return 0;
  },
};

const get: Command = {
  name: 'get',
  summary: 'Shows one flag',
  operands: '<flag>',
  options: {},
  examples: ['flags get enable_worker_canary_release'],
  async run(call) {
    const name = oneFlag(call);
    const flag = (await (await call.session.flagStore()).list()).find(({ flagName }) => flagName === name);
    if (!flag) throw new UsageError(`The row of ${name} is missing; the maintenance process brings it back.`);
    if (call.isJson) call.terminal.json({ data: flagJson(flag) });
    else
      call.terminal.fields({
        flag: flag.flagName,
        state: describe(flag),
        description: flag.description,
        version: flag.version,
        changed: `${age(flag.updatedAt)} ago by ${flag.updatedBy}`,
      });
    return 0;
  },
};

const set: Command = {
  name: 'set',
  summary: 'Changes one flag, or several to the same state: on, off, a percentage; known everywhere within 2 s',
  operands: '<flag>...',
  options: {
    on: { type: 'boolean', description: 'Enabled; at the percentage that it has, or that is given' },
    off: { type: 'boolean', description: 'Disabled; at any percentage that is off' },
    percent: { type: 'string', value: 'n', description: 'Share of subjects, a whole number from 0 to 100' },
    'expect-version': {
      type: 'string',
      value: 'n',
      description: 'Only if the flag still has this version (see "flags get"): nobody changed it meanwhile',
    },
    ...changerOptions,
  },
  examples: [
    'flags set enable_worker_canary_release --on --percent 10 --reason "first step"',
    'flags set enable_object_storage_delivery enable_worker_dedicated_processes enable_domain_event_outbox --off --percent 0 --reason "emergency"',
  ],
  async run({ operands, options, session, terminal, isJson }) {
    if (operands.length === 0) throw new UsageError(`Which flag? ${flagNames.join(', ')}.`);
    if (options.flag('on') && options.flag('off')) throw new UsageError('Either --on or --off.');
    const rolloutPercent = options.number('percent', { min: 0, max: 100, isWhole: true });
    const isEnabled = options.flag('on') ? true : options.flag('off') ? false : undefined;
    if (isEnabled === undefined && rolloutPercent === undefined)
      throw new UsageError('Change it to what? Say --on, --off or --percent.');
    const expectedVersion = options.number('expect-version', { min: 1, max: 2 ** 31 - 1, isWhole: true });
    if (expectedVersion !== undefined && operands.length > 1)
      throw new UsageError('--expect-version goes with one flag.');
    const names = [...new Set(operands.map(requireFlagName))];
    const store = await session.flagStore();
    const flags = await store.set(
      names.map((flagName) => ({ flagName, isEnabled, rolloutPercent, expectedVersion })),
      changerOf(options),
    );
    session.announce(flagsTopic);
    if (isJson) terminal.json({ data: flags.map(flagJson) });
    else for (const flag of flags) terminal.say(`${flag.flagName} is ${describe(flag)}`);
    if (rolloutPercent !== undefined && rolloutPercent > 0)
      for (const flag of flags.filter(({ isEnabled: isOn }) => !isOn))
        terminal.note(`${flag.flagName} is off whatever its percentage: --on switches it on.`);
    return 0;
  },
};

const history: Command = {
  name: 'history',
  summary: 'Lists who changed what and why, the newest first; changes typed as SQL as well',
  operands: '[<flag>]',
  options: { limit: { type: 'string', value: 'n', description: 'At most so many (1..1000, default 20)' } },
  examples: ['flags history', 'flags history enable_domain_event_outbox --limit 5'],
  async run({ operands, options, session, terminal, isJson }) {
    if (operands.length > 1) throw new UsageError('One flag, or none for all of them.');
    const name = operands[0] === undefined ? undefined : requireFlagName(operands[0]);
    const limit = options.number('limit', { min: 1, max: 1_000, isWhole: true }) ?? 20;
    const changes = await (await session.flagStore()).history(name, limit);
    if (isJson)
      terminal.json({
        data: changes.map(({ targetId, actor, action, reason, before, after, at, requestId }) => ({
          ...{ flag_name: targetId, actor, action, reason, before, after },
          ...{ request_id: requestId, at: at.toISOString() },
        })),
      });
    else if (changes.length === 0) terminal.say('No change is recorded.');
    else
      terminal.table(
        ['AT', 'FLAG', 'FROM', 'TO', 'BY', 'WHY'],
        changes.map((change) => [
          change.at.toISOString().slice(0, 19).replace('T', ' '),
          change.targetId,
          stateText(change.before),
          stateText(change.after),
          change.actor,
          change.reason ?? '',
        ]),
      );
    return 0;
  },
};

function stateText(state: unknown): string {
  const { is_enabled, rollout_percent } = (state ?? {}) as { is_enabled?: number; rollout_percent?: number };
  if (is_enabled === undefined) return '-';
  return `${is_enabled === 1 ? 'on' : 'off'} ${rollout_percent ?? '?'} %`;
}

const evaluate: Command = {
  name: 'evaluate',
  summary: 'Says whether a flag is on for a subject, and why',
  operands: '<flag>',
  options: {
    subject: {
      type: 'string',
      value: 'subject',
      description: 'As the contract names it: a pack, asset or theme id, a viewer, <type>:<id>',
    },
  },
  examples: ['flags evaluate enable_domain_event_outbox --subject sticker_pack:0199-...'],
  async run(call) {
    const name = oneFlag(call);
    const subject = call.options.text('subject');
    if (subject === undefined) throw new UsageError('Whom is it about? Say --subject.');
    const rows = await (await call.session.flagStore()).list();
    await OpenFeature.setProviderAndWait(createFlagProvider(storedEvaluation(rows)));
    const details = await OpenFeature.getClient().getBooleanDetails(name, false, { targetingKey: subject });
    const answer = {
      ...{ flag: name, subject, bucket: details.flagMetadata.bucket ?? null },
      ...{ enabled: details.value, reason: details.reason ?? 'UNKNOWN' },
    };
    if (call.isJson) call.terminal.json(answer);
    else call.terminal.fields({ ...answer, bucket: String(answer.bucket), enabled: answer.enabled ? 'yes' : 'no' });
    return 0;
  },
};

export const flags: Group = {
  name: 'flags',
  summary: 'Feature flags: look, change, audit, and whom a percentage means',
  commands: [list, get, set, history, evaluate],
};
