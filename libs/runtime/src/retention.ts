/**
 * Bounded growth: carries out the policies that the owners of tables declare, in passes that each cost a second or two at most.
 * The leading maintenance process calls `pass` again and again; the operator's CLI calls `run`, `status` and `restore`. Two who do
 * it at once do no harm: a row is deleted once, and at worst stands in two archives.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { restoreArchive, verifyArchive, type RestoreOptions, type RestoreResult } from './archive-restore.ts';
import type { Database } from './database.ts';
import { AppError } from './errors.ts';
import type { Logger } from './log.ts';
import { Counter, Gauge, type Metrics } from './metrics.ts';
import { createRetentionKeeper, type PassLimits, type RetentionKeeper } from './retention-keeper.ts';
import { checkPolicies, isKeptForDays, type RetentionPolicy } from './retention-policy.ts';
import { createRetentionStore } from './retention-store.ts';

const minuteMs = 60_000;
/** Dropping a few rows often is cheaper than many at once. */
const dropEveryMs = 5 * minuteMs;
/** One archive a day and policy, not one for every few rows. */
const archiveEveryMs = 24 * 60 * minuteMs;
/** How often a new leader, or one of several, looks whether that day is over. */
const lookEveryMs = 60 * minuteMs;
/** A delete that keeps failing would archive the same rows at every attempt. */
const longestBackoffMs = 6 * 60 * minuteMs;
/** A file of a few megabytes at most, and 20 deleting transactions: a second, two on a busy MariaDB. */
const defaultLimits: PassLimits = { rows: 10_000, milliseconds: 1_000 };

export type RetentionRun = { policy: string; removed: number; archives: string[]; isFinished: boolean };

export type RetentionStatus = {
  policy: string;
  table: string;
  reason: string;
  keepDays: number | 'for-ever';
  action: 'archive' | 'drop' | 'keep';
  /** Age of the oldest row; null when there is none. */
  oldestSeconds: number | null;
  /** Rows that are due now, counted among the oldest 100,000; null when they stay for ever. */
  due: { rows: number; isAtLeast: boolean } | null;
  /** When a run last came to its end. */
  finishedAt: Date | null;
  /** Since the policy exists. */
  removedRows: number;
  archiveFiles: number;
  /** Manifest of the last one, relative to the archive folder. */
  lastArchive: string | null;
  failedAt: Date | null;
  lastError: string | null;
};

type RetentionDeps = { database: Database; log: Logger; metrics?: Metrics };
type RetentionOptions = {
  policies: RetentionPolicy[];
  archiveDir: string;
  /** The fence: asked before each batch. Default: always. */
  mayRun?: () => boolean;
  limits?: PassLimits;
};

type Work = { keeper: RetentionKeeper; everyMs: number; nextAt: number; isMidway: boolean; failures: number };

