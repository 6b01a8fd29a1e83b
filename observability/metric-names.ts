/**
 * The metrics that runbooks/contract.md names, read from the page itself: it is the one place where a name is decided, so the
 * code, the rules, the dashboards and the gates are all held against it. Understands how section 7 is written, and no more.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';

export type ContractMetric = {
  type: 'counter' | 'gauge' | 'histogram';
  /** Names only, sorted; those that Prometheus adds (`le`, `instance`, `job` ...) are not among them. */
  labels: readonly string[];
};

const contractPath = path.join(import.meta.dirname, '../runbooks/contract.md');

/**
 * Every metric of ours by its name; a histogram's series end in `_bucket`, `_sum` and `_count` behind it.
 * @throws Error when the page has no section 7, or names a metric twice with different labels
 */
export function contractMetrics(page = readFileSync(contractPath, 'utf8')): Map<string, ContractMetric> {
  const section = /^## 7\..*?(?=^## 8\.)/ms.exec(page)?.[0];
  if (section === undefined) throw new Error('runbooks/contract.md has no section 7 any more');
  const metrics = new Map<string, ContractMetric>();
  for (const [, name = '', labelList = '', mark] of section.matchAll(
    /`(omnizap_\w+)(?:\{([\w,]+)\})?`(?: \((histogram)\b)?/g,
  )) {
    const labels = labelList.split(',').filter(Boolean).toSorted();
    const known = metrics.get(name);
    if (known !== undefined && known.labels.join() !== labels.join())
      throw new Error(`runbooks/contract.md names ${name} with different labels`);
    const type = mark === 'histogram' ? 'histogram' : name.endsWith('_total') ? 'counter' : 'gauge';
    metrics.set(name, known ?? { type, labels });
  }
  return metrics;
}

/** The metric that a series belongs to: `x` for `x_bucket`, `x_sum` and `x_count` of a histogram x; undefined when it is none of ours. */
export function metricOfSeries(metrics: ReadonlyMap<string, ContractMetric>, series: string): string | undefined {
  if (metrics.has(series)) return metrics.get(series)?.type === 'histogram' ? undefined : series;
  const name = series.replace(/_(?:bucket|sum|count)$/, '');
  return metrics.get(name)?.type === 'histogram' ? name : undefined;
}
