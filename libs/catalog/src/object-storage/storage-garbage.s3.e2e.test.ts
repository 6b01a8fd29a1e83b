import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createLogger } from '@omnizap/runtime';
import type { PurgeCdn } from '@omnizap/storage';
import { testDatabaseKinds } from '@omnizap/testkit';
import { daysAgo, openBucket, sha256Of, type Bucket } from '../../test/bucket.ts';
import { backfillObjects } from './backfill-objects.ts';
import { collectGarbage } from './storage-garbage.ts';
import type { Content } from './stored-object-store.ts';
import { createUnusedStickers } from './unused-stickers.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });

describe.each(testDatabaseKinds())('removing what nothing needs, on %s', (kind) => {
  let bucket: Bucket;
  let kept: Content[];
  let told: Parameters<PurgeCdn>[0][];

  beforeAll(async () => {
    bucket = await openBucket(kind);
  }, 60_000);
  beforeEach(async () => {
    await bucket.clear();
    told = [];
    kept = (await bucket.addStored()).contents;
    await backfillObjects(bucket, { ratePerSecond: 10_000, concurrency: 8 });
  });
  afterAll(() => bucket.close());

  const purge: PurgeCdn = (what) => Promise.resolve(void told.push(what));
  const collect = (options: { graceDays: number; isRemoving: boolean }) =>
    collectGarbage({ ...bucket, bucket, purge }, options);
  const keptKeys = (): string[] => kept.map(bucket.keyOf).toSorted();
  const rowsOfObjects = async (): Promise<string[]> =>
    (await bucket.database.knex('stored_object').orderBy(['kind', 'sha256']).select('kind', 'sha256')).map(
      bucket.keyOf,
    );

  async function putUnneeded(): Promise<string> {
    const bytes = randomBytes(1_000);
    await bucket.objects.put('sticker', sha256Of(bytes), bytes);
    return bucket.objects.key('sticker', sha256Of(bytes));
  }

  it('lists it, and removes nothing unless it is told to', async () => {
    const object = await putUnneeded();
    const file = await bucket.putOnDisk('original', 2_000, daysAgo(2));

    const listed = await collect({ graceDays: 0, isRemoving: false });

    expect(listed.objects).toEqual({ count: 1, bytes: 1_000, removed: 0, first: [object] });
    const path = bucket.store.path('original', file.sha256);
    expect(listed.files).toEqual({ count: 1, bytes: 2_000, removed: 0, first: [path] });
    expect(await bucket.keys()).toEqual([...keptKeys(), object].toSorted());
    expect(existsSync(path)).toBe(true);

    const removed = await collect({ graceDays: 0, isRemoving: true });

    expect([removed.objects.removed, removed.files.removed, removed.failed]).toEqual([1, 1, 0]);
    expect(await bucket.keys()).toEqual(keptKeys());
    expect(existsSync(path)).toBe(false);
    expect(kept.map((content) => existsSync(bucket.store.path(content.kind, content.sha256)))).toEqual([
      ...[true, true, true],
    ]);
    expect(await rowsOfObjects()).toEqual(keptKeys());
    expect(told).toEqual([{ urls: [`https://cdn.example/${object}`], paths: [] }]);
  });

  it('leaves what is younger than the grace period', async () => {
    await putUnneeded();
    const file = await bucket.putOnDisk('original', 2_000, daysAgo(29));

    const result = await collect({ graceDays: 30, isRemoving: true });

    expect([result.younger, result.objects.count, result.files.count]).toEqual([2, 0, 0]);
    expect(await bucket.keys()).toHaveLength(4);
    expect(existsSync(bucket.store.path('original', file.sha256))).toBe(true);
  });

  it('ends removals that were cut short, and leaves keys that are not ours', async () => {
    const { server, database } = bucket;
    const { endpoint, region, accessKeyId, secretAccessKey } = server;
    const credentials = { accessKeyId, secretAccessKey };
    const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials });
    await client.send(new PutObjectCommand({ Bucket: server.bucket, Key: 'stickers/notes.txt', Body: 'hello' }));
    client.destroy();
    const cutShort = await putUnneeded();
    const sha256 = cutShort.slice(-69, -5);
    const begun = { kind: 'sticker', sha256, size_bytes: 1_000 };
    await database.knex('stored_object').insert({ ...begun, removing_since: daysAgo(1), created_at: daysAgo(1) });
    // Of an upload whose process died before it put anything.
    const never = { kind: 'preview', sha256: sha256Of(randomBytes(8)), size_bytes: 10 };
    await database.knex('stored_object').insert({ ...never, created_at: daysAgo(1) });

    const result = await collect({ graceDays: 30, isRemoving: true });

    expect([result.leftovers.count, result.leftovers.removed]).toEqual([2, 2]);
    expect(result.foreign).toMatchObject({ count: 1, first: ['stickers/notes.txt'] });
    expect(await bucket.keys()).toEqual([...keptKeys(), 'stickers/notes.txt'].toSorted());
    expect(await rowsOfObjects()).toEqual(keptKeys());
  });

  it('takes removed stickers out of bucket and CDN, and goes on with what could not be reached', async () => {
    const gone = await bucket.addStored();
    await backfillObjects(bucket, { ratePerSecond: 10_000, concurrency: 8 });
    const { knex } = bucket.database;
    await knex('sticker_pack_item').where({ asset_id: gone.id }).delete();
    await knex('sticker_asset')
      .where({ id: gone.id })
      .update({ unused_since: daysAgo(31) });
    const unused = createUnusedStickers({ ...bucket, purge, log }, { graceDays: 30 });
    const pass = () => unused.pass(new AbortController().signal);

    await bucket.server.kill();
    await pass();
    expect(await knex('sticker_asset').where({ id: gone.id })).toEqual([]);
    expect(await knex('stored_object').whereNotNull('removing_since')).toHaveLength(3);
    await bucket.server.restart();
    // As if this was ten minutes ago.
    await knex('stored_object')
      .whereNotNull('removing_since')
      .update({ removing_since: daysAgo(1) });
    await pass();

    expect(await bucket.keys()).toEqual(keptKeys());
    expect(await rowsOfObjects()).toEqual(keptKeys());
    expect(told.flatMap(({ urls }) => urls).toSorted()).toEqual(
      gone.contents.map((content) => `https://cdn.example/${bucket.keyOf(content)}`).toSorted(),
    );
    for (const { kind: blob, sha256 } of gone.contents) expect(existsSync(bucket.store.path(blob, sha256))).toBe(false);
  }, 60_000);
});
