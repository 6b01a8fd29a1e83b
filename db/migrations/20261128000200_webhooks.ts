/** Where owners are told of what happens to their packs, and the messages that are still to be sent. */
import type { Knex } from 'knex';
import { createTables, dropTables, type Table } from '@omnizap/runtime';

const tables: Table[] = [
  {
    name: 'webhook',
    columns: {
      id: { type: 'uuid' },
      owner_id: { type: 'varchar(128)' },
      url: { type: 'text' },
      // JSON array of event types.
      events: { type: 'json' },
      // As it is, not a hash: each message is signed with it.
      secret: { type: 'ascii(64)' },
      failures_in_row: { type: 'integer', default: 0 },
      failing_since: { type: 'instant', nullable: true },
      attempted_at: { type: 'instant', nullable: true },
      attempt_http_status: { type: 'integer', nullable: true },
      // Of the last attempt; null when it was taken.
      attempt_error: { type: 'varchar(200)', nullable: true },
      disabled_at: { type: 'instant', nullable: true },
      disabled_reason: { type: 'varchar(200)', nullable: true },
      created_at: { type: 'instant', default: 'now' },
    },
    primaryKey: ['id'],
    indexes: [{ name: 'webhook_owner_idx', columns: ['owner_id'] }],
  },
  {
    // A row is gone once its message was taken. No foreign key: a change of a pack must not wait for an attempt that is being recorded.
    name: 'webhook_message',
    columns: {
      id: { type: 'serial' },
      message_id: { type: 'ascii(36)' },
      webhook_id: { type: 'uuid' },
      pack_id: { type: 'uuid' },
      type: { type: 'ascii(32)' },
      data: { type: 'json' },
      // 1 from before the first attempt on.
      is_tried: { type: 'smallint', default: 0 },
      created_at: { type: 'instant', default: 'now' },
    },
    primaryKey: ['id'],
    unique: [{ name: 'webhook_message_message_id_key', columns: ['message_id'] }],
    indexes: [{ name: 'webhook_message_webhook_idx', columns: ['webhook_id', 'pack_id'] }],
  },
];

export async function up(knex: Knex): Promise<void> {
  await createTables(knex, tables);
}

export async function down(knex: Knex): Promise<void> {
  await dropTables(knex, tables);
}
