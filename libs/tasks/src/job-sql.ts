/**
 * SQL on pg-boss's own job table, for what it does not offer: who has claimed a job, giving one back without counting an attempt,
 * and a retry at a time of our choice. Each statement names the attempt (`retry_count` of the fetch) and changes nothing when a
 * newer one has begun. A job that is given back has its limit raised by one instead of its count lowered: the count only grows,
 * which is what tells an older attempt from a newer one.
 */
import type { Db } from 'pg-boss';
import type { TaskCount } from './task-count.ts';
import type { Lane } from './task-types.ts';

export type Attempt = { id: string; retryCount: number };

export type Claim = Attempt & { queue: string; data: unknown; claimedBy: string; isAlone: boolean };

/** Our index beside pg-boss's: the few jobs in hand among all that are kept for a day. */
export const activeIndexSql = `CREATE INDEX IF NOT EXISTS omnizap_job_active_idx ON pgboss.job_common (name) WHERE state = 'active'`;

/** Parameters $1 queue, $2 ids, $3 `id:retry_count` pairs. */
const isThisAttempt = `name = $1 AND id = ANY($2::uuid[]) AND state = 'active' AND (id::text || ':' || retry_count::text) = ANY($3::text[])`;

function attemptParameters(queue: string, attempts: Attempt[]): [string, string[], string[]] {
  return [queue, attempts.map(({ id }) => id), attempts.map(({ id, retryCount }) => `${id}:${retryCount}`)];
}

/** True when something in the queue can be started now: an index probe, for idle workers. */
export async function hasDueJob(db: Db, queue: string): Promise<boolean> {
  const { rows } = await db.executeSql(
    `SELECT 1 FROM pgboss.job WHERE name = $1 AND state < 'active' AND NOT blocked AND start_after <= now() LIMIT 1`,
    [queue],
  );
  return rows.length > 0;
}

/** Writes down who has these in hand; part of the transaction that fetches them. */
export async function setClaimer(db: Db, queue: string, ids: string[], processId: string): Promise<void> {
  await db.executeSql(
    `UPDATE pgboss.job SET output = jsonb_build_object('claimed_by', $3::text) WHERE name = $1 AND id = ANY($2::uuid[])`,
    [queue, ids, processId],
  );
}

/** The process works nothing else until this one is done: if it dies, that was why. */
export async function setAlone(db: Db, queue: string, attempt: Attempt): Promise<void> {
  await db.executeSql(
    `UPDATE pgboss.job SET output = COALESCE(output, '{}') || '{"alone": true}' WHERE ${isThisAttempt}`,
    attemptParameters(queue, [attempt]),
  );
}

/** Ready again after `delayMs`, with `patch` merged into its data. Does not count as an attempt. */
export async function giveBack(
  db: Db,
  queue: string,
  attempts: Attempt[],
  options: { delayMs: number; patch: object },
): Promise<void> {
  await db.executeSql(
    `UPDATE pgboss.job
        SET state = 'retry', retry_limit = retry_limit + 1, output = NULL,
            start_after = clock_timestamp() + $4::float8 * interval '1 millisecond',
            data = data || jsonb_build_object('uncounted', COALESCE((data->>'uncounted')::int, 0) + 1) || $5::jsonb
      WHERE ${isThisAttempt}`,
    [...attemptParameters(queue, attempts), options.delayMs, JSON.stringify(options.patch)],
  );
}

/** As `giveBack`, for a lane that has to work it now. */
export async function handOn(db: Db, queue: string, attempt: Attempt, toQueue: string, patch: object): Promise<void> {
  await db.executeSql(
    `UPDATE pgboss.job
        SET name = $4, state = 'retry', retry_limit = retry_limit + 1, output = NULL,
            data = data || jsonb_build_object('uncounted', COALESCE((data->>'uncounted')::int, 0) + 1) || $5::jsonb
      WHERE ${isThisAttempt}`,
    [...attemptParameters(queue, [attempt]), toQueue, JSON.stringify(patch)],
  );
}

/** Those of the queues in which anything waits: an index probe each. */
export async function queuesWithWaiting(db: Db, queues: string[]): Promise<string[]> {
  const { rows } = await db.executeSql(
    `SELECT queue FROM unnest($1::text[]) AS queue
      WHERE EXISTS (SELECT 1 FROM pgboss.job WHERE name = queue AND state < 'active')`,
    [queues],
  );
  return (rows as { queue: string }[]).map(({ queue }) => queue);
}

const mostMovedAtOnce = 5_000;
const dedicatedBucket = `COALESCE((job.data->>'dedicated_bucket')::int, 1)`;
const canaryBucket = `COALESCE((job.data->>'canary_bucket')::int, 100)`;
/** Parameters $3 and $4: the percentages of the dedicated processes and of the canary. */
const belongsTo: Record<Lane, string> = {
  inline: `${dedicatedBucket} > $3 AND $4::int >= 0`,
  canary: `${dedicatedBucket} <= $3 AND ${canaryBucket} <= $4`,
  stable: `${dedicatedBucket} <= $3 AND ${canaryBucket} > $4`,
};
/**
 * Moves what waits in one queue and belongs to `nominal` into another. A hint whose subject waits there already is merged into that
 * one: it has not started, so it will see whatever this hint was about. (Deleted and inserted, because only an insert can give way
 * to a twin that comes at the same moment.) Returns how many were moved; call again when that is many.
 */
