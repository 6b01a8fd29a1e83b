/** What retention has done so far, and what the interactions that it took away had counted. */
import type { Knex } from 'knex';
import { createTables, dropTables, type Table } from '@omnizap/runtime';

const tables: Table[] = [
  {
    // One row per policy, so that the record of bounded growth is bounded itself.
    name: 'retention_run',
    columns: {
      policy: { type: 'ascii(64)' },
      finished_at: { type: 'instant', nullable: true },
      removed_rows: { type: 'bigint', default: 0 },
      archive_files: { type: 'bigint', default: 0 },
      last_archive: { type: 'varchar(500)', nullable: true },
      failed_at: { type: 'instant', nullable: true },
      last_error: { type: 'text', nullable: true },
    },
    primaryKey: ['policy'],
  },
  {
    // Counters of a pack = this + its rows in sticker_pack_interaction_event.
    name: 'sticker_pack_interaction_total',
    columns: {
      pack_id: { type: 'uuid' },
      interaction: { type: 'ascii(10)' },
      archived_count: { type: 'bigint', default: 0 },
    },
    primaryKey: ['pack_id', 'interaction'],
    foreignKeys: [
      {
        name: 'sticker_pack_interaction_total_pack_fk',
        columns: ['pack_id'],
        references: 'sticker_pack (id)',
        onDelete: 'cascade',
      },
    ],
  },
];

export async function up(knex: Knex): Promise<void> {
  await createTables(knex, tables);
}

export async function down(knex: Knex): Promise<void> {
  await dropTables(knex, tables);
}
