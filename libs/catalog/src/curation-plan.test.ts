import { describe, expect, it } from '@jest/globals';
import { buildCandidate, digestOf, randomNumbers } from '../test/builders.ts';
import { candidateScore, planVolumes } from './curation-plan.ts';
import type { Candidate } from './curation-store.ts';

function shuffled<T>(values: T[], seed: number): T[] {
  const next = randomNumbers(seed);
  return values
    .map((value) => ({ value, key: next() }))
    .sort((a, b) => a.key - b.key)
    .map(({ value }) => value);
}

const candidates = (count: number): Candidate[] => Array.from({ length: count }, (_, number) => buildCandidate(number));
const sizes = (volumes: Candidate[][]): number[] => volumes.map((volume) => volume.length);
const idsOf = (volumes: Candidate[][]): string[][] => volumes.map((volume) => volume.map((entry) => entry.assetId));

describe('planVolumes', () => {
  it.each([
    [0, []],
    [11, []],
    [12, [12]],
    [30, [30]],
    [31, [30]],
    [41, [30]],
    [42, [30, 12]],
    [60, [30, 30]],
    [71, [30, 30]],
    [72, [30, 30, 12]],
    [450, Array<number>(10).fill(30)],
  ])('makes of %d stickers volumes of %j', (count, expected) => {
    expect(sizes(planVolumes(candidates(count)))).toEqual(expected);
  });

  it('gives the same plan in whatever order the stickers come', () => {
    const next = randomNumbers(3);
    const given = candidates(80).map((candidate, number) => {
      // Many equal scores, so that ties matter.
      const confidence = Math.round(next() * 4) / 4;
      return buildCandidate(number, { ...candidate.classification, confidence });
    });
    const plan = idsOf(planVolumes(given));

    for (let seed = 1; seed <= 20; seed += 1) expect(idsOf(planVolumes(shuffled(given, seed)))).toEqual(plan);
  });

  it('puts the best first: confidence for two thirds, sharpness for one, the older one on a tie', () => {
    const features = buildCandidate(0).classification.features;
    const given = candidates(12).map((_, number) =>
      buildCandidate(number, { confidence: 0.5, features: { ...features, blur: 0.5 } }),
    );
    given[5] = buildCandidate(5, { confidence: 0.8, features: { ...features, blur: 0.5 } });
    given[9] = buildCandidate(9, { confidence: 0.5, features: { ...features, blur: 0 } });

    const [volume] = planVolumes(given);

    expect(candidateScore(given[5])).toBeCloseTo((2 * 0.8 + 0.5) / 3, 12);
    expect(volume?.map((entry) => Number(entry.assetId.slice(-2)))).toEqual([5, 9, 0, 1, 2, 3, 4, 6, 7, 8, 10, 11]);
  });

  it('keeps the better one of two that look the same', () => {
    const look = { hashes: { first: digestOf('one look'), middle: null, last: null, mask: null } };
    const given = [
      ...candidates(12),
      buildCandidate(100, { ...look, confidence: 0.6 }),
      buildCandidate(101, { ...look, confidence: 0.8 }),
      buildCandidate(102, { ...look, confidence: 0.7 }),
    ];

    const [volume] = planVolumes(shuffled(given, 5));

    expect(volume).toHaveLength(13);
    expect(volume?.map((entry) => entry.classification.confidence).filter((value) => value < 0.9)).toEqual([0.8]);
  });

  it('has no volume when only duplicates make up the number', () => {
    const pixels = { pixelSha256: digestOf('the same pixels') };

    expect(planVolumes([...candidates(10), buildCandidate(50, pixels), buildCandidate(51, pixels)])).toEqual([]);
  });
});
