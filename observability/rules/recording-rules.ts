/**
 * What alerts and dashboards ask for again and again. Names are level:metric:operations, the level being the labels that are left
 * (fleet: none). Ratios are made of sums and kept by the window that they are of: a mean of ratios would weigh a quiet minute like a
 * busy one.
 */
import {
  abandonedStatusClass,
  burnWindows,
  failedStatusClasses,
  readMethods,
  readStatusClasses,
  slowReadMs,
  sloRouteGroups,
} from '../slo.ts';
import type { AlertGroup, Duration } from '../slo.ts';

export type RecordingRule = { record: string; expression: string };

/** Rules of one group are computed one after the other, every `interval`. `file`: groups that are needed together. */
export type RecordingGroup = {
  name: string;
  file: RecordingFile;
  interval: Duration;
  rules: readonly RecordingRule[];
};

export type RecordingFile = 'http' | 'error-budget' | 'work' | 'database';

/** The recorded series that the alerts of a group look at. */
export const recordedFor: Readonly<Record<AlertGroup, readonly RecordingFile[]>> = {
  'error-budget': ['error-budget'],
  http: ['http', 'error-budget'],
  throughput: ['http'],
  processes: [],
  queues: ['work'],
  catalogue: ['work'],
  database: ['database'],
};

const inSlo = `route_group=~"${sloRouteGroups.join('|')}"`;
const counted = `${inSlo},status_class!="${abandonedStatusClass}"`;
const failed = `${inSlo},status_class=~"${failedStatusClasses.join('|')}"`;
const reads = `${inSlo},method=~"${readMethods.join('|')}",status_class=~"${readStatusClasses.join('|')}"`;
/** Prometheus 3 writes the edges of buckets with a decimal point, older ones as they are exported. */
const withinLimit = `${reads},le=~"${slowReadMs}([.]0)?"`;

const windows = [...new Set(burnWindows.flatMap(({ short, long }) => [short, long]))];
const daily = windows.filter((window) => window.endsWith('d'));

export const recordingGroups: readonly RecordingGroup[] = [
  {
    name: 'omnizap_http',
    file: 'http',
    interval: '30s',
    rules: [
      {
        record: 'fleet:omnizap_http_requests:rate5m',
        expression: `sum(rate(omnizap_http_requests_total{${counted}}[5m]))`,
      },
      {
        record: 'fleet:omnizap_http_request_duration_ms:p95_5m',
        expression: quantile(0.95),
      },
      {
        record: 'fleet:omnizap_http_request_duration_ms:p99_5m',
        expression: quantile(0.99),
      },
      ...historyRules(),
    ],
  },
  {
    name: 'omnizap_error_budget',
    file: 'error-budget',
    interval: '30s',
    rules: windows.filter((window) => !daily.includes(window)).flatMap(budgetRules),
  },
  {
    // Days of raw series are read for these: often enough for what takes hours to change, and twice within the five minutes for which
    // Prometheus remembers a sample. At five, one late evaluation is a gap, and an alert that waits begins to wait anew.
    name: 'omnizap_error_budget_days',
    file: 'error-budget',
    interval: '2m',
    rules: daily.flatMap(budgetRules),
  },
  {
    name: 'omnizap_work',
    file: 'work',
    interval: '30s',
    rules: [
      // The leader alone exports these: without the instance, another leader goes on with the same series.
      { record: 'queue:omnizap_queue_depth:max', expression: 'max by (queue) (omnizap_queue_depth)' },
      {
        record: 'queue:omnizap_queue_oldest_age_seconds:max',
        expression: 'max by (queue) (omnizap_queue_oldest_age_seconds)',
      },
      {
        record: 'fleet:omnizap_sticker_classification_cycle_duration_ms:mean_15m',
        expression:
          'sum(increase(omnizap_sticker_classification_cycle_duration_ms_sum{status!="empty"}[15m])) / sum(increase(omnizap_sticker_classification_cycle_duration_ms_count{status!="empty"}[15m]))',
      },
      {
        record: 'fleet:omnizap_sticker_classification_cycles:increase15m',
        expression: 'sum(increase(omnizap_sticker_classification_cycle_duration_ms_count{status!="empty"}[15m]))',
      },
      {
        record: 'fleet:omnizap_sticker_classification_assets:rate10m',
        expression: 'sum(rate(omnizap_sticker_classification_assets_total{outcome=~"classified|rejected"}[10m]))',
      },
      {
        record: 'cache:omnizap_cache_hits:ratio_rate10m',
        expression:
          '(sum by (cache) (rate(omnizap_cache_requests_total{result="hit"}[10m])) or 0 * sum by (cache) (rate(omnizap_cache_requests_total[10m]))) / sum by (cache) (rate(omnizap_cache_requests_total[10m]))',
      },
    ],
  },
  {
    name: 'omnizap_database',
    file: 'database',
    interval: '30s',
    rules: [
      {
        record: 'database:omnizap_database_queries:rate5m',
        expression: 'sum by (database) (rate(omnizap_database_query_duration_seconds_count[5m]))',
      },
      {
        record: 'database:omnizap_database_query_duration_seconds:mean_5m',
        expression:
          'sum by (database) (rate(omnizap_database_query_duration_seconds_sum[5m])) / sum by (database) (rate(omnizap_database_query_duration_seconds_count[5m]))',
      },
      {
        record: 'database:omnizap_database_query_errors:rate5m',
        expression: 'sum by (database) (rate(omnizap_database_query_errors_total[5m]))',
      },
      {
        // No query that ended well is no query at all to a ratio of answered ones: what failed counts as asked.
        record: 'database:omnizap_database_query_errors:ratio_rate5m',
        expression:
          'database:omnizap_database_query_errors:rate5m / (database:omnizap_database_queries:rate5m > database:omnizap_database_query_errors:rate5m or database:omnizap_database_query_errors:rate5m)',
      },
      {
        record: 'database:omnizap_database_size_bytes:max',
        expression: 'max by (database) (omnizap_database_size_bytes)',
      },
    ],
  },
];

