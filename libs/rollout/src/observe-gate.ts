/** What a gate needs of the samples, and what it is given of them: a small observation that can be kept and judged again. */
import { knownMetrics } from './known-metrics.ts';
import type { Observation, Observed } from './judge-gate.ts';
import type { Gate, Matchers } from './plan.ts';
import { selectorOf, type Selector, type Tick } from './tally.ts';

/** Flags reach every process within this time of their change. */
const flagPropagationMs = 2_000;
/** More points change no slope, and are kept with every decision. */
const mostPoints = 30;

type GateSelectors =
  | { kind: 'histogram'; buckets: Selector; sum: Selector }
  | { kind: 'counts'; part: Selector; whole: Selector }
  | { kind: 'points'; value: Selector };

function selectorsFor(gate: Gate, where: Matchers): GateSelectors {
  const { metric, measure, of } = gate;
  const type = knownMetrics[metric]?.type;
  const counted = type === 'histogram' ? `${metric}_count` : metric;
  if (measure === 'ratio')
    return {
      kind: 'counts',
      part: selectorOf(counted, { ...where, ...of }, [], 'counter'),
      whole: selectorOf(counted, where, [], 'counter'),
    };
  if (type === 'gauge')
    return { kind: 'points', value: selectorOf(metric, where, [], measure === 'age' ? 'max' : 'sum') };
  if (measure === 'increase') return { kind: 'points', value: selectorOf(counted, where, [], 'counter') };
  return {
    kind: 'histogram',
    buckets: selectorOf(`${metric}_bucket`, where, ['le'], 'counter'),
    sum: selectorOf(`${metric}_sum`, where, [], 'counter'),
  };
}

/** Everything that has to be sampled for these gates. */
export function selectorsOf(gates: Gate[]): Selector[] {
  return gates.flatMap((gate) => {
    const places = [gate.where, ...(typeof gate.compare === 'object' ? [gate.compare] : [])];
    return places.flatMap((where) => {
      return listSelectors(selectorsFor(gate, where));
    });
  });
}

function listSelectors(selectors: GateSelectors): Selector[] {
  if (selectors.kind === 'histogram') return [selectors.buckets, selectors.sum];
  return selectors.kind === 'counts' ? [selectors.part, selectors.whole] : [selectors.value];
}

/** The gate as it was in the window that ends now: what "before" is compared with later. */
export function observeBefore(gate: Gate, ticks: readonly Tick[], now: number): Observation {
  return observe(gate, gate.where, ticks, now - gate.windowMs, now);
}

/** The gate since the last raise, within its window. `before`: what was observed before the flag was first raised. */
export function observeGate(
  gate: Gate,
  ticks: readonly Tick[],
  { now, raisedAt, before }: { now: number; raisedAt: number; before: Observation | undefined },
): Observed {
  const settledAt = raisedAt + flagPropagationMs;
  const from = Math.max(now - gate.windowMs, settledAt);
  const current = observe(gate, gate.where, ticks, from, now);
  const coveredMs = Math.max(0, now - Math.max(settledAt, ticks[0]?.at ?? now));
  if (gate.compare === undefined) return { current, coveredMs };
  const baseline = gate.compare === 'before' ? before : observe(gate, gate.compare, ticks, from, now);
  return { current, baseline, coveredMs };
}

function observe(gate: Gate, where: Matchers, ticks: readonly Tick[], from: number, now: number): Observation {
  const within = ticks.filter(({ at }) => at >= from && at <= now);
  const first = within[0];
  const last = within.at(-1);
  if (!first || !last) return { kind: 'none', why: 'nothing was sampled in its window yet' };
  const selectors = selectorsFor(gate, where);
  const increase = ({ key }: Selector, group = ''): number =>
    (last.values.get(key)?.get(group) ?? 0) - (first.values.get(key)?.get(group) ?? 0);
  switch (selectors.kind) {
    case 'counts':
      return { kind: 'counts', part: increase(selectors.part), whole: increase(selectors.whole) };
    case 'points': {
      const points = within.flatMap(({ at, values }): [number, number][] => {
        const value = values.get(selectors.value.key)?.get('');
        return value === undefined ? [] : [[(now - at) / 1_000, value]];
      });
      // The lowest and the highest may be any of them.
      const isExtreme = gate.measure === 'min' || gate.measure === 'max';
      return { kind: 'points', points: isExtreme ? points : thin(points) };
    }
    case 'histogram': {
      const edges = [...(last.values.get(selectors.buckets.key)?.keys() ?? [])];
      const buckets = edges
        .map((group): [number | null, number] => {
          const edge = group.slice('le='.length);
          return [edge === '+Inf' ? null : Number(edge), increase(selectors.buckets, group)];
        })
        .sort(([a], [b]) => (a ?? Infinity) - (b ?? Infinity));
      return { kind: 'histogram', buckets, sum: increase(selectors.sum), count: buckets.at(-1)?.[1] ?? 0 };
    }
  }
}

/** Evenly, with the first and the last. */
function thin(points: [number, number][]): [number, number][] {
  if (points.length <= mostPoints) return points;
  return Array.from({ length: mostPoints }, (_, index) => {
    const at = Math.round((index * (points.length - 1)) / (mostPoints - 1));
    return points[at] ?? [0, 0];
  });
}
