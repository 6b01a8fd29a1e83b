/**
 * The gates of deploy/rollout as panels: each with the value that it is judged by, as Prometheus sees it, and its limits. The
 * controller samples by itself, so its values differ by a scrape; which gate decided is in `npm run ops -- rollout explain`.
 */
import { loadPlans } from '@omnizap/rollout';
import type { Plan } from '@omnizap/rollout';
import type { Limit } from '../limits.ts';
import type { Panel, Target } from '../panel.ts';
import { series } from '../queries.ts';

type Gate = Plan['parts'][number]['gates'][number];
type Matchers = Gate['where'];

const notUsed = 'nothing to judge yet';

/** Every gate that some plan names, in the order in which the plans are read. */
export function gatePanels(plans: ReadonlyMap<string, Plan> = loadPlans()): Panel[] {
  const gates = new Map<string, { gate: Gate; plans: string[] }>();
  for (const plan of plans.values())
    for (const part of plan.parts)
      for (const gate of part.gates) {
        const known = gates.get(gate.name) ?? { gate, plans: [] };
        gates.set(gate.name, { gate, plans: [...new Set([...known.plans, part.name])] });
      }
  return [...gates.values()].map(({ gate, plans: names }) => panelOf(gate, names));
}

function panelOf(gate: Gate, plans: readonly string[]): Panel {
  return {
    kind: 'timeseries',
    title: `Gate ${gate.name}`,
    description: `${sentence(gate.why)} Over ${gate.windowMs / 1_000} s, of ${plans.join(', ')}. ${limitsInWords(gate)}`,
    unit: unitOf(gate),
    width: 6,
    targets: [
      { expr: valueOf(gate, gate.where), legend: gate.name, ...silence(gate) },
      ...(typeof gate.compare === 'object'
        ? [{ expr: valueOf(gate, gate.compare), legend: 'the rest', emptyWhile: notUsed } satisfies Target]
        : []),
    ],
    limits: limitsOfGate(gate),
  };
}

/** A leader's gauge is always there, and so are requests: a panel that asks for them is one. */
function silence({ metric }: Gate): Pick<Target, 'emptyWhile'> {
  return metric.startsWith('omnizap_worker_') || metric.startsWith('omnizap_http_') ? { emptyWhile: notUsed } : {};
}

function valueOf(gate: Gate, where: Matchers): string {
  const range = `[${gate.windowMs / 1_000}s]`;
  const gauge = series(gate.metric, ...matchersOf(where));
  const increase = (suffix: string, matchers = where, by = ''): string =>
    `sum${by} (increase(${series(`${gate.metric}${suffix}`, ...matchersOf(matchers))}${range}))`;
  switch (gate.measure) {
    case 'p50':
    case 'p95':
    case 'p99':
      return `histogram_quantile(0.${gate.measure.slice(1)}, ${increase('_bucket', where, ' by (le)')})`;
    case 'mean':
      return `${increase('_sum')} / ${increase('_count')}`;
    case 'ratio': {
      const suffix = gate.metric.endsWith('_total') ? '' : '_count';
      const all = increase(suffix);
      return `(${increase(suffix, { ...where, ...gate.of })} or 0 * ${all}) / ${all}`;
    }
    case 'increase':
      return `max(delta(${gauge}${range}))`;
    case 'slope':
      return `60 * max(deriv(${gauge}${range}))`;
    case 'value':
      return `max(${gauge})`;
    case 'min':
    case 'max':
      return `max(${gate.measure}_over_time(${gauge}${range}))`;
    case 'age':
      return `time() - max(${gauge})`;
  }
}

function matchersOf(where: Matchers): string[] {
  return Object.entries(where).map(([label, values]) =>
    values.length === 1 ? `${label}="${values[0]}"` : `${label}=~"${values.join('|')}"`,
  );
}

function unitOf({ measure, metric }: Gate): string {
  if (measure === 'ratio') return 'percentunit';
  if (measure === 'slope') return 'cpm';
  if (measure === 'age' || metric.endsWith('_seconds')) return 's';
  return metric.endsWith('_ms') ? 'ms' : 'short';
}

/** Above the first it is no longer passed, above the second it has failed. Where both are one, it is the second. */
function limitsOfGate({ pass, fail }: Gate): Limit[] {
  const limits: Limit[] = [];
  if (pass.value !== undefined && pass.value !== fail.value)
    limits.push({ value: pass.value, fires: 'above', color: 'yellow' });
  if (fail.value !== undefined) limits.push({ value: fail.value, fires: 'above', color: 'red' });
  return limits;
}

function limitsInWords({ pass, fail, compare }: Gate): string {
  const what = compare === 'before' ? 'before the first raise' : 'the rest';
  const words = (limits: Gate['pass']): string =>
    [
      limits.value === undefined ? [] : [`${limits.value}`],
      limits.timesBaseline === undefined ? [] : [`${limits.timesBaseline} times ${what}`],
      limits.aboveBaseline === undefined ? [] : [`${limits.aboveBaseline} more than ${what}`],
    ]
      .flat()
      .join(' or ');
  return `Passes up to ${words(pass)}; fails above ${words(fail)}.`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
