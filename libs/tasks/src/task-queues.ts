/**
 * The queues on pg-boss, one per task type and lane; the only importer of pg-boss. Waiting tasks of one subject are merged
 * (policy `short`: one job in `created` per key), a started one never swallows a later hint.
 * Supervision runs only where `supervise` is called: the leading maintenance process.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { PgBoss, type JobInsert, type JobWithMetadata } from 'pg-boss';
import { z } from 'zod';
import type { Logger, Wakeups } from '@omnizap/runtime';
import { queueName, taskTopic, type DeadTask, type Lane, type TaskHint, type TaskSettings } from './task-types.ts';

/** pg-boss takes nothing below 10 s; a dead worker's task starts elsewhere after this plus one supervision. */
const heartbeatSeconds = 10;
/** Finished tasks are kept for a day: long enough to look into one, short enough to stay small. */
const keepFinishedSeconds = 86_400;
const startRetryMs = 1_000;
/** pg-boss copies every job here that failed for good, also one whose worker died of it. */
const deadLetterQueue = 'dead-letter';
const deadLetterBatch = 100;

const hintData = z.object({
  subject_id: z.string(),
  event_id: z.number().optional(),
  request_id: z.string().optional(),
  announced_at_ms: z.number().optional(),
});
export type HintData = z.infer<typeof hintData>;

/** A task as fetched; pass it whole when settling, so that a newer attempt is never settled by an older one. */
export type FetchedTask = {
  id: string;
  taskType: string;
  retryCount: number;
  retryLimit: number;
  data: HintData;
  queue: string;
};

type QueueOptions = { queueUrl: string; log: Logger; wakeups?: Wakeups; applicationName?: string };

