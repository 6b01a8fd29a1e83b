/**
 * What the fleet asks again and again, run by the code that asks it, and how many rows the server may read for it: a bound that
 * depends on what is waiting, never on what is finished. The same list is a test (plans.db.test.ts) and a bench (`plans`).
 */
import { createCatalogueDepth, createEngagement, createWorkStateStore, retentionPolicies } from '@omnizap/catalog';
import { createOutboxStore, shardCount, shardLeaseName, type Hold, type OutboxEvent } from '@omnizap/outbox';
import { createLogger, createRetention, createWakeups, type Database } from '@omnizap/runtime';
import { holdLeases } from '@omnizap/testkit';
import { filledPack, type TableSizes } from './fill-tables.ts';

export type HotQuery = {
  name: string;
  atMostRows: number;
  run: () => Promise<unknown>;
};

const batch = 500;
const allShards = Array.from({ length: shardCount }, (_, shard) => shard);
const provider = { name: 'emoji', version: '1' };

/** In this order: later ones build on what earlier ones did. Each can be run once. */
export async function createHotQueries(
  database: Database,
  options: { queueUrl: string; archiveDir: string; sizes: TableSizes },
): Promise<HotQuery[]> {
  const { sizes } = options;
  const log = createLogger({ level: 'silent', format: 'json', process: 'bench' });
  const outbox = createOutboxStore(database);
  const workState = createWorkStateStore(database);
  const engagement = createEngagement({
    database,
    flags: { isOn: () => true },
    wakeups: createWakeups({ queueUrl: options.queueUrl, log }),
  });
  const retentionOf = (rows: number) =>
    createRetention(
      { database, log },
      {
        policies: retentionPolicies(database.kind),
        archiveDir: options.archiveDir,
        limits: { rows, milliseconds: 60_000 },
      },
    );
  const unfinished = sizes.waitingEvents + sizes.failedEvents;
  const processId = await holdLeases(database, allShards.map(shardLeaseName));
  const hold: Hold = { processId, token: 'bench:1', shards: allShards };
  let claimed: OutboxEvent[] = [];
  const expectCount = (what: string, count: number, expected: number): void => {
    if (count !== expected) throw new Error(`${what}: ${count} instead of ${expected}`);
  };

  return [
    {
      name: 'relay, claim of nothing',
      atMostRows: 200,
      run: async () =>
        expectCount('claimed', (await outbox.claim({ ...hold, shards: allShards.slice(8) }, batch)).length, 0),
    },
    {
      name: `relay, claim of ${batch}`,
      // Up to twice the batch as candidates, each with a look at its aggregate and sorted; then the batch is marked, read, and
      // looked at once more for older ones.
      atMostRows: 20 * batch,
      run: async () => {
        claimed = await outbox.claim(hold, batch);
        expectCount('claimed', claimed.length, batch);
      },
    },
    {
      name: `relay, completion of ${batch}`,
      atMostRows: 3 * batch,
      run: async () => expectCount('completed', await outbox.complete(claimed, hold), batch),
    },
    { name: 'relay, reclaim', atMostRows: 2 * batch, run: () => outbox.reclaim(hold) },
    {
      name: 'outbox depth',
      atMostRows: 3 * unfinished,
      run: async () => {
        const { pending, failed } = await outbox.depth();
        expectCount('unfinished', pending + failed, unfinished - batch);
      },
    },
    {
      name: 'sweep, due subjects',
      atMostRows: 3 * sizes.dueWorkStates + 100,
      run: async () => {
        const due = await workState.due('rebuild', { olderThanMs: 20_000, after: null, limit: 1_000 });
        expectCount('due', due.length, sizes.dueWorkStates);
      },
    },
    {
      // The outbox's as well, in the same statement.
      name: 'catalogue depth',
      atMostRows: 3 * unfinished + 3 * sizes.dueWorkStates + 100,
      run: async () =>
        expectCount('due', (await createCatalogueDepth(database, provider)()).scorePending, sizes.dueWorkStates),
    },
    {
      name: 'engagement, first open of a viewer',
      atMostRows: 300,
      run: () => engagement.record(filledPack.packKey, 'open', { key: 'new', address: '10.0.0.1' }),
    },
    {
      name: 'engagement, repeated open',
      atMostRows: 300,
      run: () => engagement.record(filledPack.packKey, 'open', { key: 'new', address: '10.0.0.1' }),
    },
    {
      name: 'engagement, a rating and its opposite',
      atMostRows: 600,
      run: async () => {
        await engagement.record(filledPack.packKey, 'like', { key: 'new', address: '10.0.0.1' });
        await engagement.record(filledPack.packKey, 'dislike', { key: 'new', address: '10.0.0.1' });
      },
    },
    {
      name: 'engagement, what a viewer did last',
      atMostRows: 100,
      run: async () => expectCount('found', (await engagement.affinityOf({ key: 'new' })).length, 2),
    },
    {
      name: `retention, removal of ${sizes.dueEvents} events`,
      // Walked, locked, deleted; MariaDB reads the list of ids as a table, too.
      atMostRows: 10 * (sizes.dueEvents + 1_000),
      run: async () => {
        const [run] = await retentionOf(sizes.dueEvents + 1_000).run('finished-events');
        expectCount('removed', run?.removed ?? 0, sizes.dueEvents);
      },
    },
    {
      name: 'retention, nothing to remove',
      // PostgreSQL counts the entries of what was just removed until its index has been cleaned: some thousand or none.
      atMostRows: sizes.dueEvents + 4_000,
      run: async () => expectCount('removed', (await retentionOf(20_000).run('finished-events'))[0]?.removed ?? 0, 0),
    },
    {
      name: 'retention, nothing to archive',
      atMostRows: 3_000,
      run: async () => expectCount('removed', (await retentionOf(20_000).run('interactions'))[0]?.removed ?? 0, 0),
    },
  ];
}
