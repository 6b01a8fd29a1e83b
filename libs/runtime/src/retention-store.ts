/**
 * SQL of retention. The walk reads the low end of the primary key in ascending order (keyset, one bounded range at a time), so
 * it needs no index of its own and costs what it passes, whatever the size of the table.
 *
 * Tried instead: `DELETE ... WHERE created_at < cutoff LIMIT n` needs an index on the time that every insert pays for, and without
 * one reads the whole table whenever nothing is due.
 */
import { archivedValue, columnAsText, sqlName, type ArchiveColumn, type ArchivedValue } from './archive-columns.ts';
import { rowsOf, type Database } from './database.ts';
import type { KeptForDays, RetentionPolicy } from './retention-policy.ts';
import { sqlNow, sqlNowPlus, sqlSecondsSince } from './sql-time.ts';

const dayMs = 86_400_000;
/** Bounds of what the operator's list looks at. */
const countedRows = 100_000;

export type WalkedRow = {
  id: number;
  /** Made after the cutoff: nothing behind it can be due. */
  isYoung: boolean;
  isDue: boolean;
  values: Record<string, ArchivedValue>;
};

export type RunRecord = {
  finishedAt: Date | null;
  /** By the database's clock; null when never. */
  finishedSecondsAgo: number | null;
  removedRows: number;
  archiveFiles: number;
  lastArchive: string | null;
  failedAt: Date | null;
  lastError: string | null;
};

type RunRow = {
  policy: string;
  finished_at: Date | null;
  finished_seconds_ago: number | null;
  removed_rows: number;
  archive_files: number;
  last_archive: string | null;
  failed_at: Date | null;
  last_error: string | null;
};

