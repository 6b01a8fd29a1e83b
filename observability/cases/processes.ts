import { constant } from './alert-case.ts';
import type { AlertCases, CasesOf, Series } from './alert-case.ts';

/** One kind of process that was there and is not any more. */
function missing(process: string): AlertCases {
  const series = (samples: string) => ({ [`omnizap_processes{process="${process}",instance="m:9115"}`]: samples });
  return {
    fires: [{ title: `the last ${process} dies`, series: series('2x5 0x30'), at: '9m', notYetAt: '6m' }],
    silent: [
      { title: `one ${process} of two dies`, series: series('2x5 1x30'), at: '20m' },
      { title: `the ${process} is restarted within a minute`, series: series('1x5 0x0 1x30'), at: '7m' },
    ],
  };
}

const dedicated = (samples: string): Series => ({
  'omnizap_feature_flag_rollout_percent{flag="enable_worker_dedicated_processes",process="api",instance="a:9102"}':
    samples,
});
const noWorkers = (samples: string): Series => ({
  'omnizap_processes{process="worker-curation",instance="m:9115"}': samples,
});
/** What the leader says of the API. */
const counted = (samples: string): Series => ({ 'omnizap_processes{process="api",instance="m:9115"}': samples });
/** Two API processes as Prometheus scrapes them. */
const targets = (first: string, second = first): Series => ({
  'up{job="omnizap",process="api",instance="a:9102"}': first,
  'up{job="omnizap",process="api",instance="b:9102"}': second,
});

const givenUp = (integration: string, samples: string): Series => ({
  [`alertmanager_notifications_failed_total{integration="${integration}",instance="m:9093"}`]: samples,
});

/** Refreshed at each step, then not any more. */
const refreshed = (steps: number): string => `0+60x${steps} ${steps * 60}x30`;

export const processCases: CasesOf = {
  WorkerTypeDown: {
    fires: [
      ...missing('worker-classification').fires,
      {
        title: 'a tenth of the work is still for the workers',
        series: { ...dedicated('10x50'), ...noWorkers('0x50') },
        at: '10m',
      },
      {
        title: 'two types have nobody',
        series: {
          'omnizap_processes{process="worker-curation",instance="m:9115"}': constant(0),
          'omnizap_processes{process="worker-rebuild",instance="m:9115"}': constant(0),
          'omnizap_processes{process="worker-classification",instance="m:9115"}': constant(1),
        },
        at: '10m',
        count: 2,
      },
    ],
    silent: [
      ...missing('worker-classification').silent,
      {
        title: 'the API works everything, and the workers were stopped',
        series: { ...dedicated('100x10 0x50'), ...noWorkers('1x12 0x40') },
        at: '40m',
      },
    ],
  },
  RelayDown: missing('relay'),
  ApiDown: {
    fires: [
      ...missing('api').fires,
      {
        title: 'the host of all processes dies, and with it whoever counts leases',
        series: { ...targets('1x5 0x40'), ...counted('2x5') },
        at: '20m',
        notYetAt: '6m',
      },
    ],
    silent: [
      ...missing('api').silent,
      {
        title: 'Prometheus reaches none, and one is alive by its lease',
        series: { ...targets('0x40'), ...counted(constant(1)) },
        at: '20m',
      },
      { title: 'nobody counts leases, and one of two answers', series: targets('1x40', '0x40'), at: '20m' },
    ],
  },
  MaintenanceDown: {
    fires: [
      {
        title: 'nobody leads any more',
        series: { 'omnizap_gauges_refreshed_timestamp_seconds{instance="m:9115"}': '0+60x10' },
        at: '20m',
        notYetAt: '16m',
      },
    ],
    silent: [
      {
        title: 'another process leads',
        series: {
          'omnizap_gauges_refreshed_timestamp_seconds{instance="a:9115"}': '0+60x10',
          'omnizap_gauges_refreshed_timestamp_seconds{instance="b:9115"}': '_x11 660+60x30',
        },
        at: '20m',
      },
    ],
  },
  GaugesStale: {
    fires: [
      {
        title: 'reading has failed for minutes',
        series: { 'omnizap_gauges_refreshed_timestamp_seconds{instance="m:9115"}': refreshed(10) },
        at: '15m',
        notYetAt: '13m',
      },
    ],
    silent: [
      {
        title: 'each reading is a minute old when it is scraped',
        series: { 'omnizap_gauges_refreshed_timestamp_seconds{instance="m:9115"}': '0x1 0+60x40' },
        at: '30m',
      },
    ],
  },
  TargetDown: {
    fires: [
      {
        title: 'one process hangs',
        series: {
          'up{job="omnizap",process="relay",instance="a:9110"}': '1x5 0x30',
          'up{job="omnizap",process="api",instance="a:9102"}': constant(1),
        },
        at: '10m',
        notYetAt: '7m',
      },
    ],
    silent: [
      {
        title: 'all answer, and another job does not',
        series: {
          'up{job="omnizap",process="relay",instance="a:9110"}': constant(1),
          'up{job="other",instance="a:1"}': constant(0),
        },
        at: '20m',
      },
    ],
  },
  TargetsMissing: {
    fires: [{ title: 'discovery finds nobody', series: { 'up{job="other"}': constant(1) }, at: '8m', notYetAt: '3m' }],
    silent: [{ title: 'one target, even if it is down', series: { 'up{job="omnizap"}': constant(0) }, at: '20m' }],
  },
  NotificationsFailing: {
    fires: [{ title: 'a webhook is away', series: givenUp('webhook', '0x10 1x60'), at: '15m' }],
    silent: [
      { title: 'it was away two hours ago', series: givenUp('webhook', '0x10 3x180'), at: '130m' },
      { title: 'everything is delivered', series: givenUp('email', constant(0)), at: '30m' },
    ],
  },
  EventLoopLag: {
    fires: [
      {
        title: 'one of two API processes computes for a second at a time',
        series: {
          'nodejs_eventloop_lag_p99_seconds{job="omnizap",process="api",instance="a:9102"}': constant(1),
          'nodejs_eventloop_lag_p99_seconds{job="omnizap",process="api",instance="b:9102"}': constant(0.02),
        },
        at: '12m',
        notYetAt: '9m',
      },
    ],
    silent: [
      {
        title: 'a third of a second',
        series: { 'nodejs_eventloop_lag_p99_seconds{job="omnizap",process="api",instance="a:9102"}': constant(0.35) },
        at: '30m',
      },
      {
        title: 'a second, for five minutes',
        series: { 'nodejs_eventloop_lag_p99_seconds{job="omnizap",process="api",instance="a:9102"}': '1x5 0.02x30' },
        at: '12m',
      },
    ],
  },
};
