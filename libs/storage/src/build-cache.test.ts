import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBuildCache } from './build-cache.ts';

let root: string;
beforeEach(async () => {
  root = join(await mkdtemp(join(tmpdir(), 'build-cache-')), 'exports');
});
afterEach(() => rm(join(root, '..'), { recursive: true, force: true }));

const options = { maxBytes: 1_000, maxBuilds: 2, maxWaiting: 3 };
const write =
  (content: string) =>
  (path: string): Promise<void> =>
    writeFile(path, content);

/** A build that is over when the test says so. */
function heldBuild() {
  let finish = (): void => undefined;
  const held = new Promise<void>((resolve) => (finish = resolve));
  let starts = 0;
  return {
    finish: () => finish(),
    starts: () => starts,
    build: async (path: string) => {
      starts += 1;
      await held;
      await writeFile(path, 'built');
    },
  };
}

describe('createBuildCache', () => {
  it('builds a file once for all who ask at the same time, and keeps it', async () => {
    const cache = createBuildCache(root, options);
    const held = heldBuild();
    const asked = Array.from({ length: 8 }, () => cache.file('a.zip', held.build));
    held.finish();

    expect(await Promise.all(asked)).toEqual(asked.map(() => ({ name: 'a.zip', sizeBytes: 5 })));
    await cache.file('a.zip', held.build);
    expect(held.starts()).toBe(1);
    expect(await readFile(join(root, 'a.zip'), 'utf8')).toBe('built');
  });

  it('leaves nothing behind when a build fails, and tries again for the next who asks', async () => {
    const cache = createBuildCache(root, options);
    const failing = async (path: string): Promise<void> => {
      await writeFile(path, 'half');
      throw new Error('no space');
    };

    await expect(cache.file('a.zip', failing)).rejects.toThrow('no space');
    expect(await readdir(root)).toEqual([]);
    expect(await cache.file('a.zip', write('whole'))).toEqual({ name: 'a.zip', sizeBytes: 5 });
  });

  it('lets go of what was not asked for longest when all together are too large', async () => {
    const cache = createBuildCache(root, options);
    for (const [index, key] of ['a', 'b', 'c'].entries()) {
      await cache.file(key, write('x'.repeat(400)));
      // As if they had been asked for an hour ago, in this order.
      const usedAt = Date.now() / 1_000 - 3_600 + index;
      await utimes(join(root, key), usedAt, usedAt).catch(() => undefined);
    }
    expect((await readdir(root)).toSorted()).toEqual(['b', 'c']);

    await cache.file('b', write('unused'));
    await cache.file('d', write('x'.repeat(400)));
    expect((await readdir(root)).toSorted()).toEqual(['b', 'd']);
    expect(await cache.file('large', write('x'.repeat(5_000)))).toEqual({ name: 'large', sizeBytes: 5_000 });
  });

  it('builds a few at a time, lets a few wait, and refuses the rest', async () => {
    const cache = createBuildCache(root, options);
    const held = heldBuild();
    // Whose turn comes last is not said: each looks for its file first.
    const asked = ['a', 'b', 'c', 'd', 'e', 'f'].map((key) => cache.file(key, held.build));

    await expect(Promise.race(asked)).rejects.toMatchObject({ code: 'unavailable' });
    expect(held.starts()).toBeLessThanOrEqual(options.maxBuilds);
    held.finish();
    expect((await Promise.allSettled(asked)).filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    expect(held.starts()).toBe(5);
  });

  it('removes what a dead process left half built, and nothing that may still be written', async () => {
    await mkdir(root, { recursive: true });
    const [old, recent] = [join(root, 'a.1.tmp'), join(root, 'b.2.tmp')];
    await writeFile(old, 'old');
    await writeFile(recent, 'recent');
    await utimes(old, 1, 1);

    await createBuildCache(root, options).file('c', write('c'));

    expect((await readdir(root)).toSorted()).toEqual(['b.2.tmp', 'c']);
  });

  it('takes no name that leads elsewhere', async () => {
    await expect(createBuildCache(root, options).file('../a', write('x'))).rejects.toThrow('is no key');
  });
});
