/**
 * The rules of grafana/dashboard-linter, by its names: docs/rules there says why each exists. It is a program in Go that is not
 * at hand everywhere, so they are written down again here, somewhat stricter: every kind of panel is looked at, where it knows a few.
 */
import { panelsOf } from './lint-rule.ts';
import type { LintDashboard, LintPanel, LintRule, LintTarget, LintVariable } from './lint-rule.ts';
import { parseQuery } from './promql.ts';
import type { ParsedQuery } from './promql.ts';
import { units } from './units.ts';

const rateFunctions = ['rate', 'irate', 'increase'];
const onTimeRangeChange = 2;

export const lintRules: readonly LintRule[] = [
  {
    name: 'template-datasource-rule',
    check({ templating }) {
      const sources = templating.list.filter(({ type }) => type === 'datasource');
      if (sources.length !== 1) return found('there must be one variable of type datasource');
      const [source] = sources;
      return [
        ...(source?.name === 'datasource'
          ? []
          : found(`the data source variable ${source?.name} must be named datasource`)),
        ...(source?.label === 'Data source' ? [] : found('the data source variable must be labelled Data source')),
      ];
    },
  },
  { name: 'template-job-rule', check: (dashboard) => checkChoice(dashboard, 'job', 'Job') },
  { name: 'template-instance-rule', check: (dashboard) => checkChoice(dashboard, 'instance', 'Instance') },
  {
    name: 'template-label-promql-rule',
    check: ({ templating }) =>
      templating.list.filter(isQuery).flatMap(({ name, query }) => {
        const text = typeof query === 'string' ? query : String(query?.query);
        const selector = /^label_values\((.+), *\w+\)$/.exec(text)?.[1];
        if (selector === undefined) return found(`the variable ${name} asks for no label values: ${text}`);
        return problemOf(selector) === null ? [] : found(`the variable ${name}: ${problemOf(selector)}`);
      }),
  },
  {
    name: 'template-on-time-change-reload-rule',
    check: ({ templating }) =>
      templating.list
        .filter(isQuery)
        .filter(({ refresh }) => refresh !== onTimeRangeChange)
        .flatMap(({ name }) => found(`the variable ${name} must be refreshed when the time range changes`)),
  },
  perPanel('panel-datasource-rule', ({ datasource }) =>
    isTemplated(datasource?.uid) ? [] : [`does not use the templated data source, but ${datasource?.uid}`],
  ),
  perPanel('panel-title-description-rule', ({ title, description }) => [
    ...(title ? [] : ['has no title']),
    ...(description ? [] : ['has no description']),
  ]),
  perPanel('panel-units-rule', ({ fieldConfig }) => {
    const overrides = (fieldConfig?.overrides ?? []).flatMap(({ properties = [] }) =>
      properties.filter(({ id }) => id === 'unit').map(({ value }) => String(value)),
    );
    const all = [fieldConfig?.defaults?.unit ?? '', ...overrides];
    return all.filter((unit) => !units.has(unit)).map((unit) => `has no unit that Grafana knows: "${unit}"`);
  }),
  perPanel('panel-no-targets-rule', ({ targets }) => (targets?.length ? [] : ['has no targets'])),
  perTarget('target-logql-rule', ({ datasource, expr }) =>
    datasource?.type === 'loki' ? [`asks Loki, and nothing here reads LogQL: ${expr}`] : [],
  ),
  perTarget('target-promql-rule', ({ expr }) => {
    const problem = problemOf(expr);
    return problem === null ? [] : [problem];
  }),
  perQuery('target-rate-interval-rule', ({ selectors }) =>
    selectors
      .filter(({ within }) => within === 'rate' || within === 'irate')
      .filter(({ range }) => range !== '$__rate_interval')
      .map(({ metric, range, within }) => `${within}(${metric}[${range}]) should be over $__rate_interval`),
  ),
  perQuery('target-job-rule', (query) => withoutMatcher(query, 'job')),
  perQuery('target-instance-rule', (query) => withoutMatcher(query, 'instance')),
  perQuery('target-counter-agg-rule', ({ selectors }) =>
    selectors
      .filter(({ metric }) => metric.endsWith('_total'))
      .filter(({ within, range }) => range === undefined || !rateFunctions.includes(within ?? ''))
      .map(({ metric }) => `the counter ${metric} is not aggregated with rate, irate or increase`),
  ),
  {
    name: 'uneditable-dashboard',
    check: ({ editable }) => (editable === false ? [] : found('the dashboard must not be editable')),
  },
];

function found(message: string): { message: string }[] {
  return [{ message }];
}

function isQuery({ type }: LintVariable): boolean {
  return type === 'query';
}

function isTemplated(uid: string | undefined): boolean {
  return uid === '$datasource' || uid === '${datasource}';
}

/** A variable that chooses among the values of a label, several or all of them. */
function checkChoice({ templating }: LintDashboard, name: string, label: string): { message: string }[] {
  const variable = templating.list.find((one) => one.name === name);
  if (variable === undefined) return found(`there is no variable ${name}`);
  return [
    ...(isQuery(variable) ? [] : [`must be of type query, not ${variable.type}`]),
    ...(isTemplated(variable.datasource?.uid) ? [] : ['must use the templated data source']),
    ...(variable.label === label ? [] : [`must be labelled ${label}`]),
    ...(variable.multi === true ? [] : ['must let several be chosen']),
    ...(variable.allValue === '.+' ? [] : ['must have .+ for all values']),
  ].flatMap((problem) => found(`the variable ${name} ${problem}`));
}

function perPanel(name: string, check: (panel: LintPanel) => string[]): LintRule {
  return {
    name,
    check: (dashboard) =>
      panelsOf(dashboard).flatMap((panel) =>
        check(panel).map((message) => ({ panel: panel.title ?? `with id ${panel.id}`, message })),
      ),
  };
}

function perTarget(name: string, check: (target: LintTarget) => string[]): LintRule {
  return perPanel(name, ({ targets = [] }) => targets.flatMap(check));
}

/** What cannot be read is target-promql-rule's to say. */
function perQuery(name: string, check: (query: ParsedQuery) => string[]): LintRule {
  return perTarget(name, ({ expr }) => (problemOf(expr) === null ? check(parseQuery(expr)) : []));
}

function withoutMatcher({ selectors }: ParsedQuery, label: string): string[] {
  return selectors
    .filter(
      ({ matchers }) =>
        !matchers.some((one) => one.label === label && one.operator === '=~' && one.value === `$${label}`),
    )
    .map(({ metric }) => `${metric} is asked for without ${label}=~"$${label}"`);
}

function problemOf(query: string): string | null {
  try {
    return parseQuery(query).selectors.length > 0 ? null : `names no metric: ${query}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
