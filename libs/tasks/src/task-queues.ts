/**
 * The queues on pg-boss, one per task type and lane; the only importer of pg-boss. Waiting tasks of one subject are merged
 * (policy `short`: one job in `created` per key), a started one never swallows a later hint.
 *
 * Who works a task is written beside it in the transaction that fetches it. A worker whose process lease ran out is dead as far as
 * anybody can tell: the leader gives its tasks to others (`rescue`), and whatever the dead one still says about them is void.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { PgBoss, type Db, type JobInsert, type JobWithMetadata } from 'pg-boss';
import type pg from 'pg';
import type { DatabaseObserver, Logger, Wakeups } from '@omnizap/runtime';
import { retryDelayMs } from './backoff.ts';
import { hungTask, rescueClaim } from './dead-workers.ts';
import { overLimit, wakeGroup, writeGroupLimit, type GroupLimit } from './group-limits.ts';
import { deadLetterQueue } from './install-task-queues.ts';
import { dataOfHint, jobData, type HintData, type JobData } from './job-data.ts';
import * as jobs from './job-sql.ts';
import { handOn, moveToLanes } from './lane-moves.ts';
import { bucketData, hasWork, laneOf, type Buckets, type LaneControl } from './lanes.ts';
import { measuredClient, watchWaiting } from './measured-client.ts';
import type { TaskCount } from './task-count.ts';
import {
  lanes,
  queueName,
  taskTopic,
  type DeadTask,
  type Lane,
  type TaskHint,
  type TaskSettings,
} from './task-types.ts';

/** Connections of one process. */
const poolMax = 3;
const startRetryMs = 1_000;
/** A statement that takes longer waits for a network that drops everything; its connection is given up. */
const answerTimeoutMs = 8_000;
const deadLetterBatch = 100;
const maxErrorCharacters = 2_000;

/** A task as fetched; pass it whole when settling, so that a newer attempt is never settled by an older one. */
export type FetchedTask = {
  id: string;
  queue: string;
  taskType: string;
  retryCount: number;
  /** 1 for the first; attempts that did not count are left out. */
  attempt: number;
  groupId: string | undefined;
  data: JobData;
};

type QueueOptions = {
  queueUrl: string;
  log: Logger;
  wakeups?: Pick<Wakeups, 'notify'>;
  applicationName?: string;
  /** Lease of the process that fetches; only workers need it. */
  processId?: string;
  /** Which lane works what. Without it hints go to the stable lane, and a worker takes what is in its queue. */
  lanes?: LaneControl;
  /** Waits for the disk. For a relay whose events are marked in another database: what it handed over must outlive a crash. */
  isDurable?: boolean;
  observer?: DatabaseObserver;
};

