/** What owners decide about their packs: the cover they chose, and a row of their own to lock while their packs are counted. */
import type { Knex } from 'knex';
import { addColumns, createTables, dropColumns, dropTables, type Table } from '@omnizap/runtime';

const tables: Table[] = [
  {
    // Holds nothing but the lock: whoever makes a pack, or chooses one for a sticker, waits for the owner's other ones.
    name: 'sticker_pack_owner',
    columns: {
      owner_id: { type: 'varchar(128)' },
      created_at: { type: 'instant', default: 'now' },
    },
    primaryKey: ['owner_id'],
  },
];

export async function up(knex: Knex): Promise<void> {
  await createTables(knex, tables);
  // Null: the rebuild chooses. Named apart from the column of the score rows: a release before this reads both tables as one row.
  await addColumns(knex, 'sticker_pack', { chosen_cover_asset_id: { type: 'uuid', nullable: true } });
}

export async function down(knex: Knex): Promise<void> {
  await dropColumns(knex, 'sticker_pack', ['chosen_cover_asset_id']);
  await dropTables(knex, tables);
}
