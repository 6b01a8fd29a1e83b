import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createDiskStore, type DiskStore } from './disk-store.ts';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const hoursAgo = (hours: number): Date => new Date(Date.now() - hours * 3_600_000);

let root: string;
let store: DiskStore;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'disk-cleaning-'));
  store = createDiskStore(root);
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Stored so many hours ago; its hash. */
async function keep(text: string, hours: number): Promise<string> {
  const bytes = Buffer.from(text);
  const name = sha256(bytes);
  await store.put('original', name, bytes);
  await utimes(store.path('original', name), hoursAgo(hours), hoursAgo(hours));
  return name;
}

async function upload(text: string): Promise<void> {
  const temporaryPath = store.temporaryPath();
  await mkdir(dirname(temporaryPath), { recursive: true });
  await writeFile(temporaryPath, text);
  await store.adopt(temporaryPath, 'original', sha256(Buffer.from(text)));
}

async function listed(): Promise<string[]> {
  const names: string[] = [];
  for await (const file of store.list('original')) names.push(file.sha256);
  return names;
}

describe('listing a disk', () => {
  it('goes through the files of a kind in the order of their hashes, with size and age', async () => {
    const names: string[] = [];
    for (let number = 0; number < 300; number += 1) names.push(await keep(`file ${number}`, 5));
    await store.put('sticker', sha256(Buffer.from('of another kind')), Buffer.from('of another kind'));
    await mkdir(join(root, 'original', 'notes'));
    await writeFile(join(dirname(store.path('original', names[0] as string)), 'notes.txt'), 'not ours');

    const files = [];
    for await (const file of store.list('original')) files.push(file);

    expect(files.map((file) => file.sha256)).toEqual(names.toSorted());
    expect(files.find((file) => file.sha256 === names[7])?.sizeBytes).toBe('file 7'.length);
    expect(files.every(({ modifiedAt }) => Math.abs(modifiedAt.getTime() - hoursAgo(5).getTime()) < 60_000)).toBe(true);
  });

  it('is empty where nothing was ever stored', async () => {
    expect(await listed()).toEqual([]);
  });
});

describe('removing what nothing needs', () => {
  it('removes what is old, and leaves what was stored again within the hour', async () => {
    const [old, again] = [await keep('old', 3), await keep('again', 3)];
    await upload('again');

    expect(await store.removeUnlessTouched('original', old)).toBe(true);
    expect(await store.removeUnlessTouched('original', again)).toBe(false);
    expect(await store.removeUnlessTouched('original', old)).toBe(false);

    expect(await listed()).toEqual([again]);
    expect(await readdir(join(root, 'trash'))).toEqual([]);
  });

  it('never loses what is stored again at that very moment', async () => {
    const text = 'raced for';
    const name = sha256(Buffer.from(text));
    let removed = 0;
    for (let round = 0; round < 200; round += 1) {
      await keep(text, 3);
      const [isRemoved, isRemovedByOther] = await Promise.all([
        store.removeUnlessTouched('original', name),
        createDiskStore(root).removeUnlessTouched('original', name),
        upload(text),
        upload(text),
      ]);
      removed += Number(isRemoved) + Number(isRemovedByOther);

      expect(await store.read('original', name)).toEqual(Buffer.from(text));
      await rm(store.path('original', name));
    }
    // Else nothing was raced for.
    expect(removed).toBeGreaterThan(0);
  });

  it('gives back what a kill left aside, also what was stored again meanwhile', async () => {
    const [aside, again] = [await keep('aside', 3), await keep('stored anew', 3)];
    await mkdir(join(root, 'trash'));
    for (const name of [aside, again])
      await rename(
        store.path('original', name),
        join(root, 'trash', `original.${name}.0e8dd1f4-6f7c-4b7e-9a53-1f6c1c7d2a10`),
      );
    await upload('stored anew');

    await store.prepare();

    expect(await listed()).toEqual([aside, again].toSorted());
    expect(await readdir(join(root, 'trash'))).toEqual([]);
  });
});
