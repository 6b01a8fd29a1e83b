/** SQL of a restore: which rows are missing, and those inserted under their old ids. */
import {
  readArchiveColumns,
  restoredValue,
  sqlName,
  type ArchiveColumn,
  type ArchivedValue,
} from './archive-columns.ts';
import { databaseErrorCode, rowsOf, type Database, type Transaction } from './database.ts';
import { AppError } from './errors.ts';

/** PostgreSQL takes 65,535 parameters in one statement. */
const parametersPerInsert = 20_000;
const missingReference = new Set(['23503', 'ER_NO_REFERENCED_ROW_2', 'ER_NO_REFERENCED_ROW']);

/** Undoes what the owner's `beforeDelete` did, for the rows that are back. */
export type RestoreHook = (trx: Transaction, ids: number[]) => Promise<void>;

type RestoreTarget = {
  table: string;
  key: string;
  columns: ArchiveColumn[];
  afterRestore: RestoreHook | undefined;
};

export function createRestoreStore(database: Database, target: RestoreTarget) {
  const { knex, kind } = database;
  const table = sqlName(kind, target.table);
  const key = sqlName(kind, target.key);
  const names = target.columns.map(({ name }) => sqlName(kind, name)).join(', ');
  const placeholders = `(${target.columns.map(() => '?').join(', ')})`;
  // Identity columns refuse ids from outside otherwise.
  const overriding = kind === 'postgres' ? 'OVERRIDING SYSTEM VALUE' : '';

  async function insert(trx: Transaction, rows: Record<string, ArchivedValue>[]): Promise<void> {
    const perInsert = Math.max(1, Math.floor(parametersPerInsert / target.columns.length));
    for (let start = 0; start < rows.length; start += perInsert) {
      const batch = rows.slice(start, start + perInsert);
      await trx.raw(
        `INSERT INTO ${table} (${names}) ${overriding} VALUES ${batch.map(() => placeholders).join(', ')}`,
        batch.flatMap((row) => target.columns.map(({ name, type }) => restoredValue(kind, type, row[name] ?? null))),
      );
    }
  }

  return {
    /** An empty table of the same shape: keys and defaults, neither foreign keys nor a sequence. */
    async createLike(original: string): Promise<void> {
      const like = sqlName(kind, original);
      await knex.raw(
        kind === 'mysql'
          ? `CREATE TABLE IF NOT EXISTS ${table} LIKE ${like}`
          : `CREATE TABLE IF NOT EXISTS ${table} (LIKE ${like} INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING INDEXES)`,
      );
    },

    async missingColumns(): Promise<string[]> {
      const present = new Set((await readArchiveColumns(database, target.table)).map(({ name }) => name));
      return target.columns.map(({ name }) => name).filter((name) => !present.has(name));
    },

    /** Returns how many rows were not there. */
    async insertMissing(rows: Record<string, ArchivedValue>[]): Promise<number> {
      const ids = rows.map((row) => Number(row[target.key]));
      try {
        return await database.transaction(async (trx) => {
          const found: unknown = await trx.raw(
            `SELECT ${key} AS id FROM ${table} WHERE ${key} IN (${ids.map(() => '?').join(', ')})`,
            ids,
          );
          const present = new Set(rowsOf<{ id: number }>(found).map(({ id }) => id));
          const missing = rows.filter((_row, index) => !present.has(ids[index] ?? 0));
          if (missing.length === 0) return 0;
          await insert(trx, missing);
          await target.afterRestore?.(
            trx,
            missing.map((row) => Number(row[target.key])),
          );
          return missing.length;
        });
      } catch (error) {
        if (!missingReference.has(databaseErrorCode(error) ?? '')) throw error;
        throw new AppError(
          'archive-invalid',
          `Rows ${ids[0]} to ${ids.at(-1)} belong to something that is gone from the database; restore them into another table.`,
          { cause: error },
        );
      }
    },

    /** PostgreSQL's sequence does not see ids that were given to it: on a new database it would hand them out again. */
    async continueAfter(lastId: number): Promise<void> {
      if (kind !== 'postgres') return;
      const found: unknown = await knex.raw('SELECT pg_get_serial_sequence(?, ?) AS name', [target.table, target.key]);
      const sequence = rowsOf<{ name: string | null }>(found)[0]?.name;
      if (!sequence) return;
      const state: unknown = await knex.raw(`SELECT last_value FROM ${sequence}`);
      if ((rowsOf<{ last_value: number }>(state)[0]?.last_value ?? 0) < lastId)
        await knex.raw('SELECT setval(?::regclass, ?)', [sequence, lastId]);
    },
  };
}
