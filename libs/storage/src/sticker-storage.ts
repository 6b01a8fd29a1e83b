/**
 * The one door to the bytes of stickers, as the settings describe it: this host's disk, the bucket when there is one, and whoever
 * keeps copies.
 */
import { join } from 'node:path';
import { createCdnPurge, type PurgeCdn } from './cdn-purge.ts';
import { createDiskStore, type DiskStore } from './disk-store.ts';
import { objectStorageSettings, type ObjectStorageEnvironment } from './object-storage-settings.ts';
import type { ObjectStore, RequestLimits } from './object-store.ts';

export type StickerStorage = {
  store: DiskStore;
  /** Null: none is configured. */
  objects: ObjectStore | null;
  purge: PurgeCdn | undefined;
  /** Something outside this host has to follow what may be seen. */
  storesObjects: boolean;
};

/** An upload has at most 20 MiB. */
const largestObjectBytes = 21 * 1_024 * 1_024;

type Environment = ObjectStorageEnvironment & {
  STICKER_DATA_DIR: string;
  STICKER_CDN_PURGE_URL?: string | undefined;
  STICKER_CDN_PURGE_TOKEN?: string | undefined;
};

/** Connects to nothing before it is used; where there is no bucket, the client of buckets is not even loaded. */
export async function openStickerStorage(environment: Environment, limits?: RequestLimits): Promise<StickerStorage> {
  const settings = objectStorageSettings(environment);
  const objects = settings && (await import('./object-store.ts')).createObjectStore(settings, limits);
  const { STICKER_CDN_PURGE_URL: url, STICKER_CDN_PURGE_TOKEN: token } = environment;
  const purge = url === undefined ? undefined : createCdnPurge({ url, token });
  const store = createDiskStore(
    join(environment.STICKER_DATA_DIR, 'stickers'),
    objects ? { fetch: (kind, sha256) => objects.fetch(kind, sha256, largestObjectBytes) } : undefined,
  );
  return { store, objects, purge, storesObjects: objects !== null || purge !== undefined };
}