export function createRetention(deps: RetentionDeps, options: RetentionOptions) {
  const { policies, archiveDir, mayRun = () => true, limits = defaultLimits } = options;
  checkPolicies(policies);
  const store = createRetentionStore(deps.database);
  const limited = policies.filter(isKeptForDays);
  const works: Work[] = limited.map((policy) => ({
    keeper: createRetentionKeeper({ database: deps.database, store }, policy, { archiveDir, limits, mayRun }),
    everyMs: policy.action === 'archive' ? archiveEveryMs : dropEveryMs,
    nextAt: 0,
    isMidway: false,
    failures: 0,
  }));
  const meters = deps.metrics ? createMeters(deps.metrics, limited) : null;
  let isDeclared = false;

  async function declare(): Promise<void> {
    if (isDeclared || limited.length === 0) return;
    await store.declare(limited.map(({ name }) => name));
    for (const [policy, { finishedAt }] of await store.runs())
      if (finishedAt && limited.some(({ name }) => name === policy)) meters?.finished(policy, finishedAt);
    isDeclared = true;
  }

  /** One pass of one policy, and what is to be written down about it. */
  async function advance(work: Work, signal: AbortSignal): Promise<{ removed: number; archive: string | null }> {
    const { name } = work.keeper.policy;
    try {
      const { removed, archive, isFinished } = await work.keeper.pass(signal);
      meters?.removed(name, removed);
      if (removed > 0 || archive !== null) deps.log.info({ policy: name, removed, archive }, 'removed old rows');
      if (isFinished) {
        await store.noteFinished(name);
        meters?.finished(name, new Date());
      }
      work.failures = 0;
      work.isMidway = !isFinished;
      work.nextAt = isFinished ? performance.now() + work.everyMs : 0;
      return { removed, archive };
    } catch (error) {
      work.failures += 1;
      work.isMidway = false;
      work.nextAt = performance.now() + Math.min(longestBackoffMs, minuteMs * 2 ** (work.failures - 1));
      await store
        .noteFailure(name, error instanceof Error ? (error.stack ?? error.message) : String(error))
        .catch(() => undefined);
      throw error;
    }
  }

  /** An archiving policy is due a day after its last run, whoever did that. */
  async function isDue(work: Work): Promise<boolean> {
    if (performance.now() < work.nextAt) return false;
    if (work.isMidway || work.failures > 0 || work.everyMs === dropEveryMs) return true;
    const secondsAgo = (await store.runs()).get(work.keeper.policy.name)?.finishedSecondsAgo ?? null;
    if (secondsAgo === null || secondsAgo * 1_000 >= archiveEveryMs) return true;
    work.nextAt = performance.now() + Math.min(lookEveryMs, archiveEveryMs - secondsAgo * 1_000);
    return false;
  }

  function workOf(name: string): Work {
    const work = works.find(({ keeper }) => keeper.policy.name === name);
    if (work) return work;
    const known = limited.map((policy) => policy.name).join(', ');
    throw new AppError('not-found', `No retention policy "${name}" removes anything; there are: ${known}.`);
  }

  return {
    policies,

    /** Does one bounded piece of what is due. True: more is waiting. @throws what failed, after writing it down */
    async pass(signal: AbortSignal): Promise<boolean> {
      await declare();
      for (const work of works) {
        if (signal.aborted || !mayRun()) return false;
        if (!(await isDue(work))) continue;
        // To the end of the line: a policy with a long way to go must not keep the others from their turn.
        works.push(...works.splice(works.indexOf(work), 1));
        await advance(work, signal);
        return works.some((other) => other.isMidway || performance.now() >= other.nextAt);
      }
      return false;
    },

    /** Works one policy, or each in turn, to its end, due or not. @throws AppError `not-found` */
    async run(
      name?: string,
      { signal = new AbortController().signal, onProgress }: RunOptions = {},
    ): Promise<RetentionRun[]> {
      const chosen = name === undefined ? [...works] : [workOf(name)];
      await declare();
      const runs: RetentionRun[] = [];
      for (const work of chosen) {
        const run: RetentionRun = { policy: work.keeper.policy.name, removed: 0, archives: [], isFinished: false };
        runs.push(run);
        while (!run.isFinished && !signal.aborted && mayRun()) {
          const { removed, archive } = await advance(work, signal);
          run.removed += removed;
          if (archive !== null) run.archives.push(archive);
          run.isFinished = !work.isMidway;
          onProgress?.(run);
        }
      }
      return runs;
    },

    async status(): Promise<RetentionStatus[]> {
      const runs = await store.runs();
      const list: RetentionStatus[] = [];
      for (const policy of policies) {
        const run = runs.get(policy.name);
        list.push({
          policy: policy.name,
          table: policy.table,
          reason: policy.reason,
          keepDays: isKeptForDays(policy) ? policy.keep.days : 'for-ever',
          action: isKeptForDays(policy) ? policy.action : 'keep',
          oldestSeconds: await store.oldestSeconds(policy),
          due: isKeptForDays(policy) ? await store.countDue(policy) : null,
          finishedAt: run?.finishedAt ?? null,
          removedRows: run?.removedRows ?? 0,
          archiveFiles: run?.archiveFiles ?? 0,
          lastArchive: run?.lastArchive ?? null,
          failedAt: run?.failedAt ?? null,
          lastError: run?.lastError ?? null,
        });
      }
      return list;
    },

    /**
     * Puts an archive back, and with it what the policy's `beforeDelete` had changed.
     * `manifest`: a path, or a name as `status` gives it. @throws AppError `archive-invalid`
     */
    async restore(manifest: string, restoreOptions: Omit<RestoreOptions, 'afterRestore'> = {}): Promise<RestoreResult> {
      const path = existsSync(manifest) ? resolve(manifest) : join(archiveDir, manifest);
      const { policy: name, table } = await verifyArchive(path);
      const policy = limited.find((one) => one.name === name && one.table === table);
      if (!policy && restoreOptions.into === undefined)
        throw new AppError(
          'archive-invalid',
          `No policy here is called "${name}" and keeps ${table}, so nobody knows what else its rows change; restore them into another table.`,
        );
      return restoreArchive(deps.database, path, { ...restoreOptions, afterRestore: policy?.afterRestore });
    },
  };
}

type RunOptions = { signal?: AbortSignal; onProgress?: (run: RetentionRun) => void };

export type Retention = ReturnType<typeof createRetention>;

function createMeters({ registry }: Metrics, policies: RetentionPolicy[]) {
  const removedRows = new Counter({
    name: 'omnizap_retention_removed_rows_total',
    help: 'Rows that left by retention.',
    labelNames: ['policy'],
    registers: [registry],
  });
  const lastSuccess = new Gauge({
    name: 'omnizap_retention_last_success_timestamp_seconds',
    help: 'When a run of the policy last came to its end, with nothing older left.',
    labelNames: ['policy'],
    registers: [registry],
  });
  // A rate needs a beginning.
  for (const { name } of policies) removedRows.inc({ policy: name }, 0);
  return {
    removed: (policy: string, rows: number): void => removedRows.inc({ policy }, rows),
    finished: (policy: string, at: Date): void => lastSuccess.set({ policy }, at.getTime() / 1_000),
  };
}
