/**
 * When requests of the open model are due: at random moments that do not know of each other, as those of many visitors are (a
 * Poisson process), or evenly. Several workers share a rate: the sum of independent Poisson processes is one again.
 */
import type { Arrivals } from './load-options.ts';

/** Milliseconds after the start of each arrival, one per call, rising. `random`: from 0 (included) to 1 (excluded). */
export function createArrivals(
  ratePerSecond: number,
  arrivals: Arrivals,
  { random, worker, workers }: { random: () => number; worker: number; workers: number },
): () => number {
  const meanGapMs = (1_000 * workers) / ratePerSecond;
  // Even arrivals of several workers interleave.
  let dueMs = arrivals === 'even' ? (worker / workers) * meanGapMs - meanGapMs : 0;
  return () => {
    dueMs += arrivals === 'even' ? meanGapMs : -Math.log(1 - random()) * meanGapMs;
    return dueMs;
  };
}
