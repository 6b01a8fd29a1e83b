import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { probeImage } from '@omnizap/imaging';
import { connectDatabase, createLogger, createWakeups, migrateUp, type Database } from '@omnizap/runtime';
import { createDiskStore, type DiskStore } from '@omnizap/storage';
import { createTestDatabase, drawPng, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addPack, addSticker, flags } from '../test/builders.ts';
import { createApiKeys } from './api-keys.ts';
import { createCatalogueReader } from './catalogue-reader.ts';
import { createPacks, type Actor, type NewPackInput, type Packs } from './packs.ts';
import { createUploads, type StickerUpload, type Uploads } from './uploads.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const owner: Actor = { ownerId: 'owner', isAdmin: false };
const stranger: Actor = { ownerId: 'stranger', isAdmin: false };
const admin: Actor = { ownerId: 'somebody', isAdmin: true };
const input: NewPackInput = { name: 'Mine', publisher: 'Me', description: '', visibility: 'public', tags: ['a'] };
const audit = { actor: 'test' };

describe.each(testDatabaseKinds())('packs and keys on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let store: DiskStore;
  let folder: string;
  let packs: Packs;
  let uploads: Uploads;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl);
    await migrateUp(database);
    folder = await mkdtemp(join(tmpdir(), 'packs-'));
    store = createDiskStore(folder);
    await store.prepare();
    const wakeups = createWakeups({ queueUrl: test.queueUrl, log });
    packs = createPacks({ database, flags, wakeups });
    uploads = createUploads({ database, flags, wakeups, store, maxItems: 3 });
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
    await rm(folder, { recursive: true, force: true });
  });

  const reader = () => createCatalogueReader({ database }, { ageDecayDays: 45 });

  async function uploadOf(seed: number): Promise<StickerUpload> {
    const bytes = drawPng(seed, 16);
    const temporaryPath = store.temporaryPath();
    await writeFile(temporaryPath, bytes);
    return {
      temporaryPath,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      probe: await probeImage(temporaryPath),
      emojis: ['🎉'],
      accessibilityLabel: null,
    };
  }

  const eventsOf = (aggregateId: string): Promise<string[]> =>
    database.knex('domain_event_outbox').where({ aggregate_id: aggregateId }).orderBy('id').pluck('event_type');

  const createDraft = async (): Promise<string> => (await packs.create(owner, input)).pack.packKey;

  it('are seen by nobody else before they are published, and by everybody afterwards', async () => {
    const packKey = await createDraft();
    await uploads.addSticker(owner, packKey, await uploadOf(1));

    for (const actor of [null, stranger])
      await expect(reader().readPack(packKey, actor)).rejects.toMatchObject({ code: 'pack-not-found' });
    expect((await reader().readPack(packKey, admin)).isOwn).toBe(true);
    await packs.publish(owner, packKey);
    await packs.publish(owner, packKey);

    const { view, stickers, isOwn } = await reader().readPack(packKey, null);
    expect([view.pack.status, isOwn, stickers]).toEqual(['published', false, []]);
    expect((await reader().readPack(packKey, owner)).stickers.map((sticker) => sticker.status)).toEqual(['pending']);
    expect(await eventsOf(view.pack.id)).toEqual(['PACK_UPDATED', 'PACK_UPDATED', 'PACK_UPDATED']);
  });

  it('cannot be published without a usable sticker', async () => {
    const empty = await createDraft();
    const { packKey } = await addPack(database, [await addSticker(database, { status: 'rejected' })], {
      status: 'draft',
    });

    for (const key of [empty, packKey])
      await expect(packs.publish(owner, key)).rejects.toMatchObject({ code: 'pack-empty' });
  });

  it('are changed by their owner or an administrator; others learn no more than they may see', async () => {
    const draft = await createDraft();
    const published = await addPack(database, [await addSticker(database)]);
    const automatic = await addPack(database, [], { isAutoPack: true, themeKey: 'love', themeVolume: 1 });

    await expect(packs.remove(stranger, draft)).rejects.toMatchObject({ code: 'pack-not-found' });
    await expect(packs.remove(stranger, published.packKey)).rejects.toMatchObject({ code: 'forbidden' });
    await expect(packs.remove(admin, automatic.packKey)).rejects.toMatchObject({ code: 'pack-not-editable' });
    await packs.remove(admin, draft);
    await expect(packs.remove(admin, draft)).rejects.toMatchObject({ code: 'pack-not-found' });
  });

  it('are left alone by who has seen another version, and of two who have seen the same one only the first gets his way', async () => {
    const { packKey } = await addPack(database, [await addSticker(database)], { status: 'draft' });
    const versionOf = async (): Promise<number> => (await reader().readPack(packKey, owner)).view.pack.version;
    const seen = await versionOf();

    const refused = { code: 'precondition-failed' };
    await expect(packs.publish(owner, packKey, undefined, seen + 1)).rejects.toMatchObject(refused);
    await expect(packs.remove(owner, packKey, undefined, seen - 1)).rejects.toMatchObject(refused);
    expect([await versionOf(), (await reader().readPack(packKey, owner)).view.pack.status]).toEqual([seen, 'draft']);
    const both = await Promise.allSettled([
      packs.publish(owner, packKey, undefined, seen),
      packs.publish(owner, packKey, undefined, seen),
    ]);

    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({ reason: refused });
    await packs.remove(owner, packKey, undefined, await versionOf());
    await expect(reader().readPack(packKey, owner)).rejects.toMatchObject({ code: 'pack-not-found' });
  });

  it('are answered as the change left them, not as somebody else has left them meanwhile', async () => {
    const { packKey } = await addPack(database, [await addSticker(database)], { status: 'draft' });
    const views = await Promise.all([packs.publish(owner, packKey), packs.publish(owner, packKey)]);
    await packs.remove(owner, packKey);

    expect(views.map((view) => [view.pack.packKey, view.pack.status, view.pack.deletedAt])).toEqual(
      Array(2).fill([packKey, 'published', null]),
    );
  });

  it('are gone for everybody once they are deleted', async () => {
    const sticker = await addSticker(database);
    const { id, packKey } = await addPack(database, [sticker]);
    expect((await reader().findFile(packKey, sticker, 'sticker', null)).isPublic).toBe(true);

    await packs.remove(owner, packKey);

    for (const actor of [null, stranger, owner, admin]) {
      await expect(reader().readPack(packKey, actor)).rejects.toMatchObject({ code: 'pack-not-found' });
      await expect(reader().findFile(packKey, sticker, 'sticker', actor)).rejects.toMatchObject({
        code: 'sticker-not-found',
      });
    }
    await expect(packs.publish(owner, packKey)).rejects.toMatchObject({ code: 'pack-not-found' });
    await expect(uploads.addSticker(owner, packKey, await uploadOf(2))).rejects.toMatchObject({
      code: 'pack-not-found',
    });
    // Its theme must be looked at: the sticker may have to leave the automatic packs.
    const [row] = await database
      .knex('domain_event_outbox')
      .where({ aggregate_id: id })
      .select<{ payload: unknown }[]>('payload');
    expect(JSON.stringify(row?.payload)).toMatch(/love/);
  });

  it('take the same bytes once, keep one copy for all packs of an owner, and are full at their limit', async () => {
    const [one, two] = [await createDraft(), await createDraft()];

    const [first, race] = await Promise.all([
      uploads.addSticker(owner, one, await uploadOf(10)),
      uploads.addSticker(owner, two, await uploadOf(10)),
    ]);
    const again = await uploads.addSticker(owner, one, await uploadOf(10));
    await uploads.addSticker(owner, one, await uploadOf(11));
    await uploads.addSticker(owner, one, await uploadOf(12));

    expect([first.isNew, race.isNew, again.isNew]).toEqual([true, true, false]);
    expect(new Set([first.stickerId, race.stickerId, again.stickerId]).size).toBe(1);
    expect(await eventsOf(first.stickerId)).toEqual(['STICKER_ASSET_CREATED', 'STICKER_ASSET_UPDATED']);
    await expect(uploads.addSticker(owner, one, await uploadOf(13))).rejects.toMatchObject({ code: 'pack-full' });
    expect((await uploads.addSticker(owner, one, await uploadOf(12))).isNew).toBe(false);
    expect(await store.read('original', first.sha256)).toEqual(drawPng(10, 16));
  });

  it('fill up to their limit and no further when uploads race', async () => {
    const packKey = await createDraft();
    const uploaded = await Promise.all(Array.from({ length: 8 }, (_, index) => uploadOf(20 + index)));

    const results = await Promise.allSettled(uploaded.map((upload) => uploads.addSticker(owner, packKey, upload)));

    const { view, stickers } = await reader().readPack(packKey, owner);
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(3);
    expect([view.itemCount, stickers.map((sticker) => sticker.position)]).toEqual([3, [0, 1, 2]]);
  });

  it('take the uploaded file over, also when they already had its bytes', async () => {
    const packKey = await createDraft();
    const [first, again] = [await uploadOf(30), await uploadOf(30)];

    await uploads.addSticker(owner, packKey, first);
    await uploads.addSticker(owner, packKey, again);

    const left = (await readdir(join(folder, 'tmp'))).map((name) => join(folder, 'tmp', name));
    expect(left).not.toContain(first.temporaryPath);
    expect(left).not.toContain(again.temporaryPath);
  });

  it('are opened by keys that work until they are revoked, and only whole', async () => {
    const apiKeys = createApiKeys({ database });
    const { keyId, key } = await apiKeys.create({ ownerId: 'holder', scopes: ['catalog:write'] }, audit);
    const other = await apiKeys.create({ ownerId: 'other', scopes: ['admin'] }, audit);
    const secret = key.slice(`oz_${keyId}_`.length);
    const wrong = [
      `oz_${keyId}_${other.key.slice(-43)}`,
      `oz_${keyId.replace(/./g, '0')}_${secret}`,
      `oz_${keyId}_${secret.slice(1)}`,
      `oz_${keyId}_${secret}=`,
      key.toUpperCase(),
      secret,
      '',
    ];

    expect(await apiKeys.authenticate(key)).toEqual({ keyId, ownerId: 'holder', scopes: ['catalog:write'] });
    for (const token of wrong) expect(await apiKeys.authenticate(token)).toBeNull();
    const stored = JSON.stringify([await database.knex('api_key'), await database.knex('admin_action_audit')]);
    expect(stored).not.toContain(secret);

    await apiKeys.revoke(keyId, audit);

    expect(await apiKeys.authenticate(key)).toBeNull();
    expect(await apiKeys.authenticate(other.key)).toMatchObject({ ownerId: 'other' });
    await expect(apiKeys.revoke(keyId, audit)).rejects.toMatchObject({ code: 'not-found' });
    expect(await database.knex('admin_action_audit').where({ target_id: keyId }).orderBy('id').pluck('action')).toEqual(
      ['api-key.create', 'api-key.revoke'],
    );
  });
});
