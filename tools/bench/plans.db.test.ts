import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectDatabase, migrateUp, type Database } from '@omnizap/runtime';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { fillTables, type TableSizes } from './fill-tables.ts';
import { createHotQueries } from './hot-queries.ts';
import { countRowsRead } from './rows-read.ts';

/** As `npm run bench -- plans` with 5 million; a plan that reads what is finished exceeds each bound at this size by far. */
const sizes: TableSizes = {
  finishedEvents: 200_000,
  dueEvents: 2_000,
  waitingEvents: 2_000,
  failedEvents: 50,
  workStates: 100_000,
  dueWorkStates: 200,
  interactions: 50_000,
};

describe.each(testDatabaseKinds())('hot queries on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    const migrating = connectDatabase(test.databaseUrl);
    await migrateUp(migrating);
    await migrating.close();
    database = connectDatabase(test.databaseUrl, { poolMax: 1 });
    await fillTables(database, sizes);
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  it('read what is waiting, and not what is finished', async () => {
    const queries = await createHotQueries(database, { queueUrl: test.queueUrl, archiveDir: '/nowhere', sizes });
    const readings: { name: string; rows: number; atMostRows: number }[] = [];
    for (const { name, atMostRows, run } of queries)
      readings.push({ name, atMostRows, rows: await countRowsRead(database, run) });

    expect(readings.filter(({ rows, atMostRows }) => rows > atMostRows)).toEqual([]);
    // The counters do count.
    expect(readings.find(({ name }) => name.startsWith('relay, claim of 500'))?.rows).toBeGreaterThan(500);
    const scan = await countRowsRead(database, () => database.knex('domain_event_outbox').where({ attempts: 99 }));
    expect(scan).toBeGreaterThan(sizes.finishedEvents);
  });
});
