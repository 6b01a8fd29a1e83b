import { describe, expect, it } from '@jest/globals';
import { retryDelayMs } from './backoff.ts';

const settings = { type: 'any', retryLimit: 8, timeoutSeconds: 30, coalesceSeconds: 0 };
const almostOne = 1 - Number.EPSILON;

describe('the wait before another attempt', () => {
  it('may be anything from nothing to a ceiling that doubles, up to the longest', () => {
    const ceilings = [1, 2, 3, 4, 9, 10, 40].map((attempt) => retryDelayMs(settings, attempt, () => almostOne));

    expect(ceilings).toEqual([1_000, 2_000, 4_000, 8_000, 256_000, 300_000, 300_000]);
    expect(retryDelayMs(settings, 9, () => 0)).toBe(0);
  });

  it('follows the limits of its task type', () => {
    const own = { ...settings, firstRetryMs: 100, longestRetryMs: 250 };

    expect([1, 2, 3].map((attempt) => retryDelayMs(own, attempt, () => almostOne))).toEqual([100, 200, 250]);
  });
});
