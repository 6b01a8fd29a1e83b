import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLogger } from '@omnizap/runtime';
import { createTestDatabase, type TestDatabase } from '@omnizap/testkit';
import pg from 'pg';
import { installTaskQueues } from './install-task-queues.ts';
import { createTaskQueues, type FetchedTask, type TaskQueues } from './task-queues.ts';
import type { TaskSettings } from './task-types.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const types = ['crowded', 'metered', 'paused', 'mixed'];
const settings: TaskSettings[] = types.map((type) => ({ type, retryLimit: 2, timeoutSeconds: 30, coalesceSeconds: 0 }));

describe('the limits of a group', () => {
  let test: TestDatabase;
  let database: pg.Pool;
  const processes: TaskQueues[] = [];

  beforeAll(async () => {
    test = await createTestDatabase('postgres');
    database = new pg.Pool({ connectionString: test.queueUrl, max: 2 });
    await installTaskQueues(settings, { queueUrl: test.queueUrl, log });
    for (const processId of ['one', 'two', 'three']) {
      const queues = createTaskQueues(settings, { queueUrl: test.queueUrl, log, processId });
      await queues.start();
      processes.push(queues);
    }
  });
  afterAll(async () => {
    await Promise.all(processes.map((queues) => queues.stop()));
    await database.end();
    await test.drop();
  });

  const [first, others] = [() => processes[0] as TaskQueues, () => processes.slice(1)];
  const fetchEverywhere = async (type: string, limit: number): Promise<FetchedTask[]> =>
    (await Promise.all(processes.map((queues) => queues.fetch(type, 'stable', limit)))).flat();
  const enqueue = (taskType: string, groupId: string | undefined, count: number): Promise<void> =>
    first().enqueue(
      Array.from({ length: count }, (_, index) => ({ taskType, groupId, subjectId: `${groupId ?? 'free'}-${index}` })),
    );
  const makeDue = (type: string): Promise<unknown> =>
    database.query(`UPDATE pgboss.job SET start_after = now() WHERE name = $1 AND state = 'retry'`, [`${type}.stable`]);
  /** When what waits may start, in ms from now, soonest first. */
  const waits = async (type: string): Promise<number[]> =>
    (
      await database.query<{ wait: number }>(
        `SELECT EXTRACT(EPOCH FROM start_after - now())::float8 * 1000 AS wait FROM pgboss.job
          WHERE name = $1 AND state = 'retry' ORDER BY 1`,
        [`${type}.stable`],
      )
    ).rows.map((row) => row.wait);

  it('let no more run at once than they say, whichever processes ask together', async () => {
    await first().limitGroup('crowded', 'page', { concurrency: 2 });
    await enqueue('crowded', 'page', 9);

    const atOnce = await fetchEverywhere('crowded', 3);
    await makeDue('crowded');
    const whileFull = await fetchEverywhere('crowded', 9);
    await first().complete(atOnce.slice(0, 1));
    await makeDue('crowded');
    const afterOne = await fetchEverywhere('crowded', 9);

    expect([atOnce.length, whileFull.length, afterOne.length]).toEqual([2, 0, 1]);
    expect(afterOne[0]?.attempt).toBe(1);
  });

  it('space starts out by their rate, and give each that is early its slot once', async () => {
    await first().limitGroup('metered', 'page', { ratePerSecond: 0.1, burst: 2 });
    await enqueue('metered', 'page', 6);

    const atOnce = await fetchEverywhere('metered', 6);
    const slots = await waits('metered');
    await makeDue('metered');
    const inTheirSlots = await fetchEverywhere('metered', 6);
    await enqueue('metered', 'page', 7);
    const newcomers = await fetchEverywhere('metered', 1);

    expect(atOnce).toHaveLength(2);
    // One per ten seconds: whatever the machine takes for this test, the distances hold.
    const distances = slots.slice(1).map((slot, index) => Math.round((slot - (slots[index] ?? 0)) / 1_000));
    expect(distances).toEqual([10, 10, 10]);
    expect(inTheirSlots).toHaveLength(4);
    expect(newcomers).toEqual([]);
  });

  it('hold everything back while paused, and nothing once they are lifted', async () => {
    await first().limitGroup('paused', 'page', {
      pausedUntil: new Date(Date.now() + 3_600_000),
      pauseReason: 'blocked',
    });
    await enqueue('paused', 'page', 3);

    const whilePaused = await fetchEverywhere('paused', 3);
    const looksAgain = await waits('paused');
    await others()[0]?.limitGroup('paused', 'page', {});
    const lifted = await fetchEverywhere('paused', 3);

    expect(whilePaused).toEqual([]);
    expect(Math.max(...looksAgain)).toBeLessThanOrEqual(30_000);
    expect(lifted.map((task) => task.attempt)).toEqual([1, 1, 1]);
  });

  it('leave other groups, and what has none, alone', async () => {
    await first().limitGroup('mixed', 'narrow', { concurrency: 1 });
    await enqueue('mixed', 'narrow', 3);
    await enqueue('mixed', 'wide', 3);
    await enqueue('mixed', undefined, 3);

    const fetched = await fetchEverywhere('mixed', 9);

    const counts = Map.groupBy(fetched, (task) => task.groupId ?? 'none');
    expect([...counts].map(([group, tasks]) => [group, tasks.length]).toSorted()).toEqual([
      ['narrow', 1],
      ['none', 3],
      ['wide', 3],
    ]);
  });
});
