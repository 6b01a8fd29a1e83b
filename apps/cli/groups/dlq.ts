/** Dead letters: look, group, show. What settles them is in settle-commands.ts. */
import { deadLetterLimits, errorGroupJson, type ErrorGroup } from '@omnizap/catalog';
import {
  deadLetterDetailJson,
  deadLetterJson,
  deadLetterSources,
  settledJson,
  type DeadLetter,
  type Settled,
} from '@omnizap/outbox';
import { UsageError, type Command, type Group } from '../command.ts';
import { filterOf, filterOptions, nameOf, parseReference, sourceOf, sourceOption } from '../dead-letter-options.ts';
import { discard, redrive } from '../settle-commands.ts';
import { age, printable, type Terminal } from '../terminal.ts';

const list: Command = {
  name: 'list',
  summary: 'Lists what failed for good, the newest first; with --groups, the causes behind it',
  options: {
    ...sourceOption,
    ...filterOptions,
    groups: { type: 'boolean', description: 'The causes instead: by type and first line of the error' },
    limit: {
      type: 'string',
      value: 'n',
      description: `At most so many of each source (1..${deadLetterLimits.page}; 50)`,
    },
    cursor: { type: 'string', value: 'cursor', description: 'Go on where a list ended (with --source)' },
  },
  examples: [
    'dlq list',
    'dlq list --groups',
    'dlq list --source tasks --type derivative --failed-after 2h',
    'dlq list --source outbox --error-contains "does not match its schema" --json',
  ],
  async run({ options, session, terminal, isJson }) {
    const source = sourceOf(options);
    const filter = filterOf(options);
    const cursor = options.text('cursor');
    const limit = options.number('limit', { min: 1, max: deadLetterLimits.page, isWhole: true }) ?? 50;
    if (cursor !== undefined && source === undefined)
      throw new UsageError('--cursor needs the --source that it came from.');
    if (cursor !== undefined && options.flag('groups'))
      throw new UsageError('--groups has no pages: leave --cursor away.');
    const deadLetters = await session.deadLetters();
    const sources = source === undefined ? deadLetterSources : [source];

    if (options.flag('groups')) {
      const found = [];
      for (const each of sources) {
        const { groups } = await deadLetters.groups(each, filter);
        found.push(...groups.map((group) => ({ source: each, group })));
      }
      if (isJson)
        terminal.json({ data: found.map(({ source: of, group }) => ({ source: of, ...errorGroupJson(group) })) });
      else sayGroups(terminal, found);
      return 0;
    }

    const letters: DeadLetter[] = [];
    const cursors: Record<string, string | null> = {};
    for (const each of sources) {
      const page = await deadLetters.list(each, filter, { limit, cursor });
      letters.push(...page.letters);
      cursors[each] = page.nextCursor;
    }
    if (isJson) terminal.json({ data: letters.map(deadLetterJson), next_cursors: cursors });
    else if (letters.length === 0) terminal.say('No dead letters.');
    else {
      terminal.table(
        ['ID', 'TYPE', 'SUBJECT', 'TRIES', 'FAILED', 'ERROR'],
        letters.map((letter) => [
          nameOf(letter),
          letter.type,
          letter.subjectId,
          String(letter.attempts),
          `${age(letter.failedAt)} ago`,
          letter.error,
        ]),
      );
    }
    for (const [each, next] of Object.entries(cursors))
      if (next !== null) terminal.note(`There are more of ${each}: --source ${each} --cursor ${next}`);
    return 0;
  },
};

const show: Command = {
  name: 'show',
  summary: 'Shows one with its whole error, its payload, and what became of earlier ones of its origin',
  operands: '<id>',
  options: sourceOption,
  examples: ['dlq show outbox:12', 'dlq show 12 --source outbox --json'],
  async run({ operands, options, session, terminal, isJson }) {
    const [text, ...more] = operands;
    if (text === undefined || more.length > 0) throw new UsageError('Which one? Give one id, such as outbox:12.');
    const { source, id } = parseReference(text, sourceOf(options));
    const { letter, history } = await (await session.deadLetters()).show(source, id);
    if (isJson) {
      terminal.json({ data: { ...deadLetterDetailJson(letter), history: history.map(settledJson) } });
      return 0;
    }
    const { last_error: lastError, payload, ...fields } = deadLetterDetailJson(letter);
    terminal.fields({ ...fields, id: nameOf(letter), error: null });
    terminal.say(`\nPayload\n${indented(JSON.stringify(payload, null, 2))}`);
    terminal.say(`\nLast error\n${indented(printable(lastError))}`);
    sayHistory(terminal, history);
    return 0;
  },
};

export const dlq: Group = {
  name: 'dlq',
  summary: 'Dead letters: events and tasks that failed for good, until somebody redrives or discards them',
  commands: [list, show, redrive, discard],
};

function sayGroups(terminal: Terminal, found: { source: string; group: ErrorGroup }[]): void {
  if (found.length === 0) return terminal.say('No dead letters.');
  terminal.table(
    ['COUNT', 'SOURCE', 'TYPE', 'FIRST', 'LAST', 'ERROR'],
    found.map(({ source, group }) => [
      String(group.count),
      source,
      group.type,
      `${age(group.firstFailedAt)} ago`,
      `${age(group.lastFailedAt)} ago`,
      group.error,
    ]),
  );
  const [largest] = found;
  if (largest)
    terminal.note(
      `\nFor the first: --source ${largest.source} --type ${largest.group.type} --error-contains ${JSON.stringify(largest.group.contains)}`,
    );
}

export function sayHistory(terminal: Terminal, history: Settled[]): void {
  if (history.length === 0) return;
  terminal.say('\nEarlier');
  terminal.table(
    ['SETTLED', 'HOW', 'BY', 'REASON', 'ERROR'],
    history.map((settled) => [
      settled.settledAt.toISOString(),
      settled.settlement,
      settled.settledBy,
      settled.reason ?? '-',
      settled.deadLetter.error,
    ]),
  );
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}
