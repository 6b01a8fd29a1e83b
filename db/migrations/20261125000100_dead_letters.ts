/** What a person needs to settle a dead letter: when it first failed, where it came from, and what became of earlier ones. */
import type { Knex } from 'knex';
import { addColumns, createTables, dropColumns, dropTables, type Column, type Table } from '@omnizap/runtime';

/** Nullable: an older release goes on writing rows without them. */
const columns: Record<string, Record<string, Column>> = {
  domain_event_outbox: {
    first_failed_at: { type: 'instant', nullable: true },
    // When the redrive of a dead letter was due; null for an event that never was one.
    redriven_at: { type: 'instant', nullable: true },
  },
  domain_event_outbox_dlq: {
    first_failed_at: { type: 'instant', nullable: true },
    max_attempts: { type: 'integer', nullable: true },
    priority: { type: 'smallint', nullable: true },
  },
  sticker_worker_task_dlq: {
    first_failed_at: { type: 'instant', nullable: true },
    // The wanted version that the last attempt had looked at.
    version: { type: 'bigint', nullable: true },
    event_id: { type: 'bigint', nullable: true },
    request_id: { type: 'ascii(128)', nullable: true },
    traceparent: { type: 'ascii(55)', nullable: true },
  },
};

const tables: Table[] = [
  {
    name: 'dead_letter_history',
    columns: {
      id: { type: 'serial' },
      source: { type: 'ascii(16)' },
      // What shares a history: the event's id, or `<task type>:<subject>`.
      origin: { type: 'ascii(180)' },
      // What exactly was dead: the event's id, or the task's.
      item_id: { type: 'ascii(64)' },
      dead_letter: { type: 'json' },
      settlement: { type: 'ascii(12)' },
      reason: { type: 'varchar(500)', nullable: true },
      settled_by: { type: 'varchar(128)' },
      settled_at: { type: 'instant', default: 'now' },
    },
    primaryKey: ['id'],
    indexes: [
      { name: 'dead_letter_history_origin_idx', columns: ['source', 'origin', 'id'] },
      { name: 'dead_letter_history_settled_at_idx', columns: ['settled_at', 'id'] },
    ],
    checks: [
      { name: 'dead_letter_history_source_check', expression: "source IN ('outbox', 'tasks')" },
      { name: 'dead_letter_history_settlement_check', expression: "settlement IN ('redriven', 'discarded')" },
    ],
  },
];

export async function up(knex: Knex): Promise<void> {
  for (const [table, added] of Object.entries(columns)) await addColumns(knex, table, added);
  await createTables(knex, tables);
}

export async function down(knex: Knex): Promise<void> {
  await dropTables(knex, tables);
  for (const [table, added] of Object.entries(columns)) await dropColumns(knex, table, Object.keys(added));
}