export function createTaskQueues(settings: TaskSettings[], options: QueueOptions) {
  const stopping = new AbortController();
  let boss = createBoss();

  function createBoss(): PgBoss {
    const next = new PgBoss({
      connectionString: options.queueUrl,
      application_name: options.applicationName ?? 'omnizap tasks',
      max: poolMax,
      ...(options.observer ? { Client: measuredClient(options.observer) } : {}),
      // A crash of the server may forget the last fraction of a second: tasks are hints, sweeps find what one would have said.
      // Waiting for the disk at each fetch and each completion cost more than the work of a small task.
      ...(options.isDurable === true ? {} : { options: '-c synchronous_commit=off' }),
      connectionTimeoutMillis: 5_000,
      ...{ query_timeout: answerTimeoutMs, idle_in_transaction_session_timeout: 60_000 },
      supervise: false,
      schedule: false,
      migrate: false,
      createSchema: false,
      monitorIntervalSeconds: 1,
    });
    // Without listeners pg-boss would end the process on the first background error.
    next.on('error', (error) => options.log.warn({ err: error }, 'task queue'));
    next.on('warning', (warning) => options.log.warn({ warning }, 'task queue'));
    return next;
  }

  /** pg-boss has no word for its pool; the test of its figures notices when the field moves. */
  const poolOf = (one: PgBoss): pg.Pool | undefined => (one.getDb() as unknown as { pool?: pg.Pool }).pool;
  options.observer?.watchPool(() => {
    const { totalCount = 0, idleCount = 0, waitingCount = 0 } = poolOf(boss) ?? {};
    return { used: totalCount - idleCount, free: idleCount, waiting: waitingCount, limit: poolMax };
  });

  const byType = new Map(settings.map((entry) => [entry.type, entry]));
  const settingsOf = (type: string): TaskSettings => {
    const found = byType.get(type);
    if (!found) throw new Error(`There is no task type "${type}"; known: ${[...byType.keys()].join(', ')}`);
    return found;
  };
  const queuesOf = (type: string): string[] => lanes.map((lane) => queueName(type, lane));
  const allQueues = settings.flatMap(({ type }) => queuesOf(type));

  async function inTransaction<T>(work: (db: Db) => Promise<T>): Promise<T> {
    const transaction = await boss.getDb().beginTransaction?.();
    if (!transaction) throw new Error('The task queues need a database with transactions.');
    try {
      const result = await work(transaction.db);
      await transaction.commit();
      return result;
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
  }

  /** Settles by queue, in one statement each. */
  async function forEachQueue(tasks: FetchedTask[], work: (queue: string, own: FetchedTask[]) => Promise<unknown>) {
    for (const [queue, own] of Map.groupBy(tasks, (task) => task.queue)) await work(queue, own);
  }

  /** What cannot be read is not one of ours: it must not hold up the batch that it came with. */
  async function readable(queue: string, taskType: string, rows: JobWithMetadata<unknown>[]): Promise<FetchedTask[]> {
    const tasks: FetchedTask[] = [];
    for (const row of rows) {
      const data = jobData.safeParse(row.data);
      if (data.success) tasks.push(taskOf(row, data.data));
      else {
        options.log.error({ task_id: row.id, task_type: taskType }, 'a task that cannot be read is failed');
        await jobs.bury(boss.getDb(), queue, row, 'unreadable task data');
      }
    }
    return tasks;

    function taskOf(row: JobWithMetadata<unknown>, data: JobData): FetchedTask {
      const attempt = row.retryCount + 1 - data.uncounted;
      return {
        id: row.id,
        queue,
        taskType,
        retryCount: row.retryCount,
        attempt,
        groupId: row.groupId ?? undefined,
        data,
      };
    }
  }

  /** Gives back, within the fetching transaction, what its group has no room for. */
  async function withinLimits(db: Db, taskType: string, queue: string, rows: JobWithMetadata<unknown>[]) {
    const grouped = rows.flatMap((row) =>
      row.groupId
        ? [{ id: row.id, groupId: row.groupId, isReserved: jobData.safeParse(row.data).data?.reserved === true }]
        : [],
    );
    const deferrals = await overLimit(db, taskType, queuesOf(taskType), grouped);
    for (const { id, delayMs, isReserved } of deferrals) {
      const attempt = rows.find((row) => row.id === id);
      if (attempt) await jobs.giveBack(db, queue, [attempt], { delayMs, patch: { reserved: isReserved } });
    }
    return rows.filter((row) => !deferrals.some((deferral) => deferral.id === row.id));
  }

  return {
    /** Waits for the queue's database and schema as long as it takes: a database that is away must not end the process. */
    async start(): Promise<void> {
      let said = '';
      while (!stopping.signal.aborted) {
        try {
          await boss.start();
          const pool = poolOf(boss);
          if (pool && options.observer) watchWaiting(pool, options.observer);
          return;
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error);
          if (reason !== said)
            options.log.warn(`waiting for the task queues (${reason}): is "npm run db:migrate" done?`);
          said = reason;
          await boss.stop({ graceful: false, close: true }).catch(() => undefined);
          boss = createBoss();
          await delay(startRetryMs, undefined, { signal: stopping.signal }).catch(() => undefined);
        }
      }
    },
    async stop(): Promise<void> {
      stopping.abort();
      await boss.stop({ graceful: false, close: true });
    },
    /** Rejects when the queue's database does not answer. */
    async ping(): Promise<void> {
      await boss.getDb().executeSql('SELECT 1');
    },

    /**
     * Merges the hints into their queues and wakes the workers: all of them or, when it rejects, perhaps none. What follows from
     * the events of one aggregate goes to several queues, and must not come to one of them before its time.
     */
    async enqueue(hints: TaskHint[], lane?: Lane): Promise<void> {
      const shares = options.lanes?.shares();
      const jobsOfHints = uniqueHints(hints).map((hint) => {
        const buckets = options.lanes?.bucketsOf(hint.subjectId);
        const decided = shares && buckets ? laneOf(hint.taskType, buckets, shares) : 'stable';
        return {
          queue: queueName(hint.taskType, lane ?? decided),
          job: toJob(hint, settingsOf(hint.taskType).coalesceSeconds, buckets),
        };
      });
      // The same order of queues for everybody, as of subjects within each: see uniqueHints.
      const groups = [...Map.groupBy(jobsOfHints, ({ queue }) => queue)].sort(([a], [b]) => (a < b ? -1 : 1));
      const insertAll = async (db?: Db): Promise<void> => {
        for (const [queue, group] of groups)
          await boss.insert(
            queue,
            group.map(({ job }) => job),
            db === undefined ? {} : { db },
          );
      };
      await (groups.length > 1 ? inTransaction(insertAll) : insertAll());
      for (const type of new Set(hints.map((hint) => hint.taskType))) options.wakeups?.notify(taskTopic(type));
    },

    /** Claims up to `limit` tasks for this process, the most urgent first. */
    async fetch(taskType: string, lane: Lane, limit: number): Promise<FetchedTask[]> {
      const queue = queueName(taskType, lane);
      if (options.lanes && !hasWork(taskType, lane, options.lanes.shares())) return [];
      if (!(await jobs.hasDueJob(boss.getDb(), queue))) return [];
      const rows = await inTransaction(async (db) => {
        const fetched: JobWithMetadata<unknown>[] = await boss.fetch(queue, {
          ...{ batchSize: limit, includeMetadata: true },
          db,
        });
        const own = options.lanes ? await handOn(db, taskType, lane, fetched, options.lanes) : fetched;
        if (own.length < fetched.length) options.wakeups?.notify(taskTopic(taskType));
        const allowed = await withinLimits(db, taskType, queue, own);
        const ids = allowed.map((row) => row.id);
        if (ids.length > 0) await jobs.setClaimer(db, queue, ids, options.processId ?? '');
        return allowed;
      });
      return readable(queue, taskType, rows);
    },

    async complete(tasks: FetchedTask[]): Promise<void> {
      await forEachQueue(tasks, (queue, own) => boss.complete(queue, own.map(attemptOf), {}));
    },

    /** The attempt failed; another one comes after the backoff. */
    async retry(task: FetchedTask, error: string): Promise<void> {
      await jobs.retryLater(boss.getDb(), task.queue, task, {
        delayMs: retryDelayMs(settingsOf(task.taskType), task.attempt),
        error: error.slice(0, maxErrorCharacters),
        patch: { suspect: false, reserved: false, first_failed_at_ms: task.data.first_failed_at_ms ?? Date.now() },
      });
    },

    /** The last attempt failed. Call it when the dead letter is kept. */
    async bury(task: FetchedTask, error: string): Promise<void> {
      await jobs.bury(boss.getDb(), task.queue, task, error.slice(0, maxErrorCharacters));
    },

    /** Ready again, without counting an attempt: the process stops, or the handler asked for it. */
    async giveBack(
      tasks: FetchedTask[],
      how: { delayMs: number; isPostponed?: boolean; isSuspect?: boolean },
    ): Promise<void> {
      await forEachQueue(tasks, async (queue, own) => {
        for (const [postponed, same] of Map.groupBy(own, (task) => task.data.postponed)) {
          const patch = {
            reserved: false,
            ...(how.isPostponed === true ? { postponed: postponed + 1, suspect: false } : {}),
            ...(how.isSuspect === true ? { suspect: true } : {}),
          };
          await jobs.giveBack(boss.getDb(), queue, same, { delayMs: how.delayMs, patch });
        }
      });
      for (const type of new Set(tasks.map((task) => task.taskType))) options.wakeups?.notify(taskTopic(type));
    },

    /** Nothing else runs in this process until the task ends: should the process die, it was because of this one. */
    async workAlone(task: FetchedTask): Promise<void> {
      await jobs.setAlone(boss.getDb(), task.queue, task);
    },

    /** Gives back what this process has claimed without knowing it: the answer to a fetch was lost. Returns how many. */
    async giveBackUnknown(known: FetchedTask[]): Promise<number> {
      const isKnown = new Set(known.map((task) => `${task.id}:${task.retryCount}`));
      const claimed = await jobs.claimsOf(boss.getDb(), allQueues, options.processId ?? '');
      const unknown = claimed.filter((claim) => !isKnown.has(`${claim.id}:${claim.retryCount}`));
      for (const [queue, attempts] of Map.groupBy(unknown, (claim) => claim.queue))
        await jobs.giveBack(boss.getDb(), queue, attempts, { delayMs: 0, patch: { reserved: false } });
      return unknown.length;
    },

    /**
     * Gives the tasks of dead processes to others. What was worked alone when its process died counts an attempt, and is kept as a
     * dead letter in the end; its neighbours do not, and are worked alone from now on. `liveProcesses` is asked after the claims
     * are read: whoever claims has a lease before.
     */
    async rescue(liveProcesses: () => Promise<string[]>, keep: (task: DeadTask) => Promise<void>): Promise<number> {
      const claims = await jobs.claims(boss.getDb(), allQueues);
      if (claims.length === 0) return 0;
      const live = new Set(await liveProcesses());
      const dead = claims.filter((claim) => !live.has(claim.claimedBy));
      for (const claim of dead) await rescueClaim(boss.getDb(), claim, settingsOf, keep);
      for (const queue of new Set(dead.map((claim) => claim.queue)))
        options.wakeups?.notify(taskTopic(queue.split('.')[0] ?? ''));
      return dead.length;
    },

    /**
     * Moves what waits to the lanes that have to work it now: where a share was changed, and where a lane lost its workers or has
     * them again. What runs is left alone. Returns how many tasks were moved.
     */
    async keepLanes(): Promise<number> {
      const moved = options.lanes ? await moveToLanes(boss.getDb(), [...byType.keys()], options.lanes.shares()) : [];
      for (const { taskType } of moved) options.wakeups?.notify(taskTopic(taskType));
      return moved.reduce((sum, { count }) => sum + count, 0);
    },

    /** Sets or replaces a group's limits, and lets what waits for room look again. */
    async limitGroup(taskType: string, groupId: string, limit: GroupLimit): Promise<void> {
      settingsOf(taskType);
      await writeGroupLimit(boss.getDb(), taskType, groupId, limit);
      await wakeGroup(boss.getDb(), queuesOf(taskType), groupId);
      options.wakeups?.notify(taskTopic(taskType));
    },

    /** Tasks past their time, retention of finished ones: to be called now and then by one process. */
    async supervise(): Promise<void> {
      await boss.supervise();
    },

    /** Hands over every task that ran past its time at its last attempt: its worker hung, and could not tell. */
    async drainDead(keep: (task: DeadTask) => Promise<void>): Promise<number> {
      const dead = await boss.fetch(deadLetterQueue, { batchSize: deadLetterBatch, includeMetadata: true });
      for (const row of dead) {
        const task = hungTask(row);
        if (task) await keep(task);
        await boss.complete(deadLetterQueue, { id: row.id, retryCount: row.retryCount });
      }
      return dead.length;
    },

    /** Jobs by queue and state. Costs a scan of the job table's index (0.2 s for a million): call it rarely. */
    counts: (): Promise<TaskCount[]> => jobs.countUnfinished(boss.getDb(), deadLetterQueue),
  };
}

