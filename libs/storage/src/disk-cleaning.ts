/**
 * Looking through a disk of bytes, and taking away what nothing needs. Whoever stores the same bytes again at that very moment must
 * not lose them: they touch what is there, so a file is moved aside first and looked at then, and goes back when it was touched.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BlobKind } from './blob-kind.ts';

export type StoredFile = { sha256: string; sizeBytes: number; modifiedAt: Date };

/** Between a sticker's bytes and its row lies one request: what was touched longer ago has its row, or never will. */
const touchedMs = 3_600_000;
const namePattern = /^([a-z]+)\.([0-9a-f]{64})\.[0-9a-f-]{36}$/;
const filesAtOnce = 32;

export function createDiskCleaning(root: string, path: (kind: BlobKind, sha256: string) => string) {
  const trash = join(root, 'trash');

  async function putBack(aside: string, kind: BlobKind, sha256: string): Promise<void> {
    const target = path(kind, sha256);
    await mkdir(dirname(target), { recursive: true });
    await link(aside, target).catch((error: unknown) => {
      const { code } = error as NodeJS.ErrnoException;
      // Stored anew meanwhile, or put back by somebody who found it aside.
      if (code !== 'EEXIST' && code !== 'ENOENT') throw error;
    });
    await rm(aside, { force: true });
  }

  return {
    /** Files of one kind in the order of their names; one folder of 256 in memory at a time. Other files are nobody's here. */
    async *list(kind: BlobKind): AsyncGenerator<StoredFile> {
      for (const shard of (await namesIn(join(root, kind))).filter((name) => /^[0-9a-f]{2}$/.test(name))) {
        const names = (await namesIn(join(root, kind, shard))).filter((name) => isNameOf(shard, name));
        for (let start = 0; start < names.length; start += filesAtOnce) {
          const found = await Promise.all(
            names.slice(start, start + filesAtOnce).map(async (sha256) => {
              const { size, mtime } = (await stat(path(kind, sha256)).catch(absent)) ?? {};
              return size === undefined || mtime === undefined ? null : { sha256, sizeBytes: size, modifiedAt: mtime };
            }),
          );
          for (const file of found) if (file) yield file;
        }
      }
    },

    /**
     * Removes bytes that nothing needs any more, unless they were stored again within the last hour. True: they are gone now.
     * A kill in between leaves them aside until `putAsideBack`.
     */
    async removeUnlessTouched(kind: BlobKind, sha256: string): Promise<boolean> {
      const isTouched = ({ mtimeMs }: { mtimeMs: number }): boolean => Date.now() - mtimeMs < touchedMs;
      const before = await stat(path(kind, sha256)).catch(absent);
      if (!before || isTouched(before)) return false;
      await mkdir(trash, { recursive: true, mode: 0o700 });
      const aside = join(trash, `${kind}.${sha256}.${randomUUID()}`);
      const isMoved = await rename(path(kind, sha256), aside).then(
        () => true,
        (error: unknown) => absent(error) ?? false,
      );
      if (!isMoved) return false;
      const after = await stat(aside).catch(absent);
      if (after && isTouched(after)) {
        await putBack(aside, kind, sha256);
        return false;
      }
      await rm(aside, { force: true });
      return after !== undefined;
    },

    /** What a kill left aside goes back to its place: it may have been stored again just before. */
    async putAsideBack(): Promise<void> {
      for (const name of await namesIn(trash)) {
        const [, kind, sha256] = namePattern.exec(name) ?? [];
        if (kind !== undefined && sha256 !== undefined) await putBack(join(trash, name), kind as BlobKind, sha256);
      }
    },
  };
}

/** In their order; none when there is no such folder. */
async function namesIn(folder: string): Promise<string[]> {
  return ((await readdir(folder).catch(absent)) ?? []).toSorted();
}

const isNameOf = (shard: string, name: string): boolean => /^[0-9a-f]{64}$/.test(name) && name.startsWith(shard);

/** Nothing when what failed is that it is not there. */
function absent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  return undefined;
}
