/**
 * A dashboard in the classic schema, which files can be provisioned from in every Grafana since 10; it is not editable there,
 * because what is changed there would not be in the next release.
 */
import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Dashboard, Panel as GrafanaPanel } from '@grafana/grafana-foundation-sdk/dashboard';
import { buildPanel, datasource } from './panel.ts';
import type { Panel } from './panel.ts';
import { series } from './queries.ts';

export type Row = { title: string; panels: readonly Panel[] };

export type Board = {
  /** Never changed: addresses of dashboards are made of it. Also the name of its file. */
  uid: string;
  title: string;
  /** The question that it answers. */
  description: string;
  rows: readonly Row[];
};

const tag = 'omnizap';
/** Annotations are asked for at this step whatever the zoom: a flag that changes twice in it is one mark. */
const annotationStep = '30s';

export function buildBoard({ uid, title, description, rows }: Board): Dashboard {
  const builder = new DashboardBuilder(`OmniZap / ${title}`)
    .uid(`omnizap-${uid}`)
    .description(description)
    .tags([tag])
    .readonly()
    .timezone('browser')
    .refresh('30s')
    .time({ from: 'now-3h', to: 'now' })
    .tooltip(DashboardCursorSync.Crosshair)
    .variables(variables())
    .annotations(annotations())
    .link(
      new DashboardLinkBuilder('OmniZap')
        .type(DashboardLinkType.Dashboards)
        .tags([tag])
        .asDropdown(false)
        .keepTime(true)
        .includeVars(true),
    );
  let id = 0;
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title).id(++id));
    for (const panel of row.panels) {
      const built = buildPanel(panel, ++id);
      builder.withPanel({ build: (): GrafanaPanel => built });
    }
  }
  return withoutPlacement(builder.build());
}

/** The builders put all links and marks into a menu of Grafana 12.3 that is folded: a link that is not seen is not followed. */
function withoutPlacement(dashboard: Dashboard): Dashboard {
  const text = JSON.stringify(dashboard, (key, value: unknown) =>
    key === 'placement' && value === 'inControlsMenu' ? undefined : value,
  );
  return JSON.parse(text) as Dashboard;
}

/** The datasource, the job and its instances: as grafana/dashboard-linter wants them. */
function variables() {
  const choice = (name: string, label: string, query: string): QueryVariableBuilder =>
    new QueryVariableBuilder(name)
      .label(label)
      .datasource(datasource)
      .query(query)
      .refresh(VariableRefresh.OnTimeRangeChanged)
      .sort(VariableSort.AlphabeticalAsc)
      .multi(true)
      .includeAll(true)
      .allValue('.+')
      .current({ selected: true, text: 'All', value: '$__all' });
  return [
    new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'),
    choice('job', 'Job', 'label_values(omnizap_build_info, job)'),
    choice('instance', 'Instance', 'label_values(omnizap_build_info{job=~"$job"}, instance)'),
  ];
}

/** What people and the rollout did, and what went wrong: causes and effects on one time axis. */
function annotations() {
  const mark = (name: string, iconColor: string, expr: string, titleFormat: string): AnnotationQueryBuilder =>
    new AnnotationQueryBuilder()
      .name(name)
      .datasource(datasource)
      .enable(true)
      .hide(false)
      .iconColor(iconColor)
      .expr(expr)
      .step(annotationStep)
      .titleFormat(titleFormat);
  return [
    // The first process to learn of a change says when: one that is started later learns it at its start.
    mark(
      'Flag changes',
      'blue',
      `min by (flag) (${series('omnizap_feature_flag_changed_timestamp_seconds')}) * 1000`,
      'Flag {{flag}} changed',
    ).useValueForTime(true),
    mark(
      'Rollout decisions',
      'purple',
      `sum by (action) (increase(${series('omnizap_rollout_decisions_total', 'action=~"intend-.+|abort"')}[1m])) > 0`,
      'Rollout: {{action}}',
    ),
    mark(
      'New versions',
      'green',
      `count by (version) (${series('omnizap_build_info')}) unless count by (version) (${series('omnizap_build_info')} offset 1m)`,
      'Version {{version}} runs',
    ),
    mark('Critical alerts', 'red', 'ALERTS{alertstate="firing",severity="critical"}', '{{alertname}}'),
  ];
}
