/**
 * How a database server is doing, by its own word. Read in the background by one process of the fleet, and not often: the size
 * costs a look at every file (PostgreSQL) or at every table's statistics (MariaDB, MySQL; there it is as old as they are).
 */
import { rowsOf, type Database } from './database.ts';
import { readServerFacts } from './server-facts-store.ts';

export type ServerFigures = {
  /** Of the connection's database: its files (PostgreSQL), its rows and indexes (MariaDB, MySQL). */
  sizeBytes(): Promise<number>;
  /** Of the whole server, which is what has the limit. */
  connections(): Promise<{ used: number; max: number }>;
  /**
   * Sessions of the connection's database that wait for a lock right now, and for how long the first of them has. On MariaDB and
   * MySQL in whole seconds: InnoDB does not say it more exactly.
   */
  lockWaits(): Promise<{ waiting: number; longestSeconds: number }>;
};

/** Each of them rejects with an error that `isAccessDenied` knows when the account may not see it. */
export function createServerFigures(database: Database): ServerFigures {
  const { knex, kind } = database;
  const isPostgres = kind === 'postgres';
  const sizeQuery = isPostgres
    ? 'SELECT pg_database_size(current_database()) AS bytes'
    : 'SELECT COALESCE(SUM(data_length + index_length), 0) AS bytes FROM information_schema.tables WHERE table_schema = DATABASE()';

  return {
    async sizeBytes() {
      return Number(rowsOf<{ bytes: number }>(await knex.raw(sizeQuery))[0]?.bytes ?? 0);
    },
    connections: async () => (await readServerFacts(database)).connections,
    async lockWaits() {
      const answer: unknown = await knex.raw(isPostgres ? postgresLockWaits : mysqlLockWaits);
      const [row] = rowsOf<{ waiting: number; longest: number | null }>(answer);
      return { waiting: Number(row?.waiting ?? 0), longestSeconds: Math.max(0, Number(row?.longest ?? 0)) };
    },
  };
}

/** `waitstart` is empty for a moment at the beginning of a wait. Everybody may see pg_locks. */
const postgresLockWaits = `
  SELECT COUNT(DISTINCT l.pid)::int AS waiting,
         MAX(EXTRACT(EPOCH FROM clock_timestamp() - l.waitstart))::float8 AS longest
    FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
   WHERE NOT l.granted AND a.datname = current_database()`;

/**
 * Rows' locks are InnoDB's; those of whole tables, behind an ALTER TABLE, only the list of processes has. InnoDB writes instants by
 * the server's own time zone whatever the session's is.
 */
const mysqlLockWaits = `
  SELECT COUNT(*) AS waiting,
         MAX(CASE WHEN t.trx_id IS NULL THEN p.time
                  ELSE TIMESTAMPDIFF(SECOND, t.trx_wait_started, CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', 'SYSTEM')) END) AS longest
    FROM information_schema.processlist p
    LEFT JOIN information_schema.innodb_trx t ON t.trx_mysql_thread_id = p.id AND t.trx_state = 'LOCK WAIT'
   WHERE p.db = DATABASE() AND (t.trx_id IS NOT NULL OR p.state LIKE 'Waiting for % lock')`;
