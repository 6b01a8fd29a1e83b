/**
 * A run against an earlier one. Only what can be compared: the same load on the same amount of data. A figure is worse when it is so
 * by more than the ratio of the SLO document and the interval of its ratio leaves out "no change"; where only the first holds it is
 * called uncertain, which fails nothing: run both again, longer.
 */
import { readFile } from 'node:fs/promises';
import { createSeededRandom } from '../simulation/seeded-random.ts';
import { ratioInterval, type Slice, type Statistic } from './bootstrap.ts';
import { createLatencyHistogram } from './latency-histogram.ts';
import { reportSchema, type Comparison, type LoadReport } from './report-schema.ts';

/** Visitors and moderators change a catalogue a little between two runs. */
const dataTolerance = 0.02;
/** Latencies that differ by less are the timers' and the clock's. */
const leastDifferenceMs = 0.5;
const largestBaselineBytes = 64 * 1_024 * 1_024;
const seed = 20_260_101;

export type RunParameters = Pick<
  LoadReport,
  | 'model'
  | 'concurrency'
  | 'offered_rate_rps'
  | 'arrivals'
  | 'duration_seconds'
  | 'warmup_seconds'
  | 'timeout_ms'
  | 'mix'
  | 'paths'
  | 'dataset'
> & { generator: Pick<LoadReport['generator'], 'workers' | 'connections'> };

/** @throws Error with a line for the user when the file is missing or no report of this tool */
export async function readBaseline(file: string): Promise<LoadReport> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`The baseline ${file} cannot be read (${error.code ?? error.message})`);
  });
  if (bytes.length > largestBaselineBytes) throw new Error(`The baseline ${file} is too large to be a report`);
  let content: unknown;
  try {
    content = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new Error(`The baseline ${file} is no JSON: give the file that --out wrote`);
  }
  const read = reportSchema.safeParse(content);
  if (read.success) {
    const flaw = flawOf(read.data);
    if (flaw !== null) throw new Error(`The baseline ${file} ${flaw}`);
    return read.data;
  }
  const [issue] = read.error.issues;
  const where = issue && issue.path.length > 0 ? `"${issue.path.join('.')}": ` : '';
  throw new Error(
    `The baseline ${file} is no report of this tool (${where}${issue?.message ?? 'another shape'}): give the file that --out wrote`,
  );
}

/** Why a report is no good as a baseline; known before the load, or it would cost the run. */
function flawOf(report: LoadReport): string | null {
  if (report.interrupted) return 'is of a run that was interrupted: make a whole one';
  if (report.verdict === 'unreliable')
    return 'is of a run whose figures are unreliable: make one of a generator that keeps up and is not refused';
  const { duration_seconds: seconds, slice_seconds: sliceSeconds, slices } = report;
  if (Math.abs(slices.length * sliceSeconds - seconds) > sliceSeconds / 2)
    return `has ${slices.length} slices of ${sliceSeconds} s for a run of ${seconds} s: give the file as --out wrote it`;
  try {
    const whole = createLatencyHistogram();
    whole.addEncoded(report.histogram);
    if (slicesOf(report).every(({ counts }) => counts.length === 0)) return 'has no latencies: make one that has';
  } catch {
    return 'has a histogram that cannot be read: give the file as --out wrote it';
  }
  return null;
}

/** What makes a difference between two runs that can be compared nevertheless, in words. */
export function doubts(run: Pick<LoadReport, 'machine'>, baseline: Pick<LoadReport, 'machine'>): string[] {
  return (['host', 'cpu', 'cores', 'memory_gib', 'node'] as const)
    .filter((key) => run.machine[key] !== baseline.machine[key])
    .map((key) => `${key} ${run.machine[key]} against ${baseline.machine[key]}`);
}

