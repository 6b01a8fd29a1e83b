import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '@omnizap/runtime';
import {
  createTaskQueues,
  installTaskQueues,
  type DeadTask,
  type FetchedTask,
  type Lane,
  type TaskSettings,
} from '@omnizap/tasks';
import { createTestDatabase, waitFor, type TestDatabase } from '@omnizap/testkit';
import pg from 'pg';
import { createAtOnce } from './at-once.ts';
import { createMemoryTaskQueues, type MemoryTaskQueues } from './memory-task-queues.ts';
import { createQueueOperations, createQueueTables } from './queue-tables.ts';
import { soundRules } from './rules.ts';
import { createSeededRandom } from './seeded-random.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const seeds = [1, 2, 3, 4];
const operations = 150;
const processes = ['process-1', 'process-2', 'process-3'];
const lanesUsed: Lane[] = ['stable', 'canary'];
/** Retries come at a random time up to a millisecond: nothing is compared before all of them are due. */
const settings: TaskSettings[] = [
  {
    type: 'first',
    retryLimit: 2,
    crashLimit: 2,
    timeoutSeconds: 60,
    firstRetryMs: 1,
    longestRetryMs: 1,
    coalesceSeconds: 0,
  },
  { type: 'second', retryLimit: 1, timeoutSeconds: 60, firstRetryMs: 1, longestRetryMs: 1, coalesceSeconds: 0 },
];

