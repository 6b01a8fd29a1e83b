/**
 * Bytes on local disk, addressed by their SHA-256: the same content is stored once, a name never changes its content, and a
 * write that was cut short is never visible (temporary file, fsync, link). What this disk lacks comes from an origin, if there is one.
 */
import { randomUUID } from 'node:crypto';
import { access, link, mkdir, open, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BlobKind } from './blob-kind.ts';
import { createDiskCleaning } from './disk-cleaning.ts';

/** Temporary files of uploads that died with their process are removed after this. */
const staleTemporaryMs = 3_600_000;

export type DiskStore = {
  prepare(): Promise<void>;
  /** Path of a new temporary file on the same file system; the caller writes it and passes it to `adopt`, or removes it. */
  temporaryPath(): string;
  /** Makes a finished temporary file durable under its content's name and removes the temporary one. */
  adopt(temporaryPath: string, kind: BlobKind, sha256: string): Promise<void>;
  put(kind: BlobKind, sha256: string, bytes: Buffer): Promise<void>;
  path(kind: BlobKind, sha256: string): string;
  has(kind: BlobKind, sha256: string): Promise<boolean>;
  /** `path`, its file fetched from the origin first when this disk lacks it and the origin has it. @throws what the origin throws */
  localPath(kind: BlobKind, sha256: string): Promise<string>;
  /** Where all paths begin. */
  root: string;
  /** As `localPath` finds it. @throws ENOENT when it is nowhere */
  read(kind: BlobKind, sha256: string): Promise<Buffer>;
} & Pick<ReturnType<typeof createDiskCleaning>, 'list' | 'removeUnlessTouched'>;

/** Another place that has bytes by their content; null when it lacks them. */
export type Origin = { fetch(kind: BlobKind, sha256: string): Promise<Buffer | null> };

export function createDiskStore(root: string, origin?: Origin): DiskStore {
  const temporaryDirectory = join(root, 'tmp');
  const path = (kind: BlobKind, sha256: string): string => join(root, kind, sha256.slice(0, 2), sha256);

  async function adopt(temporaryPath: string, kind: BlobKind, sha256: string): Promise<void> {
    const target = path(kind, sha256);
    try {
      await syncToDisk(temporaryPath);
      await mkdir(dirname(target), { recursive: true });
      await linkOrTouch(temporaryPath, target);
      await syncToDisk(dirname(target));
    } finally {
      await rm(temporaryPath, { force: true });
    }
  }

  async function put(kind: BlobKind, sha256: string, bytes: Buffer): Promise<void> {
    const temporary = join(temporaryDirectory, randomUUID());
    await mkdir(temporaryDirectory, { recursive: true });
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(bytes);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    await adopt(temporary, kind, sha256);
  }

  const has = (kind: BlobKind, sha256: string): Promise<boolean> =>
    access(path(kind, sha256)).then(
      () => true,
      () => false,
    );

  async function localPath(kind: BlobKind, sha256: string): Promise<string> {
    if (origin && !(await has(kind, sha256))) {
      const bytes = await origin.fetch(kind, sha256);
      if (bytes) await put(kind, sha256, bytes);
    }
    return path(kind, sha256);
  }

  const cleaning = createDiskCleaning(root, path);

  return {
    async prepare() {
      await cleaning.putAsideBack();
      await mkdir(temporaryDirectory, { recursive: true, mode: 0o700 });
      for (const name of await readdir(temporaryDirectory)) {
        const file = join(temporaryDirectory, name);
        const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Date.now() }));
        if (Date.now() - mtimeMs > staleTemporaryMs) await rm(file, { force: true });
      }
    },
    temporaryPath: () => join(temporaryDirectory, randomUUID()),
    adopt,
    put,
    path,
    has,
    localPath,
    root,
    list: cleaning.list,
    removeUnlessTouched: cleaning.removeUnlessTouched,
    read: async (kind, sha256) => readFile(await localPath(kind, sha256)),
  };
}

/**
 * link, not rename: an existing file has the same content and may be being read. It is marked as wanted a moment ago: whoever
 * removes what nothing needs leaves it alone, or has just moved it away, and then it is linked anew.
 */
async function linkOrTouch(from: string, target: string): Promise<void> {
  const now = new Date();
  for (;;) {
    const isLinked = await link(from, target).then(
      () => true,
      (error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        return false;
      },
    );
    if (isLinked) return;
    const isTouched = await utimes(target, now, now).then(
      () => true,
      (error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        return false;
      },
    );
    if (isTouched) return;
  }
}

async function syncToDisk(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
