/**
 * Appending events. The caller has locked the aggregate's row in the same transaction: ids are handed out in commit order only
 * among transactions that wait for each other.
 */
import type { Transaction } from '@omnizap/runtime';
import { shardOf, type EventDraft } from './event.ts';

/** Wake-up topic that is announced after the commit. */
export const outboxTopic = 'outbox';

export async function appendEvents(trx: Transaction, events: EventDraft[]): Promise<void> {
  if (events.length === 0) return;
  await trx('domain_event_outbox').insert(
    events.map((event) => ({
      event_type: event.type,
      aggregate_type: event.aggregateType,
      aggregate_id: event.aggregateId,
      payload: JSON.stringify(event.payload),
      priority: event.priority ?? 50,
      request_id: event.requestId ?? null,
      shard: shardOf(event.aggregateType, event.aggregateId),
    })),
  );
}