describe('task queues in memory, beside those on pg-boss', () => {
  let test: TestDatabase;
  let database: pg.Pool;
  const real = new Map<string, ReturnType<typeof createTaskQueues>>();

  beforeAll(async () => {
    test = await createTestDatabase('postgres');
    database = new pg.Pool({ connectionString: test.queueUrl, max: 2 });
    await installTaskQueues(settings, { queueUrl: test.queueUrl, log });
    for (const processId of processes) {
      const queues = createTaskQueues(settings, { queueUrl: test.queueUrl, log, processId });
      await queues.start();
      real.set(processId, queues);
    }
  });
  beforeEach(async () => {
    await database.query('DELETE FROM pgboss.job');
  });
  afterAll(async () => {
    for (const queues of real.values()) await queues.stop();
    await database.end();
    await test.drop();
  });

  type Both = { real: FetchedTask; memory: FetchedTask; by: string };

  function createPair(seed: number) {
    const random = createSeededRandom(seed);
    const { now, send, history, advance } = createAtOnce();
    const tables = createQueueTables();
    const operationsOn = createQueueOperations(tables, { settings, rules: soundRules, now, random });
    const memory = new Map<string, MemoryTaskQueues>(
      processes.map((processId) => [
        processId,
        createMemoryTaskQueues({
          ...{ tables, operations: operationsOn, send, now, history, rules: soundRules, processId },
          notify: () => undefined,
        }),
      ]),
    );
    return {
      random,
      real: (processId: string) => real.get(processId) as ReturnType<typeof createTaskQueues>,
      memory: (processId: string) => memory.get(processId) as MemoryTaskQueues,

      async makeRetriesDue(): Promise<void> {
        await database.query(
          `UPDATE pgboss.job SET start_after = now() WHERE state = 'retry' AND start_after < now() + interval '1 minute'`,
        );
        for (const job of tables.jobs.values())
          if (job.state === 'retry' && job.startAfterMs < now() + 60_000) job.startAfterMs = now();
      },

      /** What is in hand was taken earlier than it was, and what was put off comes nearer. */
      async letTimePass(milliseconds: number): Promise<void> {
        const earlier = `- ${milliseconds} * interval '1 millisecond'`;
        await database.query(
          `UPDATE pgboss.job SET started_on = started_on ${earlier}, start_after = start_after ${earlier}`,
        );
        advance(milliseconds);
      },

      /** Unfinished rows, each known by the event that its hint came from. */
      async rows(): Promise<[unknown[], unknown[]]> {
        const { rows } = await database.query<Record<string, unknown>>(
          `SELECT (data->>'event_id')::int AS "eventId", name AS queue, state::text AS state, priority,
                  retry_count AS "retryCount", retry_limit AS "retryLimit", output->>'claimed_by' AS "claimedBy",
                  COALESCE((output->>'alone')::boolean, false) AS "isAlone",
                  COALESCE((data->>'uncounted')::int, 0) AS uncounted, COALESCE((data->>'postponed')::int, 0) AS postponed,
                  COALESCE((data->>'crashes')::int, 0) AS crashes, COALESCE((data->>'suspect')::boolean, false) AS "isSuspect"
             FROM pgboss.job WHERE state IN ('created', 'retry', 'active') AND name <> 'dead-letter'
            ORDER BY (data->>'event_id')::int`,
        );
        const kept = [...tables.jobs.values()]
          .sort((a, b) => (a.eventId ?? 0) - (b.eventId ?? 0))
          .map((job) => ({
            ...{ eventId: job.eventId, queue: job.queue, state: job.state, priority: job.priority },
            ...{
              retryCount: job.retryCount,
              retryLimit: job.retryLimit,
              claimedBy: job.claimedBy,
              isAlone: job.isAlone,
            },
            ...{ uncounted: job.uncounted, postponed: job.postponed, crashes: job.crashes, isSuspect: job.isSuspect },
          }));
        return [rows, kept];
      },
    };
  }

  const byEvent = (a: FetchedTask, b: FetchedTask): number => (a.data.event_id ?? 0) - (b.data.event_id ?? 0);
  const shown = ({ queue, taskType, retryCount, attempt, data }: FetchedTask) => ({
    ...{
      queue,
      taskType,
      retryCount,
      attempt,
      eventId: data.event_id,
      subject: data.subject_id,
      suspect: data.suspect,
    },
    ...{ uncounted: data.uncounted, postponed: data.postponed, crashes: data.crashes },
  });
  const shownDead = ({ taskType, subjectId, attempts }: DeadTask) => ({ taskType, subjectId, attempts });

  it.each(seeds)('answer alike to the same drawn operations (seed %i)', async (seed) => {
    const pair = createPair(seed);
    const { random } = pair;
    const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)] as T;
    const said: string[] = [];
    /** Also those that were settled long ago: what a stale attempt says must change nothing on either side. */
    const fetched: Both[] = [];
    let events = 0;

    async function settle(
      what: string,
      work: (queues: MemoryTaskQueues | ReturnType<typeof createTaskQueues>, task: FetchedTask) => Promise<unknown>,
    ) {
      const recent = fetched.slice(-6);
      if (recent.length === 0) return;
      const task = random() < 0.8 ? pick(recent) : pick(fetched);
      said.push(`${what} ${task.real.data.event_id}`);
      await work(pair.real(task.by), task.real);
      await work(pair.memory(task.by), task.memory);
    }

    const steps: [number, () => Promise<unknown>][] = [
      [
        6,
        async () => {
          events += 1;
          const hint = {
            taskType: pick(['first', 'second']),
            subjectId: pick(['a', 'b', 'c']),
            priority: pick([0, 80]),
            eventId: events,
          };
          const lane = pick(lanesUsed);
          said.push(`enqueue ${events}`);
          await pair.real('process-1').enqueue([hint], lane);
          await pair.memory('process-1').enqueue([hint], lane);
        },
      ],
      [
        6,
        async () => {
          const [by, type, lane, limit] = [pick(processes), pick(['first', 'second']), pick(lanesUsed), pick([1, 3])];
          const fromReal = (await pair.real(by).fetch(type, lane, limit)).sort(byEvent);
          const fromMemory = (await pair.memory(by).fetch(type, lane, limit)).sort(byEvent);
          said.push(`fetch ${fromReal.length}`);
          expect([said.slice(-8), fromReal.map(shown)]).toEqual([said.slice(-8), fromMemory.map(shown)]);
          fromReal.forEach((task, index) => fetched.push({ real: task, memory: fromMemory[index] as FetchedTask, by }));
        },
      ],
      [2, () => settle('complete', (queues, task) => queues.complete([task]))],
      [2, () => settle('retry', (queues, task) => queues.retry(task, 'no'))],
      [1, () => settle('bury', (queues, task) => queues.bury(task, 'no'))],
      [2, () => settle('work alone', (queues, task) => queues.workAlone(task))],
      [1, () => settle('give back', (queues, task) => queues.giveBack([task], { delayMs: 0 }))],
      [
        1,
        () => settle('postpone', (queues, task) => queues.giveBack([task], { delayMs: 3_600_000, isPostponed: true })),
      ],
      [1, () => settle('suspect', (queues, task) => queues.giveBack([task], { delayMs: 0, isSuspect: true }))],
      [
        3,
        async () => {
          const live = processes.filter(() => random() < 0.4);
          const [deadOnes, deadInMemory]: [DeadTask[], DeadTask[]] = [[], []];
          const counts = [
            await pair.real('process-1').rescue(
              async () => live,
              async (task) => void deadOnes.push(task),
            ),
            await pair.memory('process-1').rescue(
              async () => live,
              async (task) => void deadInMemory.push(task),
            ),
          ];
          said.push(`rescue ${counts[0]}`);
          expect([said.slice(-8), counts[0]]).toEqual([said.slice(-8), counts[1]]);
          const sorted = (tasks: DeadTask[]) =>
            tasks
              .map(shownDead)
              .map((task) => JSON.stringify(task))
              .sort();
          expect(sorted(deadOnes)).toEqual(sorted(deadInMemory));
        },
      ],
      [
        1,
        async () => {
          const by = pick(processes);
          const known = fetched.filter((task) => task.by === by && random() < 0.5);
          const counts = [
            await pair.real(by).giveBackUnknown(known.map((task) => task.real)),
            await pair.memory(by).giveBackUnknown(known.map((task) => task.memory)),
          ];
          said.push(`give back unknown ${counts[0]}`);
          expect([said.slice(-8), counts[0]]).toEqual([said.slice(-8), counts[1]]);
        },
      ],
      [1, () => pair.letTimePass(10_000)],
      [1, () => pair.letTimePass(4_000_000)],
    ];
    const drawn = steps.flatMap(([weight, step]) => Array<typeof step>(weight).fill(step));

    for (let index = 0; index < operations; index += 1) {
      await pick(drawn)();
      await pair.makeRetriesDue();
      const [inDatabase, inMemory] = await pair.rows();
      expect([said.slice(-8), inDatabase]).toEqual([said.slice(-8), inMemory]);
    }
    expect(fetched.length).toBeGreaterThan(20);
  });

  it('call an attempt lost when its worker says nothing, and end alike when it was the last', async () => {
    const pair = createPair(1);
    const by = 'process-1';
    const dead: Record<'real' | 'memory', DeadTask[]> = { real: [], memory: [] };
    for (let round = 1; round <= 2; round += 1) {
      for (const queues of [pair.real(by), pair.memory(by)]) {
        if (round === 1) await queues.enqueue([{ taskType: 'second', subjectId: 'a', eventId: 1 }]);
        expect(await queues.fetch('second', 'stable', 1)).toMatchObject([{ attempt: round }]);
      }
      await pair.letTimePass(200_000);
      await pair.memory(by).supervise();
      // The real supervision looks at each queue once a second at most.
      await waitFor(async () => {
        await pair.real(by).supervise();
        const [inDatabase, inMemory] = await pair.rows();
        expect(inDatabase).toEqual(inMemory);
        return true;
      });
      await pair.letTimePass(400_000);
    }
    await pair.real(by).drainDead(async (task) => void dead.real.push(task));
    await pair.memory(by).drainDead(async (task) => void dead.memory.push(task));

    expect(dead.real.map(shownDead)).toEqual([{ taskType: 'second', subjectId: 'a', attempts: 2 }]);
    expect(dead.memory.map(shownDead)).toEqual(dead.real.map(shownDead));
  });
});
