import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { connectDatabase, rowsOf, type Database } from './database.ts';
import { migrateUp } from './schema.ts';
import { deniedTables, readServerClock, readServerFacts } from './server-facts-store.ts';

describe.each(testDatabaseKinds())('the facts about a server on %s', (kind) => {
  let testDatabase: TestDatabase;
  let database: Database;
  const account = `reader_${Math.random().toString(36).slice(2, 10)}`;

  beforeAll(async () => {
    testDatabase = await createTestDatabase(kind);
    database = connectDatabase(testDatabase.databaseUrl, { poolMax: 2 });
    await migrateUp(database);
  });
  afterAll(async () => {
    await database.knex.raw(
      kind === 'postgres' ? `DROP OWNED BY ${account}; DROP ROLE ${account}` : `DROP USER IF EXISTS '${account}'@'%'`,
    );
    await database.close();
    await testDatabase.drop();
  });

  it('say what it is, what it allows, and how many connections there are', async () => {
    const facts = await readServerFacts(database);

    expect(facts).toMatchObject({ product: kind === 'postgres' ? 'PostgreSQL' : 'MariaDB', isReadOnly: false });
    expect(facts.versionText).toMatch(new RegExp(`^${facts.product} ${facts.major}\\.${facts.minor}`));
    expect(facts.connections.used).toBeGreaterThan(0);
    expect(facts.connections.max).toBeGreaterThan(facts.connections.used);
  });

  it('tell its clock from that of this host, which is the same one here', async () => {
    const { aheadMs, roundTripMs } = await readServerClock(database);

    // A millisecond for what the server rounds off.
    expect(Math.abs(aheadMs)).toBeLessThanOrEqual(roundTripMs / 2 + 2);
  });

  it('name the tables that an account may not change, and change nothing', async () => {
    expect(await deniedTables(database)).toEqual([]);
    const flags = await database.knex('feature_flag').select('*');

    const { knex } = database;
    const url = new URL(testDatabase.databaseUrl);
    const word = 'not-a-secret-of-anybody';
    if (kind === 'postgres') {
      await knex.raw(`CREATE ROLE ${account} LOGIN PASSWORD '${word}'`);
      await knex.raw(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${account}`);
      await knex.raw(`REVOKE UPDATE ON feature_flag FROM ${account}`);
      await knex.raw(`REVOKE DELETE ON sticker_pack FROM ${account}`);
    } else {
      await knex.raw(`CREATE USER '${account}'@'%' IDENTIFIED BY '${word}'`);
      const tables = rowsOf<{ name: string }>(
        await knex.raw('SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()'),
      );
      const rightsOf: Record<string, string> = {
        feature_flag: 'SELECT, INSERT, DELETE',
        sticker_pack: 'SELECT, INSERT, UPDATE',
      };
      for (const { name } of tables)
        await knex.raw(`GRANT ${rightsOf[name] ?? 'SELECT, INSERT, UPDATE, DELETE'} ON ${name} TO '${account}'@'%'`);
    }
    [url.username, url.password] = [account, word];
    const reader = connectDatabase(url.href, { poolMax: 1 });
    try {
      expect(await deniedTables(reader)).toEqual(['feature_flag', 'sticker_pack']);
    } finally {
      await reader.close();
    }
    expect(await database.knex('feature_flag').select('*')).toEqual(flags);
  });
});
