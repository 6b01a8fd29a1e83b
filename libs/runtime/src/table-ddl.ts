/**
 * Tables declared once for both database families. MySQL commits every DDL statement by itself, so each table is one
 * `CREATE TABLE IF NOT EXISTS` with its keys inside: a migration that was killed anywhere can simply run again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Knex } from 'knex';
import { databaseErrorCode, rowsOf, type DatabaseKind } from './database.ts';
import { AppError } from './errors.ts';
import { isLockTimeout } from './partition-store.ts';

/**
 * A change of a table waits for every transaction that has touched it, and whoever comes then waits behind the change: it gives up
 * after a second, the unit of MariaDB/MySQL, lets the others pass for as long, and tries again.
 */
const lockTimeoutMs = 1_000;
const pauseMs = 1_000;
/** A backup or a long report is over by then, or a person is needed: four minutes. */
const lockAttempts = 120;

const columnTypes = {
  uuid: { postgres: 'uuid', mysql: 'char(36) CHARACTER SET ascii COLLATE ascii_bin' },
  serial: { postgres: 'bigint GENERATED ALWAYS AS IDENTITY', mysql: 'bigint NOT NULL AUTO_INCREMENT' },
  bigint: { postgres: 'bigint', mysql: 'bigint' },
  integer: { postgres: 'integer', mysql: 'integer' },
  smallint: { postgres: 'smallint', mysql: 'smallint' },
  double: { postgres: 'double precision', mysql: 'double' },
  date: { postgres: 'date', mysql: 'date' },
  /** Milliseconds, UTC. */
  instant: { postgres: 'timestamptz(3)', mysql: 'datetime(3)' },
  json: { postgres: 'jsonb', mysql: 'json' },
  text: { postgres: 'text', mysql: 'mediumtext' },
  bytes: { postgres: 'bytea', mysql: 'mediumblob' },
  sha256: { postgres: 'char(64)', mysql: 'char(64) CHARACTER SET ascii COLLATE ascii_bin' },
} as const;

/** `binary`: at most so many bytes, compared and ordered byte by byte on both databases. */
type ColumnType = keyof typeof columnTypes | `varchar(${number})` | `ascii(${number})` | `binary(${number})`;

export type Column = {
  type: ColumnType;
  nullable?: boolean;
  /** SQL literal; `now` stands for the current instant. */
  default?: string | number;
  /** SQL of a stored generated column. */
  generated?: string;
};

export type Table = {
  name: string;
  columns: Record<string, Column>;
  primaryKey: string[];
  unique?: { name: string; columns: string[] }[];
  indexes?: { name: string; columns: string[] }[];
  foreignKeys?: {
    name: string;
    columns: string[];
    references: string;
    onDelete: 'cascade' | 'restrict' | 'set null';
  }[];
  checks?: { name: string; expression: string }[];
};

function columnSql(name: string, column: Column, kind: DatabaseKind): string {
  const parts = [name, typeSql(column.type, kind)];
  if (column.generated !== undefined) return `${parts.join(' ')} GENERATED ALWAYS AS (${column.generated}) STORED`;
  if (column.type !== 'serial') parts.push(column.nullable === true ? 'NULL' : 'NOT NULL');
  if (column.default !== undefined)
    parts.push(`DEFAULT ${column.default === 'now' ? 'CURRENT_TIMESTAMP(3)' : column.default}`);
  return parts.join(' ');
}

function typeSql(type: ColumnType, kind: DatabaseKind): string {
  if (type.startsWith('varchar(')) return type;
  if (type.startsWith('ascii(')) {
    const length = type.slice('ascii('.length, -1);
    return kind === 'mysql' ? `varchar(${length}) CHARACTER SET ascii COLLATE ascii_bin` : `varchar(${length})`;
  }
  if (type.startsWith('binary(')) return kind === 'mysql' ? `var${type}` : 'bytea';
  return columnTypes[type as keyof typeof columnTypes][kind];
}

