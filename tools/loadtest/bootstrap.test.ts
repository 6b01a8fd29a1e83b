import { describe, expect, it } from '@jest/globals';
import { createSeededRandom } from '../simulation/seeded-random.ts';
import { ratioInterval, shortestComparisonSeconds, type Slice } from './bootstrap.ts';

/** A minute of seconds with 100 requests each, their latencies around `ms`. */
function minute(ms: number, seed: number, ended = 100): Slice[] {
  const random = createSeededRandom(seed);
  return Array.from({ length: 60 }, () => {
    const counts = new Map<number, number>();
    for (let request = 0; request < 100; request += 1) {
      const latency = Math.round(ms * (0.5 + random()) * 4) / 4;
      counts.set(latency, (counts.get(latency) ?? 0) + 1);
    }
    return {
      seconds: 1,
      ended: ended + Math.round(4 * (random() - 0.5)),
      counts: [...counts].map(([latency, count]) => ({ ms: latency, count })),
    };
  });
}
const p95 = { kind: 'percentile', percent: 95 } as const;

describe('the interval of a ratio', () => {
  it('holds 1 for two runs of the same kind, nearly always', () => {
    const holds = Array.from({ length: 12 }, (_none, seed) => {
      const found = ratioInterval(minute(20, 100 + seed), minute(20, 500 + seed), p95, createSeededRandom(seed));
      return found !== null && found.low <= 1 && found.high >= 1;
    });
    // 11.85 of 12 are expected; fewer than 10 has a probability of 0.0004.
    expect(holds.filter(Boolean).length).toBeGreaterThanOrEqual(10);
  });

  it('is not taken in by disturbances of several seconds', () => {
    // Each second is slower or faster by chance, and the next ones remember it for four: the same law for both runs.
    const noisy = (seed: number): Slice[] => {
      const random = createSeededRandom(seed);
      let level = 0;
      return minute(20, seed).map((slice) => {
        level = level * Math.exp(-1 / 4) + (random() + random() + random() - 1.5) * 0.28;
        return {
          ...slice,
          counts: slice.counts.map(({ ms, count }) => ({ ms: Math.round(ms * Math.exp(level)), count })),
        };
      });
    };
    const misses = Array.from({ length: 40 }, (_none, seed) => {
      const found = ratioInterval(noisy(1_000 + seed), noisy(2_000 + seed), p95, createSeededRandom(seed));
      return found === null || found.low > 1 || found.high < 1;
    });
    // Half a run is expected to miss; blocks of 5 s and the bare percentiles miss more than four.
    expect(misses.filter(Boolean).length).toBeLessThanOrEqual(3);
  });

  it('is around the true ratio and narrow when the runs are steady', () => {
    const found = ratioInterval(minute(30, 1), minute(20, 2), p95, createSeededRandom(3));
    expect(found?.low).toBeGreaterThan(1.4);
    expect(found?.high).toBeLessThan(1.6);
    const throughput = ratioInterval(minute(20, 1, 80), minute(20, 2), { kind: 'throughput' }, createSeededRandom(3));
    expect(throughput?.low).toBeGreaterThan(0.78);
    expect(throughput?.high).toBeLessThan(0.82);
  });

  it('is wide when a disturbance of some seconds made the figure', () => {
    const disturbed = minute(20, 1).map((slice, second) =>
      second >= 30 && second < 34
        ? { ...slice, counts: slice.counts.map(({ ms, count }) => ({ ms: ms * 10, count })) }
        : slice,
    );
    const found = ratioInterval(disturbed, minute(20, 2), p95, createSeededRandom(3));
    expect(found?.low).toBeLessThan(1.1);
    expect(found?.high).toBeGreaterThan(3);
  });

  it('is the same each time, and none for runs that are too short', () => {
    const twice = [1, 2].map(() => ratioInterval(minute(20, 1), minute(20, 2), p95, createSeededRandom(9)));
    expect(twice[0]).toEqual(twice[1]);
    for (const [seconds, isLong] of [
      [shortestComparisonSeconds - 1, false],
      [shortestComparisonSeconds, true],
    ] as const) {
      const found = ratioInterval(minute(20, 1).slice(0, seconds), minute(20, 2), p95, createSeededRandom(9));
      expect(found !== null).toBe(isLong);
    }
    expect(ratioInterval([], minute(20, 2), p95, createSeededRandom(9))).toBeNull();
  });
});
