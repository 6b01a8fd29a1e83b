import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { connectDatabase, type Database } from './database.ts';
import { createLogger } from './log.ts';
import { readPartitionEnds } from './partition-ends-store.ts';
import { createPartitionKeeper } from './partition-keeper.ts';

describe.each(testDatabaseKinds())('the ends of partitions on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  const today = new Date().toISOString().slice(0, 10);
  const midnight = (daysAhead: number): Date => new Date(Date.parse(`${today}T00:00:00Z`) + daysAhead * 86_400_000);

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl, { poolMax: 2 });
    await database.knex.raw('CREATE TABLE plain (id integer PRIMARY KEY)');
    await database.knex.raw(
      kind === 'postgres'
        ? 'CREATE TABLE parcel (id bigint NOT NULL, created_at timestamptz(3) NOT NULL) PARTITION BY RANGE (created_at)'
        : `CREATE TABLE parcel (id bigint NOT NULL, created_at datetime(3) NOT NULL) ENGINE=InnoDB
             PARTITION BY RANGE COLUMNS (created_at) (PARTITION p20200101 VALUES LESS THAN ('2020-01-02 00:00:00'))`,
    );
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  it('are the first midnight for whose rows there is no partition', async () => {
    const keeper = createPartitionKeeper(
      { database, log: createLogger({ level: 'silent', format: 'json', process: 'test' }) },
      { table: 'parcel', keepDays: 100_000, daysAhead: 3 },
    );
    // The keeper's today is the server's: the same one, but around midnight.
    const { created } = await keeper.pass(new AbortController().signal);
    expect(created).toHaveLength(4);
    expect(await readPartitionEnds(database, today)).toEqual([{ table: 'parcel', endsAt: midnight(4) }]);

    const gap = midnight(1).toISOString().slice(0, 10).replaceAll('-', '');
    await database.knex.raw(
      kind === 'postgres' ? `DROP TABLE parcel_p${gap}` : `ALTER TABLE parcel DROP PARTITION p${gap}`,
    );
    // PostgreSQL refuses the rows of that day now; MariaDB puts them into the next one.
    expect(await readPartitionEnds(database, today)).toEqual([
      { table: 'parcel', endsAt: midnight(kind === 'postgres' ? 1 : 4) },
    ]);
  });
});