/** The statements that create `table`; safe to run again after a kill between any two of them. */
function createTableSql(table: Table, kind: DatabaseKind): string[] {
  const lines = Object.entries(table.columns).map(([name, column]) => columnSql(name, column, kind));
  lines.push(`PRIMARY KEY (${table.primaryKey.join(', ')})`);
  for (const key of table.unique ?? []) lines.push(`CONSTRAINT ${key.name} UNIQUE (${key.columns.join(', ')})`);
  for (const key of table.foreignKeys ?? []) {
    lines.push(
      `CONSTRAINT ${key.name} FOREIGN KEY (${key.columns.join(', ')}) REFERENCES ${key.references} ON DELETE ${key.onDelete.toUpperCase()}`,
    );
  }
  for (const check of table.checks ?? []) lines.push(`CONSTRAINT ${check.name} CHECK (${check.expression})`);
  const indexes = table.indexes ?? [];
  if (kind === 'mysql') {
    for (const index of indexes) lines.push(`INDEX ${index.name} (${index.columns.join(', ')})`);
    return [
      `CREATE TABLE IF NOT EXISTS ${table.name} (\n  ${lines.join(',\n  ')}\n) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
    ];
  }
  return [
    `CREATE TABLE IF NOT EXISTS ${table.name} (\n  ${lines.join(',\n  ')}\n)`,
    ...indexes.map(
      (index) => `CREATE INDEX IF NOT EXISTS ${index.name} ON ${table.name} (${index.columns.join(', ')})`,
    ),
  ];
}

function kindOf(knex: Knex): DatabaseKind {
  const { client } = (knex.client as { config: { client: string } }).config;
  return client === 'mysql2' ? 'mysql' : 'postgres';
}

export async function createTables(knex: Knex, tables: Table[]): Promise<void> {
  const kind = kindOf(knex);
  for (const table of tables) {
    for (const statement of createTableSql(table, kind)) await knex.raw(statement);
  }
}

/** Drops in reverse order of creation, so that references are gone before what they point to. */
export async function dropTables(knex: Knex, tables: Table[]): Promise<void> {
  for (const table of tables.toReversed()) await knex.raw(`DROP TABLE IF EXISTS ${table.name}`);
}

/**
 * Adds those of the columns that the table lacks. Each is nullable or has a default, so that an older release can go on writing
 * rows. They are looked for first: MySQL 8 has no ADD COLUMN IF NOT EXISTS.
 *
 * In a migration's transaction the table stays locked until that ends: one migration for each table that others wait for.
 *
 * @throws AppError `unavailable` when somebody holds on to the table
 */
export async function addColumns(
  knex: Knex,
  table: string,
  columns: Record<string, Column>,
  options: { lockAttempts?: number } = {},
): Promise<void> {
  const kind = kindOf(knex);
  const parts: string[] = [];
  for (const [name, column] of Object.entries(columns)) {
    if (await knex.schema.hasColumn(table, name)) continue;
    parts.push(`ADD COLUMN ${columnSql(name, column, kind)}`);
  }
  if (parts.length > 0) await alterTable(knex, table, parts, options.lockAttempts ?? lockAttempts);
}

/** Drops those of the columns that the table has, if there is such a table. Waits for its lock as `addColumns` does. */
export async function dropColumns(knex: Knex, table: string, names: string[]): Promise<void> {
  if (!(await knex.schema.hasTable(table))) return;
  const parts: string[] = [];
  for (const name of names) {
    if (await knex.schema.hasColumn(table, name)) parts.push(`DROP COLUMN ${name}`);
  }
  if (parts.length > 0) await alterTable(knex, table, parts, lockAttempts);
}

async function alterTable(knex: Knex, table: string, parts: string[], attempts: number): Promise<void> {
  const statement = `ALTER TABLE ${table} ${parts.join(', ')}`;
  const alter = kindOf(knex) === 'mysql' ? alterOnMysql : alterOnPostgres;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await alter(knex, statement);
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      if (attempt >= attempts)
        throw new AppError(
          'unavailable',
          `Table ${table} could not be changed: a transaction holds on to it. End it (${longTransactions[kindOf(knex)]}) and run this again.`,
          { cause: error },
        );
      await delay(pauseMs);
    }
  }
}

/** Where the server lists its transactions. */
const longTransactions = { postgres: 'pg_stat_activity', mysql: 'information_schema.innodb_trx' };

/** In a transaction or, within one, behind a savepoint: what came before is kept when the lock was not to be had. */
async function alterOnPostgres(knex: Knex, statement: string): Promise<void> {
  await knex.transaction(async (trx) => {
    const [before] = rowsOf<{ value: string }>(await trx.raw("SELECT current_setting('lock_timeout') AS value"));
    await trx.raw(`SET LOCAL lock_timeout = '${lockTimeoutMs}ms'`);
    await trx.raw(statement);
    // A savepoint's end would leave it to what else the transaction does.
    await trx.raw(`SET LOCAL lock_timeout = '${before?.value ?? '0'}'`);
  });
}

/** The timeout is the connection's, which a transaction keeps; the statement commits by itself. */
async function alterOnMysql(knex: Knex, statement: string): Promise<void> {
  if (!knex.isTransaction) return knex.transaction((trx) => alterOnMysql(trx, statement));
  await knex.raw(`SET SESSION lock_wait_timeout = ${lockTimeoutMs / 1_000}`);
  try {
    await knex.raw(statement);
  } finally {
    await knex.raw('SET SESSION lock_wait_timeout = DEFAULT');
  }
}

/** Adds those of the indexes that the table lacks. They are looked for first: MySQL 8 has no CREATE INDEX IF NOT EXISTS. */
export async function addIndexes(
  knex: Knex,
  table: string,
  indexes: { name: string; columns: string[] }[],
): Promise<void> {
  for (const { name, columns } of indexes) {
    if (await hasIndex(knex, table, name)) continue;
    // A killed migration's statement may still be at work, and come to its end before this one.
    await knex.raw(`CREATE INDEX ${name} ON ${table} (${columns.join(', ')})`).catch((error: unknown) => {
      if (databaseErrorCode(error) !== 'ER_DUP_KEYNAME') throw error;
    });
  }
}

/** Drops those of the indexes that the table has, if there is such a table. */
export async function dropIndexes(knex: Knex, table: string, names: string[]): Promise<void> {
  for (const name of names) {
    if (!(await hasIndex(knex, table, name))) continue;
    await knex.raw(kindOf(knex) === 'mysql' ? `DROP INDEX ${name} ON ${table}` : `DROP INDEX ${name}`);
  }
}

async function hasIndex(knex: Knex, table: string, name: string): Promise<boolean> {
  const result: unknown = await knex.raw(
    kindOf(knex) === 'mysql'
      ? 'SELECT 1 AS found FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = ? AND index_name = ?'
      : 'SELECT 1 AS found FROM pg_indexes WHERE schemaname = current_schema() AND tablename = ? AND indexname = ?',
    [table, name],
  );
  return rowsOf(result).length > 0;
}
