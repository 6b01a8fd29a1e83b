/** Depth and age of what waits, in the catalogue and in the task queues: one statement for each of the two. */
import { ownTaskTypes, taskTypes, type CatalogueDepth } from '@omnizap/catalog';
import { Gauge, type Metrics } from '@omnizap/runtime';
import type { TaskCount } from '@omnizap/tasks';
import type { LeaderFigures } from './leader-figures.ts';

type QueueGaugeDeps = {
  metrics: Metrics;
  figures: LeaderFigures;
  catalogueDepth: () => Promise<CatalogueDepth>;
  taskCounts: () => Promise<TaskCount[]>;
};

export function addQueueGauges(deps: QueueGaugeDeps): void {
  const { figures } = deps;
  const common = { registers: [deps.metrics.registry], collect: figures.leaveOutStale };
  const depth = new Gauge({
    name: 'omnizap_queue_depth',
    help: 'Entries by queue and state.',
    labelNames: ['queue'],
    ...common,
  });
  const oldest = new Gauge({
    name: 'omnizap_queue_oldest_age_seconds',
    help: 'Age of the oldest unfinished entry.',
    labelNames: ['queue'],
    ...common,
  });
  const tasks = new Gauge({
    name: 'omnizap_task_depth',
    help: 'Unfinished tasks.',
    labelNames: ['task_type', 'lane'],
    ...common,
  });
  const setAll = (gauge: Gauge<'queue'>, values: Record<string, number>): void => {
    for (const [queue, value] of Object.entries(values)) gauge.set({ queue }, value);
  };
  const remove = (...queues: string[]): void => {
    for (const queue of queues) for (const gauge of [depth, oldest]) gauge.remove({ queue });
  };

  figures.add(
    {
      name: 'what waits in the catalogue',
      database: 'catalogue',
      async read() {
        const { outbox, deadTasks, reprocessPending, scorePending } = await deps.catalogueDepth();
        setAll(depth, {
          sticker_worker_tasks_dlq: deadTasks,
          domain_event_outbox_pending: outbox.pending,
          domain_event_outbox_processing: outbox.processing,
          domain_event_outbox_failed: outbox.failed,
          domain_event_outbox_dlq: outbox.dlq,
          sticker_reprocess_pending: reprocessPending,
          sticker_pack_score_snapshot_pending: scorePending,
        });
        setAll(oldest, { domain_event_outbox_pending: outbox.oldestSeconds });
      },
      leaveOut: () =>
        remove(
          'sticker_worker_tasks_dlq',
          ...['pending', 'processing', 'failed', 'dlq'].map((state) => `domain_event_outbox_${state}`),
          'sticker_reprocess_pending',
          'sticker_pack_score_snapshot_pending',
        ),
    },
    {
      name: 'tasks that wait',
      database: 'queue',
      async read() {
        const counts = await deps.taskCounts();
        const own = counts.filter(({ taskType }) => ownTaskTypes.some((type) => type === taskType));
        // Receivers of webhooks are not ours: what waits for them is no backlog of the fleet.
        const deliveries = counts.filter(({ taskType }) => taskType === 'webhook');
        setAll(depth, {
          sticker_worker_tasks_pending: countOf(own, 'created'),
          sticker_worker_tasks_processing: countOf(own, 'active'),
          // As with events: failed means waiting for its retry after an error; terminal failures are dead letters.
          sticker_worker_tasks_failed: countOf(own, 'retry'),
          delivery_pending: countOf(deliveries),
        });
        setAll(oldest, { sticker_worker_tasks_pending: oldestOf(own), delivery_pending: oldestOf(deliveries) });
        tasks.reset();
        // Where nothing waits that is said, too: a series that is not there says nothing.
        for (const type of taskTypes) tasks.set({ task_type: type, lane: 'stable' }, 0);
        for (const entry of counts) tasks.inc({ task_type: entry.taskType, lane: entry.lane }, entry.count);
      },
      leaveOut() {
        remove(
          ...['pending', 'processing', 'failed'].map((state) => `sticker_worker_tasks_${state}`),
          'delivery_pending',
        );
        tasks.reset();
      },
    },
  );
}

/** In all states without one. */
function countOf(counts: TaskCount[], state?: string): number {
  return counts
    .filter((entry) => state === undefined || entry.state === state)
    .reduce((total, { count }) => total + count, 0);
}

function oldestOf(counts: TaskCount[]): number {
  return Math.max(0, ...counts.map(({ oldestSeconds }) => oldestSeconds));
}
