import { taskSettings, tasksOf } from '@omnizap/catalog';
import { createOutboxStore, createRelay, type OutboxEvent } from '@omnizap/outbox';
import { errorText, type Component, type ProcessContext } from '@omnizap/runtime';
import { createTaskQueues, type TaskHint } from '@omnizap/tasks';

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

  async function deliver(events: OutboxEvent[]): Promise<{ failed: { event: OutboxEvent; error: string }[] }> {
    const hints: TaskHint[] = [];
    const failed: { event: OutboxEvent; error: string }[] = [];
    for (const event of events) {
      try {
        hints.push(...tasksOf(event));
      } catch (error) {
        failed.push({ event, error: errorText(error) });
      }
    }
    await queues.enqueue(hints);
    for (const event of events)
      log.debug({ event_id: event.id, event_type: event.type, request_id: event.requestId }, 'event relayed');
    return { failed };
  }

  const relay = createRelay(
    { ...context, store: createOutboxStore(context.database) },
    { processName: 'relay', deliver },
  );
  return Promise.resolve({ components: [{ name: 'task queues', ...queues }, relay] });
}
