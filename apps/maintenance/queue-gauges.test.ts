import { describe, expect, it } from '@jest/globals';
import { createMetrics } from '@omnizap/runtime';
import { createQueueGauges } from './queue-gauges.ts';

describe('the queue gauges', () => {
  it('leave out of the fleet’s own backlog what waits for receivers of webhooks', async () => {
    const metrics = createMetrics({ version: '0', release: 'stable', process: 'maintenance' });
    const count = (taskType: string, state: string, oldestSeconds: number) => {
      return { taskType, state, oldestSeconds, lane: 'stable', count: 3 };
    };
    const gauges = createQueueGauges({
      metrics,
      outboxDepth: () => Promise.resolve({ pending: 0, processing: 0, failed: 0, dlq: 0, oldestSeconds: 0 }),
      taskCounts: () =>
        Promise.resolve([
          count('rebuild', 'retry', 7),
          count('webhook', 'retry', 40_000),
          count('webhook', 'created', 1),
        ]),
      catalogueDepth: () => Promise.resolve({ deadTasks: 0, reprocessPending: 0, scorePending: 0 }),
    });
    await gauges.refresh();

    const text = await metrics.registry.metrics();
    expect(text).toContain('omnizap_queue_depth{queue="sticker_worker_tasks_failed"} 3\n');
    expect(text).toContain('omnizap_queue_depth{queue="sticker_worker_tasks_pending"} 0\n');
    expect(text).toContain('omnizap_queue_oldest_age_seconds{queue="sticker_worker_tasks_pending"} 7\n');
    expect(text).toContain('omnizap_task_depth{task_type="webhook",lane="stable"} 6\n');
  });
});
