/**
 * What a query of a panel, an annotation or a variable asks for that nobody exports: a metric, a label, a label in a legend. At run
 * time all of these look exactly like something quiet.
 */
import { createMetrics } from '@omnizap/runtime';
import { contractMetrics, metricOfSeries } from '../metric-names.ts';
import type { ContractMetric } from '../metric-names.ts';
import { recordingGroups } from '../rules/recording-rules.ts';
import { parseQuery } from './promql.ts';

/** Of every series of ours: Prometheus' own two, and those that /api/ops/targets gives its targets. */
const targetLabels = ['job', 'instance', 'process', 'release', 'version'];

export type KnownSeries = {
  /** Names only; undefined where any will do. Null: there is no such series. */
  labelsOf: (series: string) => readonly string[] | undefined | null;
};

/** What there is: of the contract, of Node by way of every process, of the rules, and of Prometheus itself. */
export async function knownSeries(
  metrics: ReadonlyMap<string, ContractMetric> = contractMetrics(),
): Promise<KnownSeries> {
  const recorded = new Set(recordingGroups.flatMap(({ rules }) => rules.map(({ record }) => record)));
  const ofNode = new Map<string, readonly string[]>();
  const { registry } = createMetrics({ version: '0', release: 'stable', process: 'none' });
  for (const { name, values } of await registry.getMetricsAsJSON())
    ofNode.set(name, [...new Set(values.flatMap(({ labels }) => Object.keys(labels)))]);
  return {
    labelsOf(series) {
      if (series === 'up') return targetLabels;
      if (series === 'ALERTS' || recorded.has(series)) return undefined;
      const metric = metricOfSeries(metrics, series);
      if (metric === undefined) {
        const own = ofNode.get(series);
        return own === undefined ? null : [...own, ...targetLabels];
      }
      const labels = [...(metrics.get(metric)?.labels ?? []), ...targetLabels];
      return series.endsWith('_bucket') ? [...labels, 'le'] : labels;
    },
  };
}

/** One line per problem of a query; `legend` as Grafana fills it in. */
export function findQueryProblems(
  { expr, legend = '' }: { expr: string; legend?: string },
  known: KnownSeries,
): string[] {
  const { selectors, grouping } = parseQuery(expr);
  const all: string[] = [];
  let isAnyAllowed = selectors.length === 0;
  const problems = selectors.flatMap(({ metric, matchers }) => {
    const labels = known.labelsOf(metric);
    if (labels === null) return [`${metric} is neither in section 7 of runbooks/contract.md nor recorded`];
    if (labels === undefined) {
      isAnyAllowed = true;
      return [];
    }
    all.push(...labels);
    return matchers
      .filter(({ label }) => !labels.includes(label))
      .map(({ label }) => `${metric} has no label ${label}`);
  });
  if (isAnyAllowed || problems.length > 0) return problems;
  const inLegend = Array.from(legend.matchAll(/\{\{\s*(\w+)\s*\}\}/g), ([, label = '']) => label);
  return [
    ...grouping
      .filter((label) => !all.includes(label))
      .map((label) => `no metric of it has the label ${label}: ${expr}`),
    // What an aggregation leaves is what it groups by.
    ...inLegend
      .filter((label) => !grouping.includes(label) && !/\bwithout\b/.test(expr))
      .map((label) => `the legend names ${label}, and the query leaves no such label: ${expr}`),
  ];
}
