/** SQL of the automatic packs. */
import type { Knex } from 'knex';
import { fromJsonColumn, sqlNow, type DatabaseKind } from '@omnizap/runtime';
import { classificationOfRow, type StoredClassification } from './asset-store.ts';
import { insertItems, onlyListed, type PackItem } from './pack-store.ts';

export type Candidate = {
  assetId: string;
  classification: StoredClassification;
  emojis: string[];
  accessibilityLabel: string | null;
};

/**
 * Stickers that may be curated for a theme: ready, approved, not known to be sensitive, and in at least one published public pack
 * that a person made, by hand or by auto-collect. The most confident first; index `sticker_asset_classification_theme_idx`.
 */
export async function readCandidates(db: Knex, themeKey: string, limit: number): Promise<Candidate[]> {
  const publicItem = db('sticker_pack_item as i')
    .join('sticker_pack as p', 'p.id', 'i.pack_id')
    .whereNull('p.theme_key')
    .modify(onlyListed)
    .whereRaw('i.asset_id = c.asset_id');
  const rows = await db('sticker_asset_classification as c')
    .join('sticker_asset as a', 'a.id', 'c.asset_id')
    .where({ 'c.theme_key': themeKey, 'a.status': 'ready', 'a.moderation': 'approved' })
    .whereIn('c.nsfw_level', ['safe', 'unknown'])
    .whereExists(publicItem.clone().select('i.asset_id'))
    .orderBy([{ column: 'c.confidence', order: 'desc' }, { column: 'c.asset_id' }])
    .limit(limit)
    .select('c.*');
  const described = await describe(
    db,
    rows.map((row: { asset_id: string }) => row.asset_id),
  );
  return rows.map((row: { asset_id: string } & Parameters<typeof classificationOfRow>[0]) => ({
    assetId: row.asset_id,
    classification: classificationOfRow(row),
    emojis: described.get(row.asset_id)?.emojis ?? [],
    accessibilityLabel: described.get(row.asset_id)?.accessibilityLabel ?? null,
  }));
}

/** Emojis and label from the oldest public pack of each sticker. */
async function describe(
  db: Knex,
  assetIds: string[],
): Promise<Map<string, { emojis: string[]; accessibilityLabel: string | null }>> {
  if (assetIds.length === 0) return new Map();
  const rows = await db('sticker_pack_item as i')
    .join('sticker_pack as p', 'p.id', 'i.pack_id')
    .whereNull('p.theme_key')
    .modify(onlyListed)
    .whereIn('i.asset_id', assetIds)
    .orderBy('p.id', 'desc')
    .select<{ asset_id: string; emojis: unknown; accessibility_label: string | null }[]>(
      'i.asset_id',
      'i.emojis',
      'i.accessibility_label',
    );
  return new Map(
    rows.map((row) => [
      row.asset_id,
      { emojis: fromJsonColumn(row.emojis) as string[], accessibilityLabel: row.accessibility_label },
    ]),
  );
}

/** Locks the theme's ledger row, so that two looks at one theme write one after the other. Returns what is done, and how much its look may have seen. */
export async function lockTheme(
  trx: Knex.Transaction,
  themeKey: string,
): Promise<{ doneVersion: number; seenVersion: number }> {
  const row = await trx('work_state')
    .where({ task_type: 'curation', subject_id: themeKey })
    .forUpdate()
    .first<{ done_version: number; seen_version: number } | undefined>('done_version', 'seen_version');
  return { doneVersion: row?.done_version ?? 0, seenVersion: row?.seen_version ?? 0 };
}

export type AutoPack = { id: string; volume: number; isDeleted: boolean };

export async function autoPacksOfTheme(db: Knex, themeKey: string): Promise<AutoPack[]> {
  const rows = await db('sticker_pack')
    .where({ theme_key: themeKey })
    .orderBy('theme_volume')
    .select<{ id: string; theme_volume: number; deleted_at: Date | null }[]>('id', 'theme_volume', 'deleted_at');
  return rows.map((row) => ({ id: row.id, volume: row.theme_volume, isDeleted: row.deleted_at !== null }));
}

export async function readItems(db: Knex, packId: string): Promise<PackItem[]> {
  const rows = await db('sticker_pack_item')
    .where({ pack_id: packId })
    .orderBy('position')
    .select<{ asset_id: string; position: number; emojis: unknown; accessibility_label: string | null }[]>(
      'asset_id',
      'position',
      'emojis',
      'accessibility_label',
    );
  return rows.map((row) => ({
    assetId: row.asset_id,
    position: row.position,
    emojis: fromJsonColumn(row.emojis) as string[],
    accessibilityLabel: row.accessibility_label,
  }));
}

/** Replaces the items as one step of the caller's transaction: readers see the old set or the new one. */
export async function replaceItems(trx: Knex.Transaction, packId: string, items: PackItem[]): Promise<void> {
  await trx('sticker_pack_item').where({ pack_id: packId }).delete();
  await insertItems(trx, packId, items);
}

export async function setDeleted(
  trx: Knex.Transaction,
  kind: DatabaseKind,
  packId: string,
  isDeleted: boolean,
): Promise<void> {
  await trx('sticker_pack')
    .where({ id: packId })
    .update({ deleted_at: isDeleted ? trx.raw(sqlNow(kind)) : null });
}
