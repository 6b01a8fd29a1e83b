/** The words and emojis under which packs are found. */
import type { Knex } from 'knex';
import { createTables, dropTables, type Table } from '@omnizap/runtime';

const tables: Table[] = [
  {
    // UTF-8 as bytes: no collation may take two emojis for equal, and a prefix is a range.
    name: 'sticker_pack_term',
    columns: { pack_id: { type: 'uuid' }, term: { type: 'binary(64)' } },
    primaryKey: ['pack_id', 'term'],
    indexes: [{ name: 'sticker_pack_term_term_idx', columns: ['term', 'pack_id'] }],
    foreignKeys: [
      { name: 'sticker_pack_term_pack_fk', columns: ['pack_id'], references: 'sticker_pack (id)', onDelete: 'cascade' },
    ],
  },
];

export async function up(knex: Knex): Promise<void> {
  await createTables(knex, tables);
  // Packs of before get their terms from another look at each, which the sweeps ask for. Run again it changes nothing more.
  await knex.raw(
    `UPDATE work_state SET wanted_version = wanted_version + 1
      WHERE task_type = 'rebuild' AND is_due = 0 AND wanted_version = done_version`,
  );
}

export async function down(knex: Knex): Promise<void> {
  await dropTables(knex, tables);
}
