import { describe, expect, it } from '@jest/globals';
import { bucketOf, possiblePercents } from './flip.ts';
import type { FlagName, Flip } from './flip.ts';

const flag: FlagName = 'enable_worker_canary_release';
const flipAt = (askedAt: number, percent: number, about: Partial<Flip> = {}): Flip => ({
  flags: [flag],
  state: { isEnabled: true, percent },
  how: 'sql',
  askedAt,
  answeredAt: askedAt + 10,
  isCertain: true,
  ...about,
});

describe('what a process may have gone by', () => {
  it('is the first value before the first flip, and both while a process may not have heard of it', () => {
    const flips = [flipAt(50_000, 40)];

    expect(possiblePercents(flips, flag, 40_000, 45_000)).toEqual({ low: 0, high: 0 });
    expect(possiblePercents(flips, flag, 55_000, 56_000)).toEqual({ low: 0, high: 40 });
    expect(possiblePercents(flips, flag, 66_000, 67_000)).toEqual({ low: 40, high: 40 });
    expect(possiblePercents(flips, flag, 45_000, 50_005)).toEqual({ low: 0, high: 40 });
  });

  it('is nothing older than what it is known to have heard', () => {
    const flips = [flipAt(50_000, 90), flipAt(52_000, 30), flipAt(53_000, 10)];

    expect(possiblePercents(flips, flag, 54_000, 54_000, ({ askedAt }) => askedAt === 52_000)).toEqual({
      low: 10,
      high: 30,
    });
  });

  it('is with and without a flip that nobody knows to have happened', () => {
    const lost = flipAt(50_000, 80, { isCertain: false, answeredAt: Infinity });

    expect(possiblePercents([lost], flag, 90_000, 91_000)).toEqual({ low: 0, high: 80 });
    expect(possiblePercents([lost, flipAt(60_000, 20)], flag, 90_000, 91_000)).toEqual({ low: 20, high: 20 });
  });

  it('is nothing at all when the flag is off, whatever its percentage', () => {
    const off = flipAt(10_000, 80, { state: { isEnabled: false, percent: 80 } });

    expect(possiblePercents([off], flag, 60_000, 60_000)).toEqual({ low: 0, high: 0 });
    expect(possiblePercents([off], 'enable_domain_event_outbox', 60_000, 60_000)).toEqual({ low: 100, high: 100 });
  });
});

it('gives each subject the same bucket as Unleash does', () => {
  // Its published vectors, with their group in the place of our flag.
  expect(bucketOf('gr1' as FlagName, '123')).toBe(73);
  expect(bucketOf('groupX' as FlagName, '999')).toBe(25);
});
