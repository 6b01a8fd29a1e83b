/** Seeds one after the other, with the sums that a report needs. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { findMutant } from './mutants.ts';
import { runSeed } from './run-seed.ts';
import type { Violation } from './invariants.ts';

export type Range = { from: number; count: number; mutant: string | null; traceLength: number };
export type Finding = Violation & { seed: number; hash: string; trace: string[] };
export type RangeResult = {
  seeds: number;
  steps: number;
  virtualMs: number;
  findings: Finding[];
  /** Of every seed's history, in their order. */
  hashes: string[];
};

export async function runRange({ from, count, mutant, traceLength }: Range): Promise<RangeResult> {
  const { rules = {}, weather = {}, blindTo = [] } = (mutant === null ? undefined : findMutant(mutant)) ?? {};
  const result: RangeResult = { seeds: count, steps: 0, virtualMs: 0, findings: [], hashes: [] };
  for (let seed = from; seed < from + count; seed += 1) {
    const { violation, hash, steps, virtualMs, trace } = await runSeed(seed, { rules, weather, blindTo });
    result.steps += steps;
    result.virtualMs += virtualMs;
    result.hashes.push(hash);
    if (violation) result.findings.push({ ...violation, seed, hash, trace: trace(traceLength) });
    // A seed never leaves the microtask queue: signals and other threads have their turn here.
    await nextTurn();
  }
  return result;
}
