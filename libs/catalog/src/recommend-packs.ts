/**
 * Packs for one viewer: over the whole ranking, by what they did lately. One pass over arrays, so it does not depend on a page of
 * candidates.
 */
import type { Interaction, ViewerInteraction } from './engagement-store.ts';
import { categoriesAt, isSensitive, ordinalOf, packIdAt, type RankingIndex } from './ranking-index.ts';

/** How much one interaction says about a viewer's taste. */
const weights: Record<Interaction, number> = { open: 1, download: 2, like: 3, dislike: -3 };
/** Beyond it a category is simply liked: a hundred opens must not drown every other signal. */
const maxAffinity = 10;

export type Recommendation = {
  packIds: string[];
  /** Liked categories, the most liked first; empty for a viewer of whom nothing is known. */
  likedCategories: string[];
};

/**
 * The best by `0.7 pack score + 0.04 affinity + 0.2 trend` (predecessor's marketplace service, OmniZap 2.6, MIT), where affinity is
 * the sum over the pack's categories of what the viewer did in each. Without packs that they already know, and without sensitive
 * ones. Changed: the predecessor looked at one page of candidates only.
 */
export function recommendPacks(index: RankingIndex, history: ViewerInteraction[], limit: number): Recommendation {
  const affinity = new Map<string, number>();
  const known = new Set<number>();
  for (const { packId, interaction } of history) {
    const ordinal = ordinalOf(index, packId);
    if (ordinal === undefined) continue;
    known.add(ordinal);
    const weight = weights[interaction];
    for (const name of categoriesAt(index, ordinal)) affinity.set(name, (affinity.get(name) ?? 0) + weight);
  }
  const byBit = index.categoryNames.map((name) => clamp(affinity.get(name) ?? 0));
  const scores = new Float64Array(index.count);
  const candidates: number[] = [];
  for (let ordinal = 0; ordinal < index.count; ordinal += 1) {
    if (known.has(ordinal) || isSensitive(index, ordinal)) continue;
    scores[ordinal] =
      0.7 * (index.packScores[ordinal] ?? 0) +
      0.2 * (index.trends[ordinal] ?? 0) +
      0.04 * likingOf(index, ordinal, byBit);
    candidates.push(ordinal);
  }
  const score = (ordinal: number): number => scores[ordinal] ?? 0;
  return {
    packIds: candidates
      .sort((a, b) => score(b) - score(a) || a - b)
      .slice(0, limit)
      .map((ordinal) => packIdAt(index, ordinal)),
    likedCategories: [...affinity]
      .filter(([, liking]) => liking > 0)
      .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
      .map(([name]) => name),
  };
}

function likingOf(index: RankingIndex, ordinal: number, byBit: number[]): number {
  let liking = 0;
  for (const half of [0, 1]) {
    for (let bits = index.categories[2 * ordinal + half] ?? 0; bits !== 0; bits &= bits - 1)
      liking += byBit[32 * half + (31 - Math.clz32(bits & -bits))] ?? 0;
  }
  return liking;
}

const clamp = (liking: number): number => Math.min(maxAffinity, Math.max(-maxAffinity, liking));
