/** What readers see of packs and stickers: a bounded number of queries whatever the page's size. */
import type { Knex } from 'knex';
import { fromJsonColumn } from '@omnizap/runtime';
import type { ModerationState } from './moderation-state.ts';
import { isReachable, onlyListed, opensBySignature, packOfRow, type Pack } from './pack-store.ts';
import type { EngagementCounts, DecayedOpens } from './ranking-formulas.ts';
import { scoreOfRow, type PackScore, type ScoreRow } from './score-store.ts';
import type { WhenSent } from './shared-reads.ts';
import type { StickerStatus } from './asset-store.ts';

const alone: WhenSent = () => undefined;

export type PackView = {
  pack: Pack;
  engagement: EngagementCounts & { version: number };
  opens: DecayedOpens;
  /** Null until the pack was looked at for the first time. */
  score: PackScore | null;
  /** Content hash of the cover's preview; null without a ready cover. */
  coverSha256: string | null;
  /** Stickers of any status, for owners. */
  itemCount: number;
};

type EngagementRow = {
  open_count: number;
  like_count: number;
  dislike_count: number;
  download_count: number;
  opens_day: number;
  opens_week: number;
  trend_at: Date;
  engagement_version_now: number;
  cover_sha256: string | null;
  item_count: number;
};

/** Packs by id, in no particular order; deleted ones are left out. One query. */
export async function readPackViews(db: Knex, ids: string[], whenSent = alone): Promise<PackView[]> {
  return ids.length === 0 ? [] : readViews(db, (query) => void query.whereIn('p.id', ids).modify(whenSent));
}

/** As `readPackViews`: the pack with that key. */
export async function findPackView(db: Knex, packKey: string, whenSent = alone): Promise<PackView | null> {
  const [view] = await readViews(db, (query) => void query.where('p.pack_key', packKey).modify(whenSent));
  return view ?? null;
}

async function readViews(db: Knex, narrow: (query: Knex.QueryBuilder) => void): Promise<PackView[]> {
  const itemCount = db('sticker_pack_item as i').whereRaw('i.pack_id = p.id').count('*').as('item_count');
  const rows: (Parameters<typeof packOfRow>[0] & EngagementRow & Partial<ScoreRow>)[] = await db('sticker_pack as p')
    .join('sticker_pack_engagement as e', 'e.pack_id', 'p.id')
    .leftJoin('sticker_pack_score_snapshot as s', 's.pack_id', 'p.id')
    .leftJoin('sticker_asset_derivative as d', (join) => {
      join.on('d.asset_id', 's.cover_asset_id').andOn('d.variant', db.raw("'preview'"));
    })
    .modify(narrow)
    .whereNull('p.deleted_at')
    .select(
      's.*',
      'p.*',
      'e.open_count',
      'e.like_count',
      'e.dislike_count',
      'e.download_count',
      'e.opens_day',
      'e.opens_week',
      'e.trend_at',
      { engagement_version_now: 'e.version', cover_sha256: 'd.sha256' },
      itemCount,
    );
  return rows.map((row) => ({
    pack: packOfRow(row),
    engagement: {
      open: row.open_count,
      like: row.like_count,
      dislike: row.dislike_count,
      download: row.download_count,
      version: row.engagement_version_now,
    },
    opens: { opensDay: row.opens_day, opensWeek: row.opens_week, at: row.trend_at },
    score: typeof row.pack_score === 'number' ? scoreOfRow(row as ScoreRow) : null,
    coverSha256: row.cover_sha256,
    itemCount: Number(row.item_count),
  }));
}

/**
 * What tells whether an answer made from these packs still holds: their versions, one query by primary key. Packs that are no
 * longer to be seen are missing.
 */
export async function readPackStamps(db: Knex, ids: string[], whenSent = alone): Promise<string> {
  if (ids.length === 0) return '';
  const rows = await db('sticker_pack as p')
    .join('sticker_pack_engagement as e', 'e.pack_id', 'p.id')
    .leftJoin('sticker_pack_score_snapshot as s', 's.pack_id', 'p.id')
    .whereIn('p.id', ids)
    .modify(onlyListed)
    .modify(whenSent)
    .orderBy('p.id')
    .select<{ id: string; version: number; engagement: number; source: number | null }[]>('p.id', 'p.version', {
      engagement: 'e.version',
      source: 's.source_version',
    });
  return rows.map((row) => `${row.id}.${row.version}.${row.engagement}.${row.source ?? 0}`).join(',');
}

export type StickerView = {
  stickerId: string;
  position: number;
  emojis: string[];
  accessibilityLabel: string | null;
  status: StickerStatus;
  rejectionReason: string | null;
  moderation: ModerationState;
  moderationReason: string | null;
  width: number;
  height: number;
  sizeBytes: number;
  isAnimated: boolean;
  stickerSha256: string | null;
  previewSha256: string | null;
  classification: {
    category: string;
    confidence: number;
    labels: { label: string; score: number }[];
    nsfwLevel: string;
    provider: string;
    version: string;
  } | null;
};

type StickerRow = {
  asset_id: string;
  emojis: unknown;
  accessibility_label: string | null;
  status: StickerStatus;
  rejection_reason: string | null;
  moderation: ModerationState;
  moderation_reason: string | null;
  width: number;
  height: number;
  size_bytes: number;
  is_animated: number;
  category: string | null;
  confidence: number | null;
  labels: unknown;
  nsfw_level: string | null;
  provider: string | null;
  provider_version: string | null;
  sticker_sha256: string | null;
  sticker_width: number | null;
  sticker_height: number | null;
  sticker_size_bytes: number | null;
  sticker_frame_count: number | null;
  preview_sha256: string | null;
};

