import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { testDatabaseKinds } from '@omnizap/testkit';
import { addPack, addSticker, digestOf } from '../test/builders.ts';
import { openIntake, type Intake } from '../test/intake.ts';
import { readStickers } from './catalogue-store.ts';
import { createPackClone, type PackClone } from './pack-clone.ts';
import { createPacks, type Actor, type NewPackInput } from './packs.ts';

const owner: Actor = { ownerId: 'owner', isAdmin: false };
const stranger: Actor = { ownerId: 'stranger', isAdmin: false };
const input: NewPackInput = { name: 'Mine', publisher: '', description: '', visibility: 'public', tags: [] };

describe.each(testDatabaseKinds())('cloning a pack on %s', (kind) => {
  let intake: Intake;
  let clones: PackClone;

  beforeAll(async () => {
    intake = await openIntake(kind, 4);
    clones = createPackClone(intake.deps, { maxPerOwner: 0 });
  });
  afterAll(() => intake.close());
  beforeEach(async () => void (await intake.takeEvents()));

  const assetsOf = (packId: string): Promise<{ owner_id: string; sha256: string; status: string; id: string }[]> =>
    intake.database
      .knex('sticker_pack_item as i')
      .join('sticker_asset as a', 'a.id', 'i.asset_id')
      .where({ 'i.pack_id': packId })
      .orderBy('i.position')
      .select('a.owner_id', 'a.sha256', 'a.status', 'a.id');

  it('makes a private draft of the caller’s with the same stickers, to be looked at with the caller’s words', async () => {
    const { database } = intake;
    const bytes = ['one', 'two', 'three'].map(digestOf);
    const ids: string[] = [];
    for (const sha256 of bytes) ids.push(await addSticker(database, { sha256 }));
    const source = await addPack(database, ids, { tags: ['cats'], description: 'Mine [auto-pack:collector]' });
    const known = await addSticker(database, { ownerId: 'stranger', sha256: bytes[1] ?? '' });

    const view = await clones.clone(stranger, source.packKey, { name: 'Theirs' });

    expect(view.pack).toMatchObject({
      ...{ ownerId: 'stranger', name: 'Theirs', publisher: 'Somebody', description: 'Mine', tags: ['cats'] },
      ...{ visibility: 'private', status: 'draft', isAutoPack: false },
    });
    const assets = await assetsOf(view.pack.id);
    expect(assets.map((asset) => [asset.owner_id, asset.sha256, asset.status])).toEqual([
      ['stranger', bytes[0], 'pending'],
      ['stranger', bytes[1], 'ready'],
      ['stranger', bytes[2], 'pending'],
    ]);
    expect(assets[1]?.id).toBe(known);
    expect((await readStickers(database.knex, view.pack.id)).map((sticker) => sticker.emojis)).toEqual(
      Array(3).fill(['❤️']),
    );
    const events = await intake.takeEvents();
    expect(events.map(({ type }) => type).toSorted()).toEqual([
      'PACK_UPDATED',
      'STICKER_ASSET_CREATED',
      'STICKER_ASSET_CREATED',
      'STICKER_ASSET_UPDATED',
    ]);
    // The source is as it was.
    expect((await assetsOf(source.id)).map((asset) => asset.id)).toEqual(ids);
  });

  it('leaves out what the caller could not see, what was rejected and what no longer fits', async () => {
    const { database } = intake;
    const ready: string[] = [];
    for (let count = 0; count < 5; count += 1) ready.push(await addSticker(database));
    const [pending, rejected] = [
      await addSticker(database, { status: 'pending' }),
      await addSticker(database, { status: 'rejected' }),
    ];
    const mixed = await addPack(database, [pending, rejected, ...ready.slice(0, 2)]);
    const large = await addPack(database, ready);

    const own = await clones.clone(owner, mixed.packKey, {});
    const foreign = await clones.clone(stranger, mixed.packKey, {});

    expect((await assetsOf(own.pack.id)).map((asset) => asset.id)).toEqual([pending, ...ready.slice(0, 2)]);
    expect(foreign.itemCount).toBe(2);
    expect((await clones.clone(owner, large.packKey, {})).itemCount).toBe(4);
    const nothing = await addPack(database, [pending, rejected]);
    await expect(clones.clone(stranger, nothing.packKey, {})).rejects.toMatchObject({ code: 'pack-empty' });
  });

  it('is possible for what the caller can see: automatic and unlisted packs too, private ones and drafts not', async () => {
    const { database } = intake;
    const sticker = await addSticker(database);
    const theme = await addPack(database, [sticker], {
      ...{ ownerId: 'omnizap:curation', isAutoPack: true, themeKey: 'love', themeVolume: 1 },
      ...{ description: '[auto-theme:love]' },
    });
    const unlisted = await addPack(database, [sticker], { visibility: 'unlisted' });

    const { pack } = await clones.clone(stranger, theme.packKey, {});
    expect([pack.description, pack.themeKey, pack.visibility]).toEqual(['', null, 'private']);
    expect((await clones.clone(stranger, unlisted.packKey, {})).pack.visibility).toBe('private');
    for (const hidden of [{ visibility: 'private' }, { status: 'draft' }] as const) {
      const { packKey } = await addPack(database, [sticker], hidden);
      await expect(clones.clone(stranger, packKey, {})).rejects.toMatchObject({ code: 'pack-not-found' });
      expect((await clones.clone(owner, packKey, {})).pack.visibility).toBe('private');
    }
  });

  it('counts against the owner’s limit like a new pack, however many are made at once', async () => {
    const { database } = intake;
    const source = await addPack(database, [await addSticker(database)]);
    const limit = { maxPerOwner: 3 };
    const [packs, limited] = [createPacks(intake.deps, limit), createPackClone(intake.deps, limit)];
    const busy: Actor = { ownerId: 'busy', isAdmin: false };

    const made = await Promise.allSettled([
      ...Array.from({ length: 6 }, () => packs.create(busy, input)),
      ...Array.from({ length: 6 }, () => limited.clone(busy, source.packKey, {})),
    ]);

    const refused = made.filter((result) => result.status === 'rejected');
    expect(refused.map(({ reason }) => (reason as { code: string }).code)).toEqual(Array(9).fill('pack-limit-reached'));
    const kept = await database.knex('sticker_pack').where({ owner_id: 'busy' }).pluck<string[]>('pack_key');
    expect(kept).toHaveLength(3);
    await packs.remove(busy, kept[0] ?? '');
    expect((await packs.create(busy, input)).pack.ownerId).toBe('busy');
    await expect(packs.create(busy, input)).rejects.toMatchObject({ code: 'pack-limit-reached' });
  });
});
