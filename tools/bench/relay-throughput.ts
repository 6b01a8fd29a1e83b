/**
 * How fast the relay turns a backlog of events into tasks. The events are appended while it is stopped; the clock runs from its
 * ready message to the last event. The reference is the queue alone: the same hints in the same batches, nothing read or marked.
 */
import { randomUUID } from 'node:crypto';
import { taskSettings } from '@omnizap/catalog';
import { appendEvents, type EventDraft } from '@omnizap/outbox';
import { connectDatabase, createLogger } from '@omnizap/runtime';
import { createTaskQueues, type TaskHint } from '@omnizap/tasks';
import { waitFor } from '@omnizap/testkit';
import type { BenchFleet } from './bench-fleet.ts';
import type { Bench } from './bench-types.ts';

const eventCount = 20_000;
const aggregateCount = 2_000;
/** What the relay claims at once. */
const batchSize = 500;
const pollMs = 25;
const timeoutMs = 300_000;

export const relayBench: Bench = {
  name: 'relay',
  summary: `${eventCount} events of ${aggregateCount} aggregates: relayed per second, against bare queue inserts.`,
  rounds: 3,
  async prepare({ startFleet, cleanUp, signal }) {
    const fleet = await startFleet();
    const database = connectDatabase(fleet.databaseUrl, { poolMax: 1, applicationName: 'bench' });
    cleanUp(async () => await database.close());
    const log = createLogger({ level: 'silent', format: 'json', process: 'bench' });
    const queues = createTaskQueues(taskSettings, { queueUrl: fleet.databaseUrl, log, applicationName: 'bench' });
    await queues.start();
    cleanUp(async () => await queues.stop());

    return async () => {
      await fleet.whenQuiet();
      await fleet.stop('relay');
      const packIds = Array.from({ length: aggregateCount }, () => randomUUID());
      const events = Array.from({ length: eventCount }, (_, index) => eventOf(packIds[index % aggregateCount] ?? ''));
      for (const batch of batchesOf(events)) {
        signal.throwIfAborted();
        await database.transaction(async (trx) => await appendEvents(trx, batch));
      }

      // The canary lane has no worker here: what is put there stays, and is in nobody's way.
      const hints = events.map(({ aggregateId }): TaskHint => ({ taskType: 'rebuild', subjectId: aggregateId }));
      const referenceAt = performance.now();
      for (const batch of batchesOf(hints)) await queues.enqueue(batch, 'canary');
      const referencePerSecond = eventCount / secondsSince(referenceAt);

      await fleet.start('relay');
      const startedAt = performance.now();
      await waitFor(async () => (await waitingEvents(fleet)) === 0, {
        timeoutMs,
        intervalMs: pollMs,
        description: 'all events to be relayed',
      });
      const perSecond = eventCount / secondsSince(startedAt);
      await fleet.query('DELETE FROM domain_event_outbox');
      return [
        { name: 'events relayed', unit: '/s', value: perSecond },
        { name: 'reference, bare queue inserts', unit: '/s', value: referencePerSecond },
        { name: 'relayed against the reference', unit: 'x', value: perSecond / referencePerSecond },
      ];
    };
  },
};

/** Packs that do not exist: their tasks are looked at and skipped, so the workers add little. */
function eventOf(packId: string): EventDraft {
  return {
    type: 'ENGAGEMENT_RECORDED',
    aggregateType: 'sticker_pack',
    aggregateId: packId,
    payload: { pack_id: packId, action: 'open' },
  };
}

async function waitingEvents(fleet: BenchFleet): Promise<number> {
  const [row] = await fleet.query<{ count: number }>(
    `SELECT COUNT(*)::int AS count FROM domain_event_outbox WHERE status IN ('pending', 'processing', 'failed')`,
  );
  return row?.count ?? -1;
}

function batchesOf<Entry>(entries: Entry[]): Entry[][] {
  const batches: Entry[][] = [];
  for (let start = 0; start < entries.length; start += batchSize) batches.push(entries.slice(start, start + batchSize));
  return batches;
}

const secondsSince = (at: number): number => (performance.now() - at) / 1_000;
