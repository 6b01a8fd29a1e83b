/** What the queues still know of tasks about some subjects or from some requests: finished ones are kept for a while. */
import { rowsOf, type Database } from '@omnizap/runtime';
import { deadLetterQueue } from './install-task-queues.ts';
import { jobData } from './job-data.ts';

export type KnownTask = {
  id: string;
  taskType: string;
  lane: string;
  state: 'created' | 'retry' | 'active' | 'completed' | 'cancelled' | 'failed';
  subjectId: string;
  eventId: number | null;
  requestId: string | null;
  /** Of the last claim, or of the next one. */
  attempt: number;
  createdAt: Date;
  startedAt: Date | null;
  completedAt: Date | null;
  /** Not before this; null when that is over. */
  notBefore: Date | null;
  /** Process that has it in hand. */
  claimedBy: string | null;
  error: string | null;
};

type Row = {
  id: string;
  name: string;
  state: KnownTask['state'];
  data: unknown;
  retry_count: number;
  created_on: Date;
  started_on: Date | null;
  completed_on: Date | null;
  not_before: Date | null;
  claimed_by: string | null;
  error: string | null;
};

export type TaskHistory = { tasks: KnownTask[]; isCut: boolean };

/** What is unfinished comes first, then what is newest. */
const mostTasks = 1_000;

/**
 * The oldest first, a thousand at most. Tasks merge while they wait, so that one may stand for a request whose id it does not carry:
 * of `relatedIds` those are told that are not finished. Reads all jobs: an index on their data would cost each task more than a
 * person's question is worth.
 */
export async function readTaskHistory(
  queues: Pick<Database, 'knex'>,
  about: { subjectIds: string[]; relatedIds: string[]; requestIds: string[] },
): Promise<TaskHistory> {
  const [table] = rowsOf<{ present: boolean }>(
    await queues.knex.raw(`SELECT to_regclass('pgboss.job') IS NOT NULL AS present`),
  );
  if (table?.present !== true) return { tasks: [], isCut: false };
  const isUnfinished = "state IN ('created', 'retry', 'active')";
  const found: unknown = await queues.knex.raw(
    `SELECT id, name, state::text AS state, data, retry_count, created_on, started_on, completed_on,
            CASE WHEN start_after > now() THEN start_after END AS not_before,
            output->>'claimed_by' AS claimed_by, output->>'error' AS error
       FROM pgboss.job
      WHERE name <> '${deadLetterQueue}'
        AND (data->>'subject_id' = ANY(?) OR data->>'request_id' = ANY(?)
             OR (${isUnfinished} AND data->>'subject_id' = ANY(?)))
      ORDER BY ${isUnfinished} DESC, created_on DESC, id DESC LIMIT ${mostTasks + 1}`,
    [about.subjectIds, about.requestIds, about.relatedIds],
  );
  const rows = rowsOf<Row>(found);
  const tasks = rows.slice(0, mostTasks).flatMap((row) => {
    const { data } = jobData.safeParse(row.data);
    return data ? [taskOf(row, data)] : [];
  });
  const isCut = rows.length > mostTasks;
  return { isCut, tasks: tasks.sort((one, other) => one.createdAt.getTime() - other.createdAt.getTime()) };
}

function taskOf(row: Row, data: ReturnType<typeof jobData.parse>): KnownTask {
  const [taskType = row.name, lane = ''] = row.name.split('.');
  return {
    ...{ id: row.id, taskType, lane, state: row.state, subjectId: data.subject_id },
    eventId: data.event_id ?? null,
    requestId: data.request_id ?? null,
    // A waiting one has its next claim before it.
    attempt: row.retry_count + (row.state === 'retry' ? 2 : 1) - data.uncounted,
    createdAt: row.created_on,
    startedAt: row.started_on,
    completedAt: row.completed_on,
    notBefore: row.not_before,
    claimedBy: row.state === 'active' ? row.claimed_by : null,
    error: row.error?.split('\n', 1)[0] ?? null,
  };
}
