/**
 * What tuning.md says that halving and doubling does, counted on a clock that the test turns: how often a poller and the sweeps
 * look, how often a ranking is published, and that nothing but the interval bounds the wait for what nobody announced.
 */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createRankingPublisher, createSweeper, taskSettings, type TaskType } from '@omnizap/catalog';
import {
  connectDatabase,
  createLogger,
  createMetrics,
  createWakeups,
  loadConfig,
  migrateUp,
  type Clock,
  type Database,
} from '@omnizap/runtime';
import { createTaskQueues, createWorker, installTaskQueues, type TaskQueues } from '@omnizap/tasks';
import { createTestDatabase, testDatabaseKinds, waitFor, type TestDatabase } from '@omnizap/testkit';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const defaults = loadConfig({ DATABASE_URL: 'postgres://127.0.0.1/none' });
const factors = [0.5, 1, 2];
const newMetrics = () => createMetrics({ version: '0', release: 'stable', process: 'test' });

/** A clock that stands still while somebody works, and goes to the end of a rest when the test says so. */
function createSteppedClock() {
  let nowMs = 0;
  const resting = new Set<{ until: number; end: () => void }>();
  const clock: Clock = {
    now: () => nowMs,
    sleep: (milliseconds, signal) =>
      new Promise((resolve) => {
        const rest = {
          until: nowMs + milliseconds,
          end: () => {
            resting.delete(rest);
            resolve();
          },
        };
        if (signal?.aborted === true) resolve();
        else resting.add(rest);
        signal?.addEventListener('abort', rest.end, { once: true });
      }),
    // What a worker puts off by milliseconds (settling) happens at once; its time limits never come.
    after(milliseconds, work) {
      const timer = milliseconds < 1_000 ? setTimeout(work, 0) : undefined;
      return () => clearTimeout(timer);
    },
  };
  return {
    clock,
    async step(): Promise<void> {
      const [rest] = await waitFor(() => (resting.size > 0 ? [...resting] : null));
      nowMs = rest?.until ?? nowMs;
      rest?.end();
    },
    isResting: () => resting.size > 0,
  };
}

describe('a worker whom nothing wakes', () => {
  let test: TestDatabase;
  let queues: TaskQueues;

  beforeAll(async () => {
    test = await createTestDatabase('postgres');
    await installTaskQueues(taskSettings, { queueUrl: test.queueUrl, log });
    // Without wake-ups: nobody hears of what is put into a queue.
    queues = createTaskQueues(taskSettings, { queueUrl: test.queueUrl, log });
    await queues.start();
  });
  afterAll(async () => {
    await queues.stop();
    await test.drop();
  });

  it.each(factors)('looks once per poll interval times %s, and claims what came at its next look', async (factor) => {
    const pollIntervalMs = defaults.STICKER_DEDICATED_WORKER_POLL_INTERVAL_MS * factor;
    const settings = taskSettings.find(({ type }) => type === 'classification');
    if (!settings) throw new Error('There is no classification');
    const { clock, step, isResting } = createSteppedClock();
    let looks = 0;
    const workedAt: number[] = [];
    const worker = createWorker(
      {
        queues: {
          ...queues,
          fetch: async (...args) => {
            looks += 1;
            return await queues.fetch(...args);
          },
        },
        wakeups: { on: () => () => undefined },
        ...{ log, metrics: newMetrics(), clock },
      },
      {
        ...{ lane: 'stable', concurrency: 1, pollIntervalMs, onDead: () => Promise.resolve() },
        definitions: [
          {
            settings,
            handle: () => {
              workedAt.push(clock.now());
              return Promise.resolve({ status: 'done' });
            },
          },
        ],
      },
    );
    await worker.start();
    while (clock.now() < 60_000) await step();
    await waitFor(isResting);
    expect(looks).toBe(1 + 60_000 / pollIntervalMs);

    await queues.enqueue([{ taskType: 'classification', subjectId: `unannounced ${factor}` }]);
    expect(workedAt).toEqual([]);
    await step();
    await waitFor(() => workedAt.length > 0);
    await worker.stop();

    expect(workedAt).toEqual([60_000 + pollIntervalMs]);
  });
});

describe.each(testDatabaseKinds())('the leading maintenance process on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let queues: TaskQueues;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl);
    await migrateUp(database);
    await installTaskQueues(taskSettings, { queueUrl: test.queueUrl, log });
    queues = createTaskQueues(taskSettings, { queueUrl: test.queueUrl, log });
    await queues.start();
  });
  afterAll(async () => {
    jest.restoreAllMocks();
    await queues.stop();
    await database.close();
    await test.drop();
  });

  /** Calls `pass` every so many milliseconds of a clock that the test turns, for that long. */
  async function turn(forMs: number, everyMs: number, pass: () => Promise<unknown>): Promise<void> {
    let nowMs = 0;
    const spy = jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
    for (; nowMs <= forMs; nowMs += everyMs) await pass();
    spy.mockRestore();
  }

  it.each(factors)('sweeps each type once per its cadence times %s', async (factor) => {
    const cadenceMs: Record<TaskType, number> = {
      classification: defaults.STICKER_WORKER_CLASSIFICATION_CADENCE_MS * factor,
      derivative: defaults.STICKER_WORKER_CLASSIFICATION_CADENCE_MS * factor,
      curation: defaults.STICKER_WORKER_CURATION_CADENCE_MS * factor,
      rebuild: defaults.STICKER_WORKER_REBUILD_CADENCE_MS * factor,
      storage: defaults.STICKER_WORKER_REBUILD_CADENCE_MS * factor,
      webhook: defaults.STICKER_WORKER_REBUILD_CADENCE_MS * factor,
    };
    const provider = { name: 'emoji', version: '1' };
    const sweeper = createSweeper({ database, queues, log }, { cadenceMs, provider });
    const sweeps: Record<string, number> = {};
    const count = ({ sql, bindings }: { sql: string; bindings: unknown[] }): void => {
      if (!/^select .subject_id., .wanted_at. from .work_state./.test(sql)) return;
      const taskType = String(bindings[0]);
      sweeps[taskType] = (sweeps[taskType] ?? 0) + 1;
    };
    database.knex.on('query', count);
    const forMs = 1_440_000;
    await turn(forMs, 2_000, () => sweeper.pass());
    database.knex.removeListener('query', count);

    expect(sweeps).toEqual(
      Object.fromEntries(Object.entries(cadenceMs).map(([taskType, ms]) => [taskType, 1 + forMs / ms])),
    );
  });

  it.each(factors)('publishes a quiet ranking once per its refresh interval times %s', async (factor) => {
    const refreshIntervalMs = defaults.STICKER_SCORE_SNAPSHOT_REFRESH_INTERVAL_MS * factor;
    const publisher = createRankingPublisher(
      { database, log, metrics: newMetrics(), wakeups: createWakeups({ queueUrl: test.queueUrl, log }) },
      { refreshIntervalMs, ageDecayDays: defaults.STICKER_PACK_AGE_DECAY_DAYS, mayPublish: () => true },
    );
    const newest = async (): Promise<number> =>
      Number((await database.knex('ranking_generation').max<{ n: number | null }[]>({ n: 'generation' }))[0]?.n ?? 0);
    const before = await newest();
    const forMs = 1_200_000;
    await turn(forMs, 6_000, () => publisher.pass());

    expect((await newest()) - before).toBe(1 + forMs / refreshIntervalMs);
  });
});
