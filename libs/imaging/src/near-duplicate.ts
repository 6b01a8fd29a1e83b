/** When two stickers show the same picture. Hashes suggest and people merge: a miss is better than a wrong match. */

import { AppError } from '@omnizap/runtime';
import type { ImageAnalysis, ImageHashes } from './image-types.ts';

/** The part of an `ImageAnalysis` that the comparison needs. */
export type HashSet = Pick<ImageAnalysis, 'pixelSha256' | 'hashes' | 'hashQuality'>;

/** PDQ's recommended distance for a match. */
export const maxDuplicateDistance = 31;
/** PDQ's recommended lowest quality for a comparison. */
export const minHashQuality = 50;

const hashPattern = /^[0-9a-f]{64}$/i;

/** Number of different bits of two PDQ hashes, 0..256. @throws AppError internal-error when one is no hash */
export function hammingDistance(hexA: string, hexB: string): number {
  if (!hashPattern.test(hexA) || !hashPattern.test(hexB)) {
    throw new AppError('internal-error', `A PDQ hash has 64 hexadecimal digits; got "${hexA}" and "${hexB}".`);
  }
  let distance = 0;
  for (let offset = 0; offset < 64; offset += 8) {
    distance += countBits(
      Number.parseInt(hexA.slice(offset, offset + 8), 16) ^ Number.parseInt(hexB.slice(offset, offset + 8), 16),
    );
  }
  return distance;
}

/**
 * The rule: equal pixels always match. Otherwise both pictures need a hash quality of 50, both or neither are animated,
 * both or neither are transparent, and each pair of hashes (first, middle and last frame, mask) lies within 31 bits.
 * The mask counts because a grey backdrop hides shapes of the same grey, and black art differs from its cut-out only there.
 */
export function isNearDuplicate(a: HashSet, b: HashSet): boolean {
  if (a.pixelSha256 === b.pixelSha256) return true;
  if (a.hashQuality < minHashQuality || b.hashQuality < minHashQuality) return false;
  return (['first', 'middle', 'last', 'mask'] as const).every((name) => isClose(a.hashes, b.hashes, name));
}

function isClose(a: ImageHashes, b: ImageHashes, name: keyof ImageHashes): boolean {
  const hashA = a[name];
  const hashB = b[name];
  if (hashA === null || hashB === null) return hashA === hashB;
  return hammingDistance(hashA, hashB) <= maxDuplicateDistance;
}

function countBits(word: number): number {
  let rest = word;
  let count = 0;
  // Each step removes the lowest set bit.
  for (; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}
