import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDiskStore, type DiskStore } from './disk-store.ts';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

let root: string;
let store: DiskStore;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'disk-store-'));
  store = createDiskStore(root);
  await store.prepare();
});
afterEach(() => rm(root, { recursive: true, force: true }));

const temporaryFiles = (): Promise<string[]> => readdir(join(root, 'tmp'));

async function upload(bytes: Buffer): Promise<string> {
  const path = store.temporaryPath();
  await writeFile(path, bytes);
  return path;
}

describe('adopt', () => {
  it('makes the bytes readable under their name and leaves no temporary file', async () => {
    const bytes = randomBytes(100_000);

    await store.adopt(await upload(bytes), 'original', sha256(bytes));

    expect(await store.read('original', sha256(bytes))).toEqual(bytes);
    expect(await temporaryFiles()).toEqual([]);
    await expect(store.read('preview', sha256(bytes))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('takes the same bytes again without changing the file that is being read, and says that they are wanted', async () => {
    const bytes = randomBytes(1_000);
    await store.adopt(await upload(bytes), 'original', sha256(bytes));
    const anHourAgo = Date.now() / 1_000 - 3_600;
    await utimes(store.path('original', sha256(bytes)), anHourAgo, anHourAgo);
    const before = await stat(store.path('original', sha256(bytes)));

    await store.adopt(await upload(bytes), 'original', sha256(bytes));
    await store.put('original', sha256(bytes), bytes);

    const after = await stat(store.path('original', sha256(bytes)));
    expect([after.ino, after.size]).toEqual([before.ino, before.size]);
    expect(after.mtimeMs).toBeGreaterThan(before.mtimeMs);
    expect(await temporaryFiles()).toEqual([]);
  });

  it('never shows a part of a file, also to readers who come while twenty uploads of it race', async () => {
    const bytes = randomBytes(2_000_000);
    const path = store.path('original', sha256(bytes));
    let isOver = false;
    const sizes = new Set<number>();
    const reading = (async () => {
      while (!isOver) {
        const seen = await readFile(path).catch(() => null);
        if (seen) sizes.add(seen.length);
      }
    })();

    const uploads = await Promise.all(Array.from({ length: 20 }, () => upload(bytes)));
    await Promise.all(uploads.map((temporary) => store.adopt(temporary, 'original', sha256(bytes))));
    isOver = true;
    await reading;

    expect((await store.read('original', sha256(bytes))).equals(bytes)).toBe(true);
    expect([...sizes].every((size) => size === bytes.length)).toBe(true);
    expect(await temporaryFiles()).toEqual([]);
  });

  it('removes the temporary file also when it fails', async () => {
    const bytes = randomBytes(10);
    // A file where the folder must go.
    await writeFile(join(root, 'original'), 'in the way');

    await expect(store.adopt(await upload(bytes), 'original', sha256(bytes))).rejects.toThrow();

    expect(await temporaryFiles()).toEqual([]);
  });

  it('fails when there is nothing to adopt', async () => {
    await expect(store.adopt(store.temporaryPath(), 'original', 'a'.repeat(64))).rejects.toMatchObject({
      code: 'ENOENT',
    });
    await expect(store.read('original', 'a'.repeat(64))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('put', () => {
  it('keeps kinds apart, and works before anybody prepared the folder', async () => {
    const fresh = createDiskStore(join(root, 'elsewhere'));
    const bytes = Buffer.from('the same bytes');

    await fresh.put('sticker', sha256(bytes), bytes);
    await fresh.put('preview', sha256(bytes), bytes);

    expect(fresh.path('sticker', sha256(bytes))).not.toBe(fresh.path('preview', sha256(bytes)));
    expect(await fresh.read('preview', sha256(bytes))).toEqual(bytes);
  });
});

describe('prepare', () => {
  it('removes what dead uploads left an hour ago, and nothing that may still be written', async () => {
    const [old, recent] = [await upload(Buffer.from('old')), await upload(Buffer.from('recent'))];
    const twoHoursAgo = Date.now() / 1_000 - 7_200;
    await utimes(old, twoHoursAgo, twoHoursAgo);

    await store.prepare();

    expect((await temporaryFiles()).map((name) => join(root, 'tmp', name))).toEqual([recent]);
  });

  it('can be called by many processes at once', async () => {
    const twoHoursAgo = Date.now() / 1_000 - 7_200;
    for (let count = 0; count < 30; count += 1)
      await utimes(await upload(Buffer.from('old')), twoHoursAgo, twoHoursAgo);
    await mkdir(join(root, 'tmp'), { recursive: true });

    await Promise.all(Array.from({ length: 8 }, () => createDiskStore(root).prepare()));

    expect(await temporaryFiles()).toEqual([]);
  });
});
