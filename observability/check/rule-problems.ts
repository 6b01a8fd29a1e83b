/**
 * Metrics, labels and values that alerts, recorded series and cases name and nobody exports: at run time such a rule looks exactly
 * like one about something quiet, and a case about a lane that does not exist proves nothing.
 */
import { taskTypes } from '@omnizap/catalog';
import { flagNames } from '@omnizap/rollout';
import { processNames } from '@omnizap/runtime';
import type { Lane } from '@omnizap/tasks';
import { alertCases } from '../cases/alert-cases.ts';
import { parseQuery } from '../grafana/promql.ts';
import { findQueryProblems, knownSeries } from '../grafana/query-problems.ts';
import type { KnownSeries } from '../grafana/query-problems.ts';
import { recordingGroups } from '../rules/recording-rules.ts';
import { expressionOf } from '../rules/render-rules.ts';
import { alerts } from '../slo.ts';

/** `labels`: those that a summary shows, as a legend of Grafana has them. */
export type RuleExpression = { of: string; text: string; labels?: string };

const lanes = ['inline', 'stable', 'canary'] as const satisfies readonly Lane[];

/** Values of labels that are fixed in code; those of any other label are not looked at. */
const knownValues: Readonly<Record<string, readonly string[]>> = {
  lane: lanes,
  task_type: taskTypes,
  process: processNames,
  flag: flagNames,
  database: ['catalogue', 'queue'],
  queue: [
    ...states('sticker_worker_tasks'),
    ...states('domain_event_outbox'),
    ...['sticker_reprocess_pending', 'sticker_pack_score_snapshot_pending', 'delivery_pending'],
  ],
  status_class: ['1xx', '2xx', '3xx', '4xx', '5xx', 'timeout', 'aborted'],
};

function states(queue: string): string[] {
  return ['pending', 'processing', 'failed', 'dlq'].map((state) => `${queue}_${state}`);
}

/** Of those who watch, scraped by jobs of their own. */
const ofTheWatchers: Readonly<Record<string, readonly string[]>> = {
  alertmanager_notifications_failed_total: ['integration', 'reason', 'job', 'instance'],
};

/** One line per problem. */
export async function findRuleProblems(expressions: readonly RuleExpression[] = allExpressions()): Promise<string[]> {
  const { labelsOf } = await knownSeries();
  const known: KnownSeries = { labelsOf: (series) => ofTheWatchers[series] ?? labelsOf(series) };
  return expressions.flatMap(({ of, text, labels = '' }) =>
    [...findQueryProblems({ expr: text, legend: labels }, known), ...findUnknownValues(text)].map(
      (problem) => `${of}: ${problem}`,
    ),
  );
}

function findUnknownValues(expression: string): string[] {
  return parseQuery(expression).selectors.flatMap(({ metric, matchers }) =>
    matchers.flatMap(({ label, operator, value }) => {
      const values = knownValues[label];
      if (values === undefined) return [];
      const named = operator.endsWith('~') ? value.split('|') : [value];
      return named
        .filter((one) => !values.some((other) => new RegExp(`^${one}$`).test(other)))
        .map((one) => `${metric} has no ${label} ${one}`);
    }),
  );
}

function allExpressions(): RuleExpression[] {
  const cases = Object.entries(alertCases).flatMap(([name, { fires, silent }]) =>
    [...fires, ...silent].flatMap(({ title, series }) =>
      Object.keys(series).map((text) => ({ of: `${name}, ${title}`, text })),
    ),
  );
  return [
    ...alerts.map((alert) => {
      const text = expressionOf(alert);
      // Without grouping it keeps those of its series.
      const labels = parseQuery(text).grouping.length === 0 ? '' : alert.summary.replaceAll('$labels.', '');
      return { of: alert.name, text, labels };
    }),
    ...recordingGroups.flatMap(({ rules }) =>
      rules.map(({ record, expression }) => ({ of: record, text: expression })),
    ),
    ...cases,
  ];
}
