/**
 * Latencies in HDR histograms: counts in buckets of about equal relative width, which can be added up without loss. Percentiles are
 * read from the sum; percentiles of parts are never averaged, which would give a figure that no request had.
 */
import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';

/** Three digits for the figures of a run; two for each of its slices, of which there are many. */
type Digits = 2 | 3;
const microsecondsOfMs = 1_000;
/** Above the longest possible timeout, of 10 minutes, with room for a late timer. */
const highestMicroseconds = 1_200_000_000;

export type Percentiles = { p50: number; p90: number; p95: number; p99: number; p999: number; max: number };
export type LatencyHistogram = {
  record: (latencyMs: number) => void;
  /** Adds the counts of another one, as `encode` wrote it. */
  addEncoded: (encoded: string) => void;
  encode: () => string;
  count: () => number;
  /** Milliseconds; 0 when nothing was recorded. */
  percentiles: () => Percentiles;
  percentile: (percent: number) => number;
  /** What was recorded, lowest first: milliseconds of each bucket and how often. */
  counts: () => { ms: number; count: number }[];
};

export function createLatencyHistogram(digits: Digits = 3): LatencyHistogram {
  const histogram = newHistogram(digits);
  const percentile = (percent: number): number =>
    histogram.totalCount === 0 ? 0 : toMs(histogram.getValueAtPercentile(percent));
  return {
    record: (latencyMs) =>
      histogram.recordValue(Math.min(highestMicroseconds, Math.max(1, Math.round(latencyMs * microsecondsOfMs)))),
    addEncoded: (encoded) => histogram.add(decodeFromCompressedBase64(encoded, 32)),
    encode: () => encodeIntoCompressedBase64(histogram),
    count: () => histogram.totalCount,
    percentile,
    percentiles: () => ({
      p50: percentile(50),
      p90: percentile(90),
      p95: percentile(95),
      p99: percentile(99),
      p999: percentile(99.9),
      max: histogram.totalCount === 0 ? 0 : toMs(histogram.maxValue),
    }),
    counts: () => recordedCounts(histogram),
  };
}

function newHistogram(digits: Digits): Histogram {
  return build({
    bitBucketSize: 32,
    autoResize: false,
    lowestDiscernibleValue: 1,
    highestTrackableValue: highestMicroseconds,
    numberOfSignificantValueDigits: digits,
  });
}

function recordedCounts(histogram: Histogram): { ms: number; count: number }[] {
  const found: { ms: number; count: number }[] = [];
  const walk = (histogram as unknown as { recordedValuesIterator: RecordedValues }).recordedValuesIterator;
  walk.reset();
  while (walk.hasNext()) {
    const { valueIteratedTo, countAtValueIteratedTo } = walk.next();
    found.push({ ms: toMs(valueIteratedTo), count: countAtValueIteratedTo });
  }
  return found;
}

/** The library's own iterator, which its exported type leaves out. */
type RecordedValues = {
  reset: () => void;
  hasNext: () => boolean;
  next: () => { valueIteratedTo: number; countAtValueIteratedTo: number };
};

const toMs = (microseconds: number): number => Math.round(microseconds) / microsecondsOfMs;
