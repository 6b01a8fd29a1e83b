/** SQL on packs and their items. Callers inside a transaction pass it as `db`. */
import type { Knex } from 'knex';
import { fromJsonColumn, sqlNow, type DatabaseKind } from '@omnizap/runtime';
import type { StickerStatus } from './asset-store.ts';
import type { ModerationState } from './moderation-state.ts';
import { clearUnused } from './object-storage/unused-sticker-store.ts';

export type Visibility = 'private' | 'unlisted' | 'public';

export type Pack = {
  id: string;
  packKey: string;
  ownerId: string;
  name: string;
  publisher: string;
  description: string;
  visibility: Visibility;
  status: 'draft' | 'published';
  tags: string[];
  isAutoPack: boolean;
  themeKey: string | null;
  themeVolume: number | null;
  /** The cover that its owner chose; null: the rebuild chooses. */
  chosenCoverAssetId: string | null;
  moderation: ModerationState;
  /** For the owner: why it is in that state. */
  moderationReason: string | null;
  version: number;
  createdAt: Date;
  updatedAt: Date;
  deletedAt: Date | null;
};

type PackRow = {
  id: string;
  pack_key: string;
  owner_id: string;
  name: string;
  publisher: string;
  description: string;
  visibility: Visibility;
  status: 'draft' | 'published';
  tags: unknown;
  is_auto_pack: number;
  theme_key: string | null;
  theme_volume: number | null;
  chosen_cover_asset_id: string | null;
  moderation: ModerationState;
  moderation_reason: string | null;
  version: number;
  created_at: Date;
  updated_at: Date;
  deleted_at: Date | null;
};

export function packOfRow(row: PackRow): Pack {
  return {
    id: row.id,
    packKey: row.pack_key,
    ownerId: row.owner_id,
    name: row.name,
    publisher: row.publisher,
    description: row.description,
    visibility: row.visibility,
    status: row.status,
    tags: fromJsonColumn(row.tags) as string[],
    isAutoPack: row.is_auto_pack === 1,
    themeKey: row.theme_key,
    themeVolume: row.theme_volume,
    chosenCoverAssetId: row.chosen_cover_asset_id,
    moderation: row.moderation,
    moderationReason: row.moderation_reason,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
  };
}

/** True when anybody with the link may see the pack. The one rule of what is public; `onlyListed` is its SQL for what lists show. */
export function isReachable(pack: Pick<Pack, 'status' | 'visibility' | 'moderation' | 'deletedAt'>): boolean {
  return (
    pack.status === 'published' &&
    pack.visibility !== 'private' &&
    pack.moderation === 'approved' &&
    pack.deletedAt === null
  );
}

/**
 * Whether a signed address, which anybody may pass on, opens a pack or sticker that is not reachable. Its owner hands it out: what only
 * the owner keeps from others opens, and so does a pack that nobody has decided about yet, because every new pack is held where the
 * policy says so. What was rejected or taken down is its owner's alone to look at, with their key.
 */
export function opensBySignature(pack: Pick<Pack, 'moderation'>, stickerModeration: ModerationState): boolean {
  // A single sticker is held for what it looks like, a banned picture in most cases: not to be shown around meanwhile.
  return (pack.moderation === 'approved' || pack.moderation === 'held') && stickerModeration === 'approved';
}

/** Narrows a query to the packs, as `p`, that everybody may see and find. */
export function onlyListed(query: Knex.QueryBuilder): void {
  void query
    .where({ 'p.visibility': 'public', 'p.status': 'published', 'p.moderation': 'approved' })
    .whereNull('p.deleted_at');
}

/**
 * The pack with that key, deleted ones left out. With `lock` it waits for other changes of the pack, and they for it. On PostgreSQL
 * the lock leaves room for rows that only refer to it: a stronger one deadlocks with whoever inserts items.
 */
export async function findPackByKey(db: Knex, packKey: string, lock?: DatabaseKind): Promise<Pack | null> {
  return findPack(db, { pack_key: packKey }, lock);
}

/** As `findPackByKey`. */
export async function findPackById(db: Knex, packId: string, lock?: DatabaseKind): Promise<Pack | null> {
  return findPack(db, { id: packId }, lock);
}

async function findPack(db: Knex, where: Partial<PackRow>, lock: DatabaseKind | undefined): Promise<Pack | null> {
  const query = db('sticker_pack').where(where).whereNull('deleted_at').first<PackRow | undefined>();
  const row = await (lock === undefined ? query : lock === 'postgres' ? query.forNoKeyUpdate() : query.forUpdate());
  return row ? packOfRow(row) : null;
}

