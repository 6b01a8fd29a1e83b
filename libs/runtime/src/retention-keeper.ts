/**
 * One policy at work, one bounded pass at a time. Archived rows are deleted only after their archive is durable: a kill anywhere
 * leaves rows that are both in an archive and in the table (the next run archives them again), never rows that are in neither.
 */
import { relative } from 'node:path';
import { readArchiveColumns, type ArchiveColumn } from './archive-columns.ts';
import { createArchiveDraft } from './archive-writer.ts';
import type { Database } from './database.ts';
import { AppError } from './errors.ts';
import type { KeptForDays } from './retention-policy.ts';
import type { RetentionStore } from './retention-store.ts';

/** Rows of one query. */
const batchRows = 1_000;
/** Rows of one deleting transaction: a few milliseconds of locks. */
const deletedRows = 500;

export type PassLimits = {
  /** Rows walked over in one pass, and so rows of one archive at most. */
  rows: number;
  /** After this no further batch is begun. */
  milliseconds: number;
};

export type KeeperPass = {
  removed: number;
  /** The manifest, relative to the archive folder. */
  archive: string | null;
  /** Nothing older is left. False: a limit or the signal ended it, and the next pass goes on there. */
  isFinished: boolean;
};

type KeeperOptions = { archiveDir: string; limits: PassLimits; mayRun: () => boolean };

export type RetentionKeeper = ReturnType<typeof createRetentionKeeper>;

export function createRetentionKeeper(
  deps: { database: Database; store: RetentionStore },
  policy: KeptForDays,
  options: KeeperOptions,
) {
  const { store } = deps;
  const { limits, mayRun } = options;
  /** Where the walk goes on: rows that stay are passed once per run, not once per pass. */
  let cursor = 0;
  let isAtEnd = false;

  /** Due rows behind the cursor, batch by batch; the cursor moves along and is back at 0 when the walk has come to its end. */
  async function* dueRows(columns: ArchiveColumn[] | undefined, signal: AbortSignal) {
    const deadline = performance.now() + limits.milliseconds;
    isAtEnd = false;
    for (let walked = 0; walked < limits.rows && !isAtEnd; walked += batchRows) {
      if (signal.aborted || !mayRun() || (walked > 0 && performance.now() > deadline)) return;
      const rows = await store.walk(policy, cursor, batchRows, columns);
      const end = rows.findIndex((row) => row.isYoung);
      const old = end === -1 ? rows : rows.slice(0, end);
      yield old.filter((row) => row.isDue);
      isAtEnd = end !== -1 || rows.length < batchRows;
      cursor = isAtEnd ? 0 : (old.at(-1)?.id ?? 0);
    }
  }

  async function drop(signal: AbortSignal): Promise<KeeperPass> {
    let removed = 0;
    for await (const rows of dueRows(undefined, signal)) {
      if (!mayRun()) break;
      removed += await removeAll(rows.map(({ id }) => id));
    }
    return { removed, archive: null, isFinished: isAtEnd && mayRun() };
  }

  async function archive(signal: AbortSignal): Promise<KeeperPass> {
    const columns = await readArchiveColumns(deps.database, policy.table);
    if (columns.length === 0)
      throw new AppError(
        'configuration-invalid',
        `The retention policy "${policy.name}" names "${policy.table}", which is no table.`,
      );
    const draft = createArchiveDraft({
      archiveDir: options.archiveDir,
      policy: policy.name,
      table: policy.table,
      key: policy.key ?? 'id',
      ageColumn: policy.ageColumn ?? policy.createdColumn ?? 'created_at',
      columns,
    });
    const startedAt = cursor;
    const ids: number[] = [];
    let manifest: string | null = null;
    try {
      for await (const rows of dueRows(columns, signal)) {
        await draft.append(rows);
        for (const { id } of rows) ids.push(id);
      }
      if (!signal.aborted && mayRun()) manifest = await draft.finish();
    } finally {
      await draft.discard();
      if (manifest === null && ids.length > 0) {
        cursor = startedAt;
        isAtEnd = false;
      }
    }
    if (manifest === null) return { removed: 0, archive: null, isFinished: isAtEnd };
    const name = relative(options.archiveDir, manifest);
    await store.noteArchive(policy.name, name);
    // Not ended by the signal: what stayed here would be archived a second time.
    const removed = await removeAll(ids);
    return { removed, archive: name, isFinished: isAtEnd && mayRun() };
  }

  async function removeAll(ids: number[]): Promise<number> {
    let removed = 0;
    for (let start = 0; start < ids.length && mayRun(); start += deletedRows)
      removed += await store.remove(policy, ids.slice(start, start + deletedRows));
    return removed;
  }

  return {
    policy,
    pass: (signal: AbortSignal): Promise<KeeperPass> => (policy.action === 'archive' ? archive(signal) : drop(signal)),
  };
}
