/** Queue depths, exported by the leading maintenance process only and refreshed in the background: a scrape costs no query. */
import { ownTaskTypes } from '@omnizap/catalog';
import { Gauge, type Metrics } from '@omnizap/runtime';
import type { TaskCount } from '@omnizap/tasks';

type OutboxDepth = { pending: number; processing: number; failed: number; dlq: number; oldestSeconds: number };

type GaugeDeps = {
  metrics: Metrics;
  outboxDepth: () => Promise<OutboxDepth>;
  taskCounts: () => Promise<TaskCount[]>;
  catalogueDepth: () => Promise<{ deadTasks: number; reprocessPending: number; scorePending: number }>;
};

export function createQueueGauges(deps: GaugeDeps) {
  const registers = [deps.metrics.registry];
  const depth = new Gauge({
    name: 'omnizap_queue_depth',
    help: 'Entries by queue and state.',
    labelNames: ['queue'],
    registers,
  });
  const oldest = new Gauge({
    name: 'omnizap_queue_oldest_age_seconds',
    help: 'Age of the oldest unfinished entry.',
    labelNames: ['queue'],
    registers,
  });
  const tasks = new Gauge({
    name: 'omnizap_task_depth',
    help: 'Unfinished tasks.',
    labelNames: ['task_type', 'lane'],
    registers,
  });

  return {
    async refresh(): Promise<void> {
      const [outbox, counts, catalogue] = await Promise.all([
        deps.outboxDepth(),
        deps.taskCounts(),
        deps.catalogueDepth(),
      ]);
      const own = counts.filter(({ taskType }) => ownTaskTypes.some((type) => type === taskType));
      const sum = (states: string[]): number =>
        own.filter((entry) => states.includes(entry.state)).reduce((total, entry) => total + entry.count, 0);
      depth.set({ queue: 'sticker_worker_tasks_pending' }, sum(['created']));
      depth.set({ queue: 'sticker_worker_tasks_processing' }, sum(['active']));
      // As with events: failed means waiting for its retry after an error; terminal failures are dead letters.
      depth.set({ queue: 'sticker_worker_tasks_failed' }, sum(['retry']));
      depth.set({ queue: 'sticker_worker_tasks_dlq' }, catalogue.deadTasks);
      depth.set({ queue: 'domain_event_outbox_pending' }, outbox.pending);
      depth.set({ queue: 'domain_event_outbox_processing' }, outbox.processing);
      depth.set({ queue: 'domain_event_outbox_failed' }, outbox.failed);
      depth.set({ queue: 'domain_event_outbox_dlq' }, outbox.dlq);
      depth.set({ queue: 'sticker_reprocess_pending' }, catalogue.reprocessPending);
      depth.set({ queue: 'sticker_pack_score_snapshot_pending' }, catalogue.scorePending);
      oldest.set({ queue: 'domain_event_outbox_pending' }, outbox.oldestSeconds);
      oldest.set({ queue: 'sticker_worker_tasks_pending' }, Math.max(0, ...own.map((entry) => entry.oldestSeconds)));
      tasks.reset();
      for (const entry of counts) tasks.inc({ task_type: entry.taskType, lane: entry.lane }, entry.count);
    },
    /** Somebody else leads: two exporters of one depth would add up. */
    clear(): void {
      for (const gauge of [depth, oldest, tasks]) gauge.reset();
    },
  };
}
