/** Objectives with their error budgets, and floors. Read through slo.ts. */
import type { Duration } from './alert.ts';

/** Route groups that the HTTP objectives cover: runbooks/contract.md, section 7. */
export const sloRouteGroups = [
  'catalog_api_public',
  'catalog_api_auth',
  'catalog_api_admin',
  'catalog_api_upload',
  'catalog_web',
  'catalog_data_asset',
  'marketplace_stats',
] as const;

/** Failed: an answer 5xx, or nothing of one ten seconds after the whole request came. */
export const failedStatusClasses = ['5xx', 'timeout'] as const;

/**
 * No answer, and no failure either: the client left within ten seconds, did not send its body, or did not read the answer. Not counted
 * for errors; for latency a read that somebody gave up counts by how long it was waited for.
 */
export const abandonedStatusClass = 'aborted';

export const readMethods = ['GET', 'HEAD'] as const;

/** Latencies of reads that were answered, given up or timed out: 4xx and 5xx are fast and say nothing about waiting. */
export const readStatusClasses = ['2xx', '3xx', abandonedStatusClass, 'timeout'] as const;

/** A read is slow after this; one of the buckets of omnizap_http_request_duration_ms. */
export const slowReadMs = 1_500;

export type Objective = {
  id: 'http_errors' | 'http_reads';
  /** What its alerts' names begin with. */
  alertPrefix: string;
  /** What its budget is spent on, in a word or two. */
  title: string;
  /** Recording rules: what counts, and what counts against it. */
  recorded: { all: string; bad: string };
  /** What counts, in words. */
  counts: string;
  /** What counts against it, in words. */
  bad: string;
  /** Good ones of all, 0-1, over `periodDays`. */
  target: number;
};

/** Error budgets are counted over so many days. */
export const periodDays = 30;

export const objectives: readonly Objective[] = [
  {
    id: 'http_errors',
    alertPrefix: 'HttpError',
    title: 'failed requests',
    recorded: { all: 'fleet:omnizap_http_requests', bad: 'fleet:omnizap_http_requests_failed' },
    counts:
      'requests of the groups that the objective covers, but for those that the client gave up within ten seconds or held up',
    bad: 'answers 5xx, and requests without any answer ten seconds or more after they had come whole',
    target: 0.995,
  },
  {
    id: 'http_reads',
    alertPrefix: 'HttpRead',
    title: 'slow reads',
    recorded: { all: 'fleet:omnizap_http_reads', bad: 'fleet:omnizap_http_reads_slow' },
    counts: 'GET and HEAD of the same groups that were answered 2xx or 3xx, given up, or timed out',
    bad: 'those that took longer than 1.5 s',
    target: 0.99,
  },
];

/** Windows of the burn rates over 30 days: SRE workbook, chapter 5, table 5-8, with short = long / 12 and a fourth for slow leaks. */
export type BurnWindow = { factor: number; long: Duration; short: Duration; severity: 'critical' | 'medium' };

export const burnWindows: readonly BurnWindow[] = [
  { factor: 14.4, long: '1h', short: '5m', severity: 'critical' },
  { factor: 6, long: '6h', short: '30m', severity: 'critical' },
  { factor: 3, long: '1d', short: '2h', severity: 'medium' },
  { factor: 1, long: '3d', short: '6h', severity: 'medium' },
];

/** A window with fewer requests than make the threshold mean so many bad ones says nothing: one failed request of a night is no outage. */
export const minBadRequests = 5;

/** Floors of the HTTP objective, over `windowSeconds`: gates of rollouts and thresholds of the load test, not alerts. */
export const httpFloor = { p95Ms: 750, p99Ms: 1_500, errorRatio: 0.02, windowSeconds: 300 } as const;

/** A cycle is one claimed batch or one sweep pass. */
export const classificationFloor = { meanCycleMs: 10_000, assetsPerMinute: 300 } as const;

/** After a peak the oldest task is younger than this again. */
export const backlogFloor = { recoverySeconds: 900 } as const;

/** Of the load test: a comparison with a baseline fails when p95 or throughput is worse by more than this part. */
export const loadTestFloor = { ...httpFloor, worseThanBaselineRatio: 0.1, minScaleUpOfTwoWorkers: 1.6 } as const;
