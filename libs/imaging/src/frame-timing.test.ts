import { describe, expect, it } from '@jest/globals';
import { fitDurations, mergeDurations } from './frame-timing.ts';

const total = (values: number[]) => values.reduce((sum, value) => sum + value, 0);

describe('fitDurations', () => {
  it('leaves what complies alone', () => {
    expect(fitDurations([20, 100, 9880], 'webp')).toEqual([20, 100, 9880]);
  });

  it('shows every frame for at least 20 ms', () => {
    expect(fitDurations([0, 8, 19, 20], 'webp')).toEqual([20, 20, 20, 20]);
  });

  it('gives GIF frames of 0 and 10 ms the 100 ms of every viewer', () => {
    expect(fitDurations([0, 10, 20], 'gif')).toEqual([100, 100, 20]);
  });

  it('brings 300 frames of any length below 10 s without making one too short', () => {
    for (const long of [50, 1000, 60_000]) {
      const fitted = fitDurations(
        Array.from({ length: 300 }, (_, index) => (index % 3 ? 5 : long)),
        'webp',
      );
      expect(total(fitted)).toBeLessThanOrEqual(10_000);
      expect(Math.min(...fitted)).toBeGreaterThanOrEqual(20);
    }
  });

  it('keeps the proportions of what it speeds up', () => {
    expect(fitDurations([10_020, 20_020], 'webp')).toEqual([20 + 3320, 20 + 6640]);
  });
});

describe('mergeDurations', () => {
  it('gives each kept frame the time of those it replaces', () => {
    expect(mergeDurations([10, 20, 30, 40, 50], 2)).toEqual([30, 70, 50]);
  });
});
