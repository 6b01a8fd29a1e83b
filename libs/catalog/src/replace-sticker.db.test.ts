import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { testDatabaseKinds } from '@omnizap/testkit';
import { addPack, addSticker } from '../test/builders.ts';
import { openIntake, type Intake } from '../test/intake.ts';
import { readStickers } from './catalogue-store.ts';
import { createPackEdits } from './pack-edits.ts';
import type { Actor } from './packs.ts';
import { createReplaceSticker, type ReplaceSticker } from './replace-sticker.ts';

const owner: Actor = { ownerId: 'owner', isAdmin: false };
const stranger: Actor = { ownerId: 'stranger', isAdmin: false };
const unsaid = { emojis: null, accessibilityLabel: null };

describe.each(testDatabaseKinds())('replacing a sticker on %s', (kind) => {
  let intake: Intake;
  let replaceSticker: ReplaceSticker;

  beforeAll(async () => {
    intake = await openIntake(kind, 3);
    replaceSticker = createReplaceSticker(intake.deps);
  });
  afterAll(() => intake.close());
  beforeEach(async () => void (await intake.takeEvents()));

  const seen = async (packId: string): Promise<unknown[]> =>
    (await readStickers(intake.database.knex, packId)).map(({ stickerId, emojis, accessibilityLabel }) => [
      stickerId,
      emojis,
      accessibilityLabel,
    ]);

  it('keeps the place, its words and the choice of cover, in a full pack too', async () => {
    const { database } = intake;
    const [a, b, c] = [await addSticker(database), await addSticker(database), await addSticker(database)];
    const { id, packKey } = await addPack(database, [a, b, c]);
    const edits = createPackEdits(intake.deps);
    await edits.editSticker(owner, packKey, b, { accessibilityLabel: 'Second' });
    await edits.chooseCover(owner, packKey, b);
    await intake.takeEvents();
    const upload = await intake.uploadOf(1);

    const added = await replaceSticker.replace(owner, packKey, b, { ...upload, ...unsaid });

    expect(added).toMatchObject({ sha256: upload.sha256, status: 'pending', isNew: true });
    expect(await seen(id)).toEqual([
      [a, ['❤️'], null],
      [added.stickerId, ['❤️'], 'Second'],
      [c, ['❤️'], null],
    ]);
    const row = await database.knex('sticker_pack').where({ id }).first<object>();
    expect(row).toMatchObject({ chosen_cover_asset_id: added.stickerId, version: 4 });
    expect(await intake.takeEvents()).toEqual([
      { type: 'STICKER_ASSET_CREATED', id: added.stickerId, payload: { asset_id: added.stickerId } },
      { type: 'PACK_UPDATED', id, payload: { pack_id: id, action: 'sticker_replaced', theme_keys: ['love'] } },
    ]);
    expect((await intake.store.read('original', upload.sha256)).length).toBeGreaterThan(0);
  });

  it('takes new words with the new bytes, and with the same bytes changes the words alone', async () => {
    const { id, packKey } = await addPack(intake.database, [await addSticker(intake.database)]);
    const [[old] = []] = (await seen(id)) as string[][];
    const words = { emojis: ['🎉'], accessibilityLabel: 'New' };
    const { stickerId } = await replaceSticker.replace(owner, packKey, old ?? '', {
      ...(await intake.uploadOf(2)),
      ...words,
    });
    await intake.takeEvents();

    const same = await replaceSticker.replace(owner, packKey, stickerId, { ...(await intake.uploadOf(2)), ...unsaid });
    expect([same.stickerId, same.isNew, await intake.takeEvents()]).toEqual([stickerId, false, []]);
    await replaceSticker.replace(owner, packKey, stickerId, {
      ...(await intake.uploadOf(2)),
      ...unsaid,
      emojis: ['🦊'],
    });

    expect(await seen(id)).toEqual([[stickerId, ['🦊'], 'New']]);
    expect((await intake.takeEvents()).map(({ type }) => type)).toEqual(['STICKER_ASSET_UPDATED', 'PACK_UPDATED']);
  });

  it('uses what the owner already has of these bytes, unless the pack shows it in another place', async () => {
    const { database } = intake;
    const upload = await intake.uploadOf(3);
    const known = await addSticker(database, { sha256: upload.sha256 });
    const [a, b] = [await addSticker(database), await addSticker(database)];
    const { packKey } = await addPack(database, [a, b]);

    const added = await replaceSticker.replace(owner, packKey, a, { ...upload, ...unsaid });
    expect(added).toMatchObject({ stickerId: known, status: 'ready', isNew: true });
    const again = replaceSticker.replace(owner, packKey, b, { ...(await intake.uploadOf(3)), ...unsaid });
    await expect(again).rejects.toMatchObject({ code: 'sticker-duplicate', details: { sticker_id: known } });
  });

  it('refuses strangers and stickers that are not there before anything is received', async () => {
    const { packKey } = await addPack(intake.database, [], { visibility: 'private' });
    const elsewhere = await addSticker(intake.database);

    await expect(replaceSticker.check(stranger, packKey, elsewhere)).rejects.toMatchObject({ code: 'pack-not-found' });
    await expect(replaceSticker.check(owner, packKey, elsewhere)).rejects.toMatchObject({ code: 'sticker-not-found' });
  });
});
