import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectDatabase, type Database } from '@omnizap/runtime';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { createSharedReads } from './shared-reads.ts';

describe.each(testDatabaseKinds())('shared reads on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let sent: string[] = [];

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl, { poolMax: 1 });
    await database.knex.schema.createTable('words', (table) => {
      table.integer('id').primary();
      table.string('word', 20);
    });
    await database.knex('words').insert({ id: 1, word: 'before' });
    database.knex.on('query', ({ sql }: { sql: string }) => sent.push(sql));
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  function createReader(table = 'words') {
    const share = createSharedReads();
    return (key = 'one'): Promise<{ word: string } | undefined> =>
      share(key, async (whenSent) => {
        const row: { word: string } | undefined = await database
          .knex(table)
          .where({ id: 1 })
          .modify(whenSent)
          .first('word');
        return row;
      });
  }
  const selects = (): number => sent.filter((sql) => sql.startsWith('select')).length;

  it('are one statement while it waits, and see what was changed before anybody asked', async () => {
    const read = createReader();
    const holder = await database.knex.transaction();
    sent = [];
    const early = [read(), read(), read('another')];
    await holder('words').where({ id: 1 }).update({ word: 'changed' });
    await holder.commit();
    // Whoever asks now comes after the change; the line has not moved yet.
    const late = read();

    expect(await Promise.all([...early, late])).toEqual(Array.from({ length: 4 }, () => ({ word: 'changed' })));
    expect(selects()).toBe(2);
  });

  it('are not shared once they were sent', async () => {
    const read = createReader();
    sent = [];
    const first = read();
    const second = new Promise<{ word: string } | undefined>((resolve, reject) => {
      database.knex.once('query', () => void read().then(resolve, reject));
    });

    expect(await first).toEqual(await second);
    expect(selects()).toBe(2);
  });

  it('fail for all who wait, and are asked anew afterwards', async () => {
    const read = createReader('nowhere');
    const results = await Promise.allSettled([read(), read()]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);

    sent = [];
    await expect(read()).rejects.toThrow(/nowhere/);
    expect(selects()).toBe(1);
  });
});
