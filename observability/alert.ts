/** What an alert is, as data. Rules, tests, pages and routes are made from it. */

/** As Prometheus writes them. */
export type Duration = `${number}${'s' | 'm' | 'h' | 'd'}`;

/** critical wakes somebody; high is for today; medium is for the working week. */
export type Severity = 'critical' | 'high' | 'medium';

/** One file of rules each, and one of their tests. */
export const alertGroups = [
  'error-budget',
  'http',
  'throughput',
  'processes',
  'queues',
  'catalogue',
  'database',
] as const;

export type AlertGroup = (typeof alertGroups)[number];

export type Alert = {
  /** PascalCase; the page runbooks/alerts/<name>.md explains it. */
  name: string;
  group: AlertGroup;
  severity: Severity;
  /** PromQL; `$limit` stands for `limit`. */
  expression: string;
  limit: number;
  /** On which side of the limit it fires. */
  fires: 'above' | 'below' | 'at';
  /** How long the expression has to hold; 0s where it looks back by itself. */
  for: Duration;
  /** One line for a phone; `{{ $labels.x }}` as Prometheus fills it in. */
  summary: string;
  /** The expression in words, with limit, unit and the traffic that it needs. */
  condition: string;
  /** What to do first. */
  action: string;
  /** While one of these fires, this one is not sent. None of them is less severe: what is sent has to be told to whom this one is for, or sooner. */
  inhibitedBy: readonly Cause[];
};

/**
 * An alert that explains another one whole: where it would explain a part only, the rest would go unseen. `where`: of these labels;
 * `equal`: of the same values as the other one has.
 */
export type Cause = {
  alert: string;
  where?: Readonly<Record<string, string>>;
  equal?: readonly string[];
};

/** Where the page of an alert is, from the project's root. */
export function alertPageOf(name: string): string {
  return `runbooks/alerts/${name}.md`;
}
