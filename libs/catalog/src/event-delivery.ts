/** What the relay does with a batch of events: the tasks that follow from them, in one hand-over. */
import type { Delivery, OutboxEvent } from '@omnizap/outbox';
import { errorText, inSpan, messagingAttributes, type Logger } from '@omnizap/runtime';
import type { TaskHint } from '@omnizap/tasks';
import { tasksOf } from './events.ts';

type DeliveryDeps = { queues: { enqueue: (hints: TaskHint[]) => Promise<void> }; log: Logger };

/**
 * An event that leads to no tasks because it cannot be read is a failure of its own; what comes after it in its aggregate is left
 * out, so that it does not overtake. `read` throws for such an event.
 */
export function createEventDelivery(
  { queues, log }: DeliveryDeps,
  read: (event: OutboxEvent) => TaskHint[] = tasksOf,
): Delivery {
  /** Tasks of all queues at once. Each carries its event's context, not this span's: it is about that event alone. */
  async function handOver(hints: TaskHint[]): Promise<void> {
    const attributes = { ...messagingAttributes('send', 'tasks'), 'messaging.batch.message_count': hints.length };
    await inSpan({ name: 'send tasks', kind: 'producer', attributes }, () => queues.enqueue(hints));
  }

  return async (events) => {
    const hints: TaskHint[] = [];
    const failed: { event: OutboxEvent; error: string }[] = [];
    const stuck = new Set<string>();
    for (const event of events) {
      const aggregate = `${event.aggregateType}:${event.aggregateId}`;
      if (stuck.has(aggregate)) continue;
      try {
        hints.push(...read(event));
      } catch (error) {
        stuck.add(aggregate);
        failed.push({ event, error: errorText(error) });
      }
    }
    await handOver(hints);
    for (const event of events)
      log.debug({ event_id: event.id, event_type: event.type, request_id: event.requestId }, 'event relayed');
    return { failed };
  };
}
