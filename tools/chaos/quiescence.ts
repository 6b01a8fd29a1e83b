/** Waits until the fleet has nothing left to do. Not coming to rest is a finding, with a list of what is stuck. */
import { setTimeout as delay } from 'node:timers/promises';
import { readFinalTables, readNewestRanking } from './final-tables.ts';
import type { FinalTables } from './final-tables.ts';
import { expectedRanking } from './judge/judge-convergence.ts';
import type { Sql } from './sql.ts';

const pollMs = 500;
/** A moment without work may lie between two steps of the same work. */
const looksInARow = 3;
/** Lists are published every few seconds at most. */
const rankingTimeoutMs = 30_000;

export type Rest = { isQuiet: boolean; tookMs: number; stuck: string[] };

/** What was damaged cannot be brought into the bucket: that is tried again for hours, and is not waited for. */
export async function waitForRest(
  catalogue: Sql,
  queue: Sql,
  { damaged, timeoutMs, signal }: { damaged: string[]; timeoutMs: number; signal: AbortSignal },
): Promise<Rest> {
  const startedAt = performance.now();
  let looks = 0;
  for (;;) {
    signal.throwIfAborted();
    const left = await countOpenWork(catalogue, queue, damaged).catch(() => 1);
    looks = left === 0 ? looks + 1 : 0;
    const tookMs = performance.now() - startedAt;
    if (looks === looksInARow) return { isQuiet: true, tookMs, stuck: [] };
    if (tookMs > timeoutMs) return { isQuiet: false, tookMs, stuck: await listStuck(catalogue, queue) };
    await delay(pollMs);
  }
}

async function countOpenWork(catalogue: Sql, queue: Sql, damaged: string[]): Promise<number> {
  const ids =
    damaged.length === 0
      ? []
      : await catalogue.query<{ id: string }>(
          `SELECT id FROM sticker_asset WHERE sha256 IN (${damaged.map((sha256) => `'${sha256}'`).join(', ')})`,
        );
  const hopeless = ["''", ...ids.map(({ id }) => `'${id.trim()}'`)].join(', ');
  const [own] = await catalogue.query<{ open: number | string }>(
    `SELECT (SELECT COUNT(*) FROM domain_event_outbox WHERE status <> 'completed')
          + (SELECT COUNT(*) FROM work_state
              WHERE is_due = 1 AND NOT (task_type = 'storage' AND CAST(subject_id AS char(36)) IN (${hopeless}))) AS open`,
  );
  const [jobs] = await queue.query<{ open: number }>(
    `SELECT COUNT(*) AS open FROM pgboss.job WHERE state IN ('created', 'retry', 'active')
        AND NOT (name LIKE 'storage.%' AND REPLACE(COALESCE(singleton_key, '-'), 'delayed:', '') IN (${hopeless}))`,
  );
  return Number(own?.open ?? 1) + Number(jobs?.open ?? 1);
}

async function listStuck(catalogue: Sql, queue: Sql): Promise<string[]> {
  const limit = 20;
  const events = await catalogue.query<{
    id: number;
    status: string;
    event_type: string;
    aggregate_id: string;
    attempts: number;
  }>(
    `SELECT id, status, event_type, aggregate_id, attempts FROM domain_event_outbox WHERE status <> 'completed' ORDER BY id LIMIT ${limit}`,
  );
  const due = await catalogue.query<{
    task_type: string;
    subject_id: string;
    wanted_version: number;
    done_version: number;
  }>(`SELECT task_type, subject_id, wanted_version, done_version FROM work_state WHERE is_due = 1 LIMIT ${limit}`);
  const jobs = await queue.query<Record<string, unknown>>(
    `SELECT name, state::text AS state, singleton_key, retry_count, start_after::text AS start_after, started_on::text AS started_on
       FROM pgboss.job WHERE state IN ('created', 'retry', 'active') ORDER BY created_on LIMIT ${limit}`,
  );
  return [
    ...events.map(
      (row) =>
        `event ${row.id} ${row.event_type} of ${row.aggregate_id} is ${row.status} after ${row.attempts} attempts`,
    ),
    ...due.map(
      (row) => `${row.task_type} of ${row.subject_id} wants version ${row.wanted_version}, has ${row.done_version}`,
    ),
    ...jobs.map((row) => `task ${JSON.stringify(row)}`),
  ];
}

/** The newest generation may be published a moment after the last score. Not coming is found by the checker. */
export async function waitForRanking(catalogue: Sql, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + rankingTimeoutMs;
  while (performance.now() < deadline) {
    const expected = expectedRanking(await readRankable(catalogue));
    const ranking = Object.values(await readNewestRanking(catalogue));
    const isCurrent = (ids: string[]): boolean => ids.length === expected.size && ids.every((id) => expected.has(id));
    if ((ranking.length > 0 || expected.size === 0) && ranking.every(isCurrent)) return;
    await delay(500, undefined, { signal });
  }
}

async function readRankable(
  catalogue: Sql,
): Promise<Pick<FinalTables, 'packs' | 'items' | 'assets' | 'classifications'>> {
  const { packs, items, assets, classifications } = await readFinalTables(catalogue, {
    ...catalogue,
    query: () => Promise.resolve([]),
  });
  return { packs, items, assets, classifications };
}
