/**
 * Which stickers make up a theme's automatic packs. Pure and deterministic: the same candidates give the same plan in any order.
 */
import { isNearDuplicate } from '@omnizap/imaging';
import type { Candidate } from './curation-store.ts';

/** A theme with fewer stickers has no pack. */
const minPackItems = 12;
/** What WhatsApp takes in one pack. */
const maxPackItems = 30;
/** Volumes beyond this show nothing that the better ones do not. */
const maxVolumes = 10;
/** Read at most so many: enough for all volumes when every third sticker is a duplicate. */
export const maxCandidates = 450;

/** Confidence counts for two thirds, sharpness for one. */
export function candidateScore(candidate: Candidate): number {
  const { confidence, features } = candidate.classification;
  return (2 * confidence + (1 - features.blur)) / 3;
}

/**
 * Best first (ties by id, so by age), near-duplicates of a better one left out, cut into volumes of 30; a last volume of fewer
 * than 12 waits until there are more.
 */
export function planVolumes(candidates: Candidate[]): Candidate[][] {
  const ordered = candidates.toSorted(
    (a, b) => candidateScore(b) - candidateScore(a) || (a.assetId < b.assetId ? -1 : a.assetId > b.assetId ? 1 : 0),
  );
  const kept: Candidate[] = [];
  for (const candidate of ordered) {
    if (kept.length === maxVolumes * maxPackItems) break;
    if (!kept.some((other) => isNearDuplicate(other.classification, candidate.classification))) kept.push(candidate);
  }
  const volumes: Candidate[][] = [];
  for (let start = 0; start < kept.length; start += maxPackItems) volumes.push(kept.slice(start, start + maxPackItems));
  return volumes.filter((volume) => volume.length >= minPackItems);
}
