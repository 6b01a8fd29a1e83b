import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { connectDatabase, migrateUp, type Database } from '@omnizap/runtime';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { addPack, addSticker, digestOf } from '../../test/builders.ts';
import {
  contentsToBringIn,
  countContentsToBringIn,
  countUsedContents,
  usedContentsAfter,
  wantedAssetsAfter,
} from './stored-content-store.ts';
import { claimObject, contentsOfAsset, markRemoving, markVerified } from './stored-object-store.ts';

describe.each(testDatabaseKinds())('walking what the catalogue has bytes of, on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl, { poolMax: 4 });
    await migrateUp(database);
  });
  beforeEach(async () => {
    for (const table of ['sticker_pack_item', 'sticker_asset', 'stored_object', 'sticker_pack'])
      await database.knex(table).delete();
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  const takeDown = (table: 'sticker_asset' | 'sticker_pack', id: string) =>
    database.knex(table).where({ id }).update({ moderation: 'taken_down' });

  it('finds the stickers that may be seen, by id and in batches', async () => {
    const { knex } = database;
    const [inPack, , pending, takenDown, inTakenDownPack, inBoth, inDeletedPack] = [
      await addSticker(database),
      await addSticker(database),
      await addSticker(database, { status: 'pending' }),
      await addSticker(database),
      await addSticker(database),
      await addSticker(database),
      await addSticker(database),
    ] as const;
    await addPack(database, [inPack, inBoth, pending, takenDown]);
    await takeDown('sticker_asset', takenDown);
    await takeDown('sticker_pack', (await addPack(database, [inTakenDownPack, inBoth])).id);
    const { id } = await addPack(database, [inDeletedPack]);
    await knex('sticker_pack').where({ id }).update({ deleted_at: new Date() });

    const first = await wantedAssetsAfter(knex, null, 3);
    const second = await wantedAssetsAfter(knex, first.at(-1) ?? null, 3);

    expect([...first, ...second]).toEqual([inPack, inBoth].toSorted());
  });

  it('leaves out what the bucket is known to have, and names the bytes of several stickers once', async () => {
    const { knex } = database;
    const ids = [
      await addSticker(database, { ownerId: 'one', sha256: digestOf('same') }),
      await addSticker(database, { ownerId: 'two', sha256: digestOf('same') }),
    ];
    await addPack(database, ids);
    const [own, ...made] = await contentsOfAsset(knex, ids[0] as string);
    if (!own) throw new Error('the sticker has no bytes');
    for (const content of [own, ...made]) await claimObject(knex, content);

    expect(await contentsToBringIn(knex, ids)).toHaveLength(5);
    expect(await countContentsToBringIn(knex)).toBe(5);

    await markVerified(knex, kind, own);
    expect(await contentsToBringIn(knex, ids)).toHaveLength(4);
    expect(await countContentsToBringIn(knex)).toBe(4);

    await markRemoving(knex, kind, own);
    expect(await countContentsToBringIn(knex)).toBe(5);
  });

  it('lists every content in the order of its hash, with whether it may be seen', async () => {
    const { knex } = database;
    const [hidden, one, two, seen] = [
      await addSticker(database, { sha256: digestOf('hidden') }),
      await addSticker(database, { ownerId: 'one', sha256: digestOf('both') }),
      await addSticker(database, { ownerId: 'two', sha256: digestOf('both') }),
      await addSticker(database, { sha256: digestOf('seen') }),
    ] as const;
    await addPack(database, [hidden, one, two, seen]);
    await takeDown('sticker_asset', hidden);
    await takeDown('sticker_asset', two);

    const first = await usedContentsAfter(knex, 'original', '', 2);
    const rest = await usedContentsAfter(knex, 'original', first.at(-1)?.sha256 ?? '', 2);

    expect([...first, ...rest].map(({ sha256, isWanted }) => [sha256, isWanted])).toEqual(
      [
        [digestOf('hidden'), false],
        [digestOf('both'), true],
        [digestOf('seen'), true],
      ].toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
    );
    expect(await usedContentsAfter(knex, 'preview', '', 10)).toHaveLength(4);
    expect(await countUsedContents(knex)).toBe(3 + 4 + 4);
  });
});