export type TaskQueues = ReturnType<typeof createTaskQueues>;

function toJob(hint: TaskHint, coalesceSeconds: number, buckets: Buckets | undefined): JobInsert<HintData> {
  const isDelayed = (hint.startAfterSeconds ?? 0) > coalesceSeconds;
  const startAfter = Math.max(coalesceSeconds, hint.startAfterSeconds ?? 0);
  return {
    data: { ...dataOfHint(hint), ...(buckets === undefined ? {} : bucketData(buckets)) },
    singletonKey: isDelayed ? `delayed:${hint.subjectId}` : hint.subjectId,
    priority: hint.priority ?? 0,
    ...(hint.groupId === undefined ? {} : { group: { id: hint.groupId } }),
    ...(startAfter > 0 ? { startAfter } : {}),
  };
}

/**
 * Two hints for one subject would merge anyway; the first carries the ids. Sorted: two that insert the same subjects at once wait
 * for each other, and in different orders they would wait for ever.
 */
function uniqueHints(hints: TaskHint[]): TaskHint[] {
  const seen = new Map<string, TaskHint>();
  for (const hint of hints) {
    const key = `${hint.taskType}:${hint.subjectId}`;
    if (!seen.has(key)) seen.set(key, hint);
  }
  return [...seen.keys()].sort().map((key) => seen.get(key) as TaskHint);
}

const attemptOf = (task: FetchedTask): { id: string; retryCount: number } => ({
  id: task.id,
  retryCount: task.retryCount,
});
