import { describe, expect, it } from '@jest/globals';
import { restAfter } from './ranking-publisher.ts';

describe('the rest between two rankings', () => {
  it.each([
    [10, 3_000],
    [500, 10_000],
    [4_000, 20_000],
    [30_000, 120_000],
  ])('after one that took %i ms is %i ms', (costMs, restMs) => {
    expect(restAfter(costMs)).toBe(restMs);
  });
});
