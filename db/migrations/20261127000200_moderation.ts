/** What administrators decide about packs and stickers, what visitors report, and who and what is banned. */
import type { Knex } from 'knex';
import {
  addColumns,
  addIndexes,
  createTables,
  dropColumns,
  dropIndexes,
  dropTables,
  type Column,
  type Table,
} from '@omnizap/runtime';

/** An older release goes on writing rows: they are approved. */
const columns: Record<string, Column> = {
  moderation: { type: 'ascii(12)', default: "'approved'" },
  moderation_reason: { type: 'varchar(500)', nullable: true },
};
const moderatedTables = ['sticker_pack', 'sticker_asset'];

/** The same bytes of every owner are one look-up when they are banned. */
const contentIndex = { name: 'sticker_asset_sha256_idx', columns: ['sha256'] };

/** One row for sticker bans and sixteen that owners share: see `lockGuard`. */
const guardSlots = 17;

const tables: Table[] = [
  {
    // Only of what is not approved: the queue and the effects of a ban are read from a small table.
    name: 'moderation_case',
    columns: {
      target_type: { type: 'ascii(8)' },
      target_id: { type: 'uuid' },
      state: { type: 'ascii(12)' },
      since_at: { type: 'instant', default: 'now' },
      // The ban that led to the state, and what its end brings back.
      ban_id: { type: 'uuid', nullable: true },
      state_before: { type: 'ascii(12)', nullable: true },
      reason_before: { type: 'varchar(500)', nullable: true },
      since_before: { type: 'instant', nullable: true },
    },
    primaryKey: ['target_type', 'target_id'],
    indexes: [
      { name: 'moderation_case_queue_idx', columns: ['state', 'since_at', 'target_id'] },
      { name: 'moderation_case_ban_idx', columns: ['ban_id', 'target_id'] },
    ],
    checks: [
      { name: 'moderation_case_target_check', expression: "target_type IN ('pack', 'sticker')" },
      { name: 'moderation_case_state_check', expression: "state IN ('held', 'rejected', 'taken_down')" },
    ],
  },
  {
    name: 'moderation_ban',
    columns: {
      id: { type: 'uuid' },
      kind: { type: 'ascii(8)' },
      owner_id: { type: 'varchar(128)', nullable: true },
      sha256: { type: 'sha256', nullable: true },
      // Of the banned picture, as in sticker_asset_classification; null until it was classified.
      pixel_sha256: { type: 'sha256', nullable: true },
      hash_first: { type: 'sha256', nullable: true },
      hash_middle: { type: 'sha256', nullable: true },
      hash_last: { type: 'sha256', nullable: true },
      hash_mask: { type: 'sha256', nullable: true },
      hash_quality: { type: 'smallint', nullable: true },
      reason: { type: 'varchar(500)' },
      made_by: { type: 'varchar(128)' },
      created_at: { type: 'instant', default: 'now' },
      revoked_at: { type: 'instant', nullable: true },
      revoked_by: { type: 'varchar(128)', nullable: true },
      revoke_reason: { type: 'varchar(500)', nullable: true },
      // How far the search for near-duplicates has come.
      searched_through: { type: 'uuid', nullable: true },
      // Null: what the ban takes, or its end gives back, is not all done.
      settled_at: { type: 'instant', nullable: true },
    },
    primaryKey: ['id'],
    indexes: [
      { name: 'moderation_ban_owner_idx', columns: ['owner_id', 'revoked_at'] },
      { name: 'moderation_ban_content_idx', columns: ['sha256', 'revoked_at'] },
      { name: 'moderation_ban_active_idx', columns: ['kind', 'revoked_at', 'id'] },
      { name: 'moderation_ban_settled_idx', columns: ['settled_at', 'id'] },
    ],
    checks: [
      {
        name: 'moderation_ban_kind_check',
        expression:
          "(kind = 'owner' AND owner_id IS NOT NULL) OR (kind = 'sticker' AND owner_id IS NULL AND sha256 IS NOT NULL)",
      },
    ],
  },
  {
    // Near-duplicates that an administrator has found to be something else.
    name: 'moderation_clearance',
    columns: { asset_id: { type: 'uuid' }, ban_id: { type: 'uuid' } },
    primaryKey: ['asset_id', 'ban_id'],
  },
  {
    // Rises with every change of the bans of its slot.
    name: 'moderation_guard',
    columns: { slot: { type: 'smallint' }, epoch: { type: 'bigint', default: 0 } },
    primaryKey: ['slot'],
  },
  {
    name: 'sticker_report',
    columns: {
      id: { type: 'serial' },
      pack_id: { type: 'uuid' },
      // The sticker, or the pack as a whole.
      subject_id: { type: 'uuid' },
      asset_id: { type: 'uuid', nullable: true },
      reason: { type: 'ascii(12)' },
      details: { type: 'varchar(1000)', nullable: true },
      viewer_hash: { type: 'sha256' },
      address_hash: { type: 'sha256' },
      day_number: { type: 'integer' },
      // Which report of its address and day it is.
      day_slot: { type: 'smallint' },
      state: { type: 'ascii(10)', default: "'open'" },
      closed_by: { type: 'varchar(128)', nullable: true },
      closed_at: { type: 'instant', nullable: true },
      created_at: { type: 'instant', default: 'now' },
    },
    primaryKey: ['id'],
    unique: [
      { name: 'sticker_report_viewer_key', columns: ['pack_id', 'subject_id', 'viewer_hash'] },
      { name: 'sticker_report_day_key', columns: ['address_hash', 'day_number', 'day_slot'] },
    ],
    indexes: [{ name: 'sticker_report_open_idx', columns: ['state', 'pack_id', 'subject_id', 'id'] }],
    foreignKeys: [
      { name: 'sticker_report_pack_fk', columns: ['pack_id'], references: 'sticker_pack (id)', onDelete: 'cascade' },
    ],
    checks: [{ name: 'sticker_report_state_check', expression: "state IN ('open', 'dismissed', 'upheld')" }],
  },
];

export async function up(knex: Knex): Promise<void> {
  // The index first: while it is built stickers can be read, which they cannot from the first new column on to the end.
  await addIndexes(knex, 'sticker_asset', [contentIndex]);
  for (const table of moderatedTables) await addColumns(knex, table, columns);
  await createTables(knex, tables);
  const slots = Array.from({ length: guardSlots }, (_, slot) => ({ slot }));
  await knex('moderation_guard').insert(slots).onConflict('slot').ignore();
}

export async function down(knex: Knex): Promise<void> {
  await dropTables(knex, tables);
  await dropIndexes(knex, 'sticker_asset', [contentIndex.name]);
  for (const table of moderatedTables) await dropColumns(knex, table, Object.keys(columns));
}
