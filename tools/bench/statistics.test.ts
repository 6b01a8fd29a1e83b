import { describe, expect, it } from '@jest/globals';
import { median, percentile } from './statistics.ts';

describe('percentile', () => {
  it('is the smallest value that the asked share of all values does not exceed', () => {
    const values = [35, 15, 50, 20, 40];
    for (const percent of [1, 20, 30, 50, 95, 100]) {
      const result = percentile(values, percent);
      const share = (limit: number): number => values.filter((value) => value <= limit).length / values.length;
      expect(share(result)).toBeGreaterThanOrEqual(percent / 100);
      for (const smaller of values.filter((value) => value < result))
        expect(share(smaller)).toBeLessThan(percent / 100);
    }
  });

  it('leaves the given values in their order', () => {
    const values = [3, 1, 2];
    percentile(values, 50);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe('median', () => {
  it('has as many values below it as above it', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([1, 2, 4, 100])).toBe(3);
  });

  it('is no number without values', () => {
    expect(median([])).toBeNaN();
  });
});
