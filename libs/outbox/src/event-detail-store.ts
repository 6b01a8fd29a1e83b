/** One event as its row says it, for people. */
import { fromJsonColumn, type Database } from '@omnizap/runtime';

export type EventDetail = {
  id: number;
  event_type: string;
  aggregate_type: string;
  aggregate_id: string;
  status: 'pending' | 'processing' | 'completed' | 'failed';
  attempts: number;
  max_attempts: number;
  priority: number;
  shard: number;
  locked_by: string | null;
  request_id: string | null;
  traceparent: string | null;
  tracestate: string | null;
  created_at: Date;
  available_at: Date;
  first_failed_at: Date | null;
  redriven_at: Date | null;
  processed_at: Date | null;
  last_error: string | null;
  payload: unknown;
};

/** Null when the outbox does not hold it: it never was, was finished long ago, or is a dead letter. */
export async function findEvent(database: Database, id: number): Promise<EventDetail | null> {
  const row = await database
    .knex('domain_event_outbox')
    .where({ id })
    .first<EventDetail | undefined>(
      'id',
      'event_type',
      'aggregate_type',
      'aggregate_id',
      'status',
      'attempts',
      'max_attempts',
      'priority',
      'shard',
      'locked_by',
      'request_id',
      'traceparent',
      'tracestate',
      'created_at',
      'available_at',
      'first_failed_at',
      'redriven_at',
      'processed_at',
      'last_error',
      'payload',
    );
  return row ? { ...row, payload: fromJsonColumn(row.payload) } : null;
}
