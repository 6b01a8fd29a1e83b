import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, spawnProcess, testDatabaseKinds, waitFor, type TestDatabase } from '@omnizap/testkit';
import { readdirSync } from 'node:fs';
import { connectDatabase, rowsOf, type Database } from './database.ts';
import { createLogger } from './log.ts';
import { migrateDown, migrateUp, migrationsDirectory, missingMigrations, waitForSchema } from './schema.ts';

const files = readdirSync(migrationsDirectory).sort();

/** Everything that a migration can leave behind, as the server itself describes it. */
const descriptions: Record<TestDatabase['kind'], string[]> = {
  postgres: [
    `SELECT table_name, column_name, ordinal_position, data_type, character_maximum_length, datetime_precision, is_nullable,
            column_default, is_identity, generation_expression
       FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position`,
    `SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY tablename, indexname`,
    `SELECT conrelid::regclass::text AS owner, conname, contype, pg_get_constraintdef(oid) AS definition
       FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2`,
  ],
  mysql: [
    `SELECT table_name, column_name, ordinal_position, column_type, is_nullable, column_default, extra, character_set_name,
            collation_name, generation_expression
       FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position`,
    `SELECT table_name, index_name, seq_in_index, column_name, non_unique
       FROM information_schema.statistics WHERE table_schema = DATABASE() ORDER BY table_name, index_name, seq_in_index`,
    `SELECT table_name, constraint_name, constraint_type
       FROM information_schema.table_constraints WHERE table_schema = DATABASE() ORDER BY table_name, constraint_name`,
    `SELECT table_name, constraint_name, referenced_table_name, delete_rule
       FROM information_schema.referential_constraints WHERE constraint_schema = DATABASE() ORDER BY table_name, constraint_name`,
    `SELECT constraint_name, check_clause
       FROM information_schema.check_constraints WHERE constraint_schema = DATABASE() ORDER BY constraint_name`,
  ],
};

describe.each(testDatabaseKinds())('schema on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let undisturbed: unknown[][];

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl);
    await migrateUp(database);
    undisturbed = await describeSchema();
  });
  beforeEach(() => empty());
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  async function describeSchema(): Promise<unknown[][]> {
    const parts: unknown[][] = [];
    for (const sql of descriptions[kind]) parts.push(rowsOf(await database.knex.raw(sql)));
    return parts;
  }

  const tableCount = async (): Promise<number> =>
    rowsOf<{ count: number }>(
      await database.knex.raw(
        `SELECT COUNT(*) AS count FROM information_schema.tables
          WHERE table_schema = ${kind === 'mysql' ? 'DATABASE()' : "'public'"}`,
      ),
    )[0]?.count ?? 0;

  /** Back to what `CREATE DATABASE` gives, knex's own tables included. */
  async function empty(): Promise<void> {
    if (kind === 'postgres') {
      await database.knex.raw('DROP SCHEMA public CASCADE');
      await database.knex.raw('CREATE SCHEMA public');
      return;
    }
    const name = new URL(test.databaseUrl).pathname.slice(1);
    await database.knex.raw(`DROP DATABASE ${name}`);
    await database.knex.raw(`CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
    // A connection whose database was dropped has none selected any more.
    await database.close();
    database = connectDatabase(test.databaseUrl);
  }

  it('is applied once when twenty processes start on an empty database at the same time', async () => {
    const rivals = Array.from({ length: 20 }, () => connectDatabase(test.databaseUrl, { poolMax: 2 }));

    const applied = await Promise.all(rivals.map((rival) => migrateUp(rival)));

    expect(applied.flat()).toEqual(files);
    expect(await database.knex('schema_migration').orderBy('id').pluck('name')).toEqual(files);
    expect(await describeSchema()).toEqual(undisturbed);
    await Promise.all(rivals.map((rival) => rival.close()));
  });

  // Half of the kills by what is there already, half by the clock: between two tables, inside one, before the first, after the last.
  it('comes out the same after the migrating process was killed at any moment', async () => {
    const environment = { DATABASE_URL: test.databaseUrl, QUEUE_DATABASE_URL: test.queueUrl, LOG_LEVEL: 'silent' };
    const moments: { tables?: number; afterMs?: number }[] = [
      ...[1, 3, 9, 16].map((tables) => ({ tables })),
      ...[350, 500, 650, 900].map((afterMs) => ({ afterMs })),
    ];
    const leftBehind: number[] = [];

    for (const { tables, afterMs } of moments) {
      await empty();
      const startedAt = performance.now();
      const migrating = await spawnProcess('tools/migrate.ts', ['up'], environment, { waitForReady: false });
      let hasEnded = false;
      void migrating.exited.then(() => (hasEnded = true));
      await waitFor(
        async () =>
          hasEnded ||
          (afterMs === undefined ? (await tableCount()) >= (tables ?? 0) : performance.now() - startedAt > afterMs),
        { intervalMs: 1, timeoutMs: 20_000 },
      );
      migrating.kill('SIGKILL');
      await migrating.exited;
      leftBehind.push(await tableCount());

      await migrateUp(database);

      expect(await describeSchema()).toEqual(undisturbed);
      expect(await missingMigrations(database)).toEqual([]);
    }
    // The kills must have met the work, else this shows nothing.
    const complete = await tableCount();
    expect(leftBehind.some((count) => count > 0 && count < complete)).toBe(true);
  });

  it('goes up, all the way down and up again to the same', async () => {
    await migrateUp(database);
    const one = await migrateDown(database, { all: false });
    const rest = await migrateDown(database, { all: true });

    expect([...one, ...rest]).toEqual(files.toReversed());
    expect(await missingMigrations(database)).toEqual(files);
    // Only the record of what was applied stays.
    expect(await tableCount()).toBe(2);

    expect(await migrateUp(database)).toEqual(files);
    expect(await describeSchema()).toEqual(undisturbed);
    expect(await migrateUp(database)).toEqual([]);
  });

  it('is enough for this release when a newer one has already gone further', async () => {
    await migrateUp(database);
    await database
      .knex('schema_migration')
      .insert({ name: '29991231235959_from_the_future.ts', batch: 99, migration_time: new Date() });

    expect(await migrateUp(database)).toEqual([]);
    expect(await missingMigrations(database)).toEqual([]);
  });

  it('is waited for by a process that starts before it is there', async () => {
    const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
    let isThere = false;
    const waiting = waitForSchema(database, log, new AbortController().signal).then(() => (isThere = true));
    expect(await missingMigrations(database)).toEqual(files);
    expect(isThere).toBe(false);

    await migrateUp(database);

    expect(await waiting).toBe(true);
  });
});
