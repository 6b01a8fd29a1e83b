import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectDatabase, migrateUp, type Database } from '@omnizap/runtime';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { addPack } from '../test/builders.ts';
import { createSitemapReader } from './sitemap-reader.ts';

describe.each(testDatabaseKinds())('the sitemap on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl);
    await migrateUp(database);
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  it('has one empty part while there is nothing', async () => {
    const sitemap = createSitemapReader({ database }, { partSize: 3 });

    expect([await sitemap.partCount(), await sitemap.part(1), await sitemap.part(2)]).toEqual([1, [], []]);
  });

  it('names each listed pack once, in full parts, and nothing that is a draft, hidden or gone', async () => {
    const listed: string[] = [];
    for (let number = 0; number < 8; number += 1) {
      await addPack(database, [], { status: 'draft' });
      await addPack(database, [], { visibility: 'unlisted' });
      await addPack(database, [], { visibility: 'private' });
      const { id: goneId } = await addPack(database);
      await database.knex('sticker_pack').where({ id: goneId }).update({ deleted_at: new Date() });
      listed.push((await addPack(database)).packKey);
    }
    const sitemap = createSitemapReader({ database }, { partSize: 3, batchSize: 2 });

    const parts = await Promise.all([1, 2, 3, 4].map((number) => sitemap.part(number)));

    expect(await sitemap.partCount()).toBe(3);
    expect(parts.map((part) => part.length)).toEqual([3, 3, 2, 0]);
    expect(parts.flat().map(({ packKey }) => packKey)).toEqual(listed);
    expect(parts.flat().every(({ updatedAt }) => Math.abs(Date.now() - updatedAt.getTime()) < 600_000)).toBe(true);
  });
});
