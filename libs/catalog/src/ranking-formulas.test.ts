import { describe, expect, it } from '@jest/globals';
import { randomNumbers } from '../test/builders.ts';
import {
  cohesionScore,
  diversityScore,
  engagementScore,
  openDecayMs,
  packScores,
  qualityScore,
  rankingScore,
  ratingScore,
  trendScore,
  type EngagementCounts,
  type ScoredSticker,
} from './ranking-formulas.ts';

const dayMs = 24 * 60 * 60 * 1_000;
const at = new Date('2026-03-01T12:00:00Z');
const counts = (changes: Partial<EngagementCounts>): EngagementCounts => ({
  open: 0,
  like: 0,
  dislike: 0,
  download: 0,
  ...changes,
});

const names = ['love', 'happy', 'sad', 'cat', 'dog'];

function randomPack(next: () => number): ScoredSticker[] {
  return Array.from({ length: Math.floor(next() * 31) }, () => ({
    width: 1 + Math.floor(next() * 700),
    height: 1 + Math.floor(next() * 700),
    sizeBytes: 1 + Math.floor(next() * 40_000),
    blur: next(),
    confidence: next(),
    labels: names.filter(() => next() < 0.5).map((label) => ({ label, score: next() })),
    isDuplicate: next() < 0.2,
  }));
}

/** The same formulas, written once more from their text as plain sums over fixed label columns. */
function secondComputation(stickers: ScoredSticker[], given: EngagementCounts) {
  const count = stickers.length;
  const between = (low: number, value: number, high: number): number =>
    value < low ? low : value > high ? high : value;
  let [resolutions, blurs, confidences, duplicates] = [0, 0, 0, 0];
  for (const sticker of stickers) {
    resolutions += 0.65 * between(0.2, (sticker.width * sticker.height) / 262_144, 1);
    resolutions += 0.35 * between(0.25, sticker.sizeBytes / 18_432, 1);
    blurs += sticker.blur;
    confidences += sticker.confidence;
    duplicates += sticker.isDuplicate ? 1 : 0;
  }
  const table = stickers.map((sticker) =>
    names.map((name) => sticker.labels.find(({ label }) => label === name)?.score ?? 0),
  );
  const product = (a: number[], b: number[]): number =>
    names.reduce((sum, _, column) => sum + (a[column] ?? 0) * (b[column] ?? 0), 0);
  let [pairs, cosines] = [0, 0];
  for (let i = 0; i < count; i += 1) {
    for (let j = 0; j < i; j += 1) {
      const [a, b] = [table[i] ?? [], table[j] ?? []];
      const length = Math.sqrt(product(a, a) * product(b, b));
      cosines += length > 0 ? product(a, b) / length : 0;
      pairs += 1;
    }
  }
  const used = names.filter((_, column) => table.some((row) => (row[column] ?? 0) > 0)).length;
  const engagement = between(0, (2 * given.like + 0.15 * given.open - 1.25 * given.dislike) / 100, 1.2);
  const quality = count === 0 ? 0 : Math.max(0, resolutions / count - (0.3 * blurs) / count);
  const cohesion = pairs === 0 ? 0 : cosines / pairs;
  const diversity =
    count === 0 ? 0 : between(0, (count > 1 ? 0.7 * (1 - cohesion) : 0) + (0.3 * used) / between(3, count, 12), 1);
  const confidence = count === 0 ? 0 : confidences / count;
  const duplicate = count === 0 ? 0 : duplicates / count;
  const sum = 0.4 * confidence + 0.3 * engagement + 0.2 * quality + 0.1 * diversity - 0.25 * duplicate;
  return { pack: between(0, sum, 1.5), quality, engagement, diversity, cohesion, confidence, duplicate };
}

describe('packScores', () => {
  it('agrees with a second computation of the written formulas on many packs', () => {
    const next = randomNumbers(7);
    for (let round = 0; round < 200; round += 1) {
      const stickers = randomPack(next);
      const given = counts({
        open: Math.floor(next() * 500),
        like: Math.floor(next() * 60),
        dislike: Math.floor(next() * 40),
        download: Math.floor(next() * 40),
      });

      const scores = packScores(stickers, given);
      const expected = secondComputation(stickers, given);

      expect(scores.packScore).toBeCloseTo(expected.pack, 9);
      expect(scores.qualityScore).toBeCloseTo(expected.quality, 9);
      expect(scores.engagementScore).toBeCloseTo(expected.engagement, 9);
      expect(scores.diversityScore).toBeCloseTo(expected.diversity, 9);
      expect(scores.cohesionScore).toBeCloseTo(expected.cohesion, 9);
      expect(scores.confidenceScore).toBeCloseTo(expected.confidence, 9);
      expect(scores.duplicateShare).toBeCloseTo(expected.duplicate, 9);
    }
  });

  it('has no number missing for an empty pack', () => {
    expect(packScores([], counts({}))).toEqual({
      packScore: 0,
      qualityScore: 0,
      engagementScore: 0,
      diversityScore: 0,
      cohesionScore: 0,
      confidenceScore: 0,
      duplicateShare: 0,
    });
  });
});

