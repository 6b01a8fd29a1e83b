/**
 * Rows that the server reads for a piece of work, by the server's own counters: entries of indexes and rows of tables, whatever
 * statements the work consists of. A plan that scans a large table shows here, however fast the machine is.
 */
import { rowsOf, type Database } from '@omnizap/runtime';

const postgresCounter = `SELECT (SELECT COALESCE(SUM(seq_tup_read), 0) FROM pg_stat_user_tables)
                              + (SELECT COALESCE(SUM(idx_tup_read), 0) FROM pg_stat_user_indexes) AS total`;
/** Reads of temporary tables count as well: sorting and grouping are work, too. */
const mysqlCounters = "SHOW SESSION STATUS LIKE 'Handler\\_read%'";

/** `database` must have one connection: the counters of MariaDB are its own, PostgreSQL's are everybody's. */
export async function countRowsRead(database: Database, work: () => Promise<unknown>): Promise<number> {
  const before = await readCounter(database);
  await work();
  return (await readCounter(database)) - before - (await costOfReading(database));
}

async function readCounter({ kind, knex }: Database): Promise<number> {
  if (kind === 'mysql') {
    const counters = rowsOf<{ Value: string }>(await knex.raw(mysqlCounters));
    return counters.reduce((sum, { Value }) => sum + Number(Value), 0);
  }
  // Counters of a PostgreSQL session become visible at the end of a statement, but only once a second by themselves.
  await knex.raw('SELECT pg_stat_force_next_flush()');
  return rowsOf<{ total: number }>(await knex.raw(postgresCounter))[0]?.total ?? 0;
}

/** Reading MariaDB's counters reads rows of its own. */
async function costOfReading(database: Database): Promise<number> {
  const before = await readCounter(database);
  return (await readCounter(database)) - before;
}
