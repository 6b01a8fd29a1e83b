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

  it('strikes as it always did where object storage is not drawn, and besides where it is', () => {
    const others = allFaults.filter(({ needs }) => needs !== 'object storage');
    const isAbout = (line: string): boolean => line.startsWith('object-storage ');
    for (const seed of seeds) {
      const without = planFaults(seed, others, 20_000).map(({ fault, atMs }) => `${fault.name} ${atMs}`);
      const all = planFaults(seed, allFaults, 20_000).map(({ fault, atMs }) => `${fault.name} ${atMs}`);
      expect(all.filter((line) => !isAbout(line))).toEqual(without);
    }
    // Recorded before there was object storage.
    expect(describePlan(7).filter((line) => !isAbout(line))).toEqual([
      'net-latency 6526 102',
      'disk-full 8061 101',
      'pool-exhaustion 12822 100',
      'rolling-restart 14211 103',
    ]);
  });

  it('has object storage always where it is alone, and once', () => {
    const alone = allFaults.filter(({ needs }) => needs === 'object storage');
    for (const seed of seeds.slice(0, 20))
      expect(planFaults(seed, alone, 60_000).map(({ fault }) => fault.name)).toEqual(['object-storage']);
  });

  it('has three to six faults in 20 s, none in the quiet time at the start, in the order of time', () => {
    for (const seed of seeds) {
      const plan = planFaults(seed, allFaults, 20_000);
      const times = plan.map(({ atMs }) => atMs);
      expect(plan.length).toBeGreaterThanOrEqual(3);
      // Object storage comes besides.
      expect(plan.length).toBeLessThanOrEqual(7);
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
