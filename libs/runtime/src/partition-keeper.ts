/**
 * Keeps a table that is partitioned by UTC day (partition-store.ts says how): makes the days ahead, and drops those that are too
 * old, archived first where that is asked for. Any number of processes may call it; one works at a time. What cannot have its lock
 * within the timeout is left to the next pass.
 *
 * There is no partition for everything else: it would have to be read, under the strongest lock, whenever a day is made, and rows
 * in it would never leave. So the days ahead are the time that is left to repair a keeper that does not run: then inserts fail.
 */
import { readArchiveColumns, sqlName } from './archive-columns.ts';
import { createArchiveDraft } from './archive-writer.ts';
import type { Database } from './database.ts';
import type { Logger } from './log.ts';
import {
  addDays,
  createPartitionStore,
  isLockTimeout,
  type DayPartition,
  type PartitionSession,
} from './partition-store.ts';
import { createRetentionStore } from './retention-store.ts';

const batchRows = 1_000;
const defaultLimits = { rows: 20_000, milliseconds: 1_000 };

export type PartitionPass = {
  created: string[];
  dropped: string[];
  /** Manifests written. */
  archives: string[];
  /** A limit ended the pass: the next one may start at once. */
  hasMore: boolean;
  /** Somebody else had the table; the next pass tries again. */
  isBusy: boolean;
};

type PartitionKeeperOptions = {
  table: string;
  /** The column that the table is partitioned by. Default: `created_at`. */
  column?: string;
  /** A day goes when all of it is older than this. */
  keepDays: number;
  /** Days that exist beyond today. Default: 7. */
  daysAhead?: number;
  /** Longest that a change of the table may wait, and others behind it. MariaDB and MySQL round up to seconds. Default: 1,000. */
  lockTimeoutMs?: number;
  /** Rows are archived before their day is dropped, under this policy's name; `key` (default `id`) ascends. */
  archive?: { archiveDir: string; policy: string; key?: string };
  /** Rows of one archive, and how long a pass may take before it begins no further batch. */
  limits?: { rows: number; milliseconds: number };
  mayRun?: () => boolean;
};

export function createPartitionKeeper(deps: { database: Database; log: Logger }, options: PartitionKeeperOptions) {
  const { table, keepDays, archive, limits = defaultLimits, mayRun = () => true } = options;
  const { kind } = deps.database;
  const column = options.column ?? 'created_at';
  const daysAhead = options.daysAhead ?? 7;
  sqlName(kind, `${table}_p00000000`);
  const store = createPartitionStore(deps.database, { table, lockTimeoutMs: options.lockTimeoutMs ?? 1_000 });
  const rows = createRetentionStore(deps.database);
  /** How far each detached day is archived. After a restart it begins again: twice rather than never. */
  const archivedUpTo = new Map<string, number>();

  async function createMissing(session: PartitionSession, today: string, pass: PartitionPass): Promise<void> {
    const present = (await session.attached()).map(({ day }) => day);
    // MariaDB and MySQL can add a day behind the newest only; one that is missing before it is part of the next one there.
    const newest = kind === 'mysql' ? (present.at(-1) ?? '') : '';
    const days = Array.from({ length: daysAhead + 1 }, (_, ahead) => addDays(today, ahead)).filter(
      (day) => day > newest && !present.includes(day),
    );
    if (days.length === 0 || !mayRun()) return;
    await session.create(days);
    pass.created.push(...days);
  }

  async function removeOld(
    session: PartitionSession,
    today: string,
    pass: PartitionPass,
    signal: AbortSignal,
  ): Promise<void> {
    const cutoff = addDays(today, -keepDays);
    const old = (list: DayPartition[]): DayPartition[] => list.filter(({ day }) => day < cutoff);
    // What a kill left between its detaching and its dropping comes first: its day may have to be detached again.
    for (const partition of old(await session.detached()))
      if (!(await removeDetached(session, partition, pass, signal))) return;
    for (const partition of old(await session.attached())) {
      if (signal.aborted || !mayRun()) return;
      if (!archive) {
        await session.drop(partition);
        pass.dropped.push(partition.day);
        continue;
      }
      await session.detach(partition);
      if (!(await removeDetached(session, partition, pass, signal))) return;
    }
  }

  /** False: its rows are not all archived yet. */
  async function removeDetached(
    session: PartitionSession,
    partition: DayPartition,
    pass: PartitionPass,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (archive && !(await archiveSome(partition, pass, signal))) {
      pass.hasMore = true;
      return false;
    }
    if (signal.aborted || !mayRun()) return false;
    await session.dropDetached(partition);
    archivedUpTo.delete(partition.day);
    pass.dropped.push(partition.day);
    return true;
  }

  /** One archive of a detached day. True when nothing is behind it. */
  async function archiveSome(partition: DayPartition, pass: PartitionPass, signal: AbortSignal): Promise<boolean> {
    if (!archive) return true;
    const source = kind === 'postgres' ? partition.name : `${table}_${partition.name}`;
    const key = archive.key ?? 'id';
    const columns = await readArchiveColumns(deps.database, source);
    const policy = {
      name: archive.policy,
      table: source,
      key,
      createdColumn: column,
      reason: '',
      keep: { days: keepDays },
    };
    const draft = createArchiveDraft({ ...archive, table, key, ageColumn: column, columns });
    const deadline = performance.now() + limits.milliseconds;
    let cursor = archivedUpTo.get(partition.day) ?? 0;
    let isAtEnd = false;
    try {
      for (let walked = 0; walked < limits.rows && !isAtEnd; walked += batchRows) {
        if (signal.aborted || !mayRun()) return false;
        if (walked > 0 && performance.now() > deadline) break;
        const batch = await rows.walk({ ...policy, action: 'archive' }, cursor, batchRows, columns);
        await draft.append(batch);
        cursor = batch.at(-1)?.id ?? cursor;
        isAtEnd = batch.length < batchRows;
      }
      const manifest = await draft.finish();
      if (manifest !== null) pass.archives.push(manifest);
      archivedUpTo.set(partition.day, cursor);
      return isAtEnd;
    } finally {
      await draft.discard();
    }
  }

  return {
    /** Makes and drops what is due now. Days are made first: without them, nothing can be inserted. */
    async pass(signal: AbortSignal): Promise<PartitionPass> {
      const pass: PartitionPass = { created: [], dropped: [], archives: [], hasMore: false, isBusy: false };
      const work = async (step: () => Promise<void>): Promise<void> => {
        try {
          await step();
        } catch (error) {
          if (!isLockTimeout(error)) throw error;
          pass.isBusy = true;
          deps.log.info({ table }, 'somebody uses the table for long; its partitions are left to the next pass');
        }
      };
      const answer = await store.exclusively(async (session) => {
        const today = await session.today();
        await work(() => createMissing(session, today, pass));
        await work(() => removeOld(session, today, pass, signal));
        return pass;
      });
      if (answer === null) return { ...pass, isBusy: true };
      if (pass.created.length > 0 || pass.dropped.length > 0)
        deps.log.info({ table, created: pass.created, dropped: pass.dropped }, 'changed the partitions');
      return pass;
    },
  };
}
