import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createLogger,
  createMetrics,
  createWakeups,
  systemClock,
  type Clock,
  type Component,
  type Wakeups,
} from '@omnizap/runtime';
import { createTestDatabase, waitFor, type TestDatabase } from '@omnizap/testkit';
import pg from 'pg';
import { installTaskQueues } from './install-task-queues.ts';
import { createTaskQueues, type FetchedTask, type TaskQueues } from './task-queues.ts';
import type { BatchHandler, DeadTask, Task, TaskHandler, TaskSettings } from './task-types.ts';
import { createWorker } from './worker.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const settings: TaskSettings[] = [
  'shared',
  'poison',
  'slow',
  'stopping',
  'urgent',
  'leisurely',
  'merged',
  'outcomes',
  'attempts',
  'silent',
  'deadly',
  'living',
  'suspected',
  'unwritten',
  'together',
  'apart',
  'crossing',
  'guarded',
  'endless',
  'unanswered',
  'batched',
  'busy',
  'patiently',
  'rested',
  'seldom',
  'crowded',
  'shy',
].map((type) => ({ type, retryLimit: 2, timeoutSeconds: type === 'slow' ? 1 : 30, coalesceSeconds: 0 }));
settings.push({ type: 'later', retryLimit: 1, postponeLimit: 2, timeoutSeconds: 30, coalesceSeconds: 0 });
settings.push({ type: 'patient', retryLimit: 2, timeoutSeconds: 30, coalesceSeconds: 1 });

const hints = (taskType: string, count: number) =>
  Array.from({ length: count }, (_, index) => ({ taskType, subjectId: `subject-${index}` }));

