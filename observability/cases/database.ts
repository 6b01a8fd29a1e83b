import { constant, growing } from './alert-case.ts';
import type { CasesOf, Series } from './alert-case.ts';

const queries = (perMinute: number, meanSeconds: number): Series => ({
  'omnizap_database_query_duration_seconds_count{database="catalogue",process="api"}': growing(perMinute),
  'omnizap_database_query_duration_seconds_sum{database="catalogue",process="api"}': growing(perMinute * meanSeconds),
});
const errors = (perMinute: number): Series => ({
  'omnizap_database_query_errors_total{database="catalogue",process="api"}': growing(perMinute),
});
const size = (samples: string): Series => ({ 'omnizap_database_size_bytes{database="catalogue"}': samples });
const waiting = (samples: string): Series => ({
  'omnizap_database_pool_connections{database="catalogue",state="waiting",process="api",instance="a:9102"}': samples,
});

const gibibyte = 1_024 ** 3;

export const databaseCases: CasesOf = {
  DatabaseFailing: {
    fires: [
      {
        title: 'two of five queries fail',
        series: { ...queries(100, 0.01), ...errors(40) },
        at: '6m',
        notYetAt: '2m',
      },
      { title: 'all fail, and none is counted as answered', series: { ...queries(0, 0), ...errors(60) }, at: '6m' },
    ],
    silent: [
      { title: 'one of seven fails', series: { ...queries(100, 0.01), ...errors(14) }, at: '30m' },
      { title: 'three a minute fail while little happens', series: { ...queries(5, 0.01), ...errors(3) }, at: '30m' },
    ],
  },
  DatabaseQueriesSlow: {
    fires: [{ title: 'two seconds each', series: queries(60, 2), at: '15m', notYetAt: '9m' }],
    silent: [
      { title: 'half a second each', series: queries(60, 0.5), at: '30m' },
      { title: 'one slow query every minute', series: queries(1, 5), at: '30m' },
    ],
  },
  DatabaseLockWaits: {
    fires: [
      {
        title: 'somebody waits for 0.4 s at every look',
        series: { 'omnizap_database_longest_lock_wait_seconds{database="catalogue"}': constant(0.4) },
        at: '12m',
        notYetAt: '8m',
      },
      {
        title: 'every other look falls between two waits',
        series: {
          'omnizap_database_longest_lock_wait_seconds{database="catalogue"}': '0.4 0'.concat(' 0.4 0'.repeat(14)),
        },
        at: '20m',
      },
    ],
    silent: [
      {
        title: 'waits of 0.1 s',
        series: { 'omnizap_database_longest_lock_wait_seconds{database="catalogue"}': constant(0.1) },
        at: '30m',
      },
      {
        title: 'one long wait',
        series: { 'omnizap_database_longest_lock_wait_seconds{database="catalogue"}': '0x10 30x2 0x20' },
        at: '12m',
      },
      {
        title: 'a long wait every five minutes',
        series: {
          'omnizap_database_longest_lock_wait_seconds{database="catalogue"}': '0 30 0 0 0'.concat(
            ' 0 30 0 0 0'.repeat(6),
          ),
        },
        at: '30m',
      },
    ],
  },
  DatabaseSlowQueries: {
    fires: [
      {
        title: 'six a minute',
        series: { 'omnizap_database_slow_queries_total{database="queue",process="relay"}': growing(6) },
        at: '25m',
        notYetAt: '9m',
      },
    ],
    silent: [
      {
        title: 'two a minute',
        series: { 'omnizap_database_slow_queries_total{database="queue",process="relay"}': growing(2) },
        at: '40m',
      },
    ],
  },
  DatabaseConnectionsHigh: {
    fires: [
      {
        title: '95 of 100 connections',
        series: {
          'omnizap_database_connections{database="catalogue"}': constant(95),
          'omnizap_database_connections_limit{database="catalogue"}': constant(100),
        },
        at: '12m',
        notYetAt: '8m',
      },
    ],
    silent: [
      {
        title: '60 of 100 connections',
        series: {
          'omnizap_database_connections{database="catalogue"}': constant(60),
          'omnizap_database_connections_limit{database="catalogue"}': constant(100),
        },
        at: '30m',
      },
    ],
  },
  DatabasePoolExhausted: {
    fires: [{ title: 'always somebody waits', series: waiting(constant(1)), at: '8m', notYetAt: '4m' }],
    silent: [
      { title: 'now and then somebody waits', series: waiting('1 0 5 0 1 0 1 0 3 0 1 0 1 0 1'), at: '13m' },
      { title: 'nobody waits', series: waiting(constant(0)), at: '30m' },
    ],
  },
  DatabaseSizeHigh: {
    fires: [{ title: '80 GiB', series: size(constant(80 * gibibyte)), at: '35m', notYetAt: '25m' }],
    silent: [{ title: '30 GiB', series: size(constant(30 * gibibyte)), at: '50m' }],
  },
  DatabaseGrowingFast: {
    fires: [
      {
        title: 'twice as large as yesterday',
        series: size(`${4 * gibibyte}x288 ${8 * gibibyte}x60`),
        step: '5m',
        at: '1490m',
        notYetAt: '1465m',
      },
    ],
    silent: [
      {
        title: 'a fifth larger than yesterday',
        series: size(`${5 * gibibyte}x288 ${6 * gibibyte}x60`),
        step: '5m',
        at: '1490m',
      },
      {
        title: 'a small one that doubles',
        series: size(`${gibibyte / 4}x288 ${gibibyte / 2}x60`),
        step: '5m',
        at: '1490m',
      },
    ],
  },
};
