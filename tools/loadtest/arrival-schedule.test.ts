import { describe, expect, it } from '@jest/globals';
import { createSeededRandom } from '../simulation/seeded-random.ts';
import { createArrivals } from './arrival-schedule.ts';

function arrivalsUntil(endMs: number, next: () => number): number[] {
  const found: number[] = [];
  for (let at = next(); at < endMs; at = next()) found.push(at);
  return found;
}

const arrivals = (rate: number, kind: 'random' | 'even', worker = 0, workers = 1, seed = 1): number[] =>
  arrivalsUntil(100_000, createArrivals(rate, kind, { random: createSeededRandom(seed + worker), worker, workers }));

describe('arrivals', () => {
  it('are the same for the same seed and others for another one', () => {
    expect(arrivals(50, 'random')).toEqual(arrivals(50, 'random'));
    expect(arrivals(50, 'random')).not.toEqual(arrivals(50, 'random', 0, 1, 2));
  });

  it('at random come at their rate, with gaps whose deviation is their mean, as in a Poisson process', () => {
    const at = arrivals(50, 'random');
    // 5000 are expected; 300 is more than four standard deviations.
    expect(Math.abs(at.length - 5_000)).toBeLessThan(300);
    const gaps = at.slice(1).map((ms, index) => ms - (at[index] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
    expect(deviation / mean).toBeGreaterThan(0.93);
    expect(deviation / mean).toBeLessThan(1.07);
  });

  it('of several workers add up to the rate', () => {
    const counts = [0, 1, 2].map((worker) => arrivals(30, 'random', worker, 3).length);
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(130);
  });

  it('in equal steps interleave among the workers', () => {
    const together = [0, 1].flatMap((worker) => arrivals(10, 'even', worker, 2)).toSorted((a, b) => a - b);
    expect(together).toHaveLength(1_000);
    expect(together.slice(0, 4).map(Math.round)).toEqual([0, 100, 200, 300]);
  });
});
