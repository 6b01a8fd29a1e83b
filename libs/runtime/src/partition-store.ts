/**
 * DDL of tables that are partitioned by UTC day: one partition `p20261125` per day (MariaDB/MySQL: RANGE COLUMNS on a datetime) or
 * one table `<table>_p20261125` (PostgreSQL: range on a timestamptz). Every statement that takes a lock gives up after the timeout:
 * one that waits behind a long transaction makes everybody else wait behind itself.
 *
 * Locks, PostgreSQL. A new day is a table of its own that is ATTACHed: SHARE UPDATE EXCLUSIVE on the parent, which neither readers
 * nor writers notice; `CREATE TABLE ... PARTITION OF` would take ACCESS EXCLUSIVE. (No CHECK first: that spares the scan of a table
 * with rows, and this one is empty.) An old day is DETACHed, with a short ACCESS EXCLUSIVE on the parent, and dropped in a later
 * transaction that touches only itself. DETACH ... CONCURRENTLY would not stop anybody, but it runs in no transaction, waits
 * without limit for the oldest reader and leaves a half detached partition when it is interrupted.
 *
 * Locks, MariaDB/MySQL. Each ALTER TABLE needs its metadata lock exclusively for a moment, so it waits for every transaction that
 * has touched the table, and new ones wait for it: up to the timeout, whose unit there is a second.
 */
import { sqlName } from './archive-columns.ts';
import { databaseErrorCode, rowsOf, type Database } from './database.ts';

/** `name` is the partition's (MariaDB/MySQL) or its table's (PostgreSQL); `day` is `2026-11-25`. */
export type DayPartition = { name: string; day: string };

export type PartitionSession = {
  today(): Promise<string>;
  /** Days that belong to the table, ascending. */
  attached(): Promise<DayPartition[]>;
  /** Days that were taken out of it and not dropped yet: tables of their own. */
  detached(): Promise<DayPartition[]>;
  /** Ascending days; all behind the newest that is there. */
  create(days: string[]): Promise<void>;
  /** Takes a day out of the table, its rows into a table of its own. */
  detach(partition: DayPartition): Promise<void>;
  /** Drops a day with its rows, where that is one step. */
  drop(partition: DayPartition): Promise<void>;
  dropDetached(partition: DayPartition): Promise<void>;
};

export type PartitionStore = {
  /** Runs `work` on one connection unless another process works on this table right now; null then. */
  exclusively<T>(work: (session: PartitionSession) => Promise<T>): Promise<T | null>;
};

type PartitionedTable = { table: string; lockTimeoutMs: number };
type Run = (sql: string, bindings?: unknown[]) => Promise<unknown>;

const dayMs = 86_400_000;

export function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * dayMs).toISOString().slice(0, 10);
}

/** True when the lock was not to be had in time. */
export function isLockTimeout(error: unknown): boolean {
  return ['55P03', 'ER_LOCK_WAIT_TIMEOUT'].includes(databaseErrorCode(error) ?? '');
}

export function createPartitionStore(database: Database, options: PartitionedTable): PartitionStore {
  const { knex, kind } = database;
  const lockName = `omnizap_partitions_${options.table}`;
  const client = knex.client as {
    acquireConnection(): Promise<unknown>;
    releaseConnection(connection: unknown): Promise<void>;
  };

  return {
    async exclusively(work) {
      const connection = await client.acquireConnection();
      const run: Run = (sql, bindings = []) => knex.raw(sql, bindings as string[]).connection(connection);
      let isLocked = false;
      try {
        const answer: unknown = await run(
          kind === 'postgres'
            ? 'SELECT CASE WHEN pg_try_advisory_lock(hashtext(?)) THEN 1 ELSE 0 END AS locked'
            : 'SELECT GET_LOCK(?, 0) AS locked',
          [lockName],
        );
        isLocked = rowsOf<{ locked: number | null }>(answer)[0]?.locked === 1;
        if (!isLocked) return null;
        return await work(kind === 'postgres' ? onPostgres(run, options) : onMysql(run, options));
      } finally {
        if (isLocked)
          await run(kind === 'postgres' ? 'SELECT pg_advisory_unlock(hashtext(?))' : 'SELECT RELEASE_LOCK(?)', [
            lockName,
          ]).catch(() => undefined);
        await client.releaseConnection(connection);
      }
    },
  };
}

/** The day that a name ends with; null for names that are not ours. */
function dayOf(name: string, prefix: string): DayPartition | null {
  const [, year, month, day] = /^p(\d{4})(\d{2})(\d{2})$/.exec(name.slice(prefix.length)) ?? [];
  if (!name.startsWith(prefix) || year === undefined) return null;
  return { name, day: `${year}-${month}-${day}` };
}

function inOrder(names: string[], prefix: string): DayPartition[] {
  return names
    .map((name) => dayOf(name, prefix))
    .filter((partition) => partition !== null)
    .sort((first, second) => (first.day < second.day ? -1 : 1));
}

