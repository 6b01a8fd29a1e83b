/** SQL on stickers: what a handler reads before it works on one, and what it writes. */
import type { Knex } from 'knex';
import { fromJsonColumn, sqlNow, type DatabaseKind } from '@omnizap/runtime';
import type { ImageFeatures, ImageHashes, ImageProbe } from '@omnizap/imaging';
import type { ModerationState } from './moderation-state.ts';
import type { NsfwLevel } from './nsfw-level.ts';

export type StickerStatus = 'pending' | 'ready' | 'rejected';

export type Asset = {
  id: string;
  ownerId: string;
  sha256: string;
  status: StickerStatus;
  rejectionCode: string | null;
  isAnimated: boolean;
  moderation: ModerationState;
  moderationReason: string | null;
};

type AssetRow = {
  id: string;
  owner_id: string;
  sha256: string;
  status: StickerStatus;
  rejection_code: string | null;
  is_animated: number;
  moderation: ModerationState;
  moderation_reason: string | null;
};

/** With `lock` the row waits for other changes of it; see `findPackByKey` for its strength. */
export async function findAsset(db: Knex, assetId: string, lock?: DatabaseKind): Promise<Asset | null> {
  const query = db('sticker_asset')
    .where({ id: assetId })
    .first<AssetRow | undefined>(
      ...(['id', 'owner_id', 'sha256', 'status', 'rejection_code', 'is_animated'] as const),
      ...(['moderation', 'moderation_reason'] as const),
    );
  const row = await (lock === undefined ? query : lock === 'postgres' ? query.forNoKeyUpdate() : query.forUpdate());
  if (!row) return null;
  return {
    id: row.id,
    ownerId: row.owner_id,
    sha256: row.sha256,
    status: row.status,
    rejectionCode: row.rejection_code,
    isAnimated: row.is_animated === 1,
    moderation: row.moderation,
    moderationReason: row.moderation_reason,
  };
}

/** Stickers by id in the order of ids, locked in that order: whoever locks several does not wait for another who does. */
export async function lockAssets(
  trx: Knex.Transaction,
  kind: DatabaseKind,
  ids: string[],
): Promise<{ id: string; status: StickerStatus }[]> {
  const query = trx('sticker_asset')
    .whereIn('id', ids)
    .orderBy('id')
    .select<{ id: string; status: StickerStatus }[]>('id', 'status');
  return kind === 'postgres' ? query.forNoKeyUpdate() : query.forUpdate();
}

/** The owner's asset with these bytes, locked. */
export async function findAssetByContent(
  trx: Knex.Transaction,
  ownerId: string,
  sha256: string,
): Promise<{ id: string; status: StickerStatus } | null> {
  const row = await trx('sticker_asset')
    .where({ owner_id: ownerId, sha256 })
    .forUpdate()
    .first<{ id: string; status: StickerStatus } | undefined>('id', 'status');
  return row ?? null;
}

export async function insertAsset(
  trx: Knex.Transaction,
  asset: { id: string; ownerId: string; sha256: string; probe: ImageProbe },
): Promise<void> {
  const { probe } = asset;
  await trx('sticker_asset').insert({
    id: asset.id,
    owner_id: asset.ownerId,
    sha256: asset.sha256,
    mimetype: probe.mimetype,
    format: probe.format,
    width: probe.width,
    height: probe.height,
    frame_count: probe.frameCount,
    is_animated: probe.isAnimated ? 1 : 0,
    size_bytes: probe.sizeBytes,
  });
}

/** The same bytes for another owner, as if they had just come in: whatever was found out about them stays with the first one. */
export async function copyAsset(
  trx: Knex.Transaction,
  sourceId: string,
  copy: { id: string; ownerId: string },
): Promise<void> {
  const measures = ['sha256', 'mimetype', 'format', 'width', 'height', 'frame_count', 'is_animated', 'size_bytes'];
  const source = await trx('sticker_asset')
    .where({ id: sourceId })
    .first<Record<string, unknown> | undefined>(measures);
  if (!source) throw new Error(`Sticker ${sourceId} is gone although a pack holds it`);
  await trx('sticker_asset').insert({ ...source, id: copy.id, owner_id: copy.ownerId });
}

/**
 * What people said about a sticker, over the packs that hold it, oldest pack first. Once it is in a public pack, only public packs
 * count: nothing of a private one, least of all the key that is an unlisted pack's link, may show in what everybody can see.
 */
export type StickerContext = {
  emojis: string[];
  accessibilityLabel: string | null;
  packWords: string[];
  /** The oldest public one. */
  pack: { key: string; name: string; publisher: string } | null;
};

/** Packs whose words count; an asset in more than these is described well enough. */
const maxContextPacks = 10;

export async function readStickerContext(db: Knex, assetId: string): Promise<StickerContext> {
  const all = await db('sticker_pack_item as i')
    .join('sticker_pack as p', 'p.id', 'i.pack_id')
    .where({ 'i.asset_id': assetId })
    .whereNull('p.theme_key')
    .whereNull('p.deleted_at')
    .orderByRaw("CASE WHEN p.visibility = 'public' THEN 0 ELSE 1 END, p.id")
    .limit(maxContextPacks)
    .select<
      {
        emojis: unknown;
        accessibility_label: string | null;
        pack_key: string;
        name: string;
        publisher: string;
        tags: unknown;
        visibility: string;
        is_auto_pack: number;
      }[]
    >(
      'i.emojis',
      'i.accessibility_label',
      'p.pack_key',
      'p.name',
      'p.publisher',
      'p.tags',
      'p.visibility',
      'p.is_auto_pack',
    );
  const publicRows = all.filter((row) => row.visibility === 'public');
  const rows = publicRows.length > 0 ? publicRows : all;
  const first = publicRows[0];
  return {
    emojis: [...new Set(rows.flatMap((row) => fromJsonColumn(row.emojis) as string[]))],
    accessibilityLabel: rows.find((row) => row.accessibility_label !== null)?.accessibility_label ?? null,
    packWords: [...new Set(rows.flatMap(wordsOfPack))],
    pack: first ? { key: first.pack_key, name: first.name, publisher: first.publisher } : null,
  };
}

