/** SQL of the score rows. */
import type { Knex } from 'knex';
import { fromJsonColumn, sqlNow, type DatabaseKind } from '@omnizap/runtime';
import { classificationOfRow, type StoredClassification } from './asset-store.ts';
import type { NsfwLevel } from './nsfw-level.ts';
import { isReachable, type Pack } from './pack-store.ts';
import type { EngagementCounts, PackScores } from './ranking-formulas.ts';

export type PackScore = PackScores & {
  nsfwLevel: NsfwLevel;
  isListed: boolean;
  isAnimated: boolean;
  isWhatsappReady: boolean;
  stickerCount: number;
  categories: string[];
  labels: string[];
  coverAssetId: string | null;
  engagementVersion: number;
};

export type ScoringInput = {
  isPublic: boolean;
  /** The cover that the owner chose. */
  chosenCoverAssetId: string | null;
  engagement: EngagementCounts;
  engagementVersion: number;
  packKey: string;
  name: string;
  publisher: string;
  tags: string[];
  stickers: {
    assetId: string;
    position: number;
    emojis: string[];
    accessibilityLabel: string | null;
    width: number;
    height: number;
    sizeBytes: number;
    /** Of the file that is served. */
    isAnimated: boolean;
    classification: StoredClassification;
  }[];
};

type EngagementRow = {
  open_count: number;
  like_count: number;
  dislike_count: number;
  download_count: number;
  version: number;
};

type PackRow = Pick<Pack, 'visibility' | 'status' | 'moderation'> & {
  pack_key: string;
  deleted_at: Date | null;
  name: string;
  publisher: string;
  tags: unknown;
  chosen_cover_asset_id: string | null;
};

/** The pack with its ready, classified stickers; null when there is no such row at all (deleted ones are still read). */
export async function readPackForScoring(db: Knex, packId: string): Promise<ScoringInput | null> {
  const pack = await db('sticker_pack as p')
    .leftJoin('sticker_pack_engagement as e', 'e.pack_id', 'p.id')
    .where('p.id', packId)
    .first<(PackRow & Partial<EngagementRow>) | undefined>(
      'p.pack_key',
      'p.visibility',
      'p.status',
      'p.moderation',
      'p.deleted_at',
      'p.name',
      'p.publisher',
      'p.tags',
      'p.chosen_cover_asset_id',
      'e.open_count',
      'e.like_count',
      'e.dislike_count',
      'e.download_count',
      'e.version',
    );
  if (!pack) return null;
  const rows = await db('sticker_pack_item as i')
    .join('sticker_asset as a', 'a.id', 'i.asset_id')
    .join('sticker_asset_classification as c', 'c.asset_id', 'i.asset_id')
    .leftJoin('sticker_asset_derivative as d', (join) => {
      join.on('d.asset_id', 'i.asset_id').andOn('d.variant', db.raw("'sticker'"));
    })
    .where({ 'i.pack_id': packId, 'a.status': 'ready', 'a.moderation': 'approved' })
    .orderBy('i.position')
    .select(
      'c.*',
      'i.position',
      'i.emojis',
      'a.width',
      'a.height',
      'a.size_bytes',
      'a.is_animated',
      'i.accessibility_label',
      {
        served_frame_count: 'd.frame_count',
      },
    );
  return {
    isPublic: pack.visibility === 'public' && isReachable({ ...pack, deletedAt: pack.deleted_at }),
    chosenCoverAssetId: pack.chosen_cover_asset_id,
    engagement: {
      open: pack.open_count ?? 0,
      like: pack.like_count ?? 0,
      dislike: pack.dislike_count ?? 0,
      download: pack.download_count ?? 0,
    },
    engagementVersion: pack.version ?? 0,
    packKey: pack.pack_key,
    name: pack.name,
    publisher: pack.publisher,
    tags: fromJsonColumn(pack.tags) as string[],
    stickers: rows.map(
      (
        row: {
          asset_id: string;
          position: number;
          emojis: unknown;
          width: number;
          height: number;
          size_bytes: number;
          is_animated: number;
          accessibility_label: string | null;
          served_frame_count: number | null;
        } & Parameters<typeof classificationOfRow>[0],
      ) => ({
        assetId: row.asset_id,
        position: row.position,
        emojis: fromJsonColumn(row.emojis) as string[],
        accessibilityLabel: row.accessibility_label,
        width: row.width,
        height: row.height,
        sizeBytes: row.size_bytes,
        isAnimated: row.served_frame_count === null ? row.is_animated === 1 : row.served_frame_count > 1,
        classification: classificationOfRow(row),
      }),
    ),
  };
}

export type ScoreRow = {
  pack_id: string;
  pack_score: number;
  quality_score: number;
  engagement_score: number;
  diversity_score: number;
  cohesion_score: number;
  confidence_score: number;
  duplicate_share: number;
  nsfw_level: NsfwLevel;
  is_listed: number;
  is_animated: number;
  is_whatsapp_ready: number;
  sticker_count: number;
  categories: unknown;
  labels: unknown;
  cover_asset_id: string | null;
  engagement_version: number;
};

export function scoreOfRow(row: ScoreRow): PackScore {
  return {
    packScore: row.pack_score,
    qualityScore: row.quality_score,
    engagementScore: row.engagement_score,
    diversityScore: row.diversity_score,
    cohesionScore: row.cohesion_score,
    confidenceScore: row.confidence_score,
    duplicateShare: row.duplicate_share,
    nsfwLevel: row.nsfw_level,
    isListed: row.is_listed === 1,
    isAnimated: row.is_animated === 1,
    isWhatsappReady: row.is_whatsapp_ready === 1,
    stickerCount: row.sticker_count,
    categories: fromJsonColumn(row.categories) as string[],
    labels: fromJsonColumn(row.labels) as string[],
    coverAssetId: row.cover_asset_id,
    engagementVersion: row.engagement_version,
  };
}

export async function readScore(db: Knex, packId: string): Promise<PackScore | null> {
  const row = await db('sticker_pack_score_snapshot').where({ pack_id: packId }).first<ScoreRow | undefined>();
  return row ? scoreOfRow(row) : null;
}

/** Columns of the score row but for when it was made. */
export function scoreColumns(packId: string, sourceVersion: number, score: PackScore) {
  return {
    pack_id: packId,
    source_version: sourceVersion,
    pack_score: score.packScore,
    quality_score: score.qualityScore,
    engagement_score: score.engagementScore,
    diversity_score: score.diversityScore,
    cohesion_score: score.cohesionScore,
    confidence_score: score.confidenceScore,
    duplicate_share: score.duplicateShare,
    nsfw_level: score.nsfwLevel,
    is_listed: score.isListed ? 1 : 0,
    is_animated: score.isAnimated ? 1 : 0,
    is_whatsapp_ready: score.isWhatsappReady ? 1 : 0,
    sticker_count: score.stickerCount,
    categories: JSON.stringify(score.categories),
    labels: JSON.stringify(score.labels),
    cover_asset_id: score.coverAssetId,
    engagement_version: score.engagementVersion,
  };
}

export async function writeScore(
  trx: Knex.Transaction,
  kind: DatabaseKind,
  packId: string,
  sourceVersion: number,
  score: PackScore,
): Promise<void> {
  await trx('sticker_pack_score_snapshot')
    .insert({ ...scoreColumns(packId, sourceVersion, score), refreshed_at: trx.raw(sqlNow(kind)) })
    .onConflict('pack_id')
    .merge();
}
