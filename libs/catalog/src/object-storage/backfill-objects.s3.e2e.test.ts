import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { testDatabaseKinds } from '@omnizap/testkit';
import { openBucket, type Bucket } from '../../test/bucket.ts';
import { backfillObjects, type BackfillResult } from './backfill-objects.ts';
import type { Content } from './stored-object-store.ts';

describe.each(testDatabaseKinds())('filling a bucket from what is on the disk, on %s', (kind) => {
  let bucket: Bucket;

  beforeAll(async () => {
    bucket = await openBucket(kind);
  }, 60_000);
  beforeEach(() => bucket.clear());
  afterAll(() => bucket.close());

  const backfill = (options: Partial<Parameters<typeof backfillObjects>[1]> = {}): Promise<BackfillResult> =>
    backfillObjects(bucket, { ratePerSecond: 10_000, concurrency: 8, ...options });

  async function add(count: number): Promise<Content[]> {
    const contents = [];
    for (let number = 0; number < count; number += 1) contents.push(...(await bucket.addStored()).contents);
    return contents;
  }
  const keysOf = (contents: Content[]): string[] => contents.map(bucket.keyOf).toSorted();

  it('brings in every object and checks it, and has nothing to do the second time', async () => {
    const contents = await add(12);
    const steps: [number, number][] = [];

    const first = await backfill({ onProgress: (done, total) => steps.push([done, total]) });

    expect(first).toMatchObject({ stored: 36, wasThere: 0, missingHere: 0, failed: 0, stopped: null });
    expect(await bucket.keys()).toEqual(keysOf(contents));
    for (const { kind: blob, sha256, sizeBytes } of contents)
      // It reads back and checks the hash.
      expect(await bucket.objects.read(blob, sha256, sizeBytes)).toHaveLength(sizeBytes);
    expect(steps.at(-1)).toEqual([36, 36]);
    expect(await backfill()).toMatchObject({ stored: 0, wasThere: 0, failed: 0 });
  });

  it('does no harm when two run at once', async () => {
    const contents = await add(10);

    const both = await Promise.all([backfill(), backfill()]);

    expect(both.map(({ failed, stopped }) => [failed, stopped])).toEqual([
      [0, null],
      [0, null],
    ]);
    expect(both.reduce((sum, { stored }) => sum + stored, 0)).toBeGreaterThanOrEqual(30);
    expect(await bucket.keys()).toEqual(keysOf(contents));
    expect(await bucket.database.knex('stored_object').whereNull('object_verified_at')).toEqual([]);
  });

  it('stops when the service cannot be worked with, says why, and goes on where it was', async () => {
    const contents = await add(20);
    let kill: Promise<void> | undefined;

    const broken = await backfill({
      concurrency: 2,
      onProgress: (done) => {
        if (done === 10) kill = bucket.server.kill();
      },
    });
    await kill;

    expect(broken.stopped).toContain('10 objects in a row failed.');
    expect(broken.stored).toBeGreaterThanOrEqual(10);
    expect(broken.failed).toBeLessThan(20);
    expect(broken.failures[0]?.key).toMatch(/^stickers\/(original|preview|sticker)\//);

    await bucket.server.restart();
    const rest = await backfill();
    expect(rest.failed).toBe(0);
    expect(rest.stored + broken.stored).toBeGreaterThanOrEqual(60);
    // One by one: a Swift that is killed between storing and listing has an object that its list lacks.
    for (const { kind: blob, sha256, sizeBytes } of contents)
      expect(await bucket.objects.read(blob, sha256, sizeBytes)).toHaveLength(sizeBytes);
  }, 60_000);

  it('goes on after single failures, and counts apart what this host does not have', async () => {
    const [lost, ...others] = await add(3);
    if (!lost) throw new Error('nothing was added');
    await rm(bucket.store.path(lost.kind, lost.sha256));

    expect(await backfill()).toMatchObject({ stored: others.length, missingHere: 1, failed: 0, stopped: null });
    expect(await bucket.keys()).toEqual(keysOf(others));
  });

  it('puts no damaged file into the bucket under the name of the bytes that it should have', async () => {
    const [cut, other, ...others] = await add(3);
    if (!cut || !other) throw new Error('nothing was added');
    const path = ({ kind: blob, sha256 }: Content): string => bucket.store.path(blob, sha256);
    const bytes = await readFile(path(other));
    await truncate(path(cut), 1);
    await writeFile(path(other), Buffer.alloc(bytes.length, 'x'));

    expect(await backfill()).toMatchObject({ stored: others.length, failed: 2, missingHere: 0, stopped: null });
    expect(await bucket.keys()).toEqual(keysOf(others));

    await writeFile(path(other), bytes);
    expect(await backfill()).toMatchObject({ stored: 1, failed: 1 });
    expect(await bucket.keys()).toEqual(keysOf([other, ...others]));
  });

  it('keeps to its rate', async () => {
    await add(4);

    const { seconds, stored } = await backfill({ ratePerSecond: 12 });

    expect(stored).toBe(12);
    // The first may begin a tenth of a second too early.
    expect(seconds).toBeGreaterThan(0.7);
  });
});
