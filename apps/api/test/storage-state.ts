/** What a refused request must leave as it was: the rows of every table and the files of the data directory. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { rowsOf } from '@omnizap/runtime';
import type { Fleet } from '@omnizap/testkit';

/** Renewed by the processes themselves, whatever clients do; or counting requests, the refused ones with the others. */
const volatile = new Set(['process_lease', 'process_status', 'held_lease', 'rate_limit']);

export type StorageState = { rows: Record<string, number>; files: string[] };

/** A function that reads the state now; the tables are looked up once. */
export async function createStateReader({ database, dataDir }: Fleet): Promise<() => Promise<StorageState>> {
  const { knex, kind } = database;
  const schema = kind === 'mysql' ? 'DATABASE()' : `'public'`;
  const tables = rowsOf<{ name: string }>(
    await knex.raw(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ${schema} AND table_type = 'BASE TABLE'`,
    ),
  )
    .map(({ name }) => name)
    .filter((name) => !volatile.has(name))
    .toSorted();
  const counts = tables
    .map((table) => `SELECT '${table}' AS name, COUNT(*) AS total FROM ${table}`)
    .join(' UNION ALL ');
  return async () => {
    const rows = rowsOf<{ name: string; total: number }>(await knex.raw(counts));
    const files = await readdir(dataDir, { recursive: true, withFileTypes: true });
    return {
      rows: Object.fromEntries(rows.map(({ name, total }) => [name, Number(total)])),
      files: files
        .filter((entry) => entry.isFile())
        .map((entry) => path.relative(dataDir, path.join(entry.parentPath, entry.name)))
        .toSorted(),
    };
  };
}
