/** The minute roll-up: what was sampled, as one row per minute and group, for whoever looks at yesterday. */
import { selectorOf, type Selector, type Tick } from './tally.ts';

const minuteMs = 60_000;

export type MinuteRow = {
  minuteAt: Date;
  metric: string;
  /** `label=value,...` in the order of the roll-up; empty for none. */
  labels: string;
  /** Counters: the increase of the minute. Gauges: the last value. */
  value: number;
  low: number | null;
  high: number | null;
};

type Rollup = { metric: string; by: string[]; fold: Selector['fold'] };

/** Histograms are kept as their buckets: percentiles of a day are computed from sums of them, never from averages. */
const rollups: Rollup[] = [
  { metric: 'omnizap_http_requests_total', by: ['route_group', 'status_class'], fold: 'counter' },
  { metric: 'omnizap_http_request_duration_ms_bucket', by: ['route_group', 'le'], fold: 'counter' },
  { metric: 'omnizap_http_slo_violation_total', by: ['route_group'], fold: 'counter' },
  { metric: 'omnizap_worker_task_duration_seconds_count', by: ['task_type', 'outcome', 'lane'], fold: 'counter' },
  { metric: 'omnizap_worker_task_duration_seconds_sum', by: ['task_type', 'lane'], fold: 'counter' },
  { metric: 'omnizap_asset_delivery_total', by: ['source', 'outcome'], fold: 'counter' },
  { metric: 'omnizap_queue_depth', by: ['queue'], fold: 'sum' },
  { metric: 'omnizap_queue_oldest_age_seconds', by: ['queue'], fold: 'max' },
  { metric: 'omnizap_task_depth', by: ['task_type', 'lane'], fold: 'sum' },
  { metric: 'omnizap_feature_flag_rollout_percent', by: ['flag'], fold: 'max' },
  { metric: 'omnizap_ranking_snapshot_timestamp_seconds', by: [], fold: 'max' },
];

const chosen = rollups.map((rollup) => ({
  ...rollup,
  selector: selectorOf(rollup.metric, {}, rollup.by, rollup.fold),
}));

export const rollupSelectors: Selector[] = chosen.map(({ selector }) => selector);

export function createMinuteRollup() {
  let minute = -1;
  let rows = new Map<string, MinuteRow>();

  return {
    /** Takes a tick in; returns the rows of the minute that is over, if one is. */
    add(tick: Tick): MinuteRow[] {
      const tickMinute = Math.floor(tick.at / minuteMs);
      const finished = tickMinute === minute ? [] : [...rows.values()].filter(isWorthARow);
      if (tickMinute !== minute) rows = new Map();
      minute = tickMinute;
      for (const { metric, fold, selector } of chosen) {
        const groups = (fold === 'counter' ? tick.deltas : tick.values).get(selector.key);
        for (const [labels, value] of groups ?? []) {
          const key = `${metric}\n${labels}`;
          const row = rows.get(key);
          if (fold === 'counter')
            rows.set(key, {
              minuteAt: new Date(minute * minuteMs),
              metric,
              labels,
              value: (row?.value ?? 0) + value,
              low: null,
              high: null,
            });
          else
            rows.set(key, {
              minuteAt: new Date(minute * minuteMs),
              metric,
              labels,
              value,
              low: Math.min(row?.low ?? value, value),
              high: Math.max(row?.high ?? value, value),
            });
        }
      }
      return finished;
    },
  };
}

/** A counter that stood still says nothing. */
function isWorthARow({ low, value }: MinuteRow): boolean {
  return low !== null || value > 0;
}
