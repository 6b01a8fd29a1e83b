import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, startBadNetwork, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import {
  affectedRows,
  connectDatabase,
  databaseErrorCode,
  fromJsonColumn,
  isDatabaseAway,
  isUniqueViolation,
  rowsOf,
  type Database,
} from './database.ts';

describe.each(testDatabaseKinds())('database on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  const observed: { seconds: number; isFailed: boolean }[] = [];

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl, {
      observer: {
        onQuery: (seconds, isFailed) => observed.push({ seconds, isFailed }),
        onNoConnection: () => undefined,
        watchPool: () => undefined,
      },
    });
    const [instant, json, engine] =
      kind === 'mysql' ? ['datetime(3)', 'json', 'ENGINE=InnoDB'] : ['timestamptz(3)', 'jsonb', ''];
    await database.knex.raw(
      `CREATE TABLE account (id integer PRIMARY KEY, balance bigint, share numeric(10, 3), note varchar(5), at ${instant}, details ${json}) ${engine}`,
    );
  });
  beforeEach(async () => {
    await database.knex('account').delete();
    await database.knex('account').insert([
      { id: 1, balance: 100 },
      { id: 2, balance: 100 },
    ]);
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  const move = (id: number, amount: number, knex: Database['knex']): Promise<unknown> =>
    knex('account').where({ id }).increment('balance', amount).then();

  it('runs a transaction that was the victim of a deadlock again', async () => {
    const bothHoldOne = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    const attempts = [0, 0];
    const transfer = (own: 0 | 1): Promise<void> =>
      database.transaction(async (trx) => {
        attempts[own] = (attempts[own] ?? 0) + 1;
        await move(own + 1, 1, trx);
        bothHoldOne[own].resolve();
        await bothHoldOne[own === 0 ? 1 : 0].promise;
        await move(own === 0 ? 2 : 1, 10, trx);
      });

    await Promise.all([transfer(0), transfer(1)]);

    expect((attempts[0] ?? 0) + (attempts[1] ?? 0)).toBeGreaterThan(2);
    expect(await database.knex('account').orderBy('id').pluck('balance')).toEqual([111, 111]);
  });

  it('gives up on a transaction that never succeeds, and never repeats one that failed for another reason', async () => {
    let [deadlocks, others] = [0, 0];

    const hopeless = database.transaction(async () => {
      deadlocks += 1;
      throw Object.assign(new Error('chosen as the victim'), { code: kind === 'mysql' ? 'ER_LOCK_DEADLOCK' : '40P01' });
    });
    await expect(hopeless).rejects.toThrow('chosen as the victim');
    const wrong = database.transaction(async (trx) => {
      others += 1;
      await move(1, 1_000, trx);
      await trx('account').insert({ id: 2, balance: 0 });
    });
    expect(await wrong.then(() => false, isUniqueViolation)).toBe(true);

    expect([deadlocks, others]).toEqual([5, 1]);
    expect(await database.knex('account').orderBy('id').pluck('balance')).toEqual([100, 100]);
  });

  it('sees inside a transaction what others commit meanwhile, and not what they have not committed', async () => {
    const seen: number[] = [];
    await database.transaction(async (reader) => {
      const look = async (): Promise<void> => {
        seen.push(...(await reader('account').where({ id: 1 }).pluck<number[]>('balance')));
      };
      await look();
      await database.transaction(async (writer) => {
        await move(1, 5, writer);
        await look();
      });
      await look();
    });

    expect(seen).toEqual([100, 100, 105]);
  });

  it('keeps instants in UTC to the millisecond, whatever zone the client lives in', async () => {
    const at = new Date('2024-07-01T12:34:56.789Z');
    await database.knex('account').where({ id: 1 }).update({ at });

    const [row] = rowsOf<{ text: string }>(
      await database.knex.raw(
        kind === 'mysql'
          ? "SELECT DATE_FORMAT(at, '%Y-%m-%d %H:%i:%s.%f') AS text FROM account WHERE id = 1"
          : "SELECT to_char(at, 'YYYY-MM-DD HH24:MI:SS.US') AS text FROM account WHERE id = 1",
      ),
    );

    expect(row?.text).toBe('2024-07-01 12:34:56.789000');
    expect(await database.knex('account').where({ id: 1 }).pluck('at')).toEqual([at]);
  });

  it('refuses a value that does not fit instead of bending it', async () => {
    const tooLong = database.knex('account').where({ id: 1 }).update({ note: 'abcdef' });
    const noNumber = database.knex('account').where({ id: 1 }).update({ balance: 'many' });

    await expect(tooLong).rejects.toThrow(/too long/i);
    await expect(noNumber).rejects.toThrow(/integer|bigint/i);
    expect(await database.knex('account').where({ id: 1 }).first('balance', 'note')).toEqual({
      balance: 100,
      note: null,
    });
  });

  it('gives 64-bit and decimal columns, counts and sums back as numbers', async () => {
    await database.knex('account').where({ id: 1 }).update({ balance: 9_007_199_254_740_991, share: 12.345 });

    const row: unknown = await database.knex('account').where({ id: 1 }).first('balance', 'share');
    const totals: unknown = await database.knex('account').first({
      rows: database.knex.raw('COUNT(*)'),
      largest: database.knex.raw('MAX(balance)'),
      share: database.knex.raw('SUM(share)'),
    });

    expect(row).toEqual({ balance: 9_007_199_254_740_991, share: 12.345 });
    expect(totals).toEqual({ rows: 2, largest: 9_007_199_254_740_991, share: 12.345 });
  });

  it('keeps emojis apart, and case', async () => {
    await database.knex('account').where({ id: 1 }).update({ note: '🎉a' });

    const found = await Promise.all(
      ['🎉a', '🎉A', '🎊a'].map((note) => database.knex('account').where({ note }).pluck<number[]>('id')),
    );

    expect(found).toEqual([[1], [], []]);
  });

  it('tells rows read, rows changed, documents and error codes alike on both families', async () => {
    const { knex } = database;
    const details = { list: [1, 'two'], nothing: null };
    await knex('account')
      .where({ id: 2 })
      .update({ details: JSON.stringify(details) });

    const changed: unknown = await knex.raw('UPDATE account SET balance = 7 WHERE id <= ?', [2]);
    const error: unknown = await knex('account')
      .insert({ id: 1 })
      .then(null, (reason: unknown) => reason);
    const [row] = rowsOf<{ details: unknown }>(await knex.raw('SELECT details FROM account WHERE id = 2'));

    expect(affectedRows(changed)).toBe(2);
    expect(fromJsonColumn(row?.details)).toEqual(details);
    expect(isUniqueViolation(error)).toBe(true);
    expect(databaseErrorCode(error)).toBe(kind === 'mysql' ? 'ER_DUP_ENTRY' : '23505');
    expect(databaseErrorCode(new Error('something else'))).toBeUndefined();
  });

  it('answers a ping, and times every query once; a duplicate is an answer', async () => {
    observed.length = 0;

    await database.ping();
    await database.knex.raw('SELECT * FROM nowhere').catch(() => undefined);
    await database
      .knex('account')
      .insert({ id: 1 })
      .catch(() => undefined);

    expect(observed.map(({ isFailed }) => isFailed)).toEqual([false, true, false]);
    for (const { seconds } of observed) expect(seconds).toBeGreaterThan(0);
  });

  it('gives up a connection on which nothing is heard, says that the database is away, and finds back by itself', async () => {
    const url = new URL(test.databaseUrl);
    const network = await startBadNetwork({ host: url.hostname, port: Number(url.port) });
    url.port = String(network.port);
    const far = connectDatabase(url.href, { poolMax: 1, silenceLimitMs: 300 });
    await far.ping();

    network.drop(true);
    const lost = await far
      .knex('account')
      .where({ id: 1 })
      .first<unknown>()
      .then(
        () => null,
        (error: unknown) => error,
      );
    network.drop(false);
    const found = await far.knex('account').where({ id: 1 }).first<{ balance: number }>('balance');
    await far.close();
    await network.close();

    expect(isDatabaseAway(lost)).toBe(true);
    expect(found).toEqual({ balance: 100 });
  });
});
