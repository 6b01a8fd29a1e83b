/** As of events on their way: of tasks that are dead letters. */
import type { Knex } from 'knex';
import { addColumns, dropColumns } from '@omnizap/runtime';

export async function up(knex: Knex): Promise<void> {
  await addColumns(knex, 'sticker_worker_task_dlq', { tracestate: { type: 'ascii(512)', nullable: true } });
}

export async function down(knex: Knex): Promise<void> {
  await dropColumns(knex, 'sticker_worker_task_dlq', ['tracestate']);
}