/** The same by id, locked. */
export async function lockPackById(trx: Knex.Transaction, packId: string, kind: DatabaseKind): Promise<Pack | null> {
  const query = trx('sticker_pack').where({ id: packId }).whereNull('deleted_at').first<PackRow | undefined>();
  const row = await (kind === 'postgres' ? query.forNoKeyUpdate() : query.forUpdate());
  return row ? packOfRow(row) : null;
}

/** Makes the caller's transaction wait for other changes of the pack, and them for it. */
export async function lockPack(trx: Knex.Transaction, packId: string): Promise<void> {
  await trx('sticker_pack').where({ id: packId }).forUpdate().first('id');
}

export type NewPack = Pick<
  Pack,
  'id' | 'packKey' | 'ownerId' | 'name' | 'publisher' | 'description' | 'visibility' | 'tags'
> &
  Partial<Pick<Pack, 'status' | 'isAutoPack' | 'themeKey' | 'themeVolume'>> & {
    publishedAt?: Knex.Raw;
  };

export async function insertPack(trx: Knex.Transaction, pack: NewPack): Promise<void> {
  await trx('sticker_pack').insert({
    id: pack.id,
    pack_key: pack.packKey,
    owner_id: pack.ownerId,
    name: pack.name,
    publisher: pack.publisher,
    description: pack.description,
    visibility: pack.visibility,
    status: pack.status ?? 'draft',
    tags: JSON.stringify(pack.tags),
    is_auto_pack: pack.isAutoPack === true ? 1 : 0,
    theme_key: pack.themeKey ?? null,
    theme_volume: pack.themeVolume ?? null,
    published_at: pack.publishedAt ?? null,
  });
  await trx('sticker_pack_engagement').insert({ pack_id: pack.id });
}

/** Records a change of the pack: its version rises and it counts as fresh. */
export async function touchPack(
  trx: Knex.Transaction,
  kind: DatabaseKind,
  packId: string,
  changes: Record<string, unknown> = {},
): Promise<void> {
  await trx('sticker_pack')
    .where({ id: packId })
    .update({ ...changes, version: trx.raw('version + 1'), updated_at: trx.raw(sqlNow(kind)) });
}

export type PackItem = { assetId: string; position: number; emojis: string[]; accessibilityLabel: string | null };

export async function insertItems(trx: Knex.Transaction, packId: string, items: PackItem[]): Promise<void> {
  if (items.length === 0) return;
  await clearUnused(
    trx,
    items.map((item) => item.assetId),
  );
  await trx('sticker_pack_item').insert(
    items.map((item) => ({
      pack_id: packId,
      asset_id: item.assetId,
      position: item.position,
      emojis: JSON.stringify(item.emojis),
      accessibility_label: item.accessibilityLabel,
    })),
  );
}

export type StoredItem = {
  assetId: string;
  position: number;
  sha256: string;
  status: StickerStatus;
  moderation: ModerationState;
};

/** Items of a pack in order; a pack is small, so they are always read together. */
export async function itemsOfPack(db: Knex, packId: string): Promise<StoredItem[]> {
  return db('sticker_pack_item as i')
    .join('sticker_asset as a', 'a.id', 'i.asset_id')
    .where('i.pack_id', packId)
    .orderBy('i.position')
    .select<StoredItem[]>({
      assetId: 'i.asset_id',
      position: 'i.position',
      sha256: 'a.sha256',
      status: 'a.status',
      moderation: 'a.moderation',
    });
}

/** Distinct themes of the classified stickers of a pack. */
export async function themesOfPack(db: Knex, packId: string): Promise<string[]> {
  return db('sticker_pack_item as i')
    .join('sticker_asset_classification as c', 'c.asset_id', 'i.asset_id')
    .where('i.pack_id', packId)
    .distinct<string[]>()
    .orderBy('c.theme_key')
    .pluck('c.theme_key');
}

/** Of every pack that has the sticker, deleted ones included. */
export async function packKeysOfAsset(db: Knex, assetId: string): Promise<string[]> {
  return db('sticker_pack_item as i')
    .join('sticker_pack as p', 'p.id', 'i.pack_id')
    .where('i.asset_id', assetId)
    .orderBy('p.id')
    .pluck<string[]>('p.pack_key');
}

/** Packs that hold an asset, automatic ones included. */
export async function packsOfAsset(db: Knex, assetId: string): Promise<string[]> {
  return db('sticker_pack_item as i')
    .join('sticker_pack as p', 'p.id', 'i.pack_id')
    .where('i.asset_id', assetId)
    .whereNull('p.deleted_at')
    .orderBy('p.id')
    .pluck<string[]>('p.id');
}
