import { describe, expect, it } from '@jest/globals';
import { hasWork, laneOf, lanesInUse, nominalLane, type LaneShares } from './lanes.ts';
import { lanes, type Lane } from './task-types.ts';

const percents = [0, 1, 10, 50, 99, 100];
const servedSets = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => lanes.filter((_, index) => (bits >> index) % 2 === 1));
const sharesOf = (dedicatedPercent: number, canaryPercent: number, served: Lane[] = [...lanes]): LaneShares => ({
  dedicatedPercent,
  canaryPercent,
  isServed: (_type, lane) => served.includes(lane),
  isPaused: (taskType) => taskType === 'paused',
});
const everyShares = percents.flatMap((dedicated) =>
  percents.flatMap((canary) => servedSets.map((served) => ({ served, shares: sharesOf(dedicated, canary, served) }))),
);
const buckets = [1, 10, 50, 51, 100].flatMap((dedicated) =>
  [1, 10, 50, 51, 100].map((canary) => ({ dedicated, canary })),
);

describe('lanes', () => {
  it('share the work by bucket', () => {
    const shares = sharesOf(50, 10);

    expect(nominalLane({ dedicated: 51, canary: 1 }, shares)).toBe('inline');
    expect(nominalLane({ dedicated: 50, canary: 10 }, shares)).toBe('canary');
    expect(nominalLane({ dedicated: 50, canary: 11 }, shares)).toBe('stable');
  });

  it('that nobody works leave their work to one that somebody does', () => {
    expect(laneOf('t', { dedicated: 1, canary: 1 }, sharesOf(100, 10, ['stable']))).toBe('stable');
    expect(laneOf('t', { dedicated: 1, canary: 50 }, sharesOf(100, 10, ['inline', 'canary']))).toBe('inline');
    expect(laneOf('t', { dedicated: 90, canary: 50 }, sharesOf(50, 10, ['stable']))).toBe('stable');
  });

  it('give the canary no more than its share, and nothing to dedicated processes that are off, whoever is dead', () => {
    expect(laneOf('t', { dedicated: 1, canary: 50 }, sharesOf(100, 10, ['canary']))).toBe('stable');
    expect(laneOf('t', { dedicated: 1, canary: 1 }, sharesOf(0, 100, ['stable', 'canary']))).toBe('inline');
  });

  it('leave no task that somebody may work to nobody, at any percentages', () => {
    for (const { shares, served } of everyShares)
      for (const bucket of buckets) {
        const lane = laneOf('t', bucket, shares);
        const mayWork = served.filter(
          (entry) => entry !== 'canary' && (entry === 'inline' || shares.dedicatedPercent > 0),
        );
        if (mayWork.length > 0 && nominalLane(bucket, shares) !== 'canary') expect(mayWork).toContain(lane);
        if (served.includes(lane)) expect(hasWork('t', lane, shares)).toBe(true);
      }
  });

  it('in use are those that a bucket leads to', () => {
    const everyBucket = Array.from({ length: 100 }, (_, index) => index + 1);
    for (const { shares } of everyShares) {
      const reached = everyBucket.flatMap((dedicated) =>
        everyBucket.map((canary) => nominalLane({ dedicated, canary }, shares)),
      );
      expect([...new Set(reached)].sort()).toEqual(lanesInUse(shares).sort());
    }
  });

  it('claim nothing of what is paused', () => {
    expect(hasWork('paused', 'stable', sharesOf(100, 0))).toBe(false);
    expect(hasWork('t', 'stable', sharesOf(100, 0))).toBe(true);
    expect(hasWork('t', 'canary', sharesOf(100, 0))).toBe(false);
  });
});