/**
 * The stickers of a pack in order. One query. A position is the place in that order, 0 to n-1: stored ones only sort, and have gaps
 * where stickers left. Measures are those of the served file once there is one.
 */
export function readStickers(db: Knex, packId: string): Promise<StickerView[]> {
  return readStickersOf(db, packId);
}

/** As `readStickers`: of the pack with that key, also while nothing else is known of it. */
export function readStickersByKey(db: Knex, packKey: string, whenSent = alone): Promise<StickerView[]> {
  return readStickersOf(db, db('sticker_pack').where('pack_key', packKey).select('id'), whenSent);
}

async function readStickersOf(db: Knex, packId: string | Knex.QueryBuilder, whenSent = alone): Promise<StickerView[]> {
  const rows: StickerRow[] = await db('sticker_pack_item as i')
    .join('sticker_asset as a', 'a.id', 'i.asset_id')
    .leftJoin('sticker_asset_classification as c', 'c.asset_id', 'i.asset_id')
    .leftJoin('sticker_asset_derivative as d', (join) => {
      join.on('d.asset_id', 'i.asset_id').andOn('d.variant', db.raw("'sticker'"));
    })
    .leftJoin('sticker_asset_derivative as v', (join) => {
      join.on('v.asset_id', 'i.asset_id').andOn('v.variant', db.raw("'preview'"));
    })
    .where('i.pack_id', packId as string)
    .modify(whenSent)
    .orderBy('i.position')
    .select(
      'i.asset_id',
      'i.emojis',
      'i.accessibility_label',
      'a.status',
      'a.rejection_reason',
      'a.moderation',
      'a.moderation_reason',
      'a.width',
      'a.height',
      'a.size_bytes',
      'a.is_animated',
      'c.category',
      'c.confidence',
      'c.labels',
      'c.nsfw_level',
      'c.provider',
      'c.provider_version',
      {
        sticker_sha256: 'd.sha256',
        sticker_width: 'd.width',
        sticker_height: 'd.height',
        sticker_size_bytes: 'd.size_bytes',
        sticker_frame_count: 'd.frame_count',
        preview_sha256: 'v.sha256',
      },
    );
  return rows.map((row, position) => ({
    stickerId: row.asset_id,
    position,
    emojis: fromJsonColumn(row.emojis) as string[],
    accessibilityLabel: row.accessibility_label,
    status: row.status,
    rejectionReason: row.rejection_reason,
    moderation: row.moderation,
    moderationReason: row.moderation_reason,
    width: row.sticker_width ?? row.width,
    height: row.sticker_height ?? row.height,
    sizeBytes: row.sticker_size_bytes ?? row.size_bytes,
    // A film of one picture comes out as a still sticker.
    isAnimated: row.sticker_frame_count === null ? row.is_animated === 1 : row.sticker_frame_count > 1,
    stickerSha256: row.sticker_sha256,
    previewSha256: row.preview_sha256,
    classification:
      row.category === null
        ? null
        : {
            category: row.category,
            confidence: row.confidence ?? 0,
            labels: fromJsonColumn(row.labels) as { label: string; score: number }[],
            nsfwLevel: row.nsfw_level ?? 'unknown',
            provider: row.provider ?? '',
            version: row.provider_version ?? '',
          },
  }));
}

export type ServedFile = {
  ownerId: string;
  isReachable: boolean;
  /** By who moderates; a ban of its owner is something else. */
  opensBySignature: boolean;
  sha256: string;
  sizeBytes: number;
  /** The bucket is known to have exactly these bytes. */
  isInBucket: boolean;
};

type ServedRow = Pick<Pack, 'visibility' | 'status' | 'moderation'> & {
  owner_id: string;
  sticker_moderation: ModerationState;
  sha256: string;
  size_bytes: number;
  object_verified_at: Date | null;
};

/** Where the bytes of a sticker are, if it is ready and in that pack. One query by keys. */
export async function findServedFile(
  db: Knex,
  packKey: string,
  stickerId: string,
  variant: 'sticker' | 'preview',
  whenSent = alone,
): Promise<ServedFile | null> {
  const row = await db('sticker_pack as p')
    .join('sticker_pack_item as i', 'i.pack_id', 'p.id')
    .join('sticker_asset as a', 'a.id', 'i.asset_id')
    .join('sticker_asset_derivative as d', 'd.asset_id', 'i.asset_id')
    .leftJoin('stored_object as o', (join) => {
      join.on('o.sha256', 'd.sha256').andOn('o.kind', 'd.variant');
    })
    .where({ 'p.pack_key': packKey, 'i.asset_id': stickerId, 'a.status': 'ready', 'd.variant': variant })
    .whereNull('p.deleted_at')
    .modify(whenSent)
    .first<ServedRow | undefined>(
      ...(['p.owner_id', 'p.visibility', 'p.status', 'p.moderation', 'd.sha256', 'd.size_bytes'] as const),
      'o.object_verified_at',
      { sticker_moderation: 'a.moderation' },
    );
  if (!row) return null;
  return {
    ownerId: row.owner_id,
    isReachable: isReachable({ ...row, deletedAt: null }) && row.sticker_moderation === 'approved',
    opensBySignature: opensBySignature(row, row.sticker_moderation),
    sha256: row.sha256,
    sizeBytes: row.size_bytes,
    isInBucket: row.object_verified_at !== null,
  };
}