describe('tasks', () => {
  let test: TestDatabase;
  let database: pg.Pool;
  let wakeups: Wakeups;
  let queues: TaskQueues;
  const stops: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    test = await createTestDatabase('postgres');
    database = new pg.Pool({ connectionString: test.queueUrl, max: 2 });
    wakeups = createWakeups({ queueUrl: test.queueUrl, log });
    await wakeups.start();
    await installTaskQueues(settings, { queueUrl: test.queueUrl, log });
    queues = await connectQueues();
  });
  afterEach(async () => {
    await Promise.all(stops.splice(0).map((stop) => stop()));
  });
  afterAll(async () => {
    await queues.stop();
    await wakeups.stop();
    await database.end();
    await test.drop();
  });

  async function connectQueues(processId = 'worker'): Promise<TaskQueues> {
    const connected = createTaskQueues(settings, { queueUrl: test.queueUrl, log, wakeups, processId });
    await connected.start();
    return connected;
  }

  type Observed = { dead: DeadTask[]; outcomes: string[]; batches: { total: number; failed: number }[] };

  /** A worker of a process of its own: own connections, own metrics. */
  async function startWorker(
    handlers: Record<string, TaskHandler | { handleBatch: BatchHandler; batchSize: number }>,
    concurrency = 4,
    clock: Clock = systemClock,
  ): Promise<Observed & { worker: Component }> {
    const observed: Observed = { dead: [], outcomes: [], batches: [] };
    const own = await connectQueues();
    const worker = createWorker(
      {
        ...{ queues: own, wakeups, log, clock },
        metrics: createMetrics({ version: '0', release: 'stable', process: 'worker' }),
      },
      {
        lane: 'stable',
        concurrency,
        pollIntervalMs: 50,
        stopGraceMs: 500,
        definitions: Object.entries(handlers).map(([type, handle]) => {
          const found = settings.find((entry) => entry.type === type);
          if (!found) throw new Error(`no settings for ${type}`);
          return { settings: found, ...(typeof handle === 'function' ? { handle } : handle) };
        }),
        onDead: async (task) => void observed.dead.push(task),
        onOutcome: (_type, outcome) => observed.outcomes.push(outcome),
        onBatch: (_type, _seconds, counts) => observed.batches.push(counts),
      },
    );
    await worker.start();
    stops.push(async () => {
      await worker.stop();
      await own.stop();
    });
    return { ...observed, worker };
  }

  const jobs = async (type: string): Promise<{ state: string; retry_count: number }[]> =>
    (
      await database.query<{ state: string; retry_count: number }>(
        'SELECT state::text AS state, retry_count FROM pgboss.job WHERE name = $1 ORDER BY created_on',
        [`${type}.stable`],
      )
    ).rows;

  const haveAllEnded = async (type: string): Promise<boolean> =>
    (await jobs(type)).every((job) => job.state === 'completed' || job.state === 'failed');

  /** A test need not sit through the backoff. */
  const makeRetriesDue = (type: string): Promise<unknown> =>
    database.query(`UPDATE pgboss.job SET start_after = now() WHERE name = $1 AND state = 'retry'`, [`${type}.stable`]);

  it('are worked once each, however many workers there are', async () => {
    const running = new Set<string>();
    const runs = new Map<string, number>();
    let collisions = 0;
    const work: TaskHandler = async (task) => {
      if (running.has(task.subjectId)) collisions += 1;
      running.add(task.subjectId);
      runs.set(task.subjectId, (runs.get(task.subjectId) ?? 0) + 1);
      await database.query('SELECT 1');
      running.delete(task.subjectId);
      return { status: 'done' };
    };
    await Promise.all([startWorker({ shared: work }, 8), startWorker({ shared: work }, 8)]);

    await queues.enqueue(hints('shared', 300));
    await waitFor(() => runs.size === 300);
    await waitFor(() => haveAllEnded('shared'));

    expect(collisions).toBe(0);
    expect([...runs.values()].every((count) => count === 1)).toBe(true);
    expect((await jobs('shared')).every((job) => job.state === 'completed')).toBe(true);
  });

  it('are tried again after a failure, and end as one dead letter after the last attempt, without harm to their batch', async () => {
    const attempts = new Map<string, number[]>();
    const observed = await startWorker(
      {
        poison: async (task: Task) => {
          attempts.set(task.subjectId, [...(attempts.get(task.subjectId) ?? []), task.attempt]);
          if (task.subjectId === 'subject-3') throw new Error(`no way to do ${task.subjectId}`);
          return { status: 'done' };
        },
      },
      10,
    );

    await queues.enqueue([
      ...hints('poison', 3),
      { taskType: 'poison', subjectId: 'subject-3', requestId: 'request-9', eventId: 9 },
      ...hints('poison', 8).slice(4),
    ]);
    await waitFor(async () => {
      await makeRetriesDue('poison');
      return observed.dead.length > 0 && (await haveAllEnded('poison'));
    });

    expect(attempts.get('subject-3')).toEqual([1, 2, 3]);
    for (const [subject, tried] of attempts) if (subject !== 'subject-3') expect(tried).toEqual([1]);
    expect(observed.dead).toHaveLength(1);
    expect(observed.dead[0]).toMatchObject({
      taskType: 'poison',
      subjectId: 'subject-3',
      attempts: 3,
      payload: { subject_id: 'subject-3', request_id: 'request-9', event_id: 9 },
    });
    expect(observed.dead[0]?.error).toMatch(/no way to do subject-3\n\s+at /);
    expect(observed.outcomes.toSorted()).toEqual([...Array<string>(7).fill('done'), 'retried', 'retried', 'retried']);
    expect(observed.batches.reduce((sum, batch) => sum + batch.failed, 0)).toBe(3);
    expect((await jobs('poison')).filter((job) => job.state === 'failed')).toEqual([
      { state: 'failed', retry_count: 2 },
    ]);
  });

  it('are given up when they take too long, whether or not they listen, and tried again', async () => {
    const signals: AbortSignal[] = [];
    const observed = await startWorker(
      {
        slow: async (task, { signal }) => {
          signals.push(signal);
          if (task.attempt === 1) await Promise.withResolvers<void>().promise;
          return { status: 'done' };
        },
      },
      1,
    );

    await queues.enqueue(hints('slow', 1));
    await waitFor(async () => {
      await makeRetriesDue('slow');
      return observed.outcomes.includes('done');
    });

    expect(observed.outcomes).toEqual(['retried', 'done']);
    expect(signals.map((signal) => signal.aborted)).toEqual([true, false]);
  });

  it('are finished and settled by a worker that is told to stop, which starts no other', async () => {
    const mayEnd = Promise.withResolvers<void>();
    let started = 0;
    const { worker } = await startWorker(
      {
        stopping: async () => {
          started += 1;
          await mayEnd.promise;
          return { status: 'done' };
        },
      },
      2,
    );
    await queues.enqueue(hints('stopping', 5));
    await waitFor(() => started === 2);

    const stopped = worker.stop();
    await queues.enqueue([{ taskType: 'stopping', subjectId: 'late' }]);
    mayEnd.resolve();
    await stopped;

    expect(started).toBe(2);
    expect((await jobs('stopping')).map((job) => job.state).toSorted()).toEqual([
      'completed',
      'completed',
      ...Array<string>(4).fill('created'),
    ]);
  });

  it('of the kind named first go first, and within a kind the more urgent ones', async () => {
    const order: string[] = [];
    const note: TaskHandler = async (task) => {
      order.push(`${task.taskType} ${task.subjectId}`);
      return { status: 'done' };
    };
    await queues.enqueue([
      { taskType: 'leisurely', subjectId: 'a', priority: 90 },
      { taskType: 'urgent', subjectId: 'low', priority: 10 },
      { taskType: 'urgent', subjectId: 'high', priority: 80 },
      { taskType: 'leisurely', subjectId: 'b' },
      { taskType: 'urgent', subjectId: 'middle', priority: 50 },
    ]);

    await startWorker({ urgent: note, leisurely: note }, 1);
    await waitFor(() => order.length === 5);

    expect(order).toEqual(['urgent high', 'urgent middle', 'urgent low', 'leisurely a', 'leisurely b']);
  });

  it('of a kind named later get their turn although the first kind never runs out', async () => {
    const order: string[] = [];
    await queues.enqueue([...hints('busy', 200), { taskType: 'patiently', subjectId: 'a' }]);

    await startWorker(
      {
        busy: async (task) => {
          order.push(task.taskType);
          await database.query('SELECT pg_sleep(0.05)');
          return { status: 'done' };
        },
        patiently: async (task) => {
          order.push(task.taskType);
          return { status: 'done' };
        },
      },
      1,
    );
    await waitFor(() => order.includes('patiently'));

    expect(order.length).toBeLessThan(200);
    expect((await jobs('busy')).some((job) => job.state === 'created')).toBe(true);
  });

  it('of the last kind get their turn although each task of a kind before takes longer than the wait for a turn', async () => {
    const order: string[] = [];
    let spentMs = 0;
    const note = (task: Task): Promise<{ status: 'done' }> => {
      order.push(task.taskType);
      spentMs += 2_000;
      return Promise.resolve({ status: 'done' });
    };
    await queues.enqueue([...hints('crowded', 100), { taskType: 'shy', subjectId: 'a' }]);

    const clock = { ...systemClock, now: () => systemClock.now() + spentMs };
    await startWorker({ seldom: note, crowded: note, shy: note }, 1, clock);
    await waitFor(() => order.includes('shy'));

    expect(order.indexOf('shy')).toBeLessThan(5);
  });

  it('of one subject merge while they wait, and never into one that has started', async () => {
    const mayEnd = Promise.withResolvers<void>();
    const runs: (number | undefined)[] = [];
    const hint = (eventId: number) => ({ taskType: 'merged', subjectId: 'one', eventId });
    await queues.enqueue([hint(1), hint(2)]);
    await queues.enqueue([hint(3)]);

    await startWorker(
      {
        merged: async (task) => {
          runs.push(task.eventId);
          await mayEnd.promise;
          return { status: 'done' };
        },
      },
      1,
    );
    await waitFor(() => runs.length === 1);
    await queues.enqueue([hint(4)]);
    await queues.enqueue([hint(5)]);
    mayEnd.resolve();
    await waitFor(async () => runs.length > 1 && (await haveAllEnded('merged')));

    expect(runs).toEqual([1, 4]);
  });

  it('that are skipped or rejected are finished: their handlers have said all there is to say', async () => {
    const observed = await startWorker({
      outcomes: async (task) =>
        task.subjectId === 'subject-0'
          ? { status: 'skipped', reason: 'up to date' }
          : { status: 'rejected', reason: 'not a picture' },
    });

    await queues.enqueue(hints('outcomes', 2));
    await waitFor(async () => observed.outcomes.length === 2 && (await haveAllEnded('outcomes')));

    expect(observed.outcomes.toSorted()).toEqual(['rejected', 'skipped']);
    expect(observed.dead).toEqual([]);
    expect((await jobs('outcomes')).map((job) => job.state)).toEqual(['completed', 'completed']);
  });

  it('are not settled by an attempt that is no longer theirs', async () => {
    await queues.enqueue(hints('attempts', 1));
    const [older] = await queues.fetch('attempts', 'stable', 1);
    if (!older) throw new Error('nothing was fetched');
    // Its process lost its lease: the leader hands the task on.
    await queues.rescue(async () => ['somebody else'], neverDead);
    const whileWaiting = await settleEveryWay(older);
    const [newer] = await queues.fetch('attempts', 'stable', 1);
    if (!newer) throw new Error('nothing was fetched again');
    const whileWorked = await settleEveryWay(older);
    await queues.complete([newer]);

    expect([older.id, older.attempt, older.retryCount]).toEqual([newer.id, newer.attempt, newer.retryCount - 1]);
    expect(whileWaiting).toEqual([{ state: 'retry', retry_count: 0 }]);
    expect(whileWorked).toEqual([{ state: 'active', retry_count: 1 }]);
    expect(await jobs('attempts')).toEqual([{ state: 'completed', retry_count: 1 }]);
  });

  const neverDead = async (): Promise<void> => {
    throw new Error('nothing should have died');
  };

  async function settleEveryWay(task: FetchedTask): Promise<{ state: string; retry_count: number }[]> {
    await queues.complete([task]);
    await queues.retry(task, 'late');
    await queues.bury(task, 'late');
    await queues.giveBack([task], { delayMs: 0 });
    await queues.workAlone(task);
    return jobs(task.taskType);
  }

  it('that kill their process end as dead letters, and cost those beside them no attempt', async () => {
    await queues.enqueue(hints('deadly', 3));
    const dead: DeadTask[] = [];
    const isKiller = (task: FetchedTask): boolean => task.data.subject_id === 'subject-1';
    let processes = 0;
    let deaths = 0;
    const finished: FetchedTask[] = [];

    // Each round is one process that works as a worker does: suspects alone, the others together.
    await waitFor(async () => {
      processes += 1;
      const own = await connectQueues(`process-${processes}`);
      const fetched = await own.fetch('deadly', 'stable', 10);
      const suspects = fetched.filter((task) => task.data.suspect);
      const others = fetched.filter((task) => !task.data.suspect);
      let isAlive = !others.some(isKiller);
      if (isAlive) await complete(own, others);
      for (const task of suspects) {
        if (!isAlive) break;
        await own.workAlone(task);
        isAlive = !isKiller(task);
        if (isAlive) await complete(own, [task]);
      }
      if (!isAlive) deaths += 1;
      await own.stop();
      await queues.rescue(
        async () => [],
        async (task) => void dead.push(task),
      );
      await makeRetriesDue('deadly');
      return haveAllEnded('deadly');
    });
    async function complete(own: TaskQueues, tasks: FetchedTask[]): Promise<void> {
      await own.complete(tasks);
      finished.push(...tasks);
    }

    expect(finished.map((task) => [task.data.subject_id, task.attempt]).toSorted()).toEqual([
      ['subject-0', 1],
      ['subject-2', 1],
    ]);
    expect(dead).toMatchObject([
      { taskType: 'deadly', subjectId: 'subject-1', attempts: 3, payload: { subject_id: 'subject-1' } },
    ]);
    expect(dead[0]?.error).toContain('process died 3 times');
    expect(dead[0]?.firstFailedAt?.getTime()).toBeLessThanOrEqual(Date.now());
    // Once among others, then alone.
    expect(deaths).toBe(4);
  });

  it('of a process that lives are not rescued', async () => {
    await queues.enqueue(hints('living', 2));
    const fetched = await queues.fetch('living', 'stable', 2);

    expect(await queues.rescue(async () => ['worker', 'another'], neverDead)).toBe(0);
    expect(await jobs('living')).toEqual(Array(2).fill({ state: 'active', retry_count: 0 }));
    await queues.complete(fetched);
  });

  it('that are suspected are worked alone, and nothing else is started meanwhile', async () => {
    await queues.enqueue(hints('suspected', 4));
    await queues.fetch('suspected', 'stable', 2);
    await queues.rescue(async () => [], neverDead);
    let running = 0;
    const beside = new Map<string, number>();
    const observed = await startWorker(
      {
        suspected: async (task) => {
          running += 1;
          beside.set(task.subjectId, running - 1);
          await database.query('SELECT pg_sleep(0.05)');
          beside.set(task.subjectId, Math.max(beside.get(task.subjectId) ?? 0, running - 1));
          running -= 1;
          return { status: 'done' };
        },
      },
      4,
    );
    await waitFor(() => observed.outcomes.length === 4);

    expect([beside.get('subject-0'), beside.get('subject-1')]).toEqual([0, 0]);
    // Whichever of the two ends first may not have seen the other begin.
    expect(Math.max(beside.get('subject-2') ?? 0, beside.get('subject-3') ?? 0)).toBe(1);
  });

  it('that come while the last suspect is being worked wait until it is settled', async () => {
    await queues.enqueue(hints('guarded', 1));
    await queues.fetch('guarded', 'stable', 1);
    await queues.rescue(async () => [], neverDead);
    let running = 0;
    const beside: number[] = [];
    const unsettled: number[] = [];
    const observed = await startWorker({
      guarded: async (task) => {
        beside.push(running);
        unsettled.push((await jobs('guarded')).filter((job) => job.state === 'active').length);
        running += 1;
        if (task.subjectId === 'subject-0') {
          await queues.enqueue([{ taskType: 'guarded', subjectId: 'late' }]);
          // Several polls long.
          await database.query('SELECT pg_sleep(0.3)');
        }
        running -= 1;
        return { status: 'done' };
      },
    });
    await waitFor(() => observed.outcomes.length === 2);

    expect(beside).toEqual([0, 0]);
    expect(unsettled).toEqual([1, 1]);
  });

  it('that were worked alone are given back before others start when their end could not be written down', async () => {
    await queues.enqueue(hints('unwritten', 1));
    await queues.fetch('unwritten', 'stable', 1);
    await queues.rescue(async () => [], neverDead);
    const own = await connectQueues();
    const aloneWhenLateBegan = Promise.withResolvers<number | null>();
    let attempts = 0;
    const worker = createWorker(
      {
        queues: { ...own, retry: () => Promise.reject(new Error('the connection broke')) },
        ...{ wakeups, log, metrics: createMetrics({ version: '0', release: 'stable', process: 'worker' }) },
      },
      {
        ...{ lane: 'stable', concurrency: 4, pollIntervalMs: 50, onDead: async () => undefined },
        definitions: [
          {
            settings: settings.find(({ type }) => type === 'unwritten') as TaskSettings,
            async handle({ subjectId }) {
              if (subjectId === 'late') {
                const { rowCount } = await database.query(
                  `SELECT 1 FROM pgboss.job WHERE name = 'unwritten.stable' AND state = 'active' AND output ? 'alone'`,
                );
                aloneWhenLateBegan.resolve(rowCount);
                return { status: 'done' };
              }
              attempts += 1;
              if (attempts > 1) return { status: 'done' };
              await queues.enqueue([{ taskType: 'unwritten', subjectId: 'late', priority: 90 }]);
              throw new Error('this attempt fails');
            },
          },
        ],
      },
    );
    await worker.start();
    stops.push(async () => {
      await worker.stop();
      await own.stop();
    });

    expect(await aloneWhenLateBegan.promise).toBe(0);
  });

  it('are worked on after each rest, also when the timer of the rest ends a moment early, as timers do', async () => {
    const own = await connectQueues();
    const worked: string[] = [];
    const worker = createWorker(
      {
        ...{ queues: own, wakeups, log },
        metrics: createMetrics({ version: '0', release: 'stable', process: 'worker' }),
        clock: { ...systemClock, after: (milliseconds, work) => systemClock.after(milliseconds - 1, work) },
      },
      {
        // Nobody looks again within the test but after a rest.
        ...{ lane: 'stable', concurrency: 1, pollIntervalMs: 600_000, restRatio: 1, onDead: async () => undefined },
        definitions: [
          {
            settings: settings.find(({ type }) => type === 'rested') as TaskSettings,
            handle: async ({ subjectId }) => {
              await database.query('SELECT pg_sleep(0.02)');
              worked.push(subjectId);
              return { status: 'done' };
            },
          },
        ],
      },
    );
    await queues.enqueue(hints('rested', 5));
    await worker.start();
    stops.push(async () => {
      await worker.stop();
      await own.stop();
    });

    await waitFor(() => worked.length === 5);
  });

  it('that are still running when the process must leave are handed back at once and cost no attempt', async () => {
    const started = Promise.withResolvers<AbortSignal>();
    const { worker } = await startWorker(
      {
        endless: async (_task, { signal }) => {
          started.resolve(signal);
          return Promise.withResolvers<never>().promise;
        },
      },
      1,
    );
    await queues.enqueue(hints('endless', 1));
    const signal = await started.promise;

    await worker.stop();

    expect(signal.aborted).toBe(true);
    const [again] = await queues.fetch('endless', 'stable', 1);
    expect(again).toMatchObject({ attempt: 1, retryCount: 1, data: { suspect: false } });
  });

  it('whose fetch was never answered are given back by the worker that claimed them', async () => {
    await queues.enqueue(hints('unanswered', 3));
    const own = await connectQueues('forgetful');
    const [known] = await own.fetch('unanswered', 'stable', 3);
    if (!known) throw new Error('nothing was fetched');
    expect(await own.giveBackUnknown([known])).toBe(0);
    await database.query(
      `UPDATE pgboss.job SET started_on = now() - interval '1 minute' WHERE name = 'unanswered.stable' AND state = 'active'`,
    );

    expect(await own.giveBackUnknown([known])).toBe(2);
    expect((await jobs('unanswered')).map((job) => job.state).toSorted()).toEqual(['active', 'retry', 'retry']);
    await own.stop();
  });

  it('may ask to be tried later, which costs no attempt until they have asked too often', async () => {
    const attempts: number[] = [];
    const observed = await startWorker({
      later: async (task) => {
        attempts.push(task.attempt);
        return { status: 'retryAfter', milliseconds: 5, reason: 'the other side is busy' };
      },
    });
    await queues.enqueue(hints('later', 1));
    await waitFor(async () => {
      await makeRetriesDue('later');
      return observed.dead.length === 1;
    });

    // postponeLimit 2, retryLimit 1: two for free, then two that count.
    expect(attempts).toEqual([1, 1, 1, 2]);
    expect(observed.dead[0]?.error).toContain('asked 3 times to be tried later: the other side is busy');
  });

  it('can be worked in batches; when one of a batch fails it, each goes on alone and only the guilty one pays', async () => {
    const calls: string[][] = [];
    const observed = await startWorker(
      {
        batched: {
          batchSize: 3,
          handleBatch: async (tasks) => {
            calls.push(tasks.map((task) => task.subjectId));
            if (tasks.some((task) => task.subjectId === 'subject-1')) throw new Error('one of them is bad');
            return tasks.map(() => ({ status: 'done' }));
          },
        },
      },
      6,
    );
    await queues.enqueue(hints('batched', 6));
    await waitFor(async () => {
      await makeRetriesDue('batched');
      return observed.dead.length === 1 && (await haveAllEnded('batched'));
    });

    expect(calls.slice(0, 2).map((call) => call.length)).toEqual([3, 3]);
    expect(calls.slice(2).every((call) => call.length === 1)).toBe(true);
    expect(observed.dead).toMatchObject([{ subjectId: 'subject-1', attempts: 3 }]);
    expect(observed.outcomes.filter((outcome) => outcome === 'done')).toHaveLength(5);
    expect((await jobs('batched')).filter((job) => job.state === 'completed')).toHaveLength(5);
  });

  it('become dead letters also when nobody was left to say so', async () => {
    await queues.enqueue([{ taskType: 'silent', subjectId: 'killer', requestId: 'request-1' }]);
    const kept: DeadTask[] = [];
    let fetched = 0;
    let id = '';

    await waitFor(async () => {
      for (const task of await queues.fetch('silent', 'stable', 1)) {
        fetched += 1;
        ({ id } = task);
      }
      // Its worker lives, and hangs each time until the task is past its time.
      await database.query(
        `UPDATE pgboss.job SET started_on = now() - interval '1 hour' WHERE name = 'silent.stable' AND state = 'active'`,
      );
      await queues.supervise();
      await makeRetriesDue('silent');
      await queues.drainDead(async (task) => void kept.push(task));
      return kept.some((task) => task.taskType === 'silent');
    });

    expect(fetched).toBe(3);
    expect(kept.filter((task) => task.taskType === 'silent')).toEqual([
      {
        id,
        taskType: 'silent',
        subjectId: 'killer',
        attempts: 3,
        error: expect.stringContaining('hung'),
        payload: { subject_id: 'killer', request_id: 'request-1' },
      },
    ]);
  });

  it('with patience gather what comes within their time, and are counted while they wait', async () => {
    await queues.enqueue(hints('patient', 2));
    await queues.enqueue(hints('patient', 3));

    const atOnce = await queues.fetch('patient', 'stable', 10);
    const counts = await queues.counts();
    // The second call's hint may be due a moment later than the first call's.
    const later: string[] = [];
    await waitFor(async () => {
      const fetched = await queues.fetch('patient', 'stable', 10);
      later.push(...fetched.map((task) => task.data.subject_id));
      return later.length >= 3;
    });

    expect(atOnce).toEqual([]);
    expect(counts).toContainEqual({
      taskType: 'patient',
      lane: 'stable',
      state: 'created',
      count: 3,
      oldestSeconds: expect.any(Number),
    });
    expect(later.toSorted()).toEqual(['subject-0', 'subject-1', 'subject-2']);
  });

  it('can be installed again by several processes at the same time', async () => {
    const install = (): Promise<void> => installTaskQueues(settings, { queueUrl: test.queueUrl, log });

    await expect(Promise.all([install(), install(), install()])).resolves.toHaveLength(3);
  });

  it('of several kinds come into their queues together or not at all', async () => {
    const unknown = [...hints('together', 1), ...hints('apart', 1), ...hints('unheard-of', 1)];
    await expect(queues.enqueue(unknown)).rejects.toThrow('unheard-of');
    const counts = async (): Promise<number[]> => [(await jobs('together')).length, (await jobs('apart')).length];

    expect(await counts()).toEqual([0, 0]);
    await queues.enqueue([...hints('together', 2), ...hints('apart', 3)]);
    expect(await counts()).toEqual([2, 3]);
  });

  it('are inserted in one order by everybody, so that two who insert the same never wait for each other for ever', async () => {
    const own = await connectQueues();
    stops.push(() => own.stop());
    const there = Array.from({ length: 60 }, (_, index) => ({ taskType: 'crossing', subjectId: `subject-${index}` }));
    const andBack = there.toReversed();
    const rounds = Array.from({ length: 40 }, async () => {
      await Promise.all([queues.enqueue(there), own.enqueue(andBack)]);
      await database.query(`DELETE FROM pgboss.job WHERE name = 'crossing.stable'`);
    });

    await expect(Promise.all(rounds)).resolves.toHaveLength(40);
  });

  it('of an unknown kind are refused with the kinds that there are', async () => {
    await expect(queues.enqueue([{ taskType: 'unheard-of', subjectId: 'a' }])).rejects.toThrow(
      /no task type "unheard-of"; known: shared, poison/,
    );
  });
});
