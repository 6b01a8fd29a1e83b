import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { connectDatabase, type Database } from './database.ts';
import { createRateLimitStore } from './rate-limit-store.ts';
import { migrateUp } from './schema.ts';

describe.each(testDatabaseKinds())('the counters of limits on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl, { poolMax: 8 });
    await migrateUp(database);
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  it('count every request once, however many come at the same time, and tell each its own number', async () => {
    const store = createRateLimitStore(database);

    const numbers = await Promise.all(Array.from({ length: 50 }, async () => await store.count('write:key:a', 7, 1)));

    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    expect(await store.count('write:key:b', 7, 1)).toBe(1);
  });

  it('begin again with the next window, and never go back to an earlier one', async () => {
    const store = createRateLimitStore(database);
    const counted = [];
    for (const window of [10, 10, 11, 10, 11, 13]) counted.push(await store.count('read:key:a', window, 1));

    // The fourth comes from a process whose clock is behind.
    expect(counted).toEqual([1, 2, 1, 2, 3, 1]);
  });

  it('take one statement for each request', async () => {
    const store = createRateLimitStore(database);
    const statements: string[] = [];
    const listen = ({ sql }: { sql: string }): void => void statements.push(sql);
    database.knex.on('query', listen);

    for (let turn = 0; turn < 3; turn += 1) await store.count('count:address:1', turn, 1);

    database.knex.removeListener('query', listen);
    expect(statements).toHaveLength(3);
  });
});
