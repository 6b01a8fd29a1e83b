import { beforeAll, describe, expect, it } from '@jest/globals';
import type { ContractMetric } from '../metric-names.ts';
import { findQueryProblems, knownSeries } from './query-problems.ts';
import type { KnownSeries } from './query-problems.ts';

const metrics = new Map<string, ContractMetric>([
  ['omnizap_a', { type: 'gauge', labels: ['queue'] }],
  ['omnizap_b_seconds', { type: 'histogram', labels: ['lane'] }],
]);
let known: KnownSeries;

beforeAll(async () => {
  known = await knownSeries(metrics);
});

describe('a query of a panel', () => {
  it.each([
    ['max by (queue) (omnizap_a{queue="x",process="api"})', '{{queue}}'],
    ['sum by (le, lane) (rate(omnizap_b_seconds_bucket{instance=~"$instance"}[5m]))', '{{lane}}'],
    ['max by (process) (nodejs_eventloop_lag_p99_seconds)', '{{process}}'],
    ['sum(nodejs_heap_space_size_used_bytes{space="new"})', 'new'],
    ['fleet:omnizap_http_requests:rate5m', 'now'],
    ['count by (severity) (ALERTS{alertname="A"})', '{{severity}}'],
    ['count by (process) (up == 0)', '{{process}}'],
  ])('may ask %s', (expr, legend) => {
    expect(findQueryProblems({ expr, legend }, known)).toEqual([]);
  });

  it.each([
    ['a metric that nobody exports', 'omnizap_c', '', 'omnizap_c is neither'],
    ['a histogram without what it consists of', 'omnizap_b_seconds', '', 'omnizap_b_seconds is neither'],
    ['parts of what is no histogram', 'omnizap_a_count', '', 'omnizap_a_count is neither'],
    ['a metric of Node that prom-client does not have', 'nodejs_lag', '', 'nodejs_lag is neither'],
    ['a series that no rule records', 'fleet:x:y', '', 'fleet:x:y is neither'],
    ['a label that a metric does not have', 'omnizap_a{lane="x"}', '', 'no label lane'],
    ['edges of something else than buckets', 'omnizap_b_seconds_sum{le="1"}', '', 'no label le'],
    ['groups by a label that nothing has', 'sum by (lane) (omnizap_a)', '', 'has the label lane'],
    ['a legend of what is summed away', 'sum by (queue) (omnizap_a)', '{{instance}}', 'legend names instance'],
  ])('may not ask for %s', (_, expr, legend, problem) => {
    expect(findQueryProblems({ expr, legend }, known)).toEqual([expect.stringContaining(problem)]);
  });
});
