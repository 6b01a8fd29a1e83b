/**
 * Appending events. The caller has locked the aggregate's row in the same transaction: ids are handed out in commit order only
 * among transactions that wait for each other.
 */
import {
  AppError,
  errorTypeOf,
  messagingAttributes,
  openSpan,
  type OpenSpan,
  type Transaction,
} from '@omnizap/runtime';
import { shardOf, type EventDraft } from './event.ts';

/** Wake-up topic that is announced after the commit. */
export const outboxTopic = 'outbox';

/** A relay has up to 500 events in memory at once; what is bigger belongs into a table, with its id in the event. Room for 25,000 ids. */
const maxPayloadBytes = 1_024 * 1_024;

/** @throws AppError `event-invalid` when a payload is too large */
export async function appendEvents(trx: Transaction, events: EventDraft[]): Promise<void> {
  if (events.length === 0) return;
  const spans = events.map(openSendSpan);
  try {
    await trx('domain_event_outbox').insert(events.map((event, index) => rowOf(event, spans[index])));
  } catch (error) {
    for (const span of spans) span.fail(errorTypeOf(error));
    throw error;
  } finally {
    for (const span of spans) span.end();
  }
}

/** One for each event: what is worked because of it, however much later, links to here. Its id is not known yet. */
function openSendSpan(event: EventDraft): OpenSpan {
  return openSpan({
    name: `send ${event.type}`,
    kind: 'producer',
    attributes: {
      ...messagingAttributes('send', event.type),
      'omnizap.aggregate.type': event.aggregateType,
      'omnizap.aggregate.id': event.aggregateId,
      ...(event.requestId === undefined ? {} : { 'messaging.message.conversation_id': event.requestId }),
    },
  });
}

function rowOf(event: EventDraft, span: OpenSpan | undefined): Record<string, unknown> {
  return {
    event_type: event.type,
    aggregate_type: event.aggregateType,
    aggregate_id: event.aggregateId,
    payload: payloadOf(event),
    priority: event.priority ?? 50,
    request_id: event.requestId ?? null,
    ...span?.context(),
    shard: shardOf(event.aggregateType, event.aggregateId),
  };
}

function payloadOf(event: EventDraft): string {
  const payload = JSON.stringify(event.payload);
  const bytes = Buffer.byteLength(payload);
  if (bytes > maxPayloadBytes)
    throw new AppError(
      'event-invalid',
      `The payload of ${event.type} for ${event.aggregateType} ${event.aggregateId} has ${bytes} bytes; at most ${maxPayloadBytes} can be relayed.`,
    );
  return payload;
}
