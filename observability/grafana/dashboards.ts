/** The dashboards: as files for Grafana, and as queries for whoever wants to run them. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { buildBoard } from './board.ts';
import type { Board } from './board.ts';
import { database } from './boards/database.ts';
import { deliveryAndStorage } from './boards/delivery-and-storage.ts';
import { fleetOverview } from './boards/fleet-overview.ts';
import { httpAndSlo } from './boards/http-and-slo.ts';
import { queuesAndOutbox } from './boards/queues-and-outbox.ts';
import { rollout } from './boards/rollout.ts';
import { stickerWork } from './boards/sticker-work.ts';

const boards: readonly Board[] = [
  fleetOverview,
  queuesAndOutbox,
  httpAndSlo,
  stickerWork,
  rollout,
  database,
  deliveryAndStorage,
];

export function buildDashboards(): Dashboard[] {
  return boards.map(buildBoard);
}

export const dashboardFolder = 'observability/grafana/dashboards';

/** Paths from the project's root, with what has to be there. */
export function generateDashboards(): Map<string, string> {
  return new Map(
    boards.map((board) => [`${dashboardFolder}/${board.uid}.json`, `${JSON.stringify(buildBoard(board), null, 2)}\n`]),
  );
}

export type PanelQuery = {
  dashboard: string;
  panel: string;
  legend: string;
  expr: string;
  /** Why a healthy fleet may have no such series; undefined: it always has. */
  emptyWhile: string | undefined;
};

/**
 * Every query of every panel, as Prometheus gets it: all jobs and instances, unless others are named, and `rateInterval` for
 * $__rate_interval (Grafana: four times the scrape interval at least).
 */
export function panelQueries({ job = '.+', instance = '.+', rateInterval = '1m' } = {}): PanelQuery[] {
  const variables: Record<string, string> = { job, instance, __rate_interval: rateInterval };
  return boards.flatMap(({ title, rows }) =>
    rows.flatMap(({ panels }) =>
      panels.flatMap((panel) =>
        panel.targets.map(({ expr, legend, emptyWhile }) => ({
          dashboard: title,
          panel: panel.title,
          legend,
          expr: substitute(expr, variables),
          emptyWhile,
        })),
      ),
    ),
  );
}

/** Every query that a dashboard asks, those of annotations and variables among them, and what its legend names. */
export function boardQueries(): { of: string; expr: string; legend: string }[] {
  const all = { job: '.+', instance: '.+', __rate_interval: '1m' };
  const around = buildDashboards().flatMap(({ title = '', annotations, templating }) => [
    ...(annotations.list ?? []).map(({ name, expr, titleFormat }) => ({
      of: `${title}, marks of ${name}`,
      expr: substitute(expr ?? '', all),
      legend: titleFormat ?? '',
    })),
    ...(templating.list ?? []).flatMap(({ name, query }) => {
      const selector = /^label_values\((.+), *\w+\)$/.exec(typeof query === 'string' ? query : '')?.[1];
      return selector === undefined
        ? []
        : [{ of: `${title}, the variable ${name}`, expr: substitute(selector, all), legend: '' }];
    }),
  ]);
  const ofPanels = panelQueries().map(({ dashboard, panel, expr, legend }) => ({
    of: `${dashboard}, ${panel}`,
    expr,
    legend,
  }));
  return [...ofPanels, ...around];
}

/** `$name` and `${name}`. @throws Error for a variable that no dashboard has */
function substitute(expr: string, variables: Readonly<Record<string, string>>): string {
  return expr.replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (whole, braced?: string, plain?: string) => {
    const value = variables[braced ?? plain ?? ''];
    if (value === undefined) throw new Error(`${whole} is no variable of the dashboards: ${expr}`);
    return value;
  });
}
