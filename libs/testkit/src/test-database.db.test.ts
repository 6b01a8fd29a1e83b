import { afterAll, describe, expect, it } from '@jest/globals';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { createTestDatabase, testDatabaseKinds } from './test-database.ts';
import type { TestDatabase } from './test-database.ts';

const made: TestDatabase[] = [];
afterAll(async () => {
  for (const database of made) await database.drop();
});

async function select(url: string, sql: string): Promise<unknown[]> {
  if (url.startsWith('mysql:')) {
    const connection = await mysql.createConnection(url);
    const [rows] = await connection.query(sql).finally(() => connection.end());
    return rows as unknown[];
  }
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<Record<string, unknown>>(sql).finally(() => client.end());
  return rows;
}

/** A connection that stays open until it is cut. */
async function hold(url: string): Promise<void> {
  if (url.startsWith('mysql:')) {
    const connection = await mysql.createConnection(url);
    connection.on('error', () => connection.destroy());
    return;
  }
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
}

describe.each(testDatabaseKinds())('createTestDatabase(%s)', (kind) => {
  it('gives every caller an empty database of its own, and a PostgreSQL for the queue', async () => {
    const [one, two] = [await createTestDatabase(kind), await createTestDatabase(kind)];
    made.push(one, two);
    await select(one.databaseUrl, 'CREATE TABLE only_in_one (id INT)');

    expect(await select(one.databaseUrl, 'SELECT id FROM only_in_one')).toEqual([]);
    await expect(select(two.databaseUrl, 'SELECT id FROM only_in_one')).rejects.toThrow(/does(n't| not) exist/);
    expect(await select(one.queueUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(one.queueUrl).toMatch(/^postgres:/);
  });

  it('can be dropped while somebody is connected', async () => {
    const database = await createTestDatabase(kind);
    await hold(database.databaseUrl);

    await database.drop();

    await expect(select(database.databaseUrl, 'SELECT 1')).rejects.toThrow(/does not exist|Unknown database/);
  });
});
