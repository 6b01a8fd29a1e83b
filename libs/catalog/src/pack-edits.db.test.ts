import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { testDatabaseKinds } from '@omnizap/testkit';
import { v7 as uuidv7 } from 'uuid';
import { addPack, addSticker } from '../test/builders.ts';
import { log, openIntake, type Intake } from '../test/intake.ts';
import { createPackEdits, type PackEdits } from './pack-edits.ts';
import type { Actor } from './packs.ts';
import { readStickers } from './catalogue-store.ts';
import { createRebuildPack } from './rebuild-pack.ts';
import { createWorkStateStore } from './work-state-store.ts';

const owner: Actor = { ownerId: 'owner', isAdmin: false };
const stranger: Actor = { ownerId: 'stranger', isAdmin: false };
const admin: Actor = { ownerId: 'somebody', isAdmin: true };

describe.each(testDatabaseKinds())('what owners change, on %s', (kind) => {
  let intake: Intake;
  let edits: PackEdits;

  beforeAll(async () => {
    intake = await openIntake(kind, 30);
    edits = createPackEdits(intake.deps);
  });
  afterAll(() => intake.close());
  beforeEach(async () => void (await intake.takeEvents()));

  const versionOf = async (id: string): Promise<number> =>
    (await intake.database.knex('sticker_pack').where({ id }).first<{ version: number }>('version')).version;
  const shown = async (id: string): Promise<[string, number][]> =>
    (await readStickers(intake.database.knex, id)).map((sticker) => [sticker.stickerId, sticker.position]);
  const stickers = (count: number): Promise<string[]> =>
    Promise.all(Array.from({ length: count }, () => addSticker(intake.database)));

  async function coverAfterRebuild(packId: string): Promise<string | null> {
    const { database, deps } = intake;
    await createWorkStateStore(database).want([{ taskType: 'rebuild', subjectId: packId }]);
    await createRebuildPack(deps)(
      { id: 'task', taskType: 'rebuild', subjectId: packId, attempt: 1, requestId: undefined, eventId: undefined },
      { signal: new AbortController().signal, log, lookedAt: () => undefined },
    );
    const row = await database
      .knex('sticker_pack_score_snapshot')
      .where({ pack_id: packId })
      .first<{ cover_asset_id: string | null }>('cover_asset_id');
    return row.cover_asset_id;
  }

  describe('texts and visibility', () => {
    it('are written, announced and counted once, and not at all when they are as they were', async () => {
      const { id, packKey } = await addPack(intake.database, [], { tags: ['a'], description: 'Old' });

      const view = await edits.edit(owner, packKey, { description: 'New', tags: ['a'] }, { requestId: 'r1' });
      const again = await edits.edit(owner, packKey, { description: 'New', name: undefined });

      expect([view.pack.description, view.pack.version, again.pack.version]).toEqual(['New', 2, 2]);
      expect(await intake.takeEvents()).toEqual([
        { type: 'PACK_UPDATED', id, payload: { pack_id: id, action: 'edited', theme_keys: [] } },
      ]);
    });

    it('have the stickers described anew by new words, and those with a file written anew by what stands in it', async () => {
      const [ready = '', pending = '', rejected = ''] = [
        await addSticker(intake.database),
        await addSticker(intake.database, { status: 'pending' }),
        await addSticker(intake.database, { status: 'rejected' }),
      ];
      const { packKey } = await addPack(intake.database, [ready, pending, rejected]);
      const looks = async (): Promise<unknown[]> =>
        (await intake.takeEvents())
          .filter(({ type }) => type === 'STICKER_ASSET_UPDATED')
          .map(({ payload }) => [payload.asset_id, payload.in_file ?? false]);

      await edits.edit(owner, packKey, { tags: ['cats'] });
      expect(await looks()).toEqual([
        [ready, false],
        [pending, false],
      ]);
      await edits.edit(owner, packKey, { publisher: 'Somebody else' });
      expect(await looks()).toEqual([
        [ready, true],
        [pending, false],
      ]);
      await edits.edit(owner, packKey, { description: 'Nothing that a sticker says' });
      expect(await looks()).toEqual([]);
    });

    it('have the themes looked at when what is shown to everybody becomes more or less', async () => {
      const { id, packKey } = await addPack(intake.database, await stickers(2), { visibility: 'unlisted' });
      const themes = async (): Promise<unknown> =>
        (await intake.takeEvents()).find((event) => event.id === id)?.payload.theme_keys;

      await edits.edit(owner, packKey, { visibility: 'private' });
      expect(await themes()).toEqual([]);
      await edits.edit(owner, packKey, { visibility: 'public' });
      expect(await themes()).toEqual(['love']);
      await edits.edit(owner, packKey, { visibility: 'unlisted' });
      expect(await themes()).toEqual(['love']);
    });

    it('are their owner’s and an administrator’s to change, and curation’s nobody’s', async () => {
      const hidden = await addPack(intake.database, [], { visibility: 'private' });
      const open = await addPack(intake.database, []);
      const theme = await addPack(intake.database, [], { isAutoPack: true, themeKey: 'joy', themeVolume: 1 });
      const collector = await addPack(intake.database, [], { isAutoPack: true });

      const rename = (actor: Actor, packKey: string) => edits.edit(actor, packKey, { name: 'Renamed' });
      await expect(rename(stranger, hidden.packKey)).rejects.toMatchObject({ code: 'pack-not-found' });
      await expect(rename(stranger, open.packKey)).rejects.toMatchObject({ code: 'forbidden' });
      await expect(rename(admin, theme.packKey)).rejects.toMatchObject({ code: 'pack-not-editable' });
      for (const [actor, packKey] of [[admin, hidden.packKey] as const, [owner, collector.packKey] as const])
        expect((await rename(actor, packKey)).pack.name).toBe('Renamed');
    });

    it('are left alone when the pack is no longer the one that the caller saw', async () => {
      const { id, packKey } = await addPack(intake.database, []);

      await edits.edit(owner, packKey, { name: 'First' }, { expectedVersion: 1 });
      const late = edits.edit(owner, packKey, { name: 'Late' }, { expectedVersion: 1 });

      await expect(late).rejects.toMatchObject({ code: 'precondition-failed' });
      expect(await versionOf(id)).toBe(2);
    });
  });

  describe('the cover', () => {
    it('is the chosen one through every rebuild, until its sticker leaves the pack', async () => {
      const sure = await addSticker(intake.database, { classification: { confidence: 0.99 } });
      const chosen = await addSticker(intake.database, { classification: { confidence: 0.2 } });
      const { id, packKey } = await addPack(intake.database, [sure, chosen]);
      expect(await coverAfterRebuild(id)).toBe(sure);

      await edits.chooseCover(owner, packKey, chosen);
      await edits.chooseCover(owner, packKey, chosen);
      expect([await coverAfterRebuild(id), await versionOf(id)]).toEqual([chosen, 2]);

      await edits.removeSticker(owner, packKey, chosen);
      expect(await coverAfterRebuild(id)).toBe(sure);
      await intake.database
        .knex('sticker_pack_item')
        .insert({ pack_id: id, asset_id: chosen, position: 9, emojis: '[]', accessibility_label: null });
      // It came back as any other: the choice left with it.
      expect(await coverAfterRebuild(id)).toBe(sure);
    });

    it('cannot be a sticker that is not in the pack or can never be shown', async () => {
      const [elsewhere, rejected] = [
        await addSticker(intake.database),
        await addSticker(intake.database, { status: 'rejected' }),
      ];
      const { packKey } = await addPack(intake.database, [rejected]);

      for (const id of [elsewhere, rejected])
        await expect(edits.chooseCover(owner, packKey, id)).rejects.toMatchObject({
          code: 'validation-failed',
          fields: [{ pointer: '/sticker_id' }],
        });
    });
  });

  describe('the order', () => {
    it('is as the list says, time after time, by one UPDATE of the items each', async () => {
      const ids = await stickers(5);
      const { id, packKey } = await addPack(intake.database, ids);
      const updates: string[] = [];
      const count = ({ sql }: { sql: string }): void =>
        void (/^update .sticker_pack_item/i.test(sql) && updates.push(sql));
      intake.database.knex.on('query', count);

      for (let turn = 1; turn <= 4; turn += 1) {
        const wanted = turn % 2 === 1 ? ids.toReversed() : ids;
        await edits.reorder(owner, packKey, wanted);
        await edits.reorder(owner, packKey, wanted);
        expect(await shown(id)).toEqual(wanted.map((sticker, position) => [sticker, position]));
        expect([await versionOf(id), updates.length]).toEqual([1 + turn, turn]);
      }
      intake.database.knex.removeListener('query', count);
      const positions = await intake.database
        .knex('sticker_pack_item')
        .where({ pack_id: id })
        .pluck<number[]>('position');
      expect(Math.max(...positions)).toBeLessThan(3 * ids.length);
    });

    it('is refused unless each sticker of the pack is named once', async () => {
      const [a = '', b = '', c = ''] = await stickers(3);
      const { id, packKey } = await addPack(intake.database, [a, b]);

      await expect(edits.reorder(owner, packKey, [b, c])).rejects.toMatchObject({
        code: 'validation-failed',
        fields: [
          { pointer: '/sticker_ids/1', detail: `${c} is not in the pack` },
          { pointer: '/sticker_ids', detail: `${a} is missing` },
        ],
      });
      expect([await shown(id), await versionOf(id)]).toEqual([
        [
          [a, 0],
          [b, 1],
        ],
        1,
      ]);
    });
  });

  describe('a sticker', () => {
    it('gets other words, which are announced to whoever shows them', async () => {
      const [sticker = ''] = await stickers(1);
      const { id, packKey } = await addPack(intake.database, [sticker]);

      const { sticker: seen } = await edits.editSticker(owner, packKey, sticker, { accessibilityLabel: 'A heart' });
      await edits.editSticker(owner, packKey, sticker, { emojis: ['❤️'], accessibilityLabel: 'A heart' });

      expect([seen.emojis, seen.accessibilityLabel, seen.position]).toEqual([['❤️'], 'A heart', 0]);
      expect(await intake.takeEvents()).toEqual([
        { type: 'STICKER_ASSET_UPDATED', id: sticker, payload: { asset_id: sticker, in_file: true } },
        { type: 'PACK_UPDATED', id, payload: { pack_id: id, action: 'sticker_edited', theme_keys: ['love'] } },
      ]);
      await expect(edits.editSticker(owner, packKey, uuidv7(), { emojis: [] })).rejects.toMatchObject({
        code: 'sticker-not-found',
      });
    });

    it('leaves a pack, also a published one’s last, and the others keep their order', async () => {
      const ids = await stickers(3);
      const [a = '', b = '', c = ''] = ids;
      const { id, packKey } = await addPack(intake.database, ids);

      await edits.removeSticker(owner, packKey, b);
      expect(await shown(id)).toEqual([
        [a, 0],
        [c, 1],
      ]);
      expect(await intake.takeEvents()).toEqual([
        { type: 'PACK_UPDATED', id, payload: { pack_id: id, action: 'sticker_removed', theme_keys: ['love'] } },
      ]);
      await expect(edits.removeSticker(owner, packKey, b)).rejects.toMatchObject({ code: 'sticker-not-found' });
      await edits.removeSticker(owner, packKey, a);
      await edits.removeSticker(owner, packKey, c);

      expect(await shown(id)).toEqual([]);
      await coverAfterRebuild(id);
      const score = await intake.database
        .knex('sticker_pack_score_snapshot')
        .where({ pack_id: id })
        .first<{ is_listed: number }>('is_listed');
      expect(score.is_listed).toBe(0);
    });

    it('that another pack still shows is described anew by what is said there', async () => {
      const [sticker = ''] = await stickers(1);
      const { packKey } = await addPack(intake.database, [sticker]);
      await addPack(intake.database, [sticker]);

      await edits.removeSticker(owner, packKey, sticker);

      expect((await intake.takeEvents()).map(({ type, payload }) => [type, payload.in_file])).toEqual([
        ['STICKER_ASSET_UPDATED', true],
        ['PACK_UPDATED', undefined],
      ]);
    });
  });
});
