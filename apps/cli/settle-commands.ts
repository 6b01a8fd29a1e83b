/** `dlq redrive` and `dlq discard`: by id or by filter, after a question, each answer saying what is left. */
import { deadLetterLimits, errorGroupJson, type DeadLetters } from '@omnizap/catalog';
import type { DeadLetterFilter, DeadLetterSource, Settlement } from '@omnizap/outbox';
import { isAppError } from '@omnizap/runtime';
import { changerOptions, settlerOf } from './changer-options.ts';
import { UsageError, type Call, type Command, type OptionSpec } from './command.ts';
import {
  filterOf,
  filterOptions,
  hasFilter,
  nameOf,
  parseReference,
  sourceOf,
  sourceOption,
  type Reference,
} from './dead-letter-options.ts';

const verbs: Record<Settlement, string> = { redriven: 'redrive', discarded: 'discard' };

const bulkOptions: Record<string, OptionSpec> = {
  all: { type: 'boolean', description: 'All of the source, when there is no filter' },
  preview: { type: 'boolean', description: 'Only say what would happen' },
  limit: {
    type: 'string',
    value: 'n',
    description: `At most so many, the oldest first (1..${deadLetterLimits.bulk}, the default)`,
  },
};

export const redrive: Command = {
  name: 'redrive',
  summary: 'Runs them again, attempts counted from zero: by id, or what a filter matches, the oldest first',
  operands: '[<id>...]',
  options: {
    ...sourceOption,
    ...filterOptions,
    ...bulkOptions,
    rate: { type: 'string', value: 'n', description: 'So many per second (0.01..1000); default: all at once' },
    ...changerOptions,
    yes: { type: 'boolean', description: 'Do not ask' },
  },
  examples: [
    'dlq redrive outbox:12 tasks:7',
    'dlq redrive --source tasks --type derivative --preview',
    'dlq redrive --source tasks --error-contains ENOSPC --rate 20 --reason "disk grown"',
    'dlq redrive --source outbox --all --yes --json',
  ],
  run: (call) => settle(call, 'redriven'),
};

export const discard: Command = {
  name: 'discard',
  summary: 'Gives them up, for a reason that is kept: by id, or what a filter matches',
  operands: '[<id>...]',
  options: {
    ...sourceOption,
    ...filterOptions,
    ...bulkOptions,
    ...changerOptions,
    yes: { type: 'boolean', description: 'Do not ask' },
  },
  examples: [
    'dlq discard tasks:7 --reason "the pack is gone"',
    'dlq discard --source outbox --type OLD_EVENT --reason "of a release that was taken back" --yes',
  ],
  run: (call) => settle(call, 'discarded'),
};

async function settle(call: Call, settlement: Settlement): Promise<number> {
  const { operands, options } = call;
  const source = sourceOf(options);
  const filter = filterOf(options);
  const isBulk = hasFilter(filter) || options.flag('all');
  const isPreview = options.flag('preview');
  const rate = options.number('rate', { min: 0.01, max: deadLetterLimits.ratePerSecond, isWhole: false });
  const limit = options.number('limit', { min: 1, max: deadLetterLimits.bulk, isWhole: true });
  const settler = settlerOf(options);
  if (operands.length > 0 && (isBulk || isPreview || rate !== undefined || limit !== undefined))
    throw new UsageError('Either ids or a filter: --all, --preview, --rate, --limit and filters go without ids.');
  if (operands.length === 0 && !isBulk)
    throw new UsageError(`What is to be ${settlement}? Give ids (outbox:12), a filter, or --source and --all.`);
  if (hasFilter(filter) && options.flag('all')) throw new UsageError('Either a filter or --all.');
  if (settlement === 'discarded' && settler.reason === undefined && !isPreview)
    throw new UsageError('A discard needs a --reason: it is all that will be left to explain it.');
  if (!isPreview && !options.flag('yes') && !call.terminal.isInteractive())
    throw new UsageError('There is no terminal to ask on: look with --preview, then say --yes.');

  if (operands.length > 0) {
    const references = operands.map((text) => parseReference(text, source));
    return settleNamed(call, references, settlement, settler);
  }
  if (source === undefined) throw new UsageError('A filter needs --source outbox or --source tasks.');
  return settleMatching(call, { source, filter, settlement, limit, rate, isPreview }, settler);
}

