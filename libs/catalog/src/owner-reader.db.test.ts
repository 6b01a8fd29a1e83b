import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testDatabaseKinds } from '@omnizap/testkit';
import { addPack, addSticker } from '../test/builders.ts';
import { openIntake, type Intake } from '../test/intake.ts';
import { createOwnerReader, type OwnedPage } from './owner-reader.ts';
import { createPackEdits } from './pack-edits.ts';
import { createPacks, type Actor } from './packs.ts';

const owner: Actor = { ownerId: 'owner', isAdmin: false };
const stranger: Actor = { ownerId: 'stranger', isAdmin: false };
const admin: Actor = { ownerId: 'admin', isAdmin: true };

describe.each(testDatabaseKinds())('what owners list on %s', (kind) => {
  let intake: Intake;

  beforeAll(async () => {
    intake = await openIntake(kind, 30);
  });
  afterAll(() => intake.close());

  const reader = () => createOwnerReader(intake);

  async function follow<T>(read: (cursor: string | undefined) => Promise<OwnedPage<T>>): Promise<T[][]> {
    const pages: T[][] = [];
    for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
      const page = await read(cursor);
      pages.push(page.entries);
      cursor = page.nextCursor ?? undefined;
    }
    return pages;
  }

  it('are their packs of any status, the newest change first, page by page, whatever shares an instant', async () => {
    const { database } = intake;
    const keys: string[] = [];
    for (const changes of [{}, { visibility: 'private' }, { status: 'draft' }, { isAutoPack: true }, {}] as const)
      keys.push((await addPack(database, [], changes)).packKey);
    await addPack(database, [], { ownerId: 'stranger' });
    const gone = await addPack(database, []);
    await createPacks(intake.deps).remove(owner, gone.packKey);
    await database
      .knex('sticker_pack')
      .where({ owner_id: 'owner' })
      .update({ updated_at: new Date('2026-01-01T00:00:00.123Z') });
    await createPackEdits(intake.deps).edit(owner, keys[1] ?? '', { name: 'Changed last' });

    const pages = await follow((cursor) => reader().packs(owner, 2, cursor));

    expect(pages.map((page) => page.length)).toEqual([2, 2, 1]);
    const seen = pages.flat().map((view) => view.pack.packKey);
    expect([seen[0], seen.toSorted()]).toEqual([keys[1], keys.toSorted()]);
    expect((await reader().packs(admin, 60, undefined)).entries).toEqual([]);
  });

  it('are their ready stickers that are in no pack; an administrator sees everybody’s', async () => {
    const { database } = intake;
    const orphans = [await addSticker(database), await addSticker(database), await addSticker(database)];
    const theirs = await addSticker(database, { ownerId: 'stranger' });
    await addSticker(database, { status: 'pending' });
    await addSticker(database, { status: 'rejected' });
    const [packed, left] = [await addSticker(database), await addSticker(database)];
    const { packKey } = await addPack(database, [packed]);
    await createPacks(intake.deps).remove(owner, (await addPack(database, [left])).packKey);

    const own = await follow((cursor) => reader().orphans(owner, 2, cursor));

    expect(own.flat().map((orphan) => orphan.stickerId)).toEqual([left, ...orphans.toReversed()]);
    expect((await reader().orphans(stranger, 60, undefined)).entries.map((one) => one.stickerId)).toEqual([theirs]);
    expect((await reader().orphans(admin, 60, undefined)).entries).toHaveLength(5);
    await createPackEdits(intake.deps).removeSticker(owner, packKey, packed);
    expect((await reader().orphans(owner, 2, undefined)).entries.map((one) => one.stickerId)).toEqual([left, packed]);
  });

  it('go on only from where the same list stopped', async () => {
    const { nextCursor } = await reader().packs(owner, 1, undefined);
    const packs = nextCursor ?? '';

    await expect(reader().orphans(owner, 1, packs)).rejects.toMatchObject({ code: 'invalid-cursor' });
    for (const cursor of ['x', packs.slice(0, -4), 'A'.repeat(300)])
      await expect(reader().packs(owner, 1, cursor)).rejects.toMatchObject({ code: 'invalid-cursor' });
  });
});
