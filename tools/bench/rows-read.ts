/**
 * Rows that the server reads for a piece of work, by the server's own counters: entries of indexes and rows of tables, whatever
 * statements the work consists of. A plan that scans a large table shows here, however fast the machine is.
 */
import { rowsOf, type Database } from '@omnizap/runtime';

const counters = {
  postgres: `SELECT (SELECT COALESCE(SUM(seq_tup_read), 0) FROM pg_stat_user_tables)
                  + (SELECT COALESCE(SUM(idx_tup_read), 0) FROM pg_stat_user_indexes) AS total`,
  // Reads of temporary tables count as well: sorting and grouping are work, too.
  mysql: `SELECT SUM(variable_value) AS total FROM information_schema.session_status
           WHERE variable_name LIKE 'Handler\\_read%'`,
};

/** `database` must have one connection: the counters of MariaDB are its own, PostgreSQL's are everybody's. */
export async function countRowsRead(database: Database, work: () => Promise<unknown>): Promise<number> {
  const before = await readCounter(database);
  await work();
  return (await readCounter(database)) - before - (await costOfReading(database));
}

async function readCounter({ kind, knex }: Database): Promise<number> {
  // Counters of a PostgreSQL session become visible at the end of a statement, but only once a second by themselves.
  if (kind === 'postgres') await knex.raw('SELECT pg_stat_force_next_flush()');
  return Number(rowsOf<{ total: number }>(await knex.raw(counters[kind]))[0]?.total ?? 0);
}

/** Reading MariaDB's counters reads rows of its own. */
async function costOfReading(database: Database): Promise<number> {
  const before = await readCounter(database);
  return (await readCounter(database)) - before;
}
