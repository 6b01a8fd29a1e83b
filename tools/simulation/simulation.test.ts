import { describe, expect, it } from '@jest/globals';
import type { Invariant } from './invariants.ts';
import { findMutant, mutants } from './mutants.ts';
import { runSeed, type SeedOptions, type SeedResult } from './run-seed.ts';

/** The first of `count` seeds that violates something, or null. */
async function firstViolation(count: number, options: SeedOptions): Promise<SeedResult | null> {
  for (let seed = 1; seed <= count; seed += 1) {
    const result = await runSeed(seed, options);
    if (result.violation) return result;
  }
  return null;
}

describe('the simulation', () => {
  it('violates nothing in hundreds of schedules', async () => {
    const result = await firstViolation(300, {});

    expect(result && [result.seed, result.violation, result.trace(60)]).toBeNull();
  });

  it('repeats a seed to the last event, and no other seed', async () => {
    const seeds = [1, 2, 3, 4, 5, 6, 7, 8];
    const hashesOf = () => Promise.all(seeds.map(async (seed) => (await runSeed(seed)).hash));

    const once = await hashesOf();

    expect(await hashesOf()).toEqual(once);
    expect(new Set(once).size).toBe(seeds.length);
  });

  it.each(mutants)('finds $name', async ({ rules, weather = {}, blindTo = [], foundBy }) => {
    const result = await firstViolation(1_500, { rules, weather, blindTo });

    expect(foundBy).toContain(result?.violation?.invariant);
  });

  // Nobody looks at the moment itself here: what it leads to has to show. A lease that is ignored leads to nothing as long as
  // early claims are left out; either of the two keeps the order.
  it.each<[string, Invariant[], Invariant[]]>([
    ['guard-removed', ['stale-write'], ['stale-content', 'not-converged', 'no-rest']],
    ['mark-before-insert', ['event-lost'], ['commit-order', 'not-converged']],
    ['swallowing-merge', ['swallowed-hint'], ['not-converged']],
  ])('finds %s by its consequences, too', async (name, blindTo, foundBy) => {
    const result = await firstViolation(1_500, { rules: findMutant(name)?.rules ?? {}, blindTo });

    expect(foundBy).toContain(result?.violation?.invariant);
  });
});