const nameOf = (day: string): string => `p${day.replaceAll('-', '')}`;
const namesOf = (result: unknown): string[] => rowsOf<{ name: string }>(result).map(({ name }) => name);

function onPostgres(run: Run, { table, lockTimeoutMs }: PartitionedTable): PartitionSession {
  const parent = sqlName('postgres', table);
  const prefix = `${table}_`;

  async function inTransaction(statements: string[]): Promise<void> {
    await run('BEGIN');
    try {
      await run(`SET LOCAL lock_timeout = '${Math.ceil(lockTimeoutMs)}ms'`);
      for (const statement of statements) await run(statement);
      await run('COMMIT');
    } catch (error) {
      await run('ROLLBACK');
      throw error;
    }
  }
  const detach = (name: string): Promise<void> =>
    inTransaction([`ALTER TABLE ${parent} DETACH PARTITION ${sqlName('postgres', name)}`]);
  const dropTable = (name: string): Promise<void> => inTransaction([`DROP TABLE ${sqlName('postgres', name)}`]);

  return {
    async today() {
      const answer: unknown = await run(`SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS name`);
      return namesOf(answer)[0] ?? '';
    },
    async attached() {
      const answer: unknown = await run(
        `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
          WHERE i.inhparent = to_regclass(?)`,
        [table],
      );
      return inOrder(namesOf(answer), prefix);
    },
    async detached() {
      const answer: unknown = await run(
        `SELECT c.relname AS name FROM pg_class c
          WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND NOT c.relispartition
            AND starts_with(c.relname, ?)`,
        [`${prefix}p`],
      );
      return inOrder(namesOf(answer), prefix);
    },
    async create(days) {
      for (const day of days) {
        const name = sqlName('postgres', `${prefix}${nameOf(day)}`);
        await inTransaction([
          `CREATE TABLE ${name} (LIKE ${parent} INCLUDING ALL EXCLUDING IDENTITY EXCLUDING INDEXES EXCLUDING STATISTICS)`,
          `ALTER TABLE ${parent} ATTACH PARTITION ${name}
             FOR VALUES FROM ('${day} 00:00:00+00') TO ('${addDays(day, 1)} 00:00:00+00')`,
        ]);
      }
    },
    detach: ({ name }) => detach(name),
    async drop({ name }) {
      await detach(name);
      await dropTable(name);
    },
    dropDetached: ({ name }) => dropTable(name),
  };
}

function onMysql(run: Run, { table, lockTimeoutMs }: PartitionedTable): PartitionSession {
  const parent = sqlName('mysql', table);
  const prefix = `${table}_`;
  const beside = (name: string): string => sqlName('mysql', `${prefix}${name}`);

  /** For the connection, which goes back to the pool afterwards. */
  async function impatiently(statements: string[]): Promise<void> {
    await run(`SET SESSION lock_wait_timeout = ${Math.max(1, Math.ceil(lockTimeoutMs / 1_000))}`);
    try {
      for (const statement of statements) await run(statement);
    } finally {
      await run('SET SESSION lock_wait_timeout = DEFAULT');
    }
  }

  return {
    async today() {
      return namesOf(await run(`SELECT DATE_FORMAT(UTC_TIMESTAMP(), '%Y-%m-%d') AS name`))[0] ?? '';
    },
    async attached() {
      const answer: unknown = await run(
        `SELECT partition_name AS name FROM information_schema.partitions
          WHERE table_schema = DATABASE() AND table_name = ? AND partition_name IS NOT NULL`,
        [table],
      );
      return inOrder(namesOf(answer), '');
    },
    async detached() {
      const answer: unknown = await run(
        'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name LIKE ?',
        [`${prefix.replaceAll('_', '\\_')}p%`],
      );
      return inOrder(namesOf(answer), prefix).map(({ name, day }) => ({ name: name.slice(prefix.length), day }));
    },
    create: (days) =>
      impatiently([
        `ALTER TABLE ${parent} ADD PARTITION (${days
          .map((day) => `PARTITION ${nameOf(day)} VALUES LESS THAN ('${addDays(day, 1)} 00:00:00')`)
          .join(', ')})`,
      ]),
    detach: ({ name }) =>
      impatiently([
        `CREATE TABLE ${beside(name)} LIKE ${parent}`,
        `ALTER TABLE ${beside(name)} REMOVE PARTITIONING`,
        `ALTER TABLE ${parent} EXCHANGE PARTITION ${sqlName('mysql', name)} WITH TABLE ${beside(name)}`,
        `ALTER TABLE ${parent} DROP PARTITION ${sqlName('mysql', name)}`,
      ]),
    drop: ({ name }) => impatiently([`ALTER TABLE ${parent} DROP PARTITION ${sqlName('mysql', name)}`]),
    dropDetached: ({ name }) => impatiently([`DROP TABLE ${beside(name)}`]),
  };
}
