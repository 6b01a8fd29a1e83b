import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { connectDatabase, createLogger, migrateUp, rowsOf, type Database } from '@omnizap/runtime';
import { createDiskStore, type DiskStore, type PurgeCdn } from '@omnizap/storage';
import { createTestDatabase, testDatabaseKinds, waitFor, type TestDatabase } from '@omnizap/testkit';
import { addPack, addSticker, digestOf } from '../../test/builders.ts';
import { insertItems } from '../pack-store.ts';
import { contentsOfAsset } from './stored-object-store.ts';
import { createUnusedStickers } from './unused-stickers.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const graceDays = 30;
const daysAgo = (days: number): Date => new Date(Date.now() - days * 86_400_000);

describe.each(testDatabaseKinds())('stickers that no pack has any more, on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let root: string;
  let store: DiskStore;
  let told: Parameters<PurgeCdn>[0][];

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl, { poolMax: 4 });
    await migrateUp(database);
  });
  beforeEach(async () => {
    for (const table of ['sticker_pack_item', 'sticker_report', 'moderation_ban', 'moderation_case', 'work_state'])
      await database.knex(table).delete();
    for (const table of ['sticker_asset', 'sticker_pack', 'stored_object']) await database.knex(table).delete();
    root = await mkdtemp(join(tmpdir(), 'unused-stickers-'));
    store = createDiskStore(root);
    told = [];
  });
  afterEach(() => rm(root, { recursive: true, force: true }));
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  const open = (purge?: PurgeCdn) =>
    createUnusedStickers(
      {
        ...{ database, store, log, stickerObjects: null },
        purge: purge ?? ((what) => Promise.resolve(void told.push(what))),
      },
      { graceDays },
    );
  const pass = () => open().pass(new AbortController().signal);
  const row = (id: string) =>
    database.knex('sticker_asset').where({ id }).first<{ unused_since: Date | null } | undefined>('unused_since');
  const isThere = async (id: string): Promise<boolean> => (await row(id)) !== undefined;
  const remark = (id: string, days: number) =>
    database
      .knex('sticker_asset')
      .where({ id })
      .update({ unused_since: daysAgo(days) });
  async function isSomebodyWaiting(): Promise<boolean> {
    const rows: unknown[] = rowsOf(
      await database.knex.raw(
        kind === 'postgres'
          ? 'SELECT 1 FROM pg_locks WHERE NOT granted'
          : "SELECT 1 FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'",
      ),
    );
    return rows.length > 0;
  }
  const paths = async (id: string): Promise<string[]> =>
    (await contentsOfAsset(database.knex, id)).map(({ kind: blob, sha256 }) => store.path(blob, sha256));

  /** With its bytes on the disk, stored so many days ago, and unused for so long. */
  async function addUnused(days: number, changes: Parameters<typeof addSticker>[1] = {}): Promise<string> {
    const id = await addSticker(database, changes);
    for (const { kind: blob, sha256 } of await contentsOfAsset(database.knex, id)) {
      await store.put(blob, sha256, Buffer.from(sha256));
      await utimes(store.path(blob, sha256), daysAgo(days), daysAgo(days));
    }
    await remark(id, days);
    return id;
  }

  it('are marked, and no longer so once a pack has them again', async () => {
    const [used, alone, inDeleted] = [
      await addSticker(database),
      await addSticker(database),
      await addSticker(database),
    ];
    await addPack(database, [used]);
    const deleted = await addPack(database, [inDeleted, used]);
    await database
      .knex('sticker_pack')
      .where({ id: deleted.id })
      .update({ deleted_at: daysAgo(1) });

    await pass();

    expect((await row(used))?.unused_since).toBeNull();
    const since = (await row(alone))?.unused_since;
    expect(since?.getTime()).toBeGreaterThan(daysAgo(0.01).getTime());
    expect((await row(inDeleted))?.unused_since).not.toBeNull();

    await pass();
    expect((await row(alone))?.unused_since).toEqual(since);

    // At once, not when somebody looks: a sticker must not count as unused from before.
    const pack = await addPack(database, [alone]);
    expect((await row(alone))?.unused_since).toBeNull();
    await database.knex('sticker_pack_item').where({ pack_id: pack.id }).delete();
    await pass();
    expect((await row(alone))?.unused_since).not.toBeNull();
  });

  it('lose a mark that a pack of an older release left behind', async () => {
    const used = await addSticker(database);
    await addPack(database, [used]);
    await remark(used, 40);

    await pass();

    expect((await row(used))?.unused_since).toBeNull();
  });

  it('go after the grace period, with all that is known of them and their bytes', async () => {
    const [old, young] = [await addUnused(31), await addUnused(29)];
    const [ofOld, ofYoung] = [await paths(old), await paths(young)];
    const subject = { task_type: 'derivative', subject_id: old };
    await database.knex('work_state').insert([subject, { ...subject, task_type: 'storage' }]);

    await pass();

    expect([await isThere(old), await isThere(young)]).toEqual([false, true]);
    expect(ofOld.map((file) => existsSync(file))).toEqual([false, false, false]);
    expect(ofYoung.map((file) => existsSync(file))).toEqual([true, true, true]);
    for (const table of ['sticker_asset_derivative', 'sticker_asset_classification'])
      expect(await database.knex(table).where({ asset_id: old })).toEqual([]);
    expect(await database.knex('work_state').where({ subject_id: old })).toEqual([]);
  });

  it('leave the bytes that another sticker has, and those that were stored again a moment ago', async () => {
    const shared = await addUnused(31, { ownerId: 'one', sha256: digestOf('shared') });
    const other = await addSticker(database, { ownerId: 'two', sha256: digestOf('shared') });
    const again = await addUnused(31, { sha256: digestOf('again') });
    await store.put('original', digestOf('again'), Buffer.from(digestOf('again')));

    await pass();

    expect([await isThere(shared), await isThere(other), await isThere(again)]).toEqual([false, true, false]);
    expect(existsSync(store.path('original', digestOf('shared')))).toBe(true);
    expect(existsSync(store.path('original', digestOf('again')))).toBe(true);
  });

  it('stay while moderation may need them', async () => {
    const [takenDown, held, reported, banned, ofBan] = [
      await addUnused(90),
      await addUnused(90),
      await addUnused(90),
      await addUnused(90, { sha256: digestOf('banned') }),
      await addUnused(90),
    ];
    const { knex } = database;
    await knex('sticker_asset').where({ id: takenDown }).update({ moderation: 'taken_down' });
    await knex('sticker_asset').where({ id: held }).update({ moderation: 'held' });
    const { id: packId } = await addPack(database);
    const report = { pack_id: packId, subject_id: reported, asset_id: reported, reason: 'nsfw', state: 'open' };
    const hashes = { viewer_hash: digestOf('viewer'), address_hash: digestOf('address') };
    await knex('sticker_report').insert({ ...report, ...hashes, day_number: 1, day_slot: 0 });
    const ban = { id: uuidv7(), kind: 'sticker', sha256: digestOf('banned'), reason: 'no', made_by: 'admin' };
    await knex('moderation_ban').insert(ban);
    const known = { target_type: 'sticker', target_id: ofBan, state: 'rejected', ban_id: ban.id };
    await knex('moderation_case').insert(known);

    await pass();
    for (const id of [takenDown, held, reported, banned, ofBan]) expect(await isThere(id)).toBe(true);

    await knex('sticker_report').update({ state: 'dismissed' });
    await knex('moderation_ban').update({ revoked_at: new Date() });
    await pass();
    expect(await Promise.all([takenDown, held, reported, banned, ofBan].map(isThere))).toEqual([
      ...[true, true, false, false, true],
    ]);
  });

  it('are let go by packs that were deleted long ago, whose addresses CDNs are told to forget first', async () => {
    const [ofOld, ofYoung, ofTakenDown] = [await addUnused(40), await addUnused(40), await addUnused(40)];
    const packs = await Promise.all([ofOld, ofYoung, ofTakenDown].map((id) => addPack(database, [id])));
    for (const [index, days] of [31, 29, 31].entries())
      await database
        .knex('sticker_pack')
        .where({ id: packs[index]?.id })
        .update({ deleted_at: daysAgo(days), moderation: index === 2 ? 'taken_down' : 'approved' });
    for (const id of [ofOld, ofYoung, ofTakenDown]) await remark(id, 40);

    await expect(
      open(() => Promise.reject(new Error('the hook is away'))).pass(new AbortController().signal),
    ).rejects.toThrow('the hook is away');
    expect(await isThere(ofOld)).toBe(true);

    await pass();

    expect(await Promise.all([ofOld, ofYoung, ofTakenDown].map(isThere))).toEqual([false, true, true]);
    expect(told).toEqual([
      { urls: [], paths: [`/api/sticker-packs/${packs[0]?.packKey ?? ''}/stickers/${ofOld}.webp`] },
    ]);
  });

  it('stay when a pack takes them in at the moment when they would go', async () => {
    const id = await addUnused(31);
    const { id: packId } = await addPack(database);
    let passing: Promise<void> = Promise.resolve();
    await database.transaction(async (trx) => {
      await insertItems(trx, packId, [{ assetId: id, position: 0, emojis: [], accessibilityLabel: null }]);
      // It sees nothing of this transaction yet, and waits for it.
      passing = pass();
      // InnoDB tells news of its transactions only to who has not asked for a tenth of a second.
      await waitFor(isSomebodyWaiting, { intervalMs: 250 });
    });
    await passing;

    expect(await isThere(id)).toBe(true);
    for (const file of await paths(id)) expect(existsSync(file)).toBe(true);
  });
});
