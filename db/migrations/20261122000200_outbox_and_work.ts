/** Events on their way out, dead letters, and the wanted-against-done ledger that sweeps read. */
import type { Knex } from 'knex';
import { createTables, dropTables, type Table } from '@omnizap/runtime';

const tables: Table[] = [
  {
    name: 'domain_event_outbox',
    columns: {
      id: { type: 'serial' },
      event_type: { type: 'ascii(96)' },
      aggregate_type: { type: 'ascii(64)' },
      aggregate_id: { type: 'ascii(128)' },
      payload: { type: 'json' },
      status: { type: 'ascii(12)', default: "'pending'" },
      priority: { type: 'smallint', default: 50 },
      idempotency_key: { type: 'ascii(180)', nullable: true },
      available_at: { type: 'instant', default: 'now' },
      attempts: { type: 'integer', default: 0 },
      max_attempts: { type: 'integer', default: 10 },
      last_error: { type: 'text', nullable: true },
      shard: { type: 'smallint' },
      locked_by: { type: 'ascii(80)', nullable: true },
      request_id: { type: 'ascii(128)', nullable: true },
      traceparent: { type: 'ascii(55)', nullable: true },
      created_at: { type: 'instant', default: 'now' },
      processed_at: { type: 'instant', nullable: true },
    },
    primaryKey: ['id'],
    unique: [{ name: 'domain_event_outbox_idempotency_key_key', columns: ['idempotency_key'] }],
    indexes: [
      { name: 'domain_event_outbox_claim_idx', columns: ['status', 'shard', 'id'] },
      { name: 'domain_event_outbox_aggregate_idx', columns: ['aggregate_type', 'aggregate_id', 'status', 'id'] },
    ],
    checks: [
      {
        name: 'domain_event_outbox_status_check',
        expression: "status IN ('pending', 'processing', 'completed', 'failed')",
      },
    ],
  },
  {
    name: 'domain_event_outbox_dlq',
    columns: {
      id: { type: 'serial' },
      outbox_event_id: { type: 'bigint' },
      event_type: { type: 'ascii(96)' },
      aggregate_type: { type: 'ascii(64)' },
      aggregate_id: { type: 'ascii(128)' },
      payload: { type: 'json' },
      attempts: { type: 'integer' },
      last_error: { type: 'text', nullable: true },
      request_id: { type: 'ascii(128)', nullable: true },
      traceparent: { type: 'ascii(55)', nullable: true },
      created_at: { type: 'instant' },
      failed_at: { type: 'instant', default: 'now' },
    },
    primaryKey: ['id'],
    unique: [{ name: 'domain_event_outbox_dlq_event_key', columns: ['outbox_event_id'] }],
    indexes: [{ name: 'domain_event_outbox_dlq_aggregate_idx', columns: ['aggregate_type', 'aggregate_id', 'id'] }],
  },
  {
    name: 'work_state',
    columns: {
      task_type: { type: 'ascii(32)' },
      subject_id: { type: 'ascii(128)' },
      wanted_version: { type: 'bigint', default: 1 },
      done_version: { type: 'bigint', default: 0 },
      failed_version: { type: 'bigint', default: 0 },
      wanted_at: { type: 'instant', default: 'now' },
      is_due: {
        type: 'smallint',
        generated: 'CASE WHEN wanted_version > done_version AND wanted_version > failed_version THEN 1 ELSE 0 END',
      },
    },
    primaryKey: ['task_type', 'subject_id'],
    indexes: [{ name: 'work_state_due_idx', columns: ['task_type', 'is_due', 'wanted_at', 'subject_id'] }],
  },
  {
    name: 'sticker_worker_task_dlq',
    columns: {
      id: { type: 'serial' },
      task_id: { type: 'uuid' },
      task_type: { type: 'ascii(32)' },
      subject_id: { type: 'ascii(128)' },
      payload: { type: 'json' },
      attempts: { type: 'integer' },
      last_error: { type: 'text', nullable: true },
      failed_at: { type: 'instant', default: 'now' },
    },
    primaryKey: ['id'],
    unique: [{ name: 'sticker_worker_task_dlq_task_key', columns: ['task_id'] }],
    indexes: [{ name: 'sticker_worker_task_dlq_type_idx', columns: ['task_type', 'failed_at'] }],
  },
];

export async function up(knex: Knex): Promise<void> {
  await createTables(knex, tables);
}

export async function down(knex: Knex): Promise<void> {
  await dropTables(knex, tables);
}