/** What is different about the two loads, in words; empty when they can be compared. */
export function differences(run: RunParameters, baseline: RunParameters): string[] {
  const found: string[] = [];
  const told = (what: string, mine: unknown, theirs: unknown): void => {
    if (mine !== theirs) found.push(`${what} ${String(mine)} against ${String(theirs)}`);
  };
  told('model', run.model, baseline.model);
  told('concurrency', run.concurrency, baseline.concurrency);
  told('rate', run.offered_rate_rps, baseline.offered_rate_rps);
  told('arrivals', run.arrivals, baseline.arrivals);
  told('duration', run.duration_seconds, baseline.duration_seconds);
  told('warm-up', run.warmup_seconds, baseline.warmup_seconds);
  told('timeout', run.timeout_ms, baseline.timeout_ms);
  told('mix', run.mix, baseline.mix);
  told('workers', run.generator.workers, baseline.generator.workers);
  told('connections', run.generator.connections, baseline.generator.connections);
  const others = [
    ...run.paths.filter((path) => !baseline.paths.includes(path)),
    ...baseline.paths.filter((path) => !run.paths.includes(path)),
  ];
  if (others.length > 0)
    found.push(`other paths (${others.slice(0, 5).join(', ')}${others.length > 5 ? ', ...' : ''})`);
  if ((run.dataset === null) !== (baseline.dataset === null)) found.push('the size of one catalogue is not known');
  for (const size of ['packs', 'stickers'] as const) {
    const [mine, theirs] = [run.dataset?.[size] ?? 0, baseline.dataset?.[size] ?? 0];
    if (Math.abs(mine - theirs) > dataTolerance * Math.max(mine, theirs))
      found.push(`${mine} ${size} against ${theirs}`);
  }
  return found;
}

type Compared = { name: string; statistic: Statistic; of: (report: LoadReport) => number; isLatency: boolean };
const compared: Compared[] = [
  ...([50, 95, 99] as const).map((percent): Compared => ({
    name: `p${percent}_ms`,
    statistic: { kind: 'percentile', percent },
    of: ({ latency_ms }) => latency_ms[`p${percent}`],
    isLatency: true,
  })),
  {
    name: 'throughput_rps',
    statistic: { kind: 'throughput' },
    of: (report) => report.throughput_rps,
    isLatency: false,
  },
];

export function compareReports(
  current: LoadReport,
  baseline: LoadReport,
  file: string,
  worseRatio: number,
): Comparison {
  const random = createSeededRandom(seed);
  const [now, before] = [slicesOf(current), slicesOf(baseline)];
  const figures = compared.map(({ name, statistic, of, isLatency }) => {
    const [is, was] = [of(current), of(baseline)];
    const ratio = was === 0 ? (is === 0 ? 1 : Infinity) : is / was;
    const interval = ratioInterval(now, before, statistic, random);
    const isSmall = isLatency && Math.abs(is - was) < leastDifferenceMs;
    const judgement = isSmall
      ? 'same'
      : judgeRatio(isLatency ? ratio : 1 / ratio, flipped(interval, isLatency), worseRatio);
    return { name, baseline: was, is, ratio: Number.isFinite(ratio) ? ratio : 0, interval, judgement };
  });
  return {
    baseline: file,
    baseline_started_at: baseline.started_at,
    other_machine: doubts(current, baseline),
    worse_than_ratio: worseRatio,
    is_worse: figures.some(({ judgement }) => judgement === 'worse'),
    figures,
  };
}

/** `ratio` above 1 is worse. Without an interval, of runs that are too short for one, nothing is certain. */
export function judgeRatio(
  ratio: number,
  interval: { low: number; high: number } | null,
  worseRatio: number,
): 'same' | 'better' | 'worse' | 'uncertain' {
  if (ratio > 1 + worseRatio) return interval !== null && interval.low > 1 ? 'worse' : 'uncertain';
  if (ratio < 1 / (1 + worseRatio)) return interval !== null && interval.high < 1 ? 'better' : 'uncertain';
  return 'same';
}

function flipped(interval: { low: number; high: number } | null, isLatency: boolean): typeof interval {
  return interval === null || isLatency ? interval : { low: 1 / interval.high, high: 1 / interval.low };
}

function slicesOf({ slices, slice_seconds }: LoadReport): Slice[] {
  return slices.map(({ histogram, ended }) => {
    const latency = createLatencyHistogram(2);
    latency.addEncoded(histogram);
    return { seconds: slice_seconds, ended, counts: latency.counts() };
  });
}
