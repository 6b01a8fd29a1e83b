import { describe, expect, it } from '@jest/globals';
import { createLogger, createMetrics } from '@omnizap/runtime';
import { createLeaderFigures } from './leader-figures.ts';
import { addQueueGauges } from './queue-gauges.ts';

describe('the queue gauges', () => {
  it('keep what waits for receivers of webhooks apart from the fleet’s own backlog', async () => {
    const metrics = createMetrics({ version: '0', release: 'stable', process: 'maintenance' });
    const figures = createLeaderFigures({
      metrics,
      log: createLogger({ level: 'silent', format: 'json', process: 'test' }),
    });
    const count = (taskType: string, state: string, oldestSeconds: number) => {
      return { taskType, state, oldestSeconds, lane: 'stable', count: 3 };
    };
    addQueueGauges({
      metrics,
      figures,
      catalogueDepth: () =>
        Promise.resolve({
          outbox: { pending: 1, processing: 2, failed: 3, dlq: 4, oldestSeconds: 5.5 },
          deadTasks: 6,
          reprocessPending: 7,
          scorePending: 8,
        }),
      taskCounts: () =>
        Promise.resolve([
          count('rebuild', 'retry', 7),
          count('webhook', 'retry', 40_000),
          count('webhook', 'created', 1),
          { ...count('classification', 'created', 1), lane: 'canary' },
        ]),
    });
    await figures.refresh();

    const text = await metrics.registry.metrics();
    const series = (name: string): Record<string, number> =>
      Object.fromEntries(
        [...text.matchAll(new RegExp(`^${name}\\{queue="(\\w+)"\\} (.*)$`, 'gm'))].map(([, queue = '', value]) => [
          queue,
          Number(value),
        ]),
      );
    expect(series('omnizap_queue_depth')).toEqual({
      sticker_worker_tasks_pending: 3,
      sticker_worker_tasks_processing: 0,
      sticker_worker_tasks_failed: 3,
      sticker_worker_tasks_dlq: 6,
      domain_event_outbox_pending: 1,
      domain_event_outbox_processing: 2,
      domain_event_outbox_failed: 3,
      domain_event_outbox_dlq: 4,
      sticker_reprocess_pending: 7,
      sticker_pack_score_snapshot_pending: 8,
      delivery_pending: 6,
    });
    expect(series('omnizap_queue_oldest_age_seconds')).toEqual({
      sticker_worker_tasks_pending: 7,
      domain_event_outbox_pending: 5.5,
      delivery_pending: 40_000,
    });
    const tasks = [...text.matchAll(/^omnizap_task_depth\{task_type="(\w+)",lane="(\w+)"\} (.*)$/gm)];
    expect(tasks.map(([, type = '', lane = '', value = '']) => `${type}.${lane} ${value}`)).toEqual([
      ...['classification.stable 0', 'derivative.stable 0', 'curation.stable 0', 'rebuild.stable 3'],
      ...['storage.stable 0', 'webhook.stable 6', 'classification.canary 3'],
    ]);
  });
});
