/** What the bucket has of the stickers' bytes, and since when nothing needs a sticker any more. */
import type { Knex } from 'knex';
import {
  addColumns,
  addIndexes,
  createTables,
  dropColumns,
  dropIndexes,
  dropTables,
  type Table,
} from '@omnizap/runtime';

/** No foreign keys: the same bytes may belong to several stickers, and outlive each of them for a while. */
const objects: Table = {
  name: 'stored_object',
  columns: {
    kind: { type: 'ascii(12)' },
    sha256: { type: 'sha256' },
    size_bytes: { type: 'bigint' },
    // Since when the bucket is known to have exactly these bytes; null until then.
    object_verified_at: { type: 'instant', nullable: true },
    // Somebody is about to remove it: who wants it there again waits until the row is gone.
    removing_since: { type: 'instant', nullable: true },
    created_at: { type: 'instant', default: 'now' },
  },
  primaryKey: ['kind', 'sha256'],
  indexes: [{ name: 'stored_object_removing_idx', columns: ['removing_since'] }],
  checks: [{ name: 'stored_object_kind_check', expression: "kind IN ('original', 'sticker', 'preview')" }],
};

/** Several stickers may have the same bytes to show. */
const derivativeIndex = { name: 'sticker_asset_derivative_sha256_idx', columns: ['sha256'] };
/** Whether somebody reported it keeps a sticker: asked of each that is to go. */
const reportIndex = { name: 'sticker_report_asset_idx', columns: ['asset_id', 'state'] };
const unusedIndex = { name: 'sticker_asset_unused_idx', columns: ['unused_since', 'id'] };

export async function up(knex: Knex): Promise<void> {
  await createTables(knex, [objects]);
  await addIndexes(knex, 'sticker_asset_derivative', [derivativeIndex]);
  // Since when no pack has the sticker, as far as anybody looked.
  await addColumns(knex, 'sticker_asset', { unused_since: { type: 'instant', nullable: true } });
  await addIndexes(knex, 'sticker_asset', [unusedIndex]);
  await addIndexes(knex, 'sticker_report', [reportIndex]);
}

export async function down(knex: Knex): Promise<void> {
  await dropIndexes(knex, 'sticker_report', [reportIndex.name]);
  await dropIndexes(knex, 'sticker_asset', [unusedIndex.name]);
  await dropColumns(knex, 'sticker_asset', ['unused_since']);
  await dropIndexes(knex, 'sticker_asset_derivative', [derivativeIndex.name]);
  await dropTables(knex, [objects]);
}