function quantile(part: number): string {
  return `histogram_quantile(${part}, sum by (le) (rate(omnizap_http_request_duration_ms_bucket{${inSlo}}[5m])))`;
}

/** The hour around this time of day, a day and a week ago; where there is only one of them, that one. */
function historyRules(): RecordingRule[] {
  const requests = 'fleet:omnizap_http_requests';
  const [day, week] = [`${requests}:rate1h_day_ago`, `${requests}:rate1h_week_ago`];
  return [
    { record: day, expression: `avg_over_time(${requests}:rate5m[1h] offset 23h30m)` },
    { record: week, expression: `avg_over_time(${requests}:rate5m[1h] offset 6d23h30m)` },
    { record: `${requests}:history_max`, expression: `${day} > ${week} or ${week} or ${day}` },
    { record: `${requests}:history_min`, expression: `${day} < ${week} or ${week} or ${day}` },
  ];
}

function budgetRules(window: Duration): RecordingRule[] {
  const requests = `fleet:omnizap_http_requests:increase${window}`;
  const errors = 'fleet:omnizap_http_requests_failed';
  const allReads = `fleet:omnizap_http_reads:increase${window}`;
  const slow = 'fleet:omnizap_http_reads_slow';
  const histogram = 'omnizap_http_request_duration_ms';
  return [
    { record: requests, expression: `sum(increase(omnizap_http_requests_total{${counted}}[${window}]))` },
    {
      // Nothing failed yet: there is no such series, and the ratio is 0.
      record: `${errors}:increase${window}`,
      expression: `sum(increase(omnizap_http_requests_total{${failed}}[${window}])) or 0 * ${requests}`,
    },
    { record: `${errors}:ratio_increase${window}`, expression: `${errors}:increase${window} / ${requests}` },
    { record: allReads, expression: `sum(increase(${histogram}_count{${reads}}[${window}]))` },
    {
      record: `${slow}:increase${window}`,
      expression: `${allReads} - sum(increase(${histogram}_bucket{${withinLimit}}[${window}]))`,
    },
    { record: `${slow}:ratio_increase${window}`, expression: `${slow}:increase${window} / ${allReads}` },
  ];
}
