/**
 * One gate, judged from what was observed. Pure, and everything it looks at is kept with the decision, so that anybody can judge it
 * again later. There are four outcomes: a value within the limits passes, one above them fails, one in between or too little data is
 * inconclusive (or what the gate declares), and a measurement that broke is an error, never a pass.
 */
import type { Gate, Limits, Outcome } from './plan.ts';

export type Observation =
  /** `buckets`: upper edge (null: none) and how many came at or below it, ascending. */
  | { kind: 'histogram'; buckets: [number | null, number][]; sum: number; count: number }
  | { kind: 'counts'; part: number; whole: number }
  /** Seconds before the decision, and the value; oldest first. */
  | { kind: 'points'; points: [number, number][] }
  | { kind: 'none'; why: string }
  | { kind: 'error'; why: string };

export type Observed = {
  current: Observation;
  baseline?: Observation | undefined;
  /** How far back it can reach: to the last raise, or to when sampling began. */
  coveredMs: number;
};

/** From then on a gauge that nobody exports is missing, not late. */
const gaugeGraceMs = 60_000;

export type GateResult = {
  gate: string;
  outcome: Outcome;
  value: number | null;
  baseline: number | null;
  samples: number;
  reason: string;
  isDryRun: boolean;
};

type Measured = { value: number; samples: number } | { why: string; isError: boolean };

/** `now`: milliseconds since the epoch, of the decision. */
export function judgeGate(gate: Gate, observed: Observed | undefined, now: number): GateResult {
  const base = { gate: gate.name, value: null, baseline: null, samples: 0, isDryRun: gate.isDryRun };
  const observation = observed?.current ?? { kind: 'none', why: 'nothing was sampled yet' };
  const noData = noDataOutcome(gate, observation, observed?.coveredMs ?? 0);
  const current = measure(gate, observation, now);
  if ('why' in current) {
    if (current.isError) return { ...base, outcome: 'error', reason: current.why };
    return { ...base, outcome: noData, reason: `no data (${current.why}): ${noData}` };
  }
  const { value, samples } = current;
  if (samples < gate.minSamples) {
    const reason = `${samples} of ${gate.minSamples} samples needed: ${noData}`;
    return { ...base, value, samples, outcome: noData, reason };
  }
  if (gate.compare === undefined) return { ...base, value, samples, ...compareWith(gate, value, null) };

  const other = measure(gate, observed?.baseline ?? { kind: 'none', why: 'it was not recorded' }, now);
  if ('why' in other && other.isError) return { ...base, value, samples, outcome: 'error', reason: other.why };
  const isKnown = !('why' in other) && other.samples >= gate.minSamples;
  const baseline = isKnown ? other.value : null;
  if (gate.goodUpTo !== undefined && value <= gate.goodUpTo) {
    const reason = `${show(value)} is good up to ${show(gate.goodUpTo)}`;
    return { ...base, value, baseline, samples, outcome: 'pass', reason };
  }
  const verdict = compareWith(gate, value, baseline);
  if (isKnown || gate.noBaseline === 'pass' || verdict.outcome === 'fail')
    return { ...base, value, baseline, samples, ...verdict };
  const seen = 'why' in other ? other.why : `${other.samples} of ${gate.minSamples} samples`;
  const reason = `nothing to compare with (${seen}): ${gate.noBaseline}`;
  return { ...base, value, baseline, samples, outcome: gate.noBaseline, reason };
}

/** Right after a raise there cannot be enough data yet: that is no failure. */
function noDataOutcome(gate: Gate, { kind }: Observation, coveredMs: number): Outcome {
  const graceMs = kind === 'points' ? Math.min(gate.windowMs, gaugeGraceMs) : gate.windowMs;
  return gate.noData === 'fail' && coveredMs < graceMs ? 'inconclusive' : gate.noData;
}

