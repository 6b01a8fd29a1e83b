/** Events on their way out. */
import { createOutboxStore, findEvent, settledJson } from '@omnizap/outbox';
import { AppError } from '@omnizap/runtime';
import { UsageError, type Command, type Group } from '../command.ts';
import { printable } from '../terminal.ts';
import { sayHistory } from './dlq.ts';

const stats: Command = {
  name: 'stats',
  summary: 'Counts events by status, and says how long the oldest unfinished one has waited',
  options: {},
  examples: ['outbox stats', 'outbox stats --json'],
  async run({ session, terminal, isJson }) {
    const { oldestSeconds, ...counts } = await createOutboxStore(await session.database()).depth();
    const data = { ...counts, oldest_seconds: Math.max(0, Math.round(oldestSeconds)) };
    if (isJson) terminal.json({ data });
    else terminal.fields({ ...counts, 'oldest unfinished': `${data.oldest_seconds} s` });
    return 0;
  },
};

const show: Command = {
  name: 'show',
  summary: 'Shows one event with its payload, its last error, and its times among the dead letters',
  operands: '<event id>',
  options: {},
  examples: ['outbox show 4711', 'outbox show 4711 --json'],
  async run({ operands, session, terminal, isJson }) {
    const [text = '', ...more] = operands;
    if (!/^\d{1,15}$/.test(text) || more.length > 0) throw new UsageError('Which one? Give the id of one event.');
    const event = await findEvent(await session.database(), Number(text));
    const history = await (await session.deadLetters()).history('outbox', text);
    if (!event) {
      const [last] = history;
      throw new AppError(
        'not-found',
        last
          ? `Event ${text} is not in the outbox; it was ${last.settlement} by ${last.settledBy} at ${last.settledAt.toISOString()}.`
          : `Event ${text} is not in the outbox. A dead letter? npm run ops -- dlq list --source outbox`,
      );
    }
    if (isJson) {
      terminal.json({ data: { ...event, history: history.map(settledJson) } });
      return 0;
    }
    const { payload, last_error: lastError, ...fields } = event;
    const texts = Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Date ? value.toISOString() : value,
    ]);
    terminal.fields(Object.fromEntries(texts) as Record<string, string>);
    terminal.say(`\nPayload\n  ${JSON.stringify(payload)}`);
    if (lastError !== null) terminal.say(`\nLast error\n  ${printable(lastError)}`);
    sayHistory(terminal, history);
    return 0;
  },
};

export const outbox: Group = {
  name: 'outbox',
  summary: 'Events on their way from a change to its tasks',
  commands: [stats, show],
};
