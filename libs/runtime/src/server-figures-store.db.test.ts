import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, testDatabaseKinds, waitFor, type TestDatabase } from '@omnizap/testkit';
import { connectDatabase, isAccessDenied, rowsOf, type Database } from './database.ts';
import { createServerFigures } from './server-figures-store.ts';

/** InnoDB shows its waits as they were when it was asked last, unless a tenth of a second has passed since. */
const patience = { intervalMs: 250 };

describe.each(testDatabaseKinds())('the figures of a server on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  const account = `looker_${Math.random().toString(36).slice(2, 10)}`;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl, { poolMax: 4 });
    await database.knex.raw(
      `CREATE TABLE heavy (id integer PRIMARY KEY, word varchar(200)) ${kind === 'mysql' ? 'ENGINE=InnoDB' : ''}`,
    );
    await database.knex('heavy').insert({ id: 1, word: 'one' });
  });
  afterAll(async () => {
    await database.knex.raw(
      kind === 'postgres' ? `DROP OWNED BY ${account}; DROP ROLE ${account}` : `DROP USER IF EXISTS '${account}'@'%'`,
    );
    await database.close();
    await test.drop();
  });

  it('tell a size that grows with the rows', async () => {
    const figures = createServerFigures(database);
    const before = await figures.sizeBytes();
    const rows = Array.from({ length: 10_000 }, (_, index) => ({ id: index + 2, word: 'x'.repeat(200) }));
    for (let at = 0; at < rows.length; at += 1_000) await database.knex('heavy').insert(rows.slice(at, at + 1_000));
    await database.knex.raw(kind === 'postgres' ? 'ANALYZE heavy' : 'ANALYZE TABLE heavy');

    // 10,000 rows of 200 bytes and more; the server's own measure may lag by a page or two.
    expect((await figures.sizeBytes()) - before).toBeGreaterThan(1_500_000);
  });

  it('tell the connections that there are, and how many there may be', async () => {
    const { used, max } = await createServerFigures(database).connections();

    expect(used).toBeGreaterThan(0);
    expect(max).toBeGreaterThan(used);
  });

  it('count sessions that wait for a lock, and tell for how long the first has', async () => {
    const figures = createServerFigures(database);
    expect(await figures.lockWaits()).toEqual({ waiting: 0, longestSeconds: 0 });
    const holder = await database.knex.transaction();
    await holder('heavy').where({ id: 1 }).update({ word: 'held' });
    const waiting = database.knex('heavy').where({ id: 1 }).update({ word: 'after' }).then();

    const seen = await waitFor(async () => {
      const waits = await figures.lockWaits();
      return waits.waiting > 0 && waits.longestSeconds >= 1 && waits;
    }, patience);
    await holder.rollback();
    await waiting;

    expect(seen.waiting).toBe(1);
    expect(seen.longestSeconds).toBeLessThan(30);
    const after = await waitFor(async () => {
      const waits = await figures.lockWaits();
      return waits.waiting === 0 && waits;
    }, patience);
    expect(after.longestSeconds).toBe(0);
  });

  it('count those that wait for a whole table, too', async () => {
    const figures = createServerFigures(database);
    const holder = await database.knex.transaction();
    await holder('heavy').where({ id: 1 }).first('id');
    const change = database.knex.raw('ALTER TABLE heavy ADD COLUMN note varchar(5)').then();

    await waitFor(async () => (await figures.lockWaits()).waiting === 1, patience);
    await holder.rollback();
    await change;

    await waitFor(async () => (await figures.lockWaits()).waiting === 0, patience);
  });

  it('are refused by an error that says so where our account may not see them', async () => {
    const { knex } = database;
    const url = new URL(test.databaseUrl);
    const word = 'not-a-secret-of-anybody';
    if (kind === 'postgres') {
      await knex.raw(`CREATE ROLE ${account} LOGIN PASSWORD '${word}'`);
      await knex.raw('REVOKE SELECT ON pg_catalog.pg_locks FROM PUBLIC');
    } else {
      const [row] = rowsOf<{ name: string }>(await knex.raw('SELECT DATABASE() AS name'));
      await knex.raw(`CREATE USER '${account}'@'%' IDENTIFIED BY '${word}'`);
      await knex.raw(`GRANT SELECT ON ${row?.name ?? ''}.* TO '${account}'@'%'`);
    }
    [url.username, url.password] = [account, word];
    const looker = connectDatabase(url.href, { poolMax: 1 });
    const figures = createServerFigures(looker);
    try {
      const error: unknown = await figures.lockWaits().then(
        () => null,
        (reason: unknown) => reason,
      );
      expect(isAccessDenied(error)).toBe(true);
      expect(await figures.sizeBytes()).toBeGreaterThan(0);
      expect((await figures.connections()).used).toBeGreaterThan(0);
    } finally {
      await looker.close();
    }
  });
});
