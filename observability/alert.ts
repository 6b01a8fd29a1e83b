/** What an alert is, as data. Recording rules, tests, pages and routes are made from it. */

/** As Prometheus writes them. */
export type Duration = `${number}${'s' | 'm' | 'h' | 'd'}`;

/** critical wakes somebody; high is for today; medium is for the working week. */
export type Severity = 'critical' | 'high' | 'medium';

/** One file of rules each, and one of their tests. */
export const alertGroups = ['slo', 'http', 'throughput', 'processes', 'queues', 'catalogue', 'database'] as const;

export type AlertGroup = (typeof alertGroups)[number];

export type Alert = {
  /** PascalCase; the page runbooks/alerts/<name>.md explains it. */
  name: string;
  group: AlertGroup;
  severity: Severity;
  /** PromQL; `$limit` stands for `limit`. */
  expression: string;
  limit: number;
  /** It fires on the far side of the limit. */
  fires: 'above' | 'below' | 'at';
  /** How long the expression has to hold; 0s = the expression says it itself. */
  for: Duration;
  /** One line for a phone; may name `$labels`. */
  summary: string;
  /** The expression in words, with its limit and unit. */
  condition: string;
  /** What to do first. */
  action: string;
  /** Alerts that explain this one: while one of them fires, this one is not sent. */
  inhibitedBy: readonly string[];
};

/** Where the page of an alert is, from the project's root. */
export function alertPageOf(name: string): string {
  return `runbooks/alerts/${name}.md`;
}
