import { describe, expect, it } from '@jest/globals';
import { allFaults } from './faults/all-faults.ts';
import { planFaults, quietStartMs } from './schedule.ts';

const describePlan = (seed: number, durationMs = 20_000) =>
  planFaults(seed, allFaults, durationMs).map(({ fault, atMs, stream }) => `${fault.name} ${atMs} ${stream}`);
const seeds = Array.from({ length: 200 }, (_, seed) => seed);

describe('the plan of faults', () => {
  it('is the same for the same seed and another for the next', () => {
    expect(describePlan(7)).toEqual(describePlan(7));
    expect(new Set(seeds.map((seed) => describePlan(seed).join())).size).toBe(seeds.length);
  });

  it('has three to six faults in 20 s, none in the quiet time at the start, in the order of time', () => {
    for (const seed of seeds) {
      const plan = planFaults(seed, allFaults, 20_000);
      const times = plan.map(({ atMs }) => atMs);
      expect(plan.length).toBeGreaterThanOrEqual(3);
      expect(plan.length).toBeLessThanOrEqual(6);
      expect(Math.min(...times)).toBeGreaterThanOrEqual(quietStartMs);
      expect(Math.max(...times)).toBeLessThanOrEqual(18_000);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }
  });

  it('deals every fault once before it deals one again', () => {
    const plan = planFaults(3, allFaults.slice(0, 5), 60_000);
    const counts = Map.groupBy(plan, ({ fault }) => fault.name);

    expect(counts.size).toBe(5);
    const sizes = [...counts.values()].map((list) => list.length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  });

  it('is empty without faults', () => expect(planFaults(1, [], 20_000)).toEqual([]));

  it('reaches every fault within a few dozen seeds', () => {
    const seen = new Set(
      seeds
        .slice(0, 40)
        .flatMap((seed) => planFaults(seed, allFaults, 20_000))
        .map(({ fault }) => fault.name),
    );
    expect(seen.size).toBe(allFaults.length);
  });
});