export function createRetentionStore(database: Database) {
  const { knex, kind } = database;
  const now = sqlNow(kind);
  const keyOf = (policy: RetentionPolicy): string => sqlName(kind, policy.key ?? 'id');
  const createdOf = (policy: RetentionPolicy): string => sqlName(kind, policy.createdColumn ?? 'created_at');
  const cutoffOf = (policy: KeptForDays): string => sqlNowPlus(kind, -policy.keep.days * dayMs);
  const secondsSince = (column: string): string => sqlSecondsSince(kind, column);

  function isDueSql(policy: KeptForDays): string {
    const age = policy.ageColumn === undefined ? createdOf(policy) : sqlName(kind, policy.ageColumn);
    return `${age} < ${cutoffOf(policy)} AND (${policy.condition ?? '1 = 1'})`;
  }

  /**
   * The rows of a list of ids (one parameter), each looked up by its key. With `IN (...)` MariaDB may read the whole of a small
   * table, and any table for a list of 1,000: it then waits for rows that are locked and none of its business.
   */
  function rowsById(policy: KeptForDays): string {
    const table = sqlName(kind, policy.table);
    return kind === 'mysql'
      ? `JSON_TABLE(?, '$[*]' COLUMNS (listed_id bigint PATH '$')) listed STRAIGHT_JOIN ${table} w
           WHERE w.${keyOf(policy)} = listed.listed_id`
      : `${table} w WHERE w.${keyOf(policy)} = ANY(?::bigint[])`;
  }
  const listOf = (ids: number[]): string => (kind === 'mysql' ? `[${ids.join(',')}]` : `{${ids.join(',')}}`);

  return {
    /** The next `limit` rows behind `afterId`, due or not, with the values of `columns`. */
    async walk(
      policy: KeptForDays,
      afterId: number,
      limit: number,
      columns: ArchiveColumn[] = [],
    ): Promise<WalkedRow[]> {
      const key = keyOf(policy);
      // Qualified: the plain name would order by the selected text of the same name, and sort the whole table for that.
      const result: unknown = await knex.raw(
        `SELECT w.${key} AS walked_id,
                CASE WHEN ${createdOf(policy)} < ${cutoffOf(policy)} THEN 0 ELSE 1 END AS walked_is_young,
                CASE WHEN ${isDueSql(policy)} THEN 1 ELSE 0 END AS walked_is_due
                ${columns.map((column) => `, ${columnAsText(kind, column)}`).join('')}
           FROM ${sqlName(kind, policy.table)} w WHERE w.${key} > ? ORDER BY w.${key} LIMIT ${limit}`,
        [afterId],
      );
      type Row = { walked_id: number; walked_is_young: number; walked_is_due: number } & Record<string, string | null>;
      return rowsOf<Row>(result).map((row) => ({
        id: row.walked_id,
        isYoung: row.walked_is_young === 1,
        isDue: row.walked_is_due === 1,
        values: Object.fromEntries(columns.map(({ name, type }) => [name, archivedValue(type, row[name] ?? null)])),
      }));
    },

    /**
     * Deletes those of `ids` that are still there and still due, with the owner's hook in the same transaction. Rows that somebody
     * has locked are left to the next run: nobody waits for anybody, and of two that remove the same rows one finds none.
     */
    remove(policy: KeptForDays, ids: number[]): Promise<number> {
      const key = `w.${keyOf(policy)}`;
      return database.transaction(async (trx) => {
        const found: unknown = await trx.raw(
          `SELECT ${key} AS locked_id FROM ${rowsById(policy)} AND ${isDueSql(policy)}
            ORDER BY ${key} FOR UPDATE SKIP LOCKED`,
          [listOf(ids)],
        );
        const locked = rowsOf<{ locked_id: number }>(found).map((row) => row.locked_id);
        if (locked.length === 0) return 0;
        await policy.beforeDelete?.(trx, locked);
        await trx.raw(`DELETE ${kind === 'mysql' ? 'w' : ''} FROM ${rowsById(policy)}`, [listOf(locked)]);
        await trx('retention_run')
          .where({ policy: policy.name })
          .update({ removed_rows: trx.raw('removed_rows + ?', [locked.length]) });
        return locked.length;
      });
    },

    async declare(policies: string[]): Promise<void> {
      await knex('retention_run')
        .insert(policies.map((policy) => ({ policy })))
        .onConflict('policy')
        .ignore();
    },

    async noteArchive(policy: string, file: string): Promise<void> {
      await knex('retention_run')
        .where({ policy })
        .update({ archive_files: knex.raw('archive_files + 1'), last_archive: file });
    },

    async noteFinished(policy: string): Promise<void> {
      await knex('retention_run')
        .where({ policy })
        .update({ finished_at: knex.raw(now), failed_at: null, last_error: null });
    },

    async noteFailure(policy: string, error: string): Promise<void> {
      await knex('retention_run')
        .where({ policy })
        .update({ failed_at: knex.raw(now), last_error: error });
    },

    async runs(): Promise<Map<string, RunRecord>> {
      const rows = await knex('retention_run').select<RunRow[]>(
        '*',
        knex.raw(`${secondsSince('finished_at')} AS finished_seconds_ago`),
      );
      return new Map(
        rows.map((row) => [
          row.policy,
          {
            finishedAt: row.finished_at,
            finishedSecondsAgo: row.finished_seconds_ago,
            removedRows: row.removed_rows,
            archiveFiles: row.archive_files,
            lastArchive: row.last_archive,
            failedAt: row.failed_at,
            lastError: row.last_error,
          },
        ]),
      );
    },

    /** Age of the row with the lowest key; null when the table is empty. */
    async oldestSeconds(policy: RetentionPolicy): Promise<number | null> {
      const result: unknown = await knex.raw(
        `SELECT ${secondsSince(createdOf(policy))} AS seconds FROM ${sqlName(kind, policy.table)}
          ORDER BY ${keyOf(policy)} LIMIT 1`,
      );
      return rowsOf<{ seconds: number }>(result)[0]?.seconds ?? null;
    },

    /** Due rows among the oldest 100,000. */
    async countDue(policy: KeptForDays): Promise<{ rows: number; isAtLeast: boolean }> {
      const result: unknown = await knex.raw(
        `SELECT COUNT(*) AS seen, COALESCE(SUM(is_due), 0) AS due
           FROM (SELECT CASE WHEN ${isDueSql(policy)} THEN 1 ELSE 0 END AS is_due
                   FROM ${sqlName(kind, policy.table)} ORDER BY ${keyOf(policy)} LIMIT ${countedRows}) oldest`,
      );
      const { seen = 0, due = 0 } = rowsOf<{ seen: number; due: number }>(result)[0] ?? {};
      return { rows: due, isAtLeast: seen === countedRows && due > 0 };
    },
  };
}

export type RetentionStore = ReturnType<typeof createRetentionStore>;
