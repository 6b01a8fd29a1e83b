import { describe, expect, it } from '@jest/globals';
import { findRuleProblems } from './rule-problems.ts';

describe('what rules and cases name', () => {
  it('is there', async () => {
    expect(await findRuleProblems()).toEqual([]);
  });

  it.each([
    ['sum by (queue) (omnizap_queue_depth{queue=~".+_dlq|delivery_pending"}) > 3 and on () up == 1', []],
    ['rate(omnizap_http_requests_totals[5m])', ['omnizap_http_requests_totals is neither']],
    ['omnizap_http_request_duration_ms > 1', ['omnizap_http_request_duration_ms is neither']],
    [
      'fleet:omnizap_http_requests:rate5m offset 1h > fleet:omnizap_http_requests:rate6m',
      ['fleet:omnizap_http_requests:rate6m is neither'],
    ],
    ['omnizap_asset_delivery_total{from="bucket"}', ['omnizap_asset_delivery_total has no label from']],
    ['max by (type) (omnizap_processes)', ['no metric of it has the label type']],
    ['omnizap_task_depth{lane="dedicated"}', ['omnizap_task_depth has no lane dedicated']],
    [
      'omnizap_processes{process=~"worker-.*|relay|worker-storage"}',
      ['omnizap_processes has no process worker-storage'],
    ],
    ['queue:omnizap_queue_depth:max{queue="tasks"}', ['queue:omnizap_queue_depth:max has no queue tasks']],
  ])('is looked up: %s', async (text, problems) => {
    const found = await findRuleProblems([{ of: 'X', text }]);
    expect(found).toEqual(problems.map((problem) => expect.stringContaining(`X: ${problem}`)));
  });

  it('may be shown by a summary only when the expression leaves it', async () => {
    const text = 'max by (process) (omnizap_processes) == 0';
    expect(await findRuleProblems([{ of: 'X', text, labels: '{{ process }}' }])).toEqual([]);
    expect(await findRuleProblems([{ of: 'X', text, labels: '{{ instance }}' }])).toEqual([
      expect.stringContaining('the legend names instance'),
    ]);
  });
});
