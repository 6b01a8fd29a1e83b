/**
 * What nothing needs any more: bytes of this disk and objects of the bucket that no sticker has, once they are older than the grace
 * period, and removals that a kill cut short. Found by comparison, so nothing has to be remembered; each is looked at again at the
 * moment when it goes.
 */
import type { BlobKind, DiskStore, ObjectStore, PurgeCdn } from '@omnizap/storage';
import { createBoundedWork } from './bounded-work.ts';
import { compareStorage, type Compared, type CompareDeps } from './compare-storage.ts';
import type { StickerObjects } from './sticker-objects.ts';
import { createStorageFailures } from './storage-failures.ts';
import { isUsed } from './stored-content-store.ts';
import { claimObject } from './stored-object-store.ts';

/** A removal takes seconds. */
const leftoverMs = 3_600_000;
const removalsAtOnce = 8;
const listed = 20;

type Deps = Omit<CompareDeps, 'store' | 'objects'> & {
  store: Pick<DiskStore, 'list' | 'path' | 'removeUnlessTouched'>;
  /** Null: no bucket. */
  bucket: { objects: Pick<ObjectStore, 'list' | 'key'>; stickerObjects: StickerObjects } | null;
  purge: PurgeCdn | undefined;
};

export type GarbageOptions = { graceDays: number; isRemoving: boolean };

export type Garbage = { count: number; bytes: number; removed: number; first: string[] };
export type GarbageResult = {
  /** Of the bucket. */
  objects: Garbage;
  /** Of this disk. */
  files: Garbage;
  /** Removals cut short, and rows about objects that nobody needs. */
  leftovers: Garbage;
  /** Keys that are not ours; they stay. */
  foreign: Garbage;
  /** Too young to go. */
  younger: number;
  /** Contents that stickers of the catalogue have. */
  used: number;
  failed: number;
  failures: { key: string; reason: string }[];
  stopped: string | null;
};

/** @throws whatever the service, the disk or the database says while it is listed */
export async function collectGarbage(deps: Deps, options: GarbageOptions): Promise<GarbageResult> {
  const { database, store, bucket, purge } = deps;
  const { knex } = database;
  const now = Date.now();
  // Without a grace period age does not matter, and the service's clock may be ahead of ours.
  const oldest = options.graceDays === 0 ? Infinity : now - options.graceDays * 86_400_000;
  const [objects, files, leftovers, foreign] = [none(), none(), none(), none()];
  const failures = createStorageFailures();
  const removals = createBoundedWork(removalsAtOnce);
  let younger = 0;
  let usedCount = 0;

  async function attempt(name: string, garbage: Garbage, remove: () => Promise<boolean>): Promise<void> {
    if (!options.isRemoving) return;
    await removals.add(async () => {
      if (failures.stopped() !== null) return;
      try {
        if (await remove()) garbage.removed += 1;
        failures.succeed();
      } catch (error) {
        failures.note(name, error);
      }
    });
  }

  /** From the bucket and from CDNs. False: a sticker wants it after all, or somebody else was faster. */
  async function takeOut({ kind, sha256, row }: Compared, sizeBytes: number): Promise<boolean> {
    if (!bucket) return false;
    // The row says that it is going before it goes.
    if (row === null) await claimObject(knex, { kind, sha256, sizeBytes });
    const urls = bucket.stickerObjects.publicUrls([{ kind, sha256 }]);
    return bucket.stickerObjects.takeOut({ kind, sha256 }, undefined, async () => {
      if (urls.length > 0) await purge?.({ urls, paths: [] });
    });
  }

  async function removeFile(kind: BlobKind, sha256: string): Promise<boolean> {
    return !(await isUsed(knex, { kind, sha256 })) && store.removeUnlessTouched(kind, sha256);
  }

  async function look(entry: Compared): Promise<void> {
    const { kind, sha256, used, row, object, file } = entry;
    if (used) usedCount += 1;
    // What was begun a moment ago is still somebody's.
    const leftSince = row?.removingSince ?? (object || used ? null : row?.createdAt);
    if (bucket && leftSince && now - leftSince.getTime() > leftoverMs) {
      const name = bucket.objects.key(kind, sha256);
      add(leftovers, name, object?.sizeBytes ?? 0);
      await attempt(name, leftovers, () => takeOut(entry, row?.sizeBytes ?? 0));
    } else if (object && !row?.removingSince && used?.isWanted !== true) {
      if (object.modifiedAt.getTime() > oldest) younger += 1;
      else {
        add(objects, object.key, object.sizeBytes);
        await attempt(object.key, objects, () => takeOut(entry, object.sizeBytes));
      }
    }
    if (file && used === null) {
      const name = store.path(kind, sha256);
      if (file.modifiedAt.getTime() > oldest) younger += 1;
      else {
        add(files, name, file.sizeBytes);
        await attempt(name, files, () => removeFile(kind, sha256));
      }
    }
  }

  const compared = compareStorage(
    { database, store, objects: bucket?.objects ?? null },
    ({ key, sizeBytes }) => void add(foreign, key, sizeBytes),
  );
  for await (const entry of compared) {
    if (failures.stopped() !== null) break;
    await look(entry);
  }
  await removals.settle();
  return {
    ...{ objects, files, leftovers, foreign, younger, used: usedCount },
    ...{ failed: failures.count(), failures: failures.list, stopped: failures.stopped() },
  };
}

const none = (): Garbage => ({ count: 0, bytes: 0, removed: 0, first: [] });

function add(garbage: Garbage, name: string, bytes: number): void {
  garbage.count += 1;
  garbage.bytes += bytes;
  if (garbage.first.length < listed) garbage.first.push(name);
}
