/** SQL on all packs of one owner. */
import type { Knex } from 'knex';
import type { Pack } from './pack-store.ts';

/** Makes the caller's transaction wait for others that look at all packs of this owner. False: there is no such row yet. */
export async function lockOwner(trx: Knex.Transaction, ownerId: string): Promise<boolean> {
  const row = await trx('sticker_pack_owner')
    .where({ owner_id: ownerId })
    .forUpdate()
    .first<{ owner_id: string } | undefined>('owner_id');
  return row !== undefined;
}

export async function insertOwner(db: Knex, ownerId: string): Promise<void> {
  await db('sticker_pack_owner').insert({ owner_id: ownerId }).onConflict('owner_id').ignore();
}

/** Packs that count against the owner's limit: those of curation do not. Index `sticker_pack_owner_idx`. */
export async function countPacks(db: Knex, ownerId: string): Promise<number> {
  const rows = await db('sticker_pack')
    .where({ owner_id: ownerId })
    .whereNull('deleted_at')
    .whereNull('theme_key')
    .count<{ count: number }[]>({ count: '*' });
  return rows[0]?.count ?? 0;
}

export type TargetPack = Pick<Pack, 'id' | 'packKey' | 'name' | 'description' | 'isAutoPack' | 'themeKey'> & {
  itemCount: number;
};

/** The owner's packs, the most recently changed first. Index `sticker_pack_owner_idx`. */
export async function readTargetPacks(db: Knex, ownerId: string): Promise<TargetPack[]> {
  const itemCount = db('sticker_pack_item as i').whereRaw('i.pack_id = p.id').count('*').as('item_count');
  const rows: {
    id: string;
    pack_key: string;
    name: string;
    description: string;
    is_auto_pack: number;
    theme_key: string | null;
    item_count: number;
  }[] = await db('sticker_pack as p')
    .where({ 'p.owner_id': ownerId })
    .whereNull('p.deleted_at')
    // Nobody would see what went there.
    .whereNotIn('p.moderation', ['rejected', 'taken_down'])
    .orderBy([
      { column: 'p.updated_at', order: 'desc' },
      { column: 'p.id', order: 'desc' },
    ])
    .select('p.id', 'p.pack_key', 'p.name', 'p.description', 'p.is_auto_pack', 'p.theme_key', itemCount);
  return rows.map((row) => ({
    id: row.id,
    packKey: row.pack_key,
    name: row.name,
    description: row.description,
    isAutoPack: row.is_auto_pack === 1,
    themeKey: row.theme_key,
    itemCount: Number(row.item_count),
  }));
}

export type Place = { assetId: string; packId: string };

/** Where the owner has this content, over all packs that are not deleted. */
export async function placesOfContent(db: Knex, ownerId: string, sha256: string): Promise<Place[]> {
  return db('sticker_asset as a')
    .join('sticker_pack_item as i', 'i.asset_id', 'a.id')
    .join('sticker_pack as p', 'p.id', 'i.pack_id')
    .where({ 'a.owner_id': ownerId, 'a.sha256': sha256 })
    .whereNull('p.deleted_at')
    .select<Place[]>({ assetId: 'a.id', packId: 'p.id' });
}

export type Seen = { updatedAt: Date; id: string };

/** A page of the owner's packs behind `after`, the newest change first. */
export async function pageOfPacks(db: Knex, ownerId: string, limit: number, after: Seen | null): Promise<Seen[]> {
  const query = db('sticker_pack')
    .where({ owner_id: ownerId })
    .whereNull('deleted_at')
    .orderBy([
      { column: 'updated_at', order: 'desc' },
      { column: 'id', order: 'desc' },
    ])
    .limit(limit)
    .select<{ id: string; updated_at: Date }[]>('id', 'updated_at');
  if (after) void query.andWhereRaw('(updated_at, id) < (?, ?)', [after.updatedAt, after.id]);
  return (await query).map((row) => ({ updatedAt: row.updated_at, id: row.id }));
}

export type Orphan = {
  stickerId: string;
  sha256: string;
  isAnimated: boolean;
  width: number;
  height: number;
  sizeBytes: number;
  createdAt: Date;
};

/** A page of ready stickers that are in no pack, the newest first; of everybody without an owner. */
export async function pageOfOrphans(
  db: Knex,
  ownerId: string | null,
  limit: number,
  beforeId: string | null,
): Promise<Orphan[]> {
  const packed = db('sticker_pack_item as i')
    .join('sticker_pack as p', 'p.id', 'i.pack_id')
    .whereRaw('i.asset_id = a.id')
    .whereNull('p.deleted_at')
    .select('i.asset_id');
  const query = db('sticker_asset as a')
    .where({ 'a.status': 'ready' })
    .whereNotExists(packed)
    .orderBy('a.id', 'desc')
    .limit(limit)
    .select<
      {
        id: string;
        sha256: string;
        is_animated: number;
        width: number;
        height: number;
        size_bytes: number;
        created_at: Date;
      }[]
    >('a.id', 'a.sha256', 'a.is_animated', 'a.width', 'a.height', 'a.size_bytes', 'a.created_at');
  if (ownerId !== null) void query.andWhere({ 'a.owner_id': ownerId });
  if (beforeId !== null) void query.andWhere('a.id', '<', beforeId);
  return (await query).map((row) => ({
    stickerId: row.id,
    sha256: row.sha256,
    isAnimated: row.is_animated === 1,
    width: row.width,
    height: row.height,
    sizeBytes: row.size_bytes,
    createdAt: row.created_at,
  }));
}
