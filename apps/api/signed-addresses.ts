/**
 * Signed addresses that repeat: they are signed as of the beginning of the current third of their life, so that all who ask within it
 * get the same one, caches hit, and whoever follows one has at least two thirds of its life left.
 */
import { LRUCache } from 'lru-cache';
import type { BlobKind, ObjectStore } from '@omnizap/storage';

/** Addresses of a few hundred bytes each. */
const keptAddresses = 20_000;
const partsOfLife = 3;

/** For how long the addresses that are given out stay the same. */
export const partSecondsOf = (ttlSeconds: number): number => Math.floor(ttlSeconds / partsOfLife);

/** Who keeps the redirect for as long as they may must still be able to begin and end the download. */
const reservedShare = 1 / 6;

export type SignedAddress = {
  url: string;
  /** For how long a client may keep the redirect; below what is left of the address's life. */
  maxAgeSeconds: number;
};

export function createSignedAddresses(
  objects: Pick<ObjectStore, 'signedUrl' | 'clockOffsetMs'>,
  { ttlSeconds }: { ttlSeconds: number },
) {
  const signed = new LRUCache<string, Promise<string>>({ max: keptAddresses });
  const partMs = partSecondsOf(ttlSeconds) * 1_000;

  return {
    async of(kind: BlobKind, sha256: string, now = Date.now() + objects.clockOffsetMs()): Promise<SignedAddress> {
      const signedAtMs = now - (now % partMs);
      const name = `${kind}:${sha256}:${signedAtMs}`;
      let url = signed.get(name);
      if (!url) {
        url = objects.signedUrl(kind, sha256, new Date(signedAtMs));
        url.catch(() => signed.delete(name));
        signed.set(name, url);
      }
      const leftSeconds = (signedAtMs + ttlSeconds * 1_000 - now) / 1_000;
      return { url: await url, maxAgeSeconds: Math.floor(leftSeconds - ttlSeconds * reservedShare) };
    },
  };
}