async function settleNamed(
  { session, terminal, options, isJson }: Call,
  references: Reference[],
  settlement: Settlement,
  settler: ReturnType<typeof settlerOf>,
): Promise<number> {
  const names = references.map(nameOf).join(', ');
  const deadLetters = await session.deadLetters();
  if (!options.flag('yes') && !(await terminal.confirm(`About to ${verbs[settlement]} ${names}. Continue?`))) {
    terminal.note('Nothing was changed.');
    return 1;
  }
  const settled: object[] = [];
  const failed: { id: string; error: string }[] = [];
  for (const reference of references) {
    const { source, id } = reference;
    const act = settlement === 'redriven' ? deadLetters.redrive : deadLetters.discard;
    try {
      const letter = await act(source, id, settler);
      settled.push({ id, source, type: letter.type, subject_id: letter.subjectId, settlement });
      if (!isJson) terminal.say(`${nameOf(reference)} ${settlement}: ${letter.type} ${letter.subjectId}`);
    } catch (error) {
      // One that is gone already must not keep the others from their turn.
      if (!isAppError(error, 'not-found')) throw error;
      failed.push({ id: nameOf(reference), error: error.message });
      terminal.note(error.message);
    }
  }
  if (isJson) terminal.json({ data: settled, failed });
  return failed.length === 0 ? 0 : 1;
}

type Matching = {
  source: DeadLetterSource;
  filter: DeadLetterFilter;
  settlement: Settlement;
  limit: number | undefined;
  rate: number | undefined;
  isPreview: boolean;
};

async function settleMatching(
  { session, terminal, options, isJson }: Call,
  { source, filter, settlement, limit, rate, isPreview }: Matching,
  settler: ReturnType<typeof settlerOf>,
): Promise<number> {
  const deadLetters = await session.deadLetters();
  const isAsking = !options.flag('yes');
  if (isPreview || isAsking) {
    const preview = await deadLetters.preview(source, filter, { limit, ratePerSecond: rate });
    if (isPreview && isJson) {
      const { groups, firstIds } = preview;
      terminal.json({
        data: {
          ...resultJson(source, settlement, true, preview),
          groups: groups.map(errorGroupJson),
          first_ids: firstIds,
        },
      });
      return 0;
    }
    const tell = isPreview ? terminal.say : terminal.note;
    tell(`${preview.matched} dead letters of ${source} match.`);
    for (const group of preview.groups.slice(0, 10))
      tell(`  ${group.count} x ${group.type}: ${group.error.slice(0, 120)}`);
    if (preview.until) tell(`The last would have its turn at ${preview.until.toISOString()}.`);
    if (isPreview) {
      tell(`${preview.settled} would be ${settlement}, ${preview.left} left.`);
      return 0;
    }
    if (preview.matched === 0) return 0;
    const question = `About to ${verbs[settlement]} ${preview.settled} dead letters of ${source}. Continue?`;
    if (!(await terminal.confirm(question))) {
      terminal.note('Nothing was changed.');
      return 1;
    }
  }
  const progress = terminal.progress(settlement);
  const result = await deadLetters.settleAll(
    source,
    filter,
    { settlement, limit, ratePerSecond: rate, onProgress: progress.at },
    settler,
  );
  progress.done();
  if (isJson) terminal.json({ data: resultJson(source, settlement, false, result) });
  else {
    terminal.say(`${result.settled} ${settlement}, ${result.left} left.`);
    if (result.until) terminal.say(`The last has its turn at ${result.until.toISOString()}.`);
    if (result.left > 0 && limit === undefined) terminal.note('The same command goes on with those that are left.');
  }
  return 0;
}

function resultJson(
  source: DeadLetterSource,
  settlement: Settlement,
  preview: boolean,
  result: Awaited<ReturnType<DeadLetters['settleAll']>>,
): object {
  return {
    source,
    preview,
    matched: result.matched,
    [settlement]: result.settled,
    left: result.left,
    until: result.until?.toISOString() ?? null,
  };
}