function compareWith(gate: Gate, value: number, baseline: number | null): { outcome: Outcome; reason: string } {
  const broken = exceeded(gate.fail, value, baseline);
  if (broken !== null) return { outcome: 'fail', reason: `${show(value)} is above ${broken}` };
  const notPassed = exceeded(gate.pass, value, baseline);
  if (notPassed !== null)
    return { outcome: 'inconclusive', reason: `${show(value)} is above ${notPassed}, and not bad enough to fail` };
  return { outcome: 'pass', reason: `${show(value)} is within ${limitsText(gate.pass, baseline)}` };
}

/** The first limit that `value` is above; null: none. Limits that need a baseline do not count without one. */
function exceeded(limits: Limits, value: number, baseline: number | null): string | null {
  return limitList(limits, baseline).find(([limit]) => value > limit)?.[1] ?? null;
}

function limitList({ value, timesBaseline, aboveBaseline }: Limits, baseline: number | null): [number, string][] {
  const list: [number, string][] = [];
  if (value !== undefined) list.push([value, show(value)]);
  if (baseline === null) return list;
  if (timesBaseline !== undefined) list.push([baseline * timesBaseline, `${timesBaseline} x ${show(baseline)}`]);
  if (aboveBaseline !== undefined) list.push([baseline + aboveBaseline, `${show(baseline)} + ${show(aboveBaseline)}`]);
  return list;
}

function limitsText(limits: Limits, baseline: number | null): string {
  const texts = limitList(limits, baseline).map(([, text]) => text);
  return texts.length > 0 ? texts.join(' and ') : 'what can be compared';
}

function show(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function measure(gate: Gate, observation: Observation, now: number): Measured {
  if (observation.kind === 'none') return { why: observation.why, isError: false };
  if (observation.kind === 'error') return { why: observation.why, isError: true };
  if (observation.kind === 'counts') {
    const { part, whole } = observation;
    return whole > 0 ? { value: part / whole, samples: whole } : { why: 'nothing happened', isError: false };
  }
  if (observation.kind === 'histogram') {
    const { count, sum } = observation;
    if (count === 0) return { why: 'nothing happened', isError: false };
    const value = gate.measure === 'mean' ? sum / count : quantile(observation, Number(gate.measure.slice(1)) / 100);
    return { value, samples: count };
  }
  const { points } = observation;
  const last = points.at(-1);
  const first = points[0];
  if (!first || !last) return { why: 'nobody exports it', isError: false };
  const values = points.map(([, value]) => value);
  const samples = points.length;
  switch (gate.measure) {
    case 'slope':
      return { value: slopePerMinute(points), samples };
    case 'increase':
      return { value: last[1] - first[1], samples };
    case 'min':
      return { value: Math.min(...values), samples };
    case 'max':
      return { value: Math.max(...values), samples };
    case 'age':
      return { value: Math.max(0, now / 1_000 - last[1]), samples };
    case 'value':
      return { value: last[1], samples };
    default:
      return { why: `${gate.measure} was observed as single values`, isError: true };
  }
}

/** As Prometheus' histogram_quantile: linear within a bucket; above the last edge, that edge. */
export function quantile({ buckets, count }: { buckets: [number | null, number][]; count: number }, q: number): number {
  const rank = q * count;
  let lowerEdge = 0;
  let below = 0;
  for (const [edge, cumulative] of buckets) {
    if (edge === null) return lowerEdge;
    if (cumulative >= rank)
      return cumulative === below ? edge : lowerEdge + ((edge - lowerEdge) * (rank - below)) / (cumulative - below);
    lowerEdge = edge;
    below = cumulative;
  }
  return lowerEdge;
}

/** Least squares. */
function slopePerMinute(points: [number, number][]): number {
  const n = points.length;
  const meanT = points.reduce((sum, [ago]) => sum - ago, 0) / n;
  const meanV = points.reduce((sum, [, value]) => sum + value, 0) / n;
  let covariance = 0;
  let variance = 0;
  for (const [ago, value] of points) {
    covariance += (-ago - meanT) * (value - meanV);
    variance += (-ago - meanT) ** 2;
  }
  return variance === 0 ? 0 : (covariance / variance) * 60;
}
