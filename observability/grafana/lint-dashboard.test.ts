import { describe, expect, it } from '@jest/globals';
import { buildDashboards } from './dashboards.ts';
import { lintDashboards } from './lint-dashboard.ts';
import type { LintDashboard, LintPanel, LintVariable } from './lint-rule.ts';
import { lintRules } from './lint-rules.ts';

const choice = (name: string, label: string, query: string): LintVariable => ({
  name,
  label,
  type: 'query',
  query,
  datasource: { uid: '${datasource}' },
  refresh: 2,
  multi: true,
  allValue: '.+',
});
const panel: LintPanel = {
  id: 1,
  type: 'timeseries',
  title: 'Requests',
  description: 'Per second.',
  datasource: { type: 'prometheus', uid: '${datasource}' },
  targets: [{ expr: 'sum(rate(a_total{job=~"$job",instance=~"$instance"}[$__rate_interval]))' }],
  fieldConfig: { defaults: { unit: 'reqps' } },
};
const job = choice('job', 'Job', 'label_values(a, job)');
const instance = choice('instance', 'Instance', 'label_values(a{job=~"$job"}, instance)');
const source: LintVariable = { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' };
const dashboard: LintDashboard = {
  title: 'Good',
  editable: false,
  templating: { list: [source, job, instance] },
  panels: [{ id: 9, type: 'row', title: 'Row', panels: [] }, panel],
};

const rulesBrokenBy = (change: Partial<LintDashboard>): string[] => [
  ...new Set(lintDashboards([{ ...dashboard, ...change }], []).map(({ rule }) => rule)),
];
const withPanel = (change: Partial<LintPanel>): Partial<LintDashboard> => ({ panels: [{ ...panel, ...change }] });
const withQuery = (expr: string): Partial<LintDashboard> => withPanel({ targets: [{ expr }] });
const withVariables = (...list: LintVariable[]): Partial<LintDashboard> => ({ templating: { list } });

/** A broken dashboard for each rule, several where there are several ways to break it. */
const broken: [string, Partial<LintDashboard>][] = [
  ['template-datasource-rule', withVariables(job, instance)],
  ['template-datasource-rule', withVariables({ ...source, name: 'prometheus' }, job, instance)],
  ['template-datasource-rule', withVariables({ ...source, label: 'Source' }, job, instance)],
  ['template-job-rule', withVariables(source, instance)],
  ['template-job-rule', withVariables(source, { ...job, multi: false }, instance)],
  ['template-job-rule', withVariables(source, { ...job, allValue: '.*' }, instance)],
  ['template-job-rule', withVariables(source, { ...job, label: 'job' }, instance)],
  ['template-job-rule', withVariables(source, { ...job, datasource: { uid: 'prometheus' } }, instance)],
  ['template-instance-rule', withVariables(source, job)],
  ['template-instance-rule', withVariables(source, job, { ...instance, type: 'custom' })],
  ['template-label-promql-rule', withVariables(source, job, { ...instance, query: 'label_values(a{job=, instance)' })],
  ['template-label-promql-rule', withVariables(source, job, { ...instance, query: 'metrics(a)' })],
  ['template-on-time-change-reload-rule', withVariables(source, job, { ...instance, refresh: 1 })],
  ['panel-datasource-rule', withPanel({ datasource: { uid: 'P123' } })],
  ['panel-datasource-rule', { panels: [{ id: 9, type: 'row', panels: [{ ...panel, datasource: { uid: 'P123' } }] }] }],
  ['panel-title-description-rule', withPanel({ title: '' })],
  ['panel-title-description-rule', withPanel({ description: '' })],
  ['panel-units-rule', withPanel({ fieldConfig: { defaults: {} } })],
  ['panel-units-rule', withPanel({ fieldConfig: { defaults: { unit: 'requests' } } })],
  [
    'panel-units-rule',
    withPanel({
      fieldConfig: { defaults: { unit: 's' }, overrides: [{ properties: [{ id: 'unit', value: 'secs' }] }] },
    }),
  ],
  ['panel-no-targets-rule', withPanel({ targets: [] })],
  [
    'target-logql-rule',
    withPanel({
      targets: [{ ...panel.targets?.[0], expr: 'a{job=~"$job",instance=~"$instance"}', datasource: { type: 'loki' } }],
    }),
  ],
  ['target-promql-rule', withQuery('sum(rate(a_total{job=~"$job",instance=~"$instance"}[5m])')],
  ['target-promql-rule', withQuery('1 + 1')],
  ['target-rate-interval-rule', withQuery('rate(a_total{job=~"$job",instance=~"$instance"}[5m])')],
  ['target-job-rule', withQuery('a{instance=~"$instance"}')],
  ['target-job-rule', withQuery('a{job="omnizap",instance=~"$instance"}')],
  ['target-instance-rule', withQuery('a{job=~"$job"} or b{job=~"$job",instance=~"$instance"}')],
  ['target-counter-agg-rule', withQuery('sum(a_total{job=~"$job",instance=~"$instance"})')],
  ['target-counter-agg-rule', withQuery('max_over_time(a_total{job=~"$job",instance=~"$instance"}[5m])')],
  ['uneditable-dashboard', { editable: true }],
  ['uneditable-dashboard', { editable: undefined }],
];

describe('the linter', () => {
  it('has nothing to say about a dashboard as it should be', () => {
    expect(lintDashboards([dashboard], [])).toEqual([]);
  });

  it.each(broken)('finds what breaks %s, and nothing else', (rule, change) => {
    expect(rulesBrokenBy(change)).toEqual([rule]);
  });

  it('was shown a broken dashboard for each of its rules', () => {
    expect(lintRules.map(({ name }) => name).filter((name) => !broken.some(([rule]) => rule === name))).toEqual([]);
  });

  it('leaves out what is excluded, of that panel alone', () => {
    const exclusion = { rules: ['target-job-rule'], dashboard: 'Good', panel: 'Requests', reason: 'A test.' };
    const asked = { ...dashboard, ...withQuery('a{instance=~"$instance"}') };
    expect(lintDashboards([asked], [exclusion])).toEqual([]);
    expect(lintDashboards([{ ...asked, title: 'Other' }], [exclusion])).toHaveLength(2);
  });

  it('finds an exclusion that nothing needs', () => {
    const exclusion = { rules: ['target-job-rule'], dashboard: 'Good', panel: 'Requests', reason: 'A test.' };
    expect(lintDashboards([dashboard], [exclusion])).toEqual([
      expect.objectContaining({ rule: 'target-job-rule', message: expect.stringContaining('remove the exclusion') }),
    ]);
  });

  it('finds nothing in our dashboards', () => {
    expect(lintDashboards(buildDashboards() as unknown as LintDashboard[])).toEqual([]);
  });
});