describe('the parts of a pack score by hand', () => {
  const sticker = (changes: Partial<ScoredSticker>): ScoredSticker => ({
    width: 512,
    height: 512,
    sizeBytes: 18_432,
    blur: 0,
    confidence: 1,
    labels: [{ label: 'love', score: 1 }],
    isDuplicate: false,
    ...changes,
  });

  it('gives a full-size sharp sticker of 18 KiB the highest quality, a tiny blurred one almost none', () => {
    expect(qualityScore([sticker({})])).toBeCloseTo(1, 12);
    // 0.65 x 0.2 + 0.35 x 0.25 - 0.3 x 0.5
    expect(qualityScore([sticker({ width: 10, height: 10, sizeBytes: 1, blur: 0.5 })])).toBeCloseTo(0.0675, 12);
    expect(qualityScore([sticker({ width: 10, height: 10, sizeBytes: 1, blur: 1 })])).toBe(0);
  });

  it('finds stickers of one label cohesive, of different labels diverse', () => {
    const same = [sticker({}), sticker({ labels: [{ label: 'love', score: 0.3 }] })];
    const different = [sticker({}), sticker({ labels: [{ label: 'sad', score: 0.3 }] })];

    expect([cohesionScore(same), cohesionScore(different)]).toEqual([1, 0]);
    // 0.3 x 1 / 3, and 0.7 + 0.3 x 2 / 3
    expect(diversityScore(same)).toBeCloseTo(0.1, 12);
    expect(diversityScore(different)).toBeCloseTo(0.9, 12);
  });

  it('counts a like as 2, an open as 0.15 and a dislike as -1.25 of a hundred, between 0 and 1.2', () => {
    expect(engagementScore(counts({ like: 10, open: 100, dislike: 4 }))).toBeCloseTo(0.3, 12);
    expect(engagementScore(counts({ dislike: 1_000 }))).toBe(0);
    expect(engagementScore(counts({ like: 1_000 }))).toBe(1.2);
  });
});

describe('trendScore', () => {
  /** Opens every `stepMs` for `days`, in the recurrence that the counters follow. */
  function openSteadily(stepMs: number, days: number): { opensDay: number; opensWeek: number } {
    let [opensDay, opensWeek] = [0, 0];
    for (let elapsed = 0; elapsed < days * dayMs; elapsed += stepMs) {
      opensDay = opensDay * Math.exp(-stepMs / openDecayMs.day) + 1;
      opensWeek = opensWeek * Math.exp(-stepMs / openDecayMs.week) + 1;
    }
    return { opensDay, opensWeek };
  }

  it('rests on counters that show a steady rate as opens of one day and of seven', () => {
    const stepMs = 5 * 60_000;
    const perDay = dayMs / stepMs;

    const steady = openSteadily(stepMs, 70);

    expect(steady.opensDay / perDay).toBeCloseTo(1, 2);
    expect(steady.opensWeek / (7 * perDay)).toBeCloseTo(1, 2);
    expect(trendScore({ ...steady, at }, at)).toBeCloseTo(1, 2);
  });

  it('rises above 1 for what is opened more than before, and is never more than 20', () => {
    const week = { opensDay: 30, opensWeek: 70, at };

    expect(trendScore(week, at)).toBeCloseTo(3, 12);
    expect(trendScore({ opensDay: 500, opensWeek: 500, at }, at)).toBeCloseTo(7, 12);
    expect(trendScore({ opensDay: 1_000, opensWeek: 7, at }, at)).toBe(20);
  });

  it('does not let a handful of opens look like a trend: a week counts as half an open a day at least', () => {
    expect(trendScore({ opensDay: 1, opensWeek: 1, at }, at)).toBe(2);
    expect(trendScore({ opensDay: 0, opensWeek: 0, at }, at)).toBe(0);
  });

  it('falls with time alone, and ignores a clock that runs behind', () => {
    const opens = { opensDay: 100, opensWeek: 140, at };
    const aDayLater = new Date(at.getTime() + dayMs);

    // 100/e over 140/e^(1/7)/7
    expect(trendScore(opens, aDayLater)).toBeCloseTo((100 / Math.E / (140 * Math.E ** (-1 / 7))) * 7, 9);
    expect(trendScore(opens, new Date(at.getTime() - dayMs))).toBe(trendScore(opens, at));
  });
});

describe('rankingScore', () => {
  it('lets the pack score fade by age, and adds trend and cohesion', () => {
    const pack = {
      packScore: 0.8,
      cohesionScore: 0.5,
      updatedAt: new Date(at.getTime() - 45 * dayMs),
      opens: { opensDay: 30, opensWeek: 70, at },
    };

    expect(rankingScore(pack, at, 45)).toBeCloseTo(0.8 / Math.E + 0.08 * 3 + 0.05 * 0.5, 9);
    expect(rankingScore({ ...pack, updatedAt: new Date(at.getTime() + dayMs) }, at, 45)).toBeCloseTo(
      0.8 + 0.24 + 0.025,
      9,
    );
  });
});

describe('ratingScore', () => {
  // Lower score limits at 95 % as tabulated by R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
  it.each([
    [81, 263, 0.2553],
    [15, 148, 0.0624],
    [0, 20, 0],
    [1, 29, 0.0061],
  ])('is the published lower limit for %d of %d', (like, total, expected) => {
    expect(ratingScore(counts({ like, dislike: total - like }))).toBeCloseTo(expected, 4);
  });

  it('prefers many good ratings to one perfect one, and any rating to none', () => {
    const [one, many, none] = [counts({ like: 1 }), counts({ like: 99, dislike: 1 }), counts({ open: 1_000 })];

    expect(ratingScore(many)).toBeGreaterThan(ratingScore(one));
    expect(ratingScore(one)).toBeGreaterThan(ratingScore(none));
    expect(ratingScore(none)).toBe(0);
  });
});
