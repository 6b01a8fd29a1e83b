/**
 * The catalogue's schema: applying migrations, and knowing whether what is there is enough for this release.
 * Any number of processes may apply at once and any of them may be killed: an advisory lock, held by one connection and freed by
 * the server when that connection dies, lets one work at a time; knex's own lock row, which outlives a kill, is freed under it.
 */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Knex } from 'knex';
import type { Database } from './database.ts';
import { rowsOf } from './database.ts';
import { AppError } from './errors.ts';
import type { Logger } from './log.ts';

export const migrationsDirectory = resolve(import.meta.dirname, '../../../db/migrations');

const lockKey = 5_601_337;
const lockName = 'omnizap_migrations';
const lockWaitSeconds = 120;

function migrationNames(): string[] {
  return readdirSync(migrationsDirectory)
    .filter((name) => /^\d{14}_.+\.ts$/.test(name))
    .sort();
}

/** Loads our own files by name; knex's default loader would resolve them relative to the current directory. */
const migrationSource: Knex.MigrationSource<string> = {
  getMigrations: () => Promise.resolve(migrationNames()),
  getMigrationName: (name) => name,
  getMigration: (name) => import(join(migrationsDirectory, name)) as Promise<Knex.Migration>,
};

const migratorConfig: Knex.MigratorConfig = {
  migrationSource,
  tableName: 'schema_migration',
  // An older release must tolerate a newer schema: rolling upgrades run both.
  disableMigrationsListValidation: true,
};

/** Runs `work` while holding the advisory lock on a connection of its own. */
async function withMigrationLock<T>(database: Database, work: () => Promise<T>): Promise<T> {
  const { knex, kind } = database;
  const client = knex.client as {
    acquireConnection(): Promise<unknown>;
    releaseConnection(connection: unknown): Promise<void>;
  };
  const connection = await client.acquireConnection();
  try {
    if (kind === 'postgres') {
      await knex.raw('SELECT pg_advisory_lock(?)', [lockKey]).connection(connection);
    } else {
      const result: unknown = await knex
        .raw('SELECT GET_LOCK(?, ?) AS locked', [lockName, lockWaitSeconds])
        .connection(connection);
      if (rowsOf<{ locked: number | null }>(result)[0]?.locked !== 1) {
        throw new AppError(
          'unavailable',
          `Another process has been migrating for more than ${lockWaitSeconds} s; try again when it is done.`,
        );
      }
    }
    return await work();
  } finally {
    const unlock =
      kind === 'postgres'
        ? knex.raw('SELECT pg_advisory_unlock(?)', [lockKey])
        : knex.raw('SELECT RELEASE_LOCK(?)', [lockName]);
    await unlock.connection(connection).catch(() => undefined);
    await client.releaseConnection(connection);
  }
}

/** Applies what is missing. Needs a pool of at least two connections. Returns the names applied. */
export async function migrateUp(database: Database): Promise<string[]> {
  const { knex } = database;
  return withMigrationLock(database, async () => {
    await freeStaleLock(database);
    // All at once is one transaction: quick where nobody is kept waiting.
    if (!(await knex.schema.hasTable('schema_migration')))
      return ((await knex.migrate.latest(migratorConfig)) as [number, string[]])[1];
    // Elsewhere each commits by itself: what one has locked is free while the next one builds its indexes.
    const applied: string[] = [];
    for (;;) {
      const [, names] = (await knex.migrate.up(migratorConfig)) as [number, string[]];
      if (names.length === 0) return applied;
      applied.push(...names);
    }
  });
}

/** Takes back the newest migration, or all of them. Returns the names taken back. */
export async function migrateDown(database: Database, options: { all: boolean }): Promise<string[]> {
  return withMigrationLock(database, async () => {
    await freeStaleLock(database);
    if (options.all) return ((await database.knex.migrate.rollback(migratorConfig, true)) as [number, string[]])[1];
    return ((await database.knex.migrate.down(migratorConfig)) as [number, string[]])[1];
  });
}

async function freeStaleLock(database: Database): Promise<void> {
  if (await database.knex.schema.hasTable('schema_migration_lock'))
    await database.knex.migrate.forceFreeMigrationsLock(migratorConfig);
}

/** Names of migrations that this release needs and the database lacks. */
export async function missingMigrations(database: Database): Promise<string[]> {
  if (!(await database.knex.schema.hasTable('schema_migration'))) return migrationNames();
  const applied = new Set(await database.knex('schema_migration').pluck<string[]>('name'));
  return migrationNames().filter((name) => !applied.has(name));
}

/** Names of migrations that the database has and this release does not know: a newer release has migrated. */
export async function unknownMigrations(database: Database): Promise<string[]> {
  if (!(await database.knex.schema.hasTable('schema_migration'))) return [];
  const known = new Set(migrationNames());
  const applied = await database.knex('schema_migration').orderBy('name').pluck<string[]>('name');
  return applied.filter((name) => !known.has(name));
}

/** Resolves when the database answers and holds at least the schema of this release; says once what it is waiting for. */
export async function waitForSchema(database: Database, log: Logger, signal: AbortSignal): Promise<void> {
  let said = '';
  for (;;) {
    let waitingFor: string;
    try {
      const missing = await missingMigrations(database);
      if (missing.length === 0) return;
      waitingFor = `${missing.length} migrations are missing: run "npm run db:migrate"`;
    } catch (error) {
      waitingFor = `the database does not answer (${error instanceof Error ? error.message : String(error)})`;
    }
    if (waitingFor !== said) log.warn(`waiting: ${waitingFor}`);
    said = waitingFor;
    await delay(1_000, undefined, { signal });
  }
}
