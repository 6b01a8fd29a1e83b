import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, testDatabaseKinds, waitFor, type TestDatabase } from '@omnizap/testkit';
import { connectDatabase, rowsOf, type Database } from './database.ts';
import { addColumns, addIndexes, createTables, dropColumns, dropIndexes, type Column } from './table-ddl.ts';

const added: Record<string, Column> = {
  noticed_at: { type: 'instant', nullable: true },
  weight: { type: 'smallint', default: 7 },
};

describe.each(testDatabaseKinds())('columns added to a table on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl);
  });
  beforeEach(async () => {
    await database.knex.raw('DROP TABLE IF EXISTS thing');
    await createTables(database.knex, [{ name: 'thing', columns: { id: { type: 'integer' } }, primaryKey: ['id'] }]);
    await database.knex('thing').insert({ id: 1 });
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  const columns = async (): Promise<string[]> => Object.keys(await database.knex('thing').columnInfo());

  it('are there for the rows before and for writers that do not know them', async () => {
    await addColumns(database.knex, 'thing', added);
    await database.knex('thing').insert({ id: 2 });

    expect(await database.knex('thing').orderBy('id')).toEqual([
      { id: 1, noticed_at: null, weight: 7 },
      { id: 2, noticed_at: null, weight: 7 },
    ]);
  });

  it('are completed by a second run after the first was killed between two of them', async () => {
    const [[first, column]] = Object.entries(added) as [[string, Column]];
    await addColumns(database.knex, 'thing', { [first]: column });

    await addColumns(database.knex, 'thing', added);
    await addColumns(database.knex, 'thing', added);

    expect(await columns()).toEqual(['id', 'noticed_at', 'weight']);
  });

  it('go again, as often as asked', async () => {
    await addColumns(database.knex, 'thing', added);

    await dropColumns(database.knex, 'thing', ['weight']);
    await dropColumns(database.knex, 'thing', Object.keys(added));
    await dropColumns(database.knex, 'thing', Object.keys(added));
    await dropColumns(database.knex, 'no_such_table', ['weight']);

    expect(await columns()).toEqual(['id']);
  });

  /** A transaction that has read the table and goes on. */
  async function readSlowly() {
    const reader = await database.knex.transaction();
    await reader('thing').select('id');
    return reader;
  }
  const isWaiting = async (): Promise<true | null> => {
    const result: unknown = await database.knex.raw(
      kind === 'mysql'
        ? "SELECT 1 FROM information_schema.processlist WHERE state = 'Waiting for table metadata lock' AND info LIKE 'ALTER TABLE thing %'"
        : "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'ALTER TABLE thing %'",
    );
    return rowsOf(result).length > 0 ? true : null;
  };

  it.each(['by themselves', 'in a transaction'])(
    'come %s as soon as a long reader is done, and let writers pass until then',
    async (how) => {
      const reader = await readSlowly();
      const adding =
        how === 'by themselves'
          ? addColumns(database.knex, 'thing', added)
          : database.knex.transaction((trx) => addColumns(trx, 'thing', added));
      await waitFor(isWaiting, { timeoutMs: 10_000, intervalMs: 10 });
      // It stands behind the change that waits, until that gives way to it; the reader stays.
      await database.knex('thing').insert({ id: 2 });

      expect(await columns()).toEqual(['id']);
      await reader.commit();
      await adding;
      expect(await columns()).toEqual(['id', 'noticed_at', 'weight']);
    },
    30_000,
  );

  it('are given up with a reason when somebody holds on to the table, and nothing is left of it', async () => {
    const reader = await readSlowly();

    await expect(addColumns(database.knex, 'thing', added, { lockAttempts: 1 })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('Table thing could not be changed') as unknown,
    });
    await reader.commit();
    expect(await columns()).toEqual(['id']);
  });

  it('leave the connection with the patience that it had', async () => {
    await database.knex.transaction(async (trx) => {
      const show = kind === 'mysql' ? "SHOW VARIABLES LIKE 'lock_wait_timeout'" : 'SHOW lock_timeout';
      const before: unknown = rowsOf(await trx.raw(show));
      await addColumns(trx, 'thing', added);

      expect(rowsOf(await trx.raw(show))).toEqual(before);
    });
  });

  it('can be given an index, and lose it, as often as asked', async () => {
    await addColumns(database.knex, 'thing', added);
    const index = { name: 'thing_weight_idx', columns: ['weight', 'id'] };
    const indexed = async (): Promise<string[]> => {
      const result: unknown = await database.knex.raw(
        kind === 'mysql'
          ? "SELECT column_name AS name FROM information_schema.statistics WHERE table_schema = DATABASE() AND index_name = 'thing_weight_idx' ORDER BY seq_in_index"
          : "SELECT attname AS name FROM pg_attribute WHERE attrelid = to_regclass('thing_weight_idx') ORDER BY attnum",
      );
      return rowsOf<{ name: string }>(result).map(({ name }) => name);
    };

    await addIndexes(database.knex, 'thing', [index]);
    await addIndexes(database.knex, 'thing', [index]);
    expect(await indexed()).toEqual(['weight', 'id']);
    await dropIndexes(database.knex, 'thing', [index.name]);
    await dropIndexes(database.knex, 'thing', [index.name]);
    await dropIndexes(database.knex, 'no_such_table', [index.name]);
    expect(await indexed()).toEqual([]);
  });
});
