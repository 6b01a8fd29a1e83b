/**
 * How far two runs may differ by chance. The figure of a run (a percentile, a throughput) is computed again from slices of time that
 * are drawn from it with replacement, many times over; the middle 98.75 % of the ratios of the two runs is the interval, so that four
 * figures are wrong together about as seldom as one at 95 % (Bonferroni). Whole blocks of neighbouring slices are drawn, because what
 * slows one second slows the next ones too, and around the end of the run, so that every slice is as likely (Politis and Romano 1992,
 * circular blocks).
 *
 * Two runs alike, with disturbances that last 4 s on average, were simulated: at least one of three percentiles left 1 out in 21 % of
 * the pairs with blocks of 5 s in 30 s, in 13 % with 5 s in 120 s, in 3 % with 10 s in 60 s and in 7 % with 10 s in 120 s, both
 * stretched as below. It knows the noise within a run only: what is different about two runs from beginning to end looks like a change.
 */
export type Slice = {
  /** Length in seconds. */
  seconds: number;
  /** Requests of the slice that were answered in it. */
  ended: number;
  /** Latencies of the requests that were due in it. */
  counts: { ms: number; count: number }[];
};
export type Statistic = { kind: 'percentile'; percent: number } | { kind: 'throughput' };
export type Interval = { low: number; high: number };

const draws = 2_000;
const tail = (1 - 0.95) / 4 / 2;
/** Longer than what disturbs a machine lasts; in long runs a twelfth of them. */
const leastBlockSeconds = 10;
const mostBlocks = 12;
const fewestBlocks = 6;
/** Shorter runs have no interval. */
export const shortestComparisonSeconds = leastBlockSeconds * fewestBlocks;
/**
 * Few blocks vary less than what they stand for: by their number from `fewestBlocks` on, Student's t at 0.99375 with one degree of
 * freedom less than there are blocks, against the normal quantile, times sqrt(blocks / (blocks - 1)).
 */
const stretches = [1.67, 1.52, 1.43, 1.36, 1.31, 1.28, 1.25] as const;

/** Of the ratio current / baseline. `random`: from 0 (included) to 1 (excluded). Null when a run is too short. */
export function ratioInterval(
  current: Slice[],
  baseline: Slice[],
  statistic: Statistic,
  random: () => number,
): Interval | null {
  const blocks = Math.min(blocksOf(current), blocksOf(baseline));
  const stretch = stretches[Math.min(blocks - fewestBlocks, stretches.length - 1)];
  if (stretch === undefined) return null;
  const [first, second] = [createResampler(current, statistic, random), createResampler(baseline, statistic, random)];
  // Ratios are compared by their logarithms: half as much is as far as twice as much.
  const ratios = Array.from({ length: draws }, () => Math.log(first() / second()))
    .filter(Number.isFinite)
    .toSorted((a, b) => a - b);
  const at = (share: number): number => ratios[Math.min(ratios.length - 1, Math.floor(share * ratios.length))] ?? NaN;
  const middle = at(0.5);
  const [low, high] = [tail, 1 - tail].map((share) => Math.exp(middle + stretch * (at(share) - middle)));
  return low === undefined || high === undefined || !Number.isFinite(low + high) ? null : { low, high };
}

const secondsOf = (slices: Slice[]): number => slices.reduce((sum, { seconds }) => sum + seconds, 0);
const blocksOf = (slices: Slice[]): number => Math.min(mostBlocks, Math.floor(secondsOf(slices) / leastBlockSeconds));

function createResampler(slices: Slice[], statistic: Statistic, random: () => number): () => number {
  const blockLength = Math.ceil(slices.length / blocksOf(slices));
  const blocks = Math.ceil(slices.length / blockLength);
  const values = [...new Set(slices.flatMap(({ counts }) => counts.map(({ ms }) => ms)))].toSorted((a, b) => a - b);
  const places = new Map(values.map((ms, place) => [ms, place]));
  const rows = slices.map(({ counts }) => counts.map(({ ms, count }) => ({ place: places.get(ms) ?? 0, count })));
  const sums = new Float64Array(values.length);
  return () => {
    sums.fill(0);
    let requests = 0;
    let ended = 0;
    let time = 0;
    for (let block = 0; block < blocks; block += 1) {
      const from = Math.floor(random() * slices.length);
      for (let step = 0; step < blockLength; step += 1) {
        const index = (from + step) % slices.length;
        ended += slices[index]?.ended ?? 0;
        time += slices[index]?.seconds ?? 0;
        for (const { place, count } of rows[index] ?? []) {
          sums[place] = (sums[place] ?? 0) + count;
          requests += count;
        }
      }
    }
    if (statistic.kind === 'throughput') return ended / time;
    // Nearest rank, as everywhere.
    let left = Math.max(1, Math.ceil((statistic.percent / 100) * requests));
    for (const [place, count] of sums.entries()) {
      left -= count;
      if (left <= 0) return values[place] ?? NaN;
    }
    return NaN;
  };
}
