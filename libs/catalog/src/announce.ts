/** A change tells the world in its own transaction: wanted versions rise and the events are appended, or nothing happened. */
import { appendEvents } from '@omnizap/outbox';
import type { DatabaseKind, Transaction } from '@omnizap/runtime';
import { aggregateIdOf, priorityOf, subjectsOf, type DomainEvent } from './events.ts';
import { wantWork } from './work-state-store.ts';

/** The rows of the events' aggregates must be locked by `trx` already. */
export async function announce(
  trx: Transaction,
  kind: DatabaseKind,
  events: DomainEvent[],
  requestId: string | undefined,
): Promise<void> {
  await wantWork(trx, kind, events.flatMap(subjectsOf));
  await appendEvents(
    trx,
    events.map((event) => ({
      type: event.type,
      aggregateType: event.aggregateType,
      aggregateId: aggregateIdOf(event),
      payload: event.payload,
      priority: priorityOf(event),
      requestId,
    })),
  );
}
