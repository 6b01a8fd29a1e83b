/**
 * How far two runs may differ by chance. The figure of a run (a percentile, a throughput) is computed again from slices of time that
 * are drawn from it with replacement, many times over; the middle 95 % of the ratios of the two runs is the interval. Whole blocks of
 * neighbouring slices are drawn, because what slows one second slows the next one too (Künsch 1989, moving blocks).
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

const draws = 1_000;
const blockSeconds = 5;

/** Of the ratio current / baseline, 95 %. `random`: from 0 (included) to 1 (excluded). Null when a run has less than two blocks. */
export function ratioInterval(
  current: Slice[],
  baseline: Slice[],
  statistic: Statistic,
  random: () => number,
): Interval | null {
  const [first, second] = [createResampler(current, statistic, random), createResampler(baseline, statistic, random)];
  if (first === null || second === null) return null;
  const ratios = Array.from({ length: draws }, () => first() / second())
    .filter(Number.isFinite)
    .toSorted((a, b) => a - b);
  const at = (share: number): number | undefined =>
    ratios[Math.min(ratios.length - 1, Math.floor(share * ratios.length))];
  const [low, high] = [at(0.025), at(0.975)];
  return low === undefined || high === undefined ? null : { low, high };
}

function createResampler(slices: Slice[], statistic: Statistic, random: () => number): (() => number) | null {
  const seconds = slices[0]?.seconds ?? 0;
  const blockLength = Math.max(1, Math.round(blockSeconds / Math.max(seconds, 0.001)));
  if (slices.length < 2 * blockLength) return null;
  const blocks = Math.ceil(slices.length / blockLength);
  const starts = slices.length - blockLength + 1;
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
      const from = Math.floor(random() * starts);
      for (let index = from; index < from + blockLength; index += 1) {
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
