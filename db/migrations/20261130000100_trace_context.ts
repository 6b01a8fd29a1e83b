/** The vendors' half of a trace's context (W3C tracestate), beside the half that is there already: of events on their way. */
import type { Knex } from 'knex';
import { addColumns, dropColumns } from '@omnizap/runtime';

/**
 * Nullable: an older release goes on writing rows without it, and most traces have none. The tables of dead letters have migrations of
 * their own, so that none is locked while the next one is waited for.
 */
export async function up(knex: Knex): Promise<void> {
  await addColumns(knex, 'domain_event_outbox', { tracestate: { type: 'ascii(512)', nullable: true } });
}

export async function down(knex: Knex): Promise<void> {
  await dropColumns(knex, 'domain_event_outbox', ['tracestate']);
}
