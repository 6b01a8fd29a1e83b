/** How many interactions each pack had on each day, and the way from a viewer to what they did last. */
import type { Knex } from 'knex';
import { addIndexes, createTables, dropIndexes, dropTables, type Table } from '@omnizap/runtime';

const tables: Table[] = [
  {
    name: 'sticker_pack_interaction_day',
    columns: {
      // For retention, which walks along it.
      id: { type: 'serial' },
      pack_id: { type: 'uuid' },
      interaction: { type: 'ascii(10)' },
      /** UTC. */
      day: { type: 'date' },
      count: { type: 'bigint' },
    },
    primaryKey: ['id'],
    unique: [{ name: 'sticker_pack_interaction_day_key', columns: ['pack_id', 'day', 'interaction'] }],
    indexes: [{ name: 'sticker_pack_interaction_day_day_idx', columns: ['day'] }],
    foreignKeys: [
      {
        name: 'sticker_pack_interaction_day_pack_fk',
        columns: ['pack_id'],
        references: 'sticker_pack (id)',
        onDelete: 'cascade',
      },
    ],
  },
];
const recentIndex = { name: 'sticker_pack_interaction_event_recent_idx', columns: ['viewer_hash', 'id'] };

export async function up(knex: Knex): Promise<void> {
  await createTables(knex, tables);
  await countEventLog(knex);
  // Last: on PostgreSQL nobody can count an interaction from here to the end of the migration.
  await addIndexes(knex, 'sticker_pack_interaction_event', [recentIndex]);
}

/** What the event log holds is counted; run again after a kill it counts the same anew. Ids grow with the days. */
async function countEventLog(knex: Knex): Promise<void> {
  const isMysql = (knex.client as { config: { client: string } }).config.client === 'mysql2';
  const day = isMysql ? 'CAST(created_at AS date)' : "CAST(created_at AT TIME ZONE 'UTC' AS date)";
  await knex.raw(
    `INSERT INTO sticker_pack_interaction_day (pack_id, interaction, day, count)
     SELECT pack_id, interaction, ${day}, COUNT(*) FROM sticker_pack_interaction_event
      GROUP BY pack_id, interaction, ${day} ORDER BY ${day}
     ${isMysql ? 'ON DUPLICATE KEY UPDATE count = VALUES(count)' : 'ON CONFLICT (pack_id, day, interaction) DO UPDATE SET count = excluded.count'}`,
  );
}

export async function down(knex: Knex): Promise<void> {
  await dropIndexes(knex, 'sticker_pack_interaction_event', [recentIndex.name]);
  await dropTables(knex, tables);
}
