/**
 * Files that can be built again at any time, by key: each is built once while it is kept, appears whole or not at all, and the ones
 * that were not asked for longest leave when all together grow too large. Several processes may share the folder: they agree by
 * renaming, and the worst that can happen is that two of them build the same file.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '@omnizap/runtime';

export type BuildCache = {
  /** Where all files are. */
  root: string;
  /**
   * The file of `key` under `root`, built by `build` into the path that it is given when there is none.
   * @throws AppError `unavailable` when too many builds wait; whatever `build` throws
   */
  file(key: string, build: (path: string) => Promise<void>): Promise<{ name: string; sizeBytes: number }>;
};

type Options = {
  maxBytes: number;
  /** At the same time, in this process. */
  maxBuilds: number;
  /** Further ones are refused. */
  maxWaiting: number;
};

const keyPattern = /^[a-z0-9.-]{1,128}$/;
const temporarySuffix = '.tmp';
/** Temporary files of builds that died with their process are removed after this. */
const staleTemporaryMs = 3_600_000;

export function createBuildCache(root: string, options: Options): BuildCache {
  const building = new Map<string, Promise<void>>();
  const waiting: (() => void)[] = [];
  let running = 0;

  async function withTurn(work: () => Promise<void>): Promise<void> {
    if (running >= options.maxBuilds) {
      if (waiting.length >= options.maxWaiting)
        throw new AppError('unavailable', 'Too many downloads are being packed; try again in a moment.');
      // Whoever leaves passes the turn on, so that no newcomer slips in between.
      await new Promise<void>((start) => waiting.push(start));
    } else running += 1;
    try {
      await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  }

  async function buildFile(key: string, build: (path: string) => Promise<void>): Promise<void> {
    await mkdir(root, { recursive: true, mode: 0o700 });
    const temporary = join(root, `${key}.${randomUUID()}${temporarySuffix}`);
    try {
      await build(temporary);
      await rename(temporary, join(root, key));
    } finally {
      await rm(temporary, { force: true });
    }
    await makeRoom(root, key, options.maxBytes);
  }

  async function found(key: string): Promise<{ name: string; sizeBytes: number }> {
    return { name: key, sizeBytes: (await stat(join(root, key))).size };
  }

  return {
    root,
    async file(key, build) {
      if (!keyPattern.test(key)) throw new Error(`"${key}" is no key of a file`);
      const now = new Date();
      const isThere = await utimes(join(root, key), now, now).then(
        () => true,
        () => false,
      );
      if (isThere) return found(key);
      let under = building.get(key);
      if (!under) {
        under = withTurn(() => buildFile(key, build)).finally(() => building.delete(key));
        building.set(key, under);
      }
      await under;
      return found(key);
    },
  };
}

/** The newest file stays even when it alone is too large: somebody is about to read it. */
async function makeRoom(root: string, newest: string, maxBytes: number): Promise<void> {
  const files = [];
  for (const name of await readdir(root)) {
    // Another process may remove it meanwhile.
    const found = await stat(join(root, name)).catch(() => null);
    if (found === null || !found.isFile()) continue;
    if (!name.endsWith(temporarySuffix)) files.push({ name, bytes: found.size, usedAtMs: found.mtimeMs });
    else if (Date.now() - found.mtimeMs > staleTemporaryMs) await rm(join(root, name), { force: true });
  }
  let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { name, bytes } of files.toSorted((a, b) => a.usedAtMs - b.usedAtMs)) {
    if (total <= maxBytes) return;
    if (name === newest) continue;
    await rm(join(root, name), { force: true });
    total -= bytes;
  }
}
