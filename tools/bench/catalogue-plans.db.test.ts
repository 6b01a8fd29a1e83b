import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectDatabase, loadConfig, migrateUp, type Database } from '@omnizap/runtime';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { seedBulk } from '../seed/bulk/seed-bulk.ts';
import { createCatalogueQueries } from './catalogue-queries.ts';
import { countRowsRead } from './rows-read.ts';

/** Enough that words are common, and that a plan which reads a table of stickers or terms exceeds each bound by far. */
const options = { packs: 4_000, stickersPerPack: 3, seed: 1, isForced: false };

describe.each(testDatabaseKinds())('what readers ask for on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let dataDir: string;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    dataDir = await mkdtemp(path.join(tmpdir(), 'omnizap-plans-'));
    const migrating = connectDatabase(test.databaseUrl);
    await migrateUp(migrating);
    await migrating.close();
    const env = { DATABASE_URL: test.databaseUrl, QUEUE_DATABASE_URL: test.queueUrl, STICKER_DATA_DIR: dataDir };
    await seedBulk(options, {
      config: loadConfig(env),
      output: { write: () => undefined },
      signal: new AbortController().signal,
    });
    database = connectDatabase(test.databaseUrl, { poolMax: 1 });
    // Small tables are else read whole, which is what this looks for. As for a disk without moving parts.
    if (kind === 'postgres') await database.knex.raw('SET random_page_cost = 1.1');
  }, 240_000);
  afterAll(async () => {
    await database?.close();
    await test?.drop();
    if (dataDir) await rm(dataDir, { recursive: true, force: true });
  });

  it('reads what is on the page, and not the catalogue', async () => {
    const queries = await createCatalogueQueries(database, { queueUrl: test.queueUrl, ...options });
    const readings: { name: string; rows: number; atMostRows: number }[] = [];
    for (const { name, atMostRows, run } of queries)
      readings.push({ name, atMostRows, rows: await countRowsRead(database, run) });

    expect(readings.filter(({ rows, atMostRows }) => rows > atMostRows)).toEqual([]);
    // The counters do count.
    expect(readings.find(({ name }) => name === 'detail')?.rows).toBeGreaterThan(options.stickersPerPack);
    const scan = await countRowsRead(database, () => database.knex('sticker_asset').where({ width: 1 }));
    expect(scan).toBeGreaterThanOrEqual(options.packs * options.stickersPerPack);
  }, 120_000);
});
