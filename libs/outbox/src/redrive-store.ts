/** Putting dead events back into the outbox, each with the id that it always had, so that it comes before its aggregate's later ones. */
import type { Transaction, Database } from '@omnizap/runtime';
import type { DeadLetterDetail } from './dead-letter.ts';
import { shardOf } from './event.ts';

const defaultPriority = 50;
const defaultMaxAttempts = 10;

/** An event, and when it may be relayed; null: at once. */
export type Return = { letter: DeadLetterDetail; dueAt: Date | null };

/**
 * An event that has to wait goes back as `failed`, which the relay takes for "waits for its retry", and which holds back the later
 * ones of its aggregate. One that somebody has put back by hand already stays as it is.
 */
export async function returnEvents(
  trx: Transaction,
  kind: Database['kind'],
  events: Return[],
  now: Date,
): Promise<void> {
  if (events.length === 0) return;
  const rows = events.map(({ letter, dueAt }) => ({
    id: letter.eventId,
    event_type: letter.type,
    aggregate_type: letter.aggregateType,
    aggregate_id: letter.subjectId,
    payload: JSON.stringify(letter.payload),
    status: dueAt === null ? 'pending' : 'failed',
    priority: letter.priority ?? defaultPriority,
    available_at: dueAt ?? now,
    max_attempts: letter.maxAttempts ?? defaultMaxAttempts,
    shard: shardOf(letter.aggregateType ?? '', letter.subjectId),
    request_id: letter.requestId,
    traceparent: letter.traceparent,
    tracestate: letter.tracestate,
    created_at: letter.createdAt,
    redriven_at: dueAt ?? now,
  }));
  const columns = Object.keys(rows[0] ?? {});
  // The builder cannot say that the identity's value is ours this once.
  const [overriding, onTwin] =
    kind === 'mysql' ? ['', 'ON DUPLICATE KEY UPDATE id = id'] : ['OVERRIDING SYSTEM VALUE', 'ON CONFLICT DO NOTHING'];
  const places = `(${columns.map(() => '?').join(', ')})`;
  await trx.raw(
    `INSERT INTO domain_event_outbox (${columns.join(', ')}) ${overriding}
     VALUES ${rows.map(() => places).join(', ')} ${onTwin}`,
    rows.flatMap((row) => Object.values(row)) as string[],
  );
}
