import { createEventDelivery, taskSettings } from '@omnizap/catalog';
import { createOutboxStore, createRelay } from '@omnizap/outbox';
import { createFlags } from '@omnizap/rollout';
import type { Component, ProcessContext } from '@omnizap/runtime';
import { createTaskQueues } from '@omnizap/tasks';

export function composeRelay(context: ProcessContext): Promise<{ components: Component[] }> {
  const { config, database, log, metrics, wakeups } = context;
  const flags = createFlags({ database, wakeups, log, metrics });
  const queues = createTaskQueues(taskSettings, {
    queueUrl: config.QUEUE_DATABASE_URL,
    log,
    wakeups,
    applicationName: 'omnizap relay tasks',
    lanes: flags,
    observer: metrics.ofDatabase('queue'),
    // In one database the event's mark, which waits for the disk, comes after the tasks and takes them with it.
    isDurable: config.QUEUE_DATABASE_URL !== config.DATABASE_URL,
  });
  context.health.addCheck({ name: 'queue', check: () => queues.ping() });

  const deliver = createEventDelivery({ queues, log });
  const relay = createRelay({ ...context, store: createOutboxStore(database) }, { processName: 'relay', deliver });
  return Promise.resolve({ components: [flags, { name: 'task queues', ...queues }, relay] });
}