export async function moveWaiting(
  db: Db,
  queues: { from: string; to: string },
  nominal: Lane,
  percents: { dedicated: number; canary: number },
): Promise<{ moved: number; hasMore: boolean }> {
  const { rows } = await db.executeSql(
    `WITH gone AS (
       DELETE FROM pgboss.job WHERE name = $1 AND id IN (
         SELECT id FROM pgboss.job job WHERE name = $1 AND state < 'active' AND ${belongsTo[nominal]}
          LIMIT ${mostMovedAtOnce} FOR UPDATE SKIP LOCKED)
       RETURNING job AS whole
     ), came AS (
       INSERT INTO pgboss.job
       SELECT moved.* FROM gone, jsonb_populate_record(NULL::pgboss.job, to_jsonb(whole) || jsonb_build_object('name', $2::text)) moved
       ON CONFLICT DO NOTHING RETURNING id
     )
     SELECT COUNT(*)::int AS moved FROM gone`,
    [queues.from, queues.to, percents.dedicated, percents.canary],
  );
  const [{ moved }] = rows as [{ moved: number }];
  return { moved, hasMore: moved === mostMovedAtOnce };
}

/** The attempt failed and another one follows after `delayMs`. */
export async function retryLater(
  db: Db,
  queue: string,
  attempt: Attempt,
  options: { delayMs: number; error: string; patch: object },
): Promise<void> {
  await db.executeSql(
    `UPDATE pgboss.job
        SET state = 'retry', retry_limit = GREATEST(retry_limit, retry_count + 1),
            output = jsonb_build_object('error', $5::text),
            start_after = clock_timestamp() + $4::float8 * interval '1 millisecond', data = data || $6::jsonb
      WHERE ${isThisAttempt}`,
    [...attemptParameters(queue, [attempt]), options.delayMs, options.error, JSON.stringify(options.patch)],
  );
}

/** The last attempt failed, and the dead letter is kept already. */
export async function bury(db: Db, queue: string, attempt: Attempt, error: string): Promise<void> {
  await db.executeSql(
    `UPDATE pgboss.job SET state = 'failed', completed_on = now(), output = jsonb_build_object('error', $4::text)
      WHERE ${isThisAttempt}`,
    [...attemptParameters(queue, [attempt]), error],
  );
}

/** Everything in hand, whoever has it. */
export async function claims(db: Db, queues: string[]): Promise<Claim[]> {
  const { rows } = await db.executeSql(
    `SELECT id, name, retry_count, data, output->>'claimed_by' AS claimed_by,
            COALESCE((output->>'alone')::boolean, false) AS alone
       FROM pgboss.job WHERE state = 'active' AND name = ANY($1::text[]) AND output ? 'claimed_by'`,
    [queues],
  );
  type Row = { id: string; name: string; retry_count: number; data: unknown; claimed_by: string; alone: boolean };
  return (rows as Row[]).map((row) => ({
    id: row.id,
    queue: row.name,
    retryCount: row.retry_count,
    data: row.data,
    claimedBy: row.claimed_by,
    isAlone: row.alone,
  }));
}

/** What `processId` has claimed, but not in the last five seconds: a fetch whose answer is on its way is no loss. */
export async function claimsOf(db: Db, queues: string[], processId: string): Promise<(Attempt & { queue: string })[]> {
  const { rows } = await db.executeSql(
    `SELECT id, name, retry_count FROM pgboss.job
      WHERE state = 'active' AND name = ANY($1::text[]) AND output->>'claimed_by' = $2 AND started_on < now() - interval '5 seconds'`,
    [queues, processId],
  );
  type Row = { id: string; name: string; retry_count: number };
  return (rows as Row[]).map((row) => ({ id: row.id, queue: row.name, retryCount: row.retry_count }));
}

/** By queue and state, all queues but `leftOut`. Scans the index of the job table. */
export async function countUnfinished(db: Pick<Db, 'executeSql'>, leftOut: string): Promise<TaskCount[]> {
  const { rows } = await db.executeSql(
    `SELECT name, state::text AS state, COUNT(*)::int AS count,
            COALESCE(EXTRACT(EPOCH FROM clock_timestamp() - MIN(created_on)), 0)::float8 AS oldest
       FROM pgboss.job WHERE state IN ('created', 'retry', 'active') AND name <> '${leftOut}' GROUP BY name, state`,
  );
  return (rows as { name: string; state: string; count: number; oldest: number }[]).map((row) => {
    const [taskType = row.name, lane = ''] = row.name.split('.');
    return { taskType, lane, state: row.state, count: row.count, oldestSeconds: row.oldest };
  });
}
