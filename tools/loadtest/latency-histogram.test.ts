import { describe, expect, it } from '@jest/globals';
import { percentile } from '../bench/statistics.ts';
import { createSeededRandom } from '../simulation/seeded-random.ts';
import { createLatencyHistogram } from './latency-histogram.ts';

function recorded(values: number[]) {
  const histogram = createLatencyHistogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

describe('latencies', () => {
  it('of several workers are merged: the percentiles are those of all requests, where a mean of percentiles is far off', () => {
    const random = createSeededRandom(7);
    // One worker of four met a slow server.
    const workers = [0, 1, 2, 3].map((worker) =>
      Array.from({ length: 5_000 }, () => (worker === 3 ? 400 : 4) * (0.5 + random())),
    );
    const merged = createLatencyHistogram();
    for (const values of workers) merged.addEncoded(recorded(values).encode());
    const all = workers.flat();
    expect(merged.count()).toBe(20_000);
    for (const percent of [50, 90, 95, 99, 99.9]) {
      const exact = percentile(all, percent);
      // Three significant digits.
      expect(Math.abs(merged.percentile(percent) - exact) / exact).toBeLessThan(0.002);
    }
    const mean = workers.reduce((sum, values) => sum + percentile(values, 95), 0) / workers.length;
    expect(mean / percentile(all, 95)).toBeLessThan(0.5);
  });

  it('are kept from a microsecond to more than the longest timeout', () => {
    const histogram = recorded([0, 0.001, 600_000, 5_000_000]);
    expect(histogram.percentile(1)).toBe(0.001);
    expect(histogram.percentiles().max).toBeGreaterThan(1_199_000);
    expect(createLatencyHistogram().percentiles()).toEqual({ p50: 0, p90: 0, p95: 0, p99: 0, p999: 0, max: 0 });
  });

  it('can be listed with their counts', () => {
    const counts = recorded([5, 5, 5, 40]).counts();
    expect(counts.map(({ count }) => count)).toEqual([3, 1]);
    expect(counts.map(({ ms }) => Math.round(ms))).toEqual([5, 40]);
  });
});
