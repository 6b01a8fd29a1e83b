/**
 * A panel as data, and what Grafana makes of it. Every panel says what it shows, in which unit, and what it means when it has nothing
 * to show: to whoever is woken at night, an empty panel without a word is one more question.
 */
import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  LineInterpolation,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardLinkBuilder,
  DashboardLinkType,
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  SpecialValueMatch,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Panel as GrafanaPanel, Threshold, ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type { Limit } from './limits.ts';

export type Target = {
  expr: string;
  /** `{{label}}` as Grafana fills it in. */
  legend: string;
  /** Why a healthy fleet may have no such series; shown in place of a value. Without it there always are some. */
  emptyWhile?: string;
};

export type Panel = {
  /** stat: the value of the end of the time range; timeline: a state per moment; table: the latest of each series. */
  kind: 'timeseries' | 'stat' | 'timeline' | 'table';
  title: string;
  description: string;
  /** Grafana's name of it. */
  unit: string;
  /** Of 24 columns. */
  width: number;
  /** In rows of 30 pixels. Default 8, of a stat 4. */
  height?: number;
  targets: readonly Target[];
  /** From slo.ts, or from the gates of the rollout. */
  limits?: readonly Limit[];
  decimals?: number;
  isStacked?: boolean;
  /** Values with a name of their own. */
  states?: Readonly<Record<string, { text: string; color: string }>>;
  /** Columns of a table that are left out, besides the time. */
  hiddenColumns?: readonly string[];
  /** The board that says more: its uid. */
  leadsTo?: string;
};

/** The variable of every dashboard. */
export const datasource: DataSourceRef = { type: 'prometheus', uid: '${datasource}' };

/** `id` is unique within the dashboard. */
export function buildPanel(panel: Panel, id: number): GrafanaPanel {
  const builder = builderOf(panel)
    .id(id)
    .title(panel.title)
    .description(panel.description)
    .datasource(datasource)
    .unit(panel.unit)
    .span(panel.width)
    .height(panel.height ?? (panel.kind === 'stat' ? 4 : 8))
    .colorScheme(
      new FieldColorBuilder().mode(
        panel.kind === 'timeseries' ? FieldColorModeId.PaletteClassic : FieldColorModeId.Thresholds,
      ),
    )
    .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(stepsOf(panel.limits ?? [])));
  panel.targets.forEach((target, index) => builder.withTarget(queryOf(panel, target, index)));
  if (panel.leadsTo !== undefined) builder.links([linkTo(panel.leadsTo)]);
  if (panel.decimals !== undefined) builder.decimals(panel.decimals);
  const emptyWhile = panel.targets.find((target) => target.emptyWhile !== undefined)?.emptyWhile;
  if (emptyWhile !== undefined) builder.noValue(emptyWhile);
  const mappings = mappingsOf(panel, emptyWhile);
  if (mappings.length > 0) builder.mappings(mappings);
  return builder.build();
}

function builderOf(panel: Panel): TimeseriesBuilder | StatBuilder | TimelineBuilder | TableBuilder {
  switch (panel.kind) {
    case 'timeseries':
      return timeseries(panel);
    case 'stat':
      return new StatBuilder()
        .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
        .graphMode(BigValueGraphMode.None)
        .colorMode(BigValueColorMode.Value)
        .textMode(panel.targets.length > 1 ? BigValueTextMode.ValueAndName : BigValueTextMode.Auto);
    case 'timeline':
      return new TimelineBuilder().fillOpacity(80).legend(new VizLegendOptionsBuilder().showLegend(true));
    case 'table':
      return new TableBuilder().withTransformation({
        id: 'organize',
        options: {
          excludeByName: Object.fromEntries(['Time', ...(panel.hiddenColumns ?? [])].map((name) => [name, true])),
        },
      });
  }
}

/** Lines where the limits are, so that how far away they are is seen before they are crossed. */
function timeseries({ limits = [], isStacked = false }: Panel): TimeseriesBuilder {
  return new TimeseriesBuilder()
    .lineWidth(1)
    .fillOpacity(isStacked ? 40 : 8)
    .lineInterpolation(LineInterpolation.Linear)
    .showPoints(VisibilityMode.Never)
    .axisSoftMin(0)
    .stacking(new StackingConfigBuilder().mode(isStacked ? StackingMode.Normal : StackingMode.None).group('A'))
    .thresholdsStyle(
      new GraphThresholdsStyleConfigBuilder().mode(
        limits.length === 0 ? GraphThresholdsStyleMode.Off : GraphThresholdsStyleMode.Dashed,
      ),
    )
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .calcs(['lastNotNull', 'max']),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
}

function queryOf(panel: Panel, { expr, legend }: Target, index: number): DataqueryBuilder {
  const query = new DataqueryBuilder().datasource(datasource).expr(expr).legendFormat(legend).refId(refIdOf(index));
  if (panel.kind === 'table') return query.instant().format(PromQueryFormat.Table);
  // Of a range, the latest that there was would stand there for as long as the range goes back.
  return panel.kind === 'stat' ? query.instant() : query.range();
}

/** A, B, C ... */
function refIdOf(index: number): string {
  return String.fromCodePoint(65 + index);
}

/** With the time and what was chosen. */
function linkTo(uid: string): DashboardLinkBuilder {
  return new DashboardLinkBuilder('More about it')
    .type(DashboardLinkType.Link)
    .url(`/d/omnizap-${uid}?\${__url_time_range}&\${__all_variables}`);
}

/** Green, until a limit is crossed; the other way round where falling below is the trouble. */
function stepsOf(limits: readonly Limit[]): Threshold[] {
  const ordered = limits.toSorted((a, b) => a.value - b.value);
  if (ordered[0]?.fires !== 'below')
    return [{ value: null, color: 'green' }, ...ordered.map(({ value, color }) => ({ value, color }))];
  const colors = [...ordered.map(({ color }) => color), 'green'];
  return colors.map((color, index) => ({ value: index === 0 ? null : (ordered[index - 1]?.value ?? null), color }));
}

/** Names for values; of a stat also for what a ratio is of nothing, which is shown as NaN otherwise. */
function mappingsOf({ kind, states }: Panel, emptyWhile: string | undefined): ValueMapping[] {
  const named = Object.fromEntries(
    Object.entries(states ?? {}).map(([value, { text, color }], index) => [value, { text, color, index }]),
  );
  return [
    ...(states === undefined ? [] : [{ type: MappingType.ValueToText, options: named } satisfies ValueMapping]),
    ...(kind === 'stat' && emptyWhile !== undefined
      ? [
          {
            type: MappingType.SpecialValue,
            options: { match: SpecialValueMatch.NullAndNan, result: { text: emptyWhile, index: 0 } },
          } satisfies ValueMapping,
        ]
      : []),
  ];
}
