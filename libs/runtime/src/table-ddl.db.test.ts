import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
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
