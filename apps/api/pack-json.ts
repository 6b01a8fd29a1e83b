/** Packs and stickers as clients see them: no owner, no path, no token. Only owners see what is moderated, and why. */
import type { z } from 'zod';
import type { AddedSticker, PackSignals, PackView, StickerView } from '@omnizap/catalog';
import type { addedStickerSchema, packSummary, stickerSchema } from './schemas.ts';

/** Enough digits to order by, few enough that an answer does not differ by noise. */
const round = (value: number): number => Math.round(value * 1e6) / 1e6;

function assetUrl(packKey: string, stickerId: string, sha256: string, variant: 'sticker' | 'preview'): string {
  const version = `v=${sha256.slice(0, 16)}`;
  return `/api/sticker-packs/${packKey}/stickers/${stickerId}.webp?${variant === 'preview' ? 'variant=preview&' : ''}${version}`;
}

export function packJson(
  view: PackView & { signals: PackSignals },
  options: { countAll: boolean },
): z.output<typeof packSummary> {
  const { pack, score, engagement, signals } = view;
  const coverId = score?.coverAssetId ?? null;
  return {
    pack_key: pack.packKey,
    name: pack.name,
    publisher: pack.publisher,
    description: pack.description,
    visibility: pack.visibility,
    status: pack.status,
    sticker_count: options.countAll ? view.itemCount : (score?.stickerCount ?? 0),
    cover_url:
      coverId !== null && view.coverSha256 !== null
        ? assetUrl(pack.packKey, coverId, view.coverSha256, 'preview')
        : null,
    is_animated: score?.isAnimated ?? false,
    whatsapp_ready: score?.isWhatsappReady ?? false,
    categories: score?.categories ?? [],
    tags: [...new Set([...pack.tags, ...(score?.labels ?? [])])].slice(0, 30),
    nsfw_level: score?.nsfwLevel ?? 'unknown',
    created_at: pack.createdAt.toISOString(),
    updated_at: pack.updatedAt.toISOString(),
    ...(options.countAll ? { moderation: { state: pack.moderation, reason: pack.moderationReason } } : {}),
    engagement: {
      open: engagement.open,
      like: engagement.like,
      dislike: engagement.dislike,
      download: engagement.download,
    },
    signals: {
      ranking_score: round(signals.rankingScore),
      pack_score: round(score?.packScore ?? 0),
      trend_score: round(signals.trendScore),
      quality_score: round(score?.qualityScore ?? 0),
      engagement_score: round(score?.engagementScore ?? 0),
      diversity_score: round(score?.diversityScore ?? 0),
      cohesion_score: round(score?.cohesionScore ?? 0),
    },
  };
}

export function stickerJson(
  packKey: string,
  sticker: StickerView,
  options: { isOwn: boolean },
): z.output<typeof stickerSchema> {
  const isReady = sticker.status === 'ready';
  const url = (sha256: string | null, variant: 'sticker' | 'preview'): string | null =>
    isReady && sha256 !== null ? assetUrl(packKey, sticker.stickerId, sha256, variant) : null;
  return {
    sticker_id: sticker.stickerId,
    position: sticker.position,
    emojis: sticker.emojis,
    accessibility_label: sticker.accessibilityLabel,
    asset_url: url(sticker.stickerSha256, 'sticker'),
    preview_url: url(sticker.previewSha256, 'preview'),
    status: sticker.status,
    rejection_reason: sticker.rejectionReason,
    ...(options.isOwn ? { moderation: { state: sticker.moderation, reason: sticker.moderationReason } } : {}),
    width: sticker.width,
    height: sticker.height,
    size_bytes: sticker.sizeBytes,
    is_animated: sticker.isAnimated,
    classification: sticker.classification && {
      category: sticker.classification.category,
      confidence: round(sticker.classification.confidence),
      labels: sticker.classification.labels,
      nsfw_level: sticker.classification.nsfwLevel,
      provider: sticker.classification.provider,
      version: sticker.classification.version,
    },
  };
}

export function addedStickerJson(added: AddedSticker): z.output<typeof addedStickerSchema>['data'] {
  return { sticker_id: added.stickerId, sha256: added.sha256, status: added.status };
}
