/** Packs and stickers as clients see them: no owner, no path, no token. Only owners see what is moderated, and why. */
import type { z } from 'zod';
import type { AddedSticker, PackSignals, PackView, StickerView } from '@omnizap/catalog';
import type { addedStickerSchema, packSummary, stickerSchema } from './schemas.ts';
import type { AssetVariant, SignSticker } from './signed-paths.ts';

/** Enough digits to order by, few enough that an answer does not differ by noise. */
const round = (value: number): number => Math.round(value * 1e6) / 1e6;

type Signed = {
  /** Only where the answer is the owner's, and for addresses that are to open without their key. */
  sign?: SignSticker;
};

function assetUrl(
  packKey: string,
  sticker: Parameters<SignSticker>[0],
  content: { sha256: string; variant: AssetVariant },
  sign?: SignSticker,
): string {
  const { sha256, variant } = content;
  const parameters = [
    ...(variant === 'preview' ? ['variant=preview'] : []),
    `v=${sha256.slice(0, 16)}`,
    ...[sign?.(sticker, variant) ?? []].flat(),
  ];
  return `/api/sticker-packs/${packKey}/stickers/${sticker.stickerId}.webp?${parameters.join('&')}`;
}

export function packJson(
  view: PackView & { signals: PackSignals },
  options: { countAll: boolean } & Signed,
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
        ? assetUrl(
            pack.packKey,
            // Only stickers that are shown become covers; the address is judged again when it is used.
            { stickerId: coverId, moderation: 'approved' },
            { sha256: view.coverSha256, variant: 'preview' },
            options.sign,
          )
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
  options: { isOwn: boolean } & Signed,
): z.output<typeof stickerSchema> {
  const isReady = sticker.status === 'ready';
  const url = (sha256: string | null, variant: AssetVariant): string | null =>
    isReady && sha256 !== null ? assetUrl(packKey, sticker, { sha256, variant }, options.sign) : null;
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
