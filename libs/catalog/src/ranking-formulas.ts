/**
 * Scores and order of packs. Formulas and weights come from the predecessor's marketplace service (OmniZap 2.6, MIT), mended where
 * it was shown to be wrong; each change is named. Scores without age or trend are stored; what depends on the clock is applied
 * when a generation is published, so that time alone rewrites no rows.
 */

const dayMs = 86_400_000;
/** Time constants of the decayed open counters. A steady rate r gives `opensDay` = r x 1 day and `opensWeek` = r x 7 days. */
export const openDecayMs = { day: dayMs, week: 7 * dayMs } as const;

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
const mean = (values: number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

export type EngagementCounts = { open: number; like: number; dislike: number; download: number };

/** `(2 likes + 0.15 opens - 1.25 dislikes) / 100`, clamped to 0..1.2. */
export function engagementScore(counts: EngagementCounts): number {
  return clamp((2 * counts.like + 0.15 * counts.open - 1.25 * counts.dislike) / 100, 0, 1.2);
}

export type DecayedOpens = { opensDay: number; opensWeek: number; at: Date };

/**
 * `opens of a day / max(0.5, opens of a week / 7)`, at most 20. Changed: the predecessor counted rows in two sliding windows; the
 * counters here decay exponentially with the same time constants, which needs no scan and no rewriting.
 */
export function trendScore(opens: DecayedOpens, at: Date): number {
  const elapsedMs = Math.max(0, at.getTime() - opens.at.getTime());
  const day = opens.opensDay * Math.exp(-elapsedMs / openDecayMs.day);
  const week = opens.opensWeek * Math.exp(-elapsedMs / openDecayMs.week);
  return Math.min(20, day / Math.max(0.5, week / 7));
}

export type ScoredSticker = {
  width: number;
  height: number;
  sizeBytes: number;
  /** 0 sharp .. 1 blurred. */
  blur: number;
  confidence: number;
  labels: { label: string; score: number }[];
  /** Another sticker of the pack looks the same. */
  isDuplicate: boolean;
};

/**
 * Mean over the stickers of `0.65 clamp(area / 512^2, 0.2, 1) + 0.35 clamp(bytes / 18 KiB, 0.25, 1)`, minus 0.3 x mean blur.
 * Changed: the predecessor also subtracted a "low quality" label of its classifier, which no longer exists.
 */
export function qualityScore(stickers: ScoredSticker[]): number {
  const resolution = mean(
    stickers.map(
      (sticker) =>
        0.65 * clamp((sticker.width * sticker.height) / 512 ** 2, 0.2, 1) +
        0.35 * clamp(sticker.sizeBytes / (18 * 1024), 0.25, 1),
    ),
  );
  return Math.max(0, resolution - 0.3 * mean(stickers.map((sticker) => sticker.blur)));
}

/** Mean cosine of the label scores over all pairs; 0 below two stickers. */
export function cohesionScore(stickers: ScoredSticker[]): number {
  const vectors = stickers.map((sticker) => new Map(sticker.labels.map(({ label, score }) => [label, score])));
  const cosines: number[] = [];
  for (const [index, a] of vectors.entries()) {
    for (const b of vectors.slice(index + 1)) cosines.push(cosine(a, b));
  }
  return mean(cosines);
}

function cosine(a: Map<string, number>, b: Map<string, number>): number {
  const norm = (vector: Map<string, number>): number => Math.hypot(...vector.values());
  const length = norm(a) * norm(b);
  if (length === 0) return 0;
  let dot = 0;
  for (const [label, score] of a) dot += score * (b.get(label) ?? 0);
  return dot / length;
}

/** `0.7 (1 - cohesion) + 0.3 x distinct labels / clamp(stickers, 3, 12)`, clamped to 0..1; 0 for an empty pack. */
export function diversityScore(stickers: ScoredSticker[]): number {
  if (stickers.length === 0) return 0;
  const labels = new Set(stickers.flatMap((sticker) => sticker.labels.map(({ label }) => label)));
  const spread = stickers.length < 2 ? 0 : 1 - cohesionScore(stickers);
  return clamp(0.7 * spread + (0.3 * labels.size) / clamp(stickers.length, 3, 12), 0, 1);
}

export type PackScores = {
  packScore: number;
  qualityScore: number;
  engagementScore: number;
  diversityScore: number;
  cohesionScore: number;
  confidenceScore: number;
  duplicateShare: number;
};

/**
 * `0.4 confidence + 0.3 engagement + 0.2 quality + 0.1 diversity - 0.25 duplicates`, clamped to 0..1.5.
 * Changed: confidence is the mean over the stickers (the predecessor took the single highest label), and duplicates are the share
 * of stickers that look like another one of the pack (the predecessor compared label scores, and one of its two terms was never fed).
 */
export function packScore(parts: Omit<PackScores, 'packScore'>): number {
  const sum =
    0.4 * parts.confidenceScore +
    0.3 * parts.engagementScore +
    0.2 * parts.qualityScore +
    0.1 * parts.diversityScore -
    0.25 * parts.duplicateShare;
  return clamp(sum, 0, 1.5);
}

export function packScores(stickers: ScoredSticker[], counts: EngagementCounts): PackScores {
  const parts = {
    qualityScore: qualityScore(stickers),
    engagementScore: engagementScore(counts),
    diversityScore: diversityScore(stickers),
    cohesionScore: cohesionScore(stickers),
    confidenceScore: mean(stickers.map((sticker) => sticker.confidence)),
    duplicateShare: mean(stickers.map((sticker) => (sticker.isDuplicate ? 1 : 0))),
  };
  return { packScore: packScore(parts), ...parts };
}

export type RankedPack = { packScore: number; cohesionScore: number; updatedAt: Date; opens: DecayedOpens };

/** `packScore x exp(-age in days / ageDecayDays) + 0.08 trend + 0.05 cohesion`; age counts from the pack's last change. */
export function rankingScore(pack: RankedPack, at: Date, ageDecayDays: number): number {
  const ageDays = Math.max(0, at.getTime() - pack.updatedAt.getTime()) / dayMs;
  return (
    pack.packScore * Math.exp(-ageDays / ageDecayDays) + 0.08 * trendScore(pack.opens, at) + 0.05 * pack.cohesionScore
  );
}

/**
 * How well a pack is rated: the lower end of the Wilson score interval (z = 1.96) of likes among all ratings, so that one like
 * does not beat ninety-nine of a hundred. 0 without ratings. Source: E. B. Wilson, JASA 22 (1927).
 */
export function ratingScore(counts: EngagementCounts): number {
  const total = counts.like + counts.dislike;
  if (total === 0) return 0;
  const z = 1.96;
  const share = counts.like / total;
  const centre = share + z ** 2 / (2 * total);
  const margin = z * Math.sqrt((share * (1 - share) + z ** 2 / (4 * total)) / total);
  return (centre - margin) / (1 + z ** 2 / total);
}
