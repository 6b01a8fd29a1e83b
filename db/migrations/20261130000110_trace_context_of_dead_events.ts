/** As of events on their way: of events that are dead letters. */
import type { Knex } from 'knex';
import { addColumns, dropColumns } from '@omnizap/runtime';

export async function up(knex: Knex): Promise<void> {
  await addColumns(knex, 'domain_event_outbox_dlq', { tracestate: { type: 'ascii(512)', nullable: true } });
}

export async function down(knex: Knex): Promise<void> {
  await dropColumns(knex, 'domain_event_outbox_dlq', ['tracestate']);
}
