import { expect, it } from '@jest/globals';
import { overlapMs } from './starvation.ts';

it('counts of a span what lies in the others', () => {
  const starved = [
    { fromMs: 1_000, toMs: 2_000 },
    { fromMs: 5_000, toMs: 6_000 },
  ];

  expect(overlapMs({ fromMs: 0, toMs: 10_000 }, starved)).toBe(2_000);
  expect(overlapMs({ fromMs: 1_500, toMs: 5_250 }, starved)).toBe(750);
  expect(overlapMs({ fromMs: 2_000, toMs: 5_000 }, starved)).toBe(0);
});
