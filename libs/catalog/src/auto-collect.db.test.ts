import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { testDatabaseKinds } from '@omnizap/testkit';
import { v7 as uuidv7 } from 'uuid';
import { addPack, addSticker } from '../test/builders.ts';
import { openIntake, type Intake } from '../test/intake.ts';
import { createAutoCollect, type AutoCollect, type AutoCollectOptions, type CollectedSticker } from './auto-collect.ts';
import { createOwnerTurns } from './owner-turns.ts';
import { createPackEdits } from './pack-edits.ts';
import { createPacks, type Actor } from './packs.ts';
import { createUploads } from './uploads.ts';

const maxItems = 3;
const options: AutoCollectOptions = { isEnabled: true, baseName: 'pack', maxPerOwner: 0 };

describe.each(testDatabaseKinds())('auto-collect on %s', (kind) => {
  let intake: Intake;
  let autoCollect: AutoCollect;
  /** A new one for each test. */
  let owner: Actor;
  let seed = 100;

  beforeAll(async () => {
    intake = await openIntake(kind, maxItems);
    autoCollect = createAutoCollect(intake.deps, options);
  });
  afterAll(() => intake.close());
  beforeEach(() => {
    owner = { ownerId: `owner-${uuidv7()}`, isAdmin: false };
  });

  const collect = async (number = (seed += 1), sender = ''): Promise<CollectedSticker> =>
    autoCollect.collect(owner, await intake.uploadOf(number), sender);
  const packRow = (packKey: string): Promise<Record<string, unknown>> =>
    intake.database.knex('sticker_pack').where({ pack_key: packKey }).first();
  const ownPack = (changes: Parameters<typeof addPack>[2] = {}, assets: string[] = []) =>
    addPack(intake.database, assets, { ownerId: owner.ownerId, ...changes });
  const full = async (): Promise<string[]> => {
    const ids: string[] = [];
    for (let count = 0; count < maxItems; count += 1)
      ids.push(await addSticker(intake.database, { ownerId: owner.ownerId }));
    return ids;
  };

  it('opens a pack for the first sticker, unlisted and published, named after the base and the sender', async () => {
    const first = await collect(undefined, 'Ana');

    expect(first).toMatchObject({ packName: 'pack1', isNew: true, status: 'pending' });
    expect(await packRow(first.packKey)).toMatchObject({
      ...{ name: 'pack1', publisher: 'Ana', visibility: 'unlisted', status: 'published', is_auto_pack: 1 },
      ...{ theme_key: null, owner_id: owner.ownerId, published_at: expect.any(Date) },
      description: 'Coleção automática de figurinhas criadas pelo usuário. [auto-pack:collector]',
    });
    const other: Actor = { ownerId: `owner-${uuidv7()}`, isAdmin: false };
    const nameless = await autoCollect.collect(other, await intake.uploadOf((seed += 1)), '');
    expect(await packRow(nameless.packKey)).toMatchObject({ name: 'pack1', publisher: 'OmniZap' });
  });

  it('rolls over to the next number when it is full, and comes back when there is room again', async () => {
    const collected: CollectedSticker[] = [];
    for (let count = 0; count < 2 * maxItems + 1; count += 1) collected.push(await collect());

    const names = collected.map(({ packName }) => packName);
    expect(names).toEqual(['pack1', 'pack1', 'pack1', 'pack2', 'pack2', 'pack2', 'pack3']);
    const [first] = collected;
    await createPackEdits(intake.deps).removeSticker(owner, first?.packKey ?? '', first?.stickerId ?? '');
    expect([(await collect()).packName, (await collect()).packName]).toEqual(['pack1', 'pack3']);
  });

  it('prefers the pack of the owner’s own that changed last and has room, drafts and private ones too', async () => {
    await collect();
    const older = await ownPack({ name: 'Older', visibility: 'private', status: 'draft' });
    const newer = await ownPack({ name: 'Newer' }, (await full()).slice(1));
    await intake.database
      .knex('sticker_pack')
      .where({ id: older.id })
      .update({ updated_at: new Date(Date.now() - 9e6) });

    expect([(await collect()).packName, (await collect()).packName]).toEqual(['Newer', 'Older']);
    expect(await packRow(older.packKey)).toMatchObject({ visibility: 'private', status: 'draft' });
    expect(await packRow(newer.packKey)).toMatchObject({ visibility: 'public' });
  });

  it.each([
    ['its marker', { name: 'Stuff', description: '[AUTO-PACK:COLLECTOR]' }],
    ['its text', { name: 'Stuff', description: 'COLEÇÃO automática de figurinhas criadas pelo usuário.' }],
    ['its name', { name: 'PACK7' }],
  ])('knows an older collector pack by %s, makes it unlisted and tells whom that concerns', async (_by, changes) => {
    const [sticker = ''] = await full();
    const { id, packKey } = await ownPack({ ...changes, visibility: 'public' }, [sticker]);
    await intake.takeEvents();

    expect((await collect()).packKey).toBe(packKey);

    expect(await packRow(packKey)).toMatchObject({ visibility: 'unlisted', version: 2 });
    const events = await intake.takeEvents();
    expect(events.filter((event) => event.id === id).map(({ payload }) => payload.theme_keys)).toEqual([['love']]);
    expect(events.filter((event) => event.id === sticker).map(({ payload }) => payload.in_file)).toEqual([true]);
  });

  it('counts on from the highest number that is in use', async () => {
    await ownPack({ name: 'Pack41' }, await full());

    expect((await collect()).packName).toBe('pack42');
  });

  it.each([
    ['a theme', { isAutoPack: true, themeKey: `love-${kind}`, themeVolume: 1 }],
    ['the marker of a theme', { isAutoPack: true, description: '[auto-theme:love]' }],
    ['the marker of a tag', { description: '[auto-tag:love]' }],
    ['the name of a theme', { name: '[AUTO] Love • Vol. 1' }],
  ])('never takes a pack with %s', async (_with, changes) => {
    const { packKey } = await ownPack(changes);

    const collected = await collect();

    expect([collected.packName, collected.packKey === packKey]).toEqual(['pack1', false]);
  });

  it('says of a duplicate which pack has it, also when that one was full long ago', async () => {
    const first = await collect(1);
    for (let count = 0; count < maxItems; count += 1) await collect();
    await intake.takeEvents();

    const again = await collect(1);

    expect(again).toEqual({ ...first, isNew: false });
    expect(await intake.takeEvents()).toEqual([]);
    // One that left its packs is no duplicate.
    await createPacks(intake.deps).remove(owner, first.packKey);
    expect(await collect(1)).toMatchObject({ stickerId: first.stickerId, packName: 'pack2', isNew: true });
  });

  it('does nothing when it is turned off, and opens no pack beyond the owner’s limit', async () => {
    const off = createAutoCollect(intake.deps, { ...options, isEnabled: false });
    const upload = await intake.uploadOf((seed += 1));
    await expect(off.collect(owner, upload, '')).rejects.toMatchObject({ code: 'auto-collect-disabled' });

    const limited = createAutoCollect(intake.deps, { ...options, maxPerOwner: 1 });
    for (let count = 0; count < maxItems; count += 1)
      await limited.collect(owner, await intake.uploadOf((seed += 1)), '');
    const beyond = limited.collect(owner, await intake.uploadOf((seed += 1)), '');
    await expect(beyond).rejects.toMatchObject({ code: 'pack-limit-reached' });
  });

  it('loses no sticker of sixty that come in at once in two processes, duplicates and uploads by hand among them', async () => {
    const { deps } = intake;
    // Turns of their own: as in another process, only the database keeps them apart.
    const other = createAutoCollect({ ...deps, turns: createOwnerTurns(deps.database) }, options);
    const uploads = createUploads(deps);
    const { packKey } = await ownPack({ name: 'By hand' });
    const seeds = Array.from({ length: 60 }, (_, index) => 1_000 + (index % 50));

    const results = await Promise.allSettled([
      ...seeds.map(async (number, index) =>
        (index % 2 === 0 ? autoCollect : other).collect(owner, await intake.uploadOf(number), ''),
      ),
      ...[2_001, 2_002].map(async (number) => uploads.addSticker(owner, packKey, await intake.uploadOf(number))),
    ]);

    const lost = results.slice(0, 60).filter((result) => result.status === 'rejected');
    expect(lost).toEqual([]);
    const collected = results.slice(0, 60).map((result) => (result as PromiseFulfilledResult<CollectedSticker>).value);
    expect(collected.filter(({ isNew }) => isNew)).toHaveLength(50);
    const packs: { name: string; items: number; positions: number }[] = await intake.database
      .knex('sticker_pack as p')
      .join('sticker_pack_item as i', 'i.pack_id', 'p.id')
      .where({ 'p.owner_id': owner.ownerId })
      .groupBy('p.name')
      .select('p.name')
      .count({ items: 'i.asset_id' })
      .countDistinct({ positions: 'i.position' });
    const byHand = results.slice(60).filter((result) => result.status === 'fulfilled').length;
    expect(packs.reduce((sum, pack) => sum + pack.items, 0)).toBe(50 + byHand);
    for (const pack of packs)
      expect([pack.name, pack.items <= maxItems, pack.positions]).toEqual([pack.name, true, pack.items]);
    // One pack by hand and as few others as can hold the rest, each number once.
    const rest = 50 - (maxItems - byHand);
    expect(packs.map((pack) => pack.name).toSorted()).toEqual(
      ['By hand', ...Array.from({ length: Math.ceil(rest / maxItems) }, (_, index) => `pack${index + 1}`)].toSorted(),
    );
  });
});
