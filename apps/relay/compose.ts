import { createEventDelivery, taskSettings } from '@omnizap/catalog';
import { createOutboxStore, createRelay } from '@omnizap/outbox';
import type { Component, ProcessContext } from '@omnizap/runtime';
import { createTaskQueues } from '@omnizap/tasks';

export function composeRelay(context: ProcessContext): Promise<{ components: Component[] }> {
  const { config, log, wakeups } = context;
  const queues = createTaskQueues(taskSettings, {
    queueUrl: config.QUEUE_DATABASE_URL,
    log,
    wakeups,
    applicationName: 'omnizap relay tasks',
    // In one database the event's mark, which waits for the disk, comes after the tasks and takes them with it.
    isDurable: config.QUEUE_DATABASE_URL !== config.DATABASE_URL,
  });
  context.health.addCheck({ name: 'queue', check: () => queues.ping() });

  const deliver = createEventDelivery({ queues, log });
  const relay = createRelay(
    { ...context, store: createOutboxStore(context.database) },
    { processName: 'relay', deliver },
  );
  return Promise.resolve({ components: [{ name: 'task queues', ...queues }, relay] });
}