export function createTaskQueues(settings: TaskSettings[], options: QueueOptions) {
  const stopping = new AbortController();
  let boss = createBoss();

  function createBoss(): PgBoss {
    const next = new PgBoss({
      connectionString: options.queueUrl,
      application_name: options.applicationName ?? 'omnizap tasks',
      max: 3,
      // A crash of the server may forget the last fraction of a second: tasks are hints, sweeps find what one would have said.
      // Waiting for the disk at each fetch and each completion cost more than the work of a small task.
      options: '-c synchronous_commit=off',
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

  const byType = new Map(settings.map((entry) => [entry.type, entry]));
  const settingsOf = (type: string): TaskSettings => {
    const found = byType.get(type);
    if (!found) throw new Error(`There is no task type "${type}"; known: ${[...byType.keys()].join(', ')}`);
    return found;
  };

  return {
    /** Waits for the queue's database and schema as long as it takes: a database that is away must not end the process. */
    async start(): Promise<void> {
      let said = '';
      while (!stopping.signal.aborted) {
        try {
          await boss.start();
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

    /** Merges the hints into their queues in one statement per task type and wakes the workers. */
    async enqueue(hints: TaskHint[], lane: Lane = 'stable'): Promise<void> {
      const groups = Map.groupBy(uniqueHints(hints), (hint) => hint.taskType);
      for (const [type, group] of groups) {
        const { coalesceSeconds } = settingsOf(type);
        await boss.insert(
          queueName(type, lane),
          group.map((hint) => toJob(hint, coalesceSeconds)),
        );
        options.wakeups?.notify(taskTopic(type));
      }
    },

    async fetch(taskType: string, lane: Lane, limit: number): Promise<FetchedTask[]> {
      const queue = queueName(taskType, lane);
      const jobs: JobWithMetadata<unknown>[] = await boss.fetch(queue, { batchSize: limit, includeMetadata: true });
      const tasks: FetchedTask[] = [];
      for (const job of jobs) {
        const data = hintData.safeParse(job.data);
        const task = { id: job.id, taskType, retryCount: job.retryCount, retryLimit: job.retryLimit, queue };
        if (data.success) tasks.push({ ...task, data: data.data });
        else {
          // Not one of ours: it must not hold up the batch that it came with.
          options.log.error(
            { task_id: job.id, task_type: taskType },
            'a task says nothing that can be read; it is failed',
          );
          await boss.fail(queue, { id: job.id, retryCount: job.retryCount }, { error: 'unreadable task data' });
        }
      }
      return tasks;
    },

    async complete(queue: string, tasks: FetchedTask[], output: object): Promise<void> {
      await boss.complete(queue, tasks.map(attemptOf), output);
    },

    /** Counts the attempt; pg-boss tries again with backoff or, after the last one, keeps the job as failed. */
    async fail(task: FetchedTask, output: object): Promise<void> {
      await boss.fail(task.queue, attemptOf(task), output);
    },

    /** Says that these are still being worked. */
    async touch(queue: string, tasks: FetchedTask[]): Promise<void> {
      await boss.touch(queue, tasks.map(attemptOf));
    },

    /** Expiry, lost heartbeats, retention: to be called every few seconds by one process. */
    async supervise(): Promise<void> {
      await boss.supervise();
    },

    /**
     * Hands every task that failed for good to `keep`, whoever noticed it. A worker that could tell has kept it already, with its
     * error; a worker that died of the task could not.
     */
    async drainDead(keep: (task: DeadTask) => Promise<void>): Promise<number> {
      const jobs = await boss.fetch(deadLetterQueue, { batchSize: deadLetterBatch, includeMetadata: true });
      for (const job of jobs) {
        const [taskType = ''] = (job.sourceName ?? '').split('.');
        const data = hintData.safeParse(job.data);
        if (data.success && job.sourceId !== null) {
          await keep({
            id: job.sourceId,
            taskType,
            subjectId: data.data.subject_id,
            attempts: (job.sourceRetryCount ?? 0) + 1,
            error: 'The task ended without an answer: its worker died or hung each time.',
            payload: data.data,
          });
        }
        await boss.complete(deadLetterQueue, { id: job.id, retryCount: job.retryCount });
      }
      return jobs.length;
    },

    /** Jobs by queue and state. Costs a scan of the job table's index (0.2 s for a million): call it rarely. */
    async counts(): Promise<{ taskType: string; lane: string; state: string; count: number; oldestSeconds: number }[]> {
      const answer: { rows: unknown } = await boss.getDb().executeSql(
        `SELECT name, state::text AS state, COUNT(*)::int AS count,
                COALESCE(EXTRACT(EPOCH FROM clock_timestamp() - MIN(created_on)), 0)::float8 AS oldest
           FROM pgboss.job WHERE state IN ('created', 'retry', 'active') AND name <> '${deadLetterQueue}' GROUP BY name, state`,
      );
      const rows = answer.rows as { name: string; state: string; count: number; oldest: number }[];
      return rows.map((row) => {
        const [taskType = row.name, lane = ''] = row.name.split('.');
        return { taskType, lane, state: row.state, count: row.count, oldestSeconds: row.oldest };
      });
    },
  };
}

export type TaskQueues = ReturnType<typeof createTaskQueues>;

/** Creates or updates pg-boss's schema and the queues of all lanes; safe from many processes at once. */
export async function installTaskQueues(settings: TaskSettings[], options: QueueOptions): Promise<void> {
  const boss = new PgBoss({
    connectionString: options.queueUrl,
    application_name: 'omnizap migrate',
    max: 2,
    supervise: false,
    schedule: false,
  });
  boss.on('error', (error) => options.log.warn({ err: error }, 'task queue'));
  await boss.start();
  try {
    await boss.createQueue(deadLetterQueue, { retryLimit: 0, deleteAfterSeconds: keepFinishedSeconds });
    for (const entry of settings) {
      for (const lane of ['inline', 'stable', 'canary'] as const) {
        const limits = {
          retryLimit: entry.retryLimit,
          retryDelay: 1,
          retryBackoff: true,
          retryDelayMax: 300,
          expireInSeconds: entry.timeoutSeconds + 30,
          heartbeatSeconds,
          deleteAfterSeconds: keepFinishedSeconds,
        };
        const name = queueName(entry.type, lane);
        await boss.createQueue(name, { policy: 'short', deadLetter: deadLetterQueue, ...limits });
        // An existing queue keeps what it was made with until it is told otherwise.
        await boss.updateQueue(name, limits);
      }
    }
  } finally {
    await boss.stop({ graceful: false, close: true });
  }
}

function toJob(hint: TaskHint, coalesceSeconds: number): JobInsert<HintData> {
  return {
    data: {
      subject_id: hint.subjectId,
      ...(hint.eventId === undefined ? {} : { event_id: hint.eventId }),
      ...(hint.requestId === undefined ? {} : { request_id: hint.requestId }),
      ...(hint.announcedAtMs === undefined ? {} : { announced_at_ms: hint.announcedAtMs }),
    },
    singletonKey: hint.subjectId,
    priority: hint.priority ?? 0,
    ...(coalesceSeconds > 0 ? { startAfter: coalesceSeconds } : {}),
  };
}

/** Two hints for one subject in one statement would merge anyway; the first carries the ids. */
function uniqueHints(hints: TaskHint[]): TaskHint[] {
  const seen = new Map<string, TaskHint>();
  for (const hint of hints) {
    const key = `${hint.taskType}:${hint.subjectId}`;
    if (!seen.has(key)) seen.set(key, hint);
  }
  return [...seen.values()];
}

const attemptOf = (task: FetchedTask): { id: string; retryCount: number } => ({
  id: task.id,
  retryCount: task.retryCount,
});
