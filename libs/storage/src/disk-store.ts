/**
 * Bytes on local disk, addressed by their SHA-256: the same content is stored once, a name never changes its content, and a
 * write that was cut short is never visible (temporary file, fsync, rename).
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** `original` as uploaded; `sticker` and `preview` are what is served. */
export type BlobKind = 'original' | 'sticker' | 'preview';

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
  /** Where all paths begin. */
  root: string;
  read(kind: BlobKind, sha256: string): Promise<Buffer>;
};

export function createDiskStore(root: string): DiskStore {
  const temporaryDirectory = join(root, 'tmp');
  const path = (kind: BlobKind, sha256: string): string => join(root, kind, sha256.slice(0, 2), sha256);

  async function adopt(temporaryPath: string, kind: BlobKind, sha256: string): Promise<void> {
    const target = path(kind, sha256);
    try {
      await syncToDisk(temporaryPath);
      await mkdir(dirname(target), { recursive: true });
      // link, not rename: an existing file has the same content and may be being read.
      await link(temporaryPath, target).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      });
      await syncToDisk(dirname(target));
    } finally {
      await rm(temporaryPath, { force: true });
    }
  }

  return {
    async prepare() {
      await mkdir(temporaryDirectory, { recursive: true, mode: 0o700 });
      for (const name of await readdir(temporaryDirectory)) {
        const file = join(temporaryDirectory, name);
        const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Date.now() }));
        if (Date.now() - mtimeMs > staleTemporaryMs) await rm(file, { force: true });
      }
    },
    temporaryPath: () => join(temporaryDirectory, randomUUID()),
    adopt,
    async put(kind, sha256, bytes) {
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
    },
    path,
    root,
    read: (kind, sha256) => readFile(path(kind, sha256)),
  };
}

async function syncToDisk(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
