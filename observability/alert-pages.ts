/** The head of each page in runbooks/alerts, and the index of them. What stands below the head is people's. */
import { expressionOf } from './rules/render-rules.ts';
import { alerts, alertGroups } from './slo.ts';
import type { Alert, Cause } from './slo.ts';

export const alertIndexPath = 'runbooks/alerts/README.md';

/** Sections that every page has, in their order. */
export const alertSections = ['What it means', 'Look', 'Do', 'Escalate'] as const;

/** The page with its head as the data of the alert has it. */
export function withAlertHead(alert: Alert, page: string): string {
  const at = page.search(/^## /m);
  return `${renderHead(alert)}\n${at === -1 ? '' : page.slice(at)}`;
}

/** One line for each alert, by what it is about. */
export function renderAlertIndex(): string {
  const lines = alertGroups.flatMap((group) => [
    `## ${titles[group]}`,
    '| alert | severity | fires when | for |',
    '| --- | --- | --- | --- |',
    ...alerts
      .filter((alert) => alert.group === group)
      .map(
        (alert) => `| [${alert.name}](${alert.name}.md) | ${alert.severity} | ${alert.condition} | ${waitOf(alert)} |`,
      ),
    '',
  ]);
  return [
    '# Alerts',
    '',
    'One page for each alert, under its name. Objectives, floors and where alerts come from: [the objectives](../../observability/sticker-catalog-slo.md). `critical` wakes somebody, `high` is for today, `medium` for the working week.',
    '',
    'Facts on these pages are those of `observability/slo.ts` (`npm run observability:generate` writes them); this index is made from it, too.',
    '',
    ...lines,
  ].join('\n');
}

const titles: Readonly<Record<Alert['group'], string>> = {
  'error-budget': 'Error budgets',
  http: 'HTTP',
  throughput: 'Throughput',
  processes: 'Processes',
  queues: 'Queues, outbox and classification',
  catalogue: 'Ranking, flags, storage, caches, upkeep',
  database: 'Databases',
};

function renderHead(alert: Alert): string {
  const { name, severity, condition, action, summary, inhibitedBy } = alert;
  return [
    `# ${name}`,
    '',
    `${summary.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, '`$1`')}.`,
    '',
    `- Severity **${severity}**, after ${waitOf(alert)}.`,
    `- Fires when ${condition}.`,
    `- First: ${action}`,
    ...(inhibitedBy.length === 0
      ? []
      : [`- Not sent while one of its causes is: ${inhibitedBy.map(causeText).join(', ')}.`]),
    '',
    'In PromQL:',
    '',
    ...expressionOf(alert)
      .split('\n')
      .map((line) => `    ${line}`),
    '',
  ].join('\n');
}

function causeText({ alert, where = {}, equal = [] }: Cause): string {
  const held = [
    ...Object.entries(where).map(([label, value]) => `\`${label}\` ${value}`),
    ...equal.map((label) => `the same \`${label}\``),
  ];
  return `[${alert}](${alert}.md)${held.length === 0 ? '' : ` (${held.join(', ')})`}`;
}

function waitOf(alert: Alert): string {
  return alert.for === '0s' ? '0s, at once' : alert.for;
}
