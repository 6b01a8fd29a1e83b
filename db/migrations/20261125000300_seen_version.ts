/** How far the changes had come when a subject was last recorded as done: what that look may have seen of them. */
import type { Knex } from 'knex';
import { addColumns, dropColumns } from '@omnizap/runtime';

export async function up(knex: Knex): Promise<void> {
  await addColumns(knex, 'work_state', { seen_version: { type: 'bigint', default: 0 } });
}

export async function down(knex: Knex): Promise<void> {
  await dropColumns(knex, 'work_state', ['seen_version']);
}
