import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { testDatabaseKinds } from '@omnizap/testkit';
import { daysAgo, openBucket, sha256Of, type Bucket } from '../../test/bucket.ts';
import { backfillObjects } from './backfill-objects.ts';
import type { Content } from './stored-object-store.ts';
import { verifyStorage } from './verify-storage.ts';

describe.each(testDatabaseKinds())('comparing catalogue, bucket and disk, on %s', (kind) => {
  let bucket: Bucket;
  let stickers: { id: string; contents: Content[] }[];

  beforeAll(async () => {
    bucket = await openBucket(kind);
  }, 60_000);
  beforeEach(async () => {
    await bucket.clear();
    stickers = [];
    for (let number = 0; number < 4; number += 1) stickers.push(await bucket.addStored());
    await backfillObjects(bucket, { ratePerSecond: 10_000, concurrency: 8 });
    await bucket.database.knex('stored_object').update({ object_verified_at: daysAgo(1) });
  });
  afterAll(() => bucket.close());

  async function verify(isDeep = false, askFor: ((ids: string[]) => Promise<void>) | null = null) {
    const { findings, compared, askedFor } = await verifyStorage(bucket, { isDeep, askFor });
    const found = findings.filter(({ count }) => count > 0).map(({ kind: what, first }) => [what, first]);
    return { compared, askedFor, found: Object.fromEntries(found) as Record<string, string[]> };
  }
  /** One of the contents of one of the stickers. */
  function content(sticker: number, place: number): Content {
    const found = stickers[sticker]?.contents[place];
    if (!found) throw new Error('there is no such content');
    return found;
  }
  const remove = (what: Content) => bucket.objects.remove(bucket.keyOf(what));
  const file = (what: Content): string => bucket.store.path(what.kind, what.sha256);

  it('finds nothing where everything is as it should be', async () => {
    for (const isDeep of [false, true]) expect(await verify(isDeep)).toEqual({ compared: 12, askedFor: 0, found: {} });
  });

  it('finds each way in which they can differ', async () => {
    const [missing, shorter, other, damaged, lost, elsewhere, forgotten, removing] = [
      content(0, 0),
      content(0, 1),
      content(0, 2),
      content(1, 0),
      content(1, 1),
      content(1, 2),
      content(2, 0),
      content(2, 1),
    ] as const;
    const { knex } = bucket.database;
    await remove(missing);
    await bucket.objects.put(shorter.kind, shorter.sha256, randomBytes(shorter.sizeBytes - 1));
    await bucket.objects.put(other.kind, other.sha256, randomBytes(other.sizeBytes));
    await writeFile(file(damaged), randomBytes(damaged.sizeBytes - 1));
    await rm(file(lost));
    await remove(lost);
    await knex('stored_object').where({ sha256: lost.sha256 }).delete();
    await rm(file(elsewhere));
    await knex('stored_object').where({ sha256: forgotten.sha256 }).delete();
    await knex('stored_object')
      .where({ sha256: removing.sha256 })
      .update({ removing_since: daysAgo(1) });
    await knex('sticker_asset').where({ id: stickers[3]?.id }).update({ moderation: 'taken_down' });
    const unneeded = randomBytes(100);
    await bucket.objects.put('preview', sha256Of(unneeded), unneeded);
    const unneededFile = await bucket.putOnDisk('sticker', 100, daysAgo(1));

    const { found, compared } = await verify();

    expect(compared).toBe(14);
    expect(found).toEqual({
      missing_objects: [bucket.keyOf(missing)],
      wrong_objects: [shorter, other].map(bucket.keyOf).toSorted(),
      not_uploaded: [forgotten, lost].map(bucket.keyOf).toSorted(),
      forbidden_objects: (stickers[3]?.contents ?? []).map(bucket.keyOf).toSorted(),
      stuck_removals: [bucket.keyOf(removing)],
      missing_files: [bucket.keyOf(lost)],
      wrong_files: [bucket.keyOf(damaged)],
      files_elsewhere: [bucket.keyOf(elsewhere)],
      unneeded_objects: [bucket.objects.key('preview', sha256Of(unneeded))],
      unneeded_files: [bucket.keyOf(unneededFile)],
    });
  });

  it('reads everything when it looks deep, and finds bytes of the same size that are wrong', async () => {
    const [wrongFile, wrongObject] = [content(0, 0), content(1, 1)];
    await writeFile(file(wrongFile), randomBytes(wrongFile.sizeBytes));
    await bucket.objects.put(wrongObject.kind, wrongObject.sha256, randomBytes(wrongObject.sizeBytes));
    // Nothing to compare the ETag with: only reading tells.
    await rm(file(wrongObject));

    expect((await verify()).found).toEqual({
      wrong_files: [bucket.keyOf(wrongFile)],
      files_elsewhere: [bucket.keyOf(wrongObject)],
    });
    expect((await verify(true)).found).toEqual({
      wrong_files: [bucket.keyOf(wrongFile)],
      wrong_objects: [bucket.keyOf(wrongObject)],
      files_elsewhere: [bucket.keyOf(wrongObject)],
    });
  });

  it('has what is wrong in the bucket worked again, and trusts it no more until then', async () => {
    const [missing, other] = [content(0, 0), content(2, 2)];
    await remove(missing);
    await bucket.objects.put(other.kind, other.sha256, randomBytes(other.sizeBytes));
    const asked: string[] = [];

    const { askedFor } = await verify(false, (ids) => Promise.resolve(void asked.push(...ids)));

    expect(askedFor).toBe(2);
    expect(asked.toSorted()).toEqual([stickers[0]?.id, stickers[2]?.id].map(String).toSorted());
    const unverified = await bucket.database
      .knex('stored_object')
      .whereNull('object_verified_at')
      .pluck<string[]>('sha256');
    expect(unverified.toSorted()).toEqual([missing.sha256, other.sha256].toSorted());
    expect(await bucket.keys()).toHaveLength(11);
  });
});
