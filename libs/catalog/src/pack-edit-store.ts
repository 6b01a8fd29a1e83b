/** SQL on single places of a pack; the pack's row is locked by the caller. */
import type { Knex } from 'knex';
import { fromJsonColumn } from '@omnizap/runtime';
import type { StickerStatus } from './asset-store.ts';
import type { PackItem } from './pack-store.ts';

export async function findItem(
  db: Knex,
  packId: string,
  assetId: string,
): Promise<(PackItem & { status: StickerStatus; themeKey: string | null }) | null> {
  const row = await db('sticker_pack_item as i')
    .join('sticker_asset as a', 'a.id', 'i.asset_id')
    .leftJoin('sticker_asset_classification as c', 'c.asset_id', 'i.asset_id')
    .where({ 'i.pack_id': packId, 'i.asset_id': assetId })
    .first<
      | {
          position: number;
          emojis: unknown;
          accessibility_label: string | null;
          status: StickerStatus;
          theme_key: string | null;
        }
      | undefined
    >('i.position', 'i.emojis', 'i.accessibility_label', 'a.status', 'c.theme_key');
  if (!row) return null;
  return {
    assetId,
    position: row.position,
    emojis: fromJsonColumn(row.emojis) as string[],
    accessibilityLabel: row.accessibility_label,
    status: row.status,
    themeKey: row.theme_key,
  };
}

/** Changes a place: what is said about its sticker, or which sticker is there. */
export async function updateItem(
  trx: Knex.Transaction,
  packId: string,
  assetId: string,
  item: Omit<PackItem, 'position'>,
): Promise<void> {
  await trx('sticker_pack_item')
    .where({ pack_id: packId, asset_id: assetId })
    .update({
      asset_id: item.assetId,
      emojis: JSON.stringify(item.emojis),
      accessibility_label: item.accessibilityLabel,
    });
}

export async function deleteItem(trx: Knex.Transaction, packId: string, assetId: string): Promise<void> {
  await trx('sticker_pack_item').where({ pack_id: packId, asset_id: assetId }).delete();
}

/**
 * Gives all items of a pack their positions from `start` on, in the order of `assetIds`. One statement; both databases check
 * `sticker_pack_item_position_key` row by row, so none of the new positions may be in use.
 */
export async function writePositions(
  trx: Knex.Transaction,
  packId: string,
  assetIds: string[],
  start: number,
): Promise<void> {
  const places = assetIds.map((_, index) => `WHEN ? THEN ${start + index}`).join(' ');
  await trx('sticker_pack_item')
    .where({ pack_id: packId })
    .update({ position: trx.raw(`CASE asset_id ${places} END`, assetIds) });
}
