/** A gate as it is written in gates.yaml: what zod's shape cannot say about it, and what becomes of it. */
import { knownMetrics } from './known-metrics.ts';
import type { Gate, Limits, Matchers, Measure } from './plan.ts';
import type { GateEntry } from './plan-schema.ts';

type Problem = { path: string[]; message: string };

const typesOfMeasure: Record<Measure, readonly string[]> = {
  p50: ['histogram'],
  p95: ['histogram'],
  p99: ['histogram'],
  mean: ['histogram'],
  ratio: ['counter', 'histogram'],
  increase: ['counter', 'histogram', 'gauge'],
  slope: ['gauge'],
  value: ['gauge'],
  min: ['gauge'],
  max: ['gauge'],
  age: ['gauge'],
};

export function gateProblems(entry: GateEntry): Problem[] {
  const metric = knownMetrics[entry.metric];
  if (!metric) return [];
  const problems: Problem[] = [];
  const add = (message: string, ...path: string[]): void => void problems.push({ path, message });
  const others = typeof entry.compare === 'object' ? entry.compare.with : undefined;

  const checkLabels = (matchers: Matchers | undefined, ...path: string[]): void => {
    for (const label of Object.keys(matchers ?? {}))
      if (!metric.labels.includes(label))
        add(`${entry.metric} has no such label; it has: ${metric.labels.join(', ') || 'none'}`, ...path, label);
  };
  checkLabels(entry.where, 'where');
  checkLabels(entry.of, 'of');
  checkLabels(others, 'compare', 'with');

  if (!typesOfMeasure[entry.measure].includes(metric.type)) {
    const fitting = Object.entries(typesOfMeasure).flatMap(([name, types]) =>
      types.includes(metric.type) ? [name] : [],
    );
    add(`${entry.metric} is a ${metric.type}, which has: ${fitting.join(', ')}`, 'measure');
  }
  if (entry.measure === 'ratio' && entry.of === undefined) add('a ratio needs it: which of them are counted', 'of');
  if (entry.measure !== 'ratio' && entry.of !== undefined) add('is for the measure ratio only', 'of');
  if (entry.compare !== undefined && entry.no_baseline === undefined)
    add(
      'must be declared where there is a comparison: what is the outcome when there is nothing to compare with?',
      'no_baseline',
    );
  if (entry.compare === undefined && entry.no_baseline !== undefined)
    add('needs a comparison (compare)', 'no_baseline');

  const { pass, fail } = entry;
  const isCompared = [pass.at_most_times, pass.at_most_plus, fail.above_times, fail.above_plus].some(isGiven);
  if (isCompared && entry.compare === undefined) add('must say with what: "before" or { with: <labels> }', 'compare');
  if (entry.good_up_to !== undefined && entry.compare === undefined) add('needs a comparison (compare)', 'good_up_to');
  if (entry.good_up_to !== undefined && entry.good_up_to > Math.min(pass.at_most ?? Infinity, fail.above ?? Infinity))
    add('must not be above what passes without a comparison', 'good_up_to');
  if (![pass.at_most, pass.at_most_times, pass.at_most_plus].some(isGiven)) add('must have a limit', 'pass');
  if (![fail.above, fail.above_times, fail.above_plus].some(isGiven)) add('must have a limit', 'fail');
  for (const [low, high, name] of [
    [pass.at_most, fail.above, 'above'],
    [pass.at_most_times, fail.above_times, 'above_times'],
    [pass.at_most_plus, fail.above_plus, 'above_plus'],
  ] as const)
    if (low !== undefined && high !== undefined && low > high)
      add(`must not be below the ${low} that still pass`, 'fail', name);
  return problems;
}

function isGiven(value: number | undefined): boolean {
  return value !== undefined;
}

type Change = { window?: number | undefined; min_samples?: number | undefined; dry_run?: boolean | undefined };

export function toGate(name: string, entry: GateEntry, change: Change): Gate {
  const { pass, fail, compare } = entry;
  const passLimits: Limits = {
    value: pass.at_most,
    timesBaseline: pass.at_most_times,
    aboveBaseline: pass.at_most_plus,
  };
  const failLimits: Limits = { value: fail.above, timesBaseline: fail.above_times, aboveBaseline: fail.above_plus };
  return {
    name,
    why: entry.why,
    metric: entry.metric,
    where: entry.where,
    measure: entry.measure,
    of: entry.of,
    windowMs: change.window ?? entry.window,
    compare: typeof compare === 'object' ? compare.with : compare,
    goodUpTo: entry.good_up_to,
    pass: passLimits,
    fail: failLimits,
    minSamples: change.min_samples ?? entry.min_samples,
    noData: entry.no_data,
    noBaseline: entry.no_baseline ?? 'pass',
    failuresToRollBack: entry.rollback_at === 'first-failure' ? 1 : 2,
    isDryRun: change.dry_run ?? entry.dry_run,
  };
}