/** The name of a collector pack is made from a setting and says nothing about what is in it. */
function wordsOfPack(row: { name: string; tags: unknown; is_auto_pack: number }): string[] {
  const tags = fromJsonColumn(row.tags) as string[];
  return row.is_auto_pack === 1 ? tags : [row.name, ...tags];
}

export type StoredClassification = {
  provider: string;
  providerVersion: string;
  category: string;
  themeKey: string;
  confidence: number;
  labels: { label: string; score: number }[];
  nsfwLevel: NsfwLevel;
  pixelSha256: string;
  hashes: ImageHashes;
  hashQuality: number;
  features: ImageFeatures;
};

type ClassificationRow = {
  provider: string;
  provider_version: string;
  category: string;
  theme_key: string;
  confidence: number;
  labels: unknown;
  nsfw_level: NsfwLevel;
  pixel_sha256: string;
  hash_first: string;
  hash_middle: string | null;
  hash_last: string | null;
  hash_mask: string | null;
  hash_quality: number;
  features: unknown;
};

export function classificationOfRow(row: ClassificationRow): StoredClassification {
  return {
    provider: row.provider,
    providerVersion: row.provider_version,
    category: row.category,
    themeKey: row.theme_key,
    confidence: row.confidence,
    labels: fromJsonColumn(row.labels) as { label: string; score: number }[],
    nsfwLevel: row.nsfw_level,
    pixelSha256: row.pixel_sha256,
    hashes: { first: row.hash_first, middle: row.hash_middle, last: row.hash_last, mask: row.hash_mask },
    hashQuality: row.hash_quality,
    features: fromJsonColumn(row.features) as ImageFeatures,
  };
}

export async function findClassification(db: Knex, assetId: string): Promise<StoredClassification | null> {
  const row = await db('sticker_asset_classification')
    .where({ asset_id: assetId })
    .first<ClassificationRow | undefined>();
  return row ? classificationOfRow(row) : null;
}

export async function writeClassification(
  trx: Knex.Transaction,
  kind: DatabaseKind,
  assetId: string,
  sourceVersion: number,
  value: StoredClassification,
): Promise<void> {
  await trx('sticker_asset_classification')
    .insert({
      asset_id: assetId,
      source_version: sourceVersion,
      provider: value.provider,
      provider_version: value.providerVersion,
      category: value.category,
      theme_key: value.themeKey,
      confidence: value.confidence,
      labels: JSON.stringify(value.labels),
      nsfw_level: value.nsfwLevel,
      pixel_sha256: value.pixelSha256,
      hash_first: value.hashes.first,
      hash_middle: value.hashes.middle,
      hash_last: value.hashes.last,
      hash_mask: value.hashes.mask,
      hash_quality: value.hashQuality,
      features: JSON.stringify(value.features),
      reprocess_requested_at: null,
      reviewed_at: null,
      classified_at: trx.raw(sqlNow(kind)),
    })
    .onConflict('asset_id')
    .merge();
}

export async function setAssetStatus(
  trx: Knex.Transaction,
  kind: DatabaseKind,
  assetId: string,
  status: StickerStatus,
  rejection: { code: string; reason: string } | null,
): Promise<void> {
  await trx('sticker_asset')
    .where({ id: assetId })
    .update({
      status,
      rejection_code: rejection?.code ?? null,
      rejection_reason: rejection?.reason.slice(0, 500) ?? null,
      version: trx.raw('version + 1'),
      updated_at: trx.raw(sqlNow(kind)),
    });
}

export type DerivativeVariant = 'sticker' | 'preview';
export type StoredDerivative = {
  variant: DerivativeVariant;
  sha256: string;
  width: number;
  height: number;
  frameCount: number;
  sizeBytes: number;
};

export async function findDerivatives(db: Knex, assetId: string): Promise<StoredDerivative[]> {
  const rows = await db('sticker_asset_derivative').where({ asset_id: assetId }).orderBy('variant').select<
    {
      variant: DerivativeVariant;
      sha256: string;
      width: number;
      height: number;
      frame_count: number;
      size_bytes: number;
    }[]
  >();
  return rows.map(({ variant, sha256, width, height, frame_count, size_bytes }) => ({
    variant,
    sha256,
    width,
    height,
    frameCount: frame_count,
    sizeBytes: size_bytes,
  }));
}

export async function writeDerivatives(
  trx: Knex.Transaction,
  assetId: string,
  sourceVersion: number,
  derivatives: StoredDerivative[],
): Promise<void> {
  await trx('sticker_asset_derivative')
    .insert(
      derivatives.map((entry) => ({
        asset_id: assetId,
        variant: entry.variant,
        source_version: sourceVersion,
        sha256: entry.sha256,
        width: entry.width,
        height: entry.height,
        frame_count: entry.frameCount,
        size_bytes: entry.sizeBytes,
      })),
    )
    .onConflict(['asset_id', 'variant'])
    .merge();
}
