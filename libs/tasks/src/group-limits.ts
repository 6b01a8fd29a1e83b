/**
 * Limits of a group of tasks (a tenant, a channel, a page), fleet-wide: how many at once, how many per second, none for a while.
 * They are checked in the transaction that fetches, under a lock on the group's row, so they are hard. What is over a limit goes
 * back to its queue at the time when there is room for it.
 *
 * Rate: the generic cell rate algorithm (ITU-T I.371). `next_at` is the theoretical arrival time; a task that comes too early is
 * given the slot that it must wait for at once, so that it is fetched twice at most, however long the backlog.
 */
import type { Db } from 'pg-boss';

export type GroupLimit = {
  /** At once, over all processes. */
  concurrency?: number;
  ratePerSecond?: number;
  /** How many may start together after a quiet time. Default 1. */
  burst?: number;
  /** Nothing starts before this instant. */
  pausedUntil?: Date;
  /** Why, for whoever finds it paused. */
  pauseReason?: string;
};

/** Longest time until a task of a paused or busy group is looked at again; a lifted limit wakes them at once. */
const longestLookMs = 30_000;
const busyLookMs = 1_000;

export const groupLimitDdl = [
  'CREATE SCHEMA IF NOT EXISTS omnizap_tasks',
  `CREATE TABLE IF NOT EXISTS omnizap_tasks.group_limit (
     task_type text NOT NULL, group_id text NOT NULL, concurrency integer CHECK (concurrency > 0),
     rate_per_second double precision CHECK (rate_per_second > 0), burst integer NOT NULL DEFAULT 1 CHECK (burst > 0),
     paused_until timestamptz, pause_reason text, next_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (task_type, group_id))`,
];

export async function writeGroupLimit(db: Db, taskType: string, groupId: string, limit: GroupLimit): Promise<void> {
  await db.executeSql(
    `INSERT INTO omnizap_tasks.group_limit (task_type, group_id, concurrency, rate_per_second, burst, paused_until, pause_reason)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (task_type, group_id) DO UPDATE SET concurrency = EXCLUDED.concurrency, burst = EXCLUDED.burst,
       rate_per_second = EXCLUDED.rate_per_second, paused_until = EXCLUDED.paused_until, pause_reason = EXCLUDED.pause_reason`,
    [
      taskType,
      groupId,
      limit.concurrency ?? null,
      limit.ratePerSecond ?? null,
      limit.burst ?? 1,
      limit.pausedUntil ?? null,
      limit.pauseReason ?? null,
    ],
  );
}

/** What waits only because of its group is looked at now. */
export async function wakeGroup(db: Db, queues: string[], groupId: string): Promise<void> {
  await db.executeSql(
    `UPDATE pgboss.job SET start_after = now(), data = data - 'reserved'
      WHERE name = ANY($1::text[]) AND group_id = $2 AND state = 'retry' AND data ? 'uncounted'`,
    [queues, groupId],
  );
}

type Candidate = { id: string; groupId: string; isReserved: boolean };
export type Deferral = { id: string; delayMs: number; isReserved: boolean };

/**
 * Which of the jobs just fetched must go back, and for how long. To be called inside the fetching transaction; locks the limits of
 * their groups until it ends.
 */
export async function overLimit(
  db: Db,
  taskType: string,
  queues: string[],
  candidates: Candidate[],
): Promise<Deferral[]> {
  const groups = [...new Set(candidates.map((candidate) => candidate.groupId))];
  if (groups.length === 0) return [];
  const { rows } = await db.executeSql(
    `SELECT group_id AS "groupId", concurrency, burst, 1000 / rate_per_second AS "intervalMs",
            EXTRACT(EPOCH FROM paused_until - clock_timestamp())::float8 * 1000 AS "pausedMs",
            EXTRACT(EPOCH FROM next_at - clock_timestamp())::float8 * 1000 AS "nextMs"
       FROM omnizap_tasks.group_limit WHERE task_type = $1 AND group_id = ANY($2::text[]) ORDER BY group_id FOR UPDATE`,
    [taskType, groups],
  );
  const deferrals: Deferral[] = [];
  for (const limit of rows as LimitRow[]) {
    const own = candidates.filter((candidate) => candidate.groupId === limit.groupId);
    const running = limit.concurrency === null ? 0 : (await countActive(db, queues, limit.groupId)) - own.length;
    deferrals.push(...apply(limit, own, running));
    if (limit.intervalMs !== null) await writeNext(db, taskType, limit);
  }
  return deferrals;
}

type LimitRow = {
  groupId: string;
  concurrency: number | null;
  burst: number;
  intervalMs: number | null;
  pausedMs: number | null;
  nextMs: number;
};

/** Pure but for `limit.nextMs`, which moves with each slot given away. */
function apply(limit: LimitRow, candidates: Candidate[], running: number): Deferral[] {
  const deferrals: Deferral[] = [];
  let free = limit.concurrency === null ? Infinity : limit.concurrency - running;
  for (const { id, isReserved } of candidates) {
    if (limit.pausedMs !== null && limit.pausedMs > 0) {
      deferrals.push({ id, delayMs: Math.min(limit.pausedMs, longestLookMs), isReserved });
    } else if (free <= 0) {
      deferrals.push({ id, delayMs: busyLookMs / 2 + Math.random() * busyLookMs, isReserved });
    } else if (limit.intervalMs !== null && !isReserved) {
      const earliestMs = Math.max(limit.nextMs, 0) - (limit.burst - 1) * limit.intervalMs;
      limit.nextMs = Math.max(limit.nextMs, 0) + limit.intervalMs;
      if (earliestMs > 0) deferrals.push({ id, delayMs: earliestMs, isReserved: true });
      else free -= 1;
    } else {
      free -= 1;
    }
  }
  return deferrals;
}

async function countActive(db: Db, queues: string[], groupId: string): Promise<number> {
  const { rows } = await db.executeSql(
    `SELECT COUNT(*)::int AS count FROM pgboss.job WHERE name = ANY($1::text[]) AND group_id = $2 AND state = 'active'`,
    [queues, groupId],
  );
  return (rows as { count: number }[])[0]?.count ?? 0;
}

async function writeNext(db: Db, taskType: string, limit: LimitRow): Promise<void> {
  await db.executeSql(
    `UPDATE omnizap_tasks.group_limit SET next_at = clock_timestamp() + $3::float8 * interval '1 millisecond'
      WHERE task_type = $1 AND group_id = $2`,
    [taskType, limit.groupId, limit.nextMs],
  );
}
