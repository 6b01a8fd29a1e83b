/** The vendors' half of a trace's context (W3C tracestate), beside the half that is there already. */
import type { Knex } from 'knex';
import { addColumns, dropColumns } from '@omnizap/runtime';

/** Nullable: an older release goes on writing rows without it, and most traces have none. */
const tables = ['domain_event_outbox', 'domain_event_outbox_dlq', 'sticker_worker_task_dlq'];

export async function up(knex: Knex): Promise<void> {
  for (const table of tables) await addColumns(knex, table, { tracestate: { type: 'ascii(512)', nullable: true } });
}

export async function down(knex: Knex): Promise<void> {
  for (const table of tables) await dropColumns(knex, table, ['tracestate']);
}
