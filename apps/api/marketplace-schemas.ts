/** Schemas of what is told about the catalogue as a whole. */
import { z } from 'zod';
import { maxCreators } from '@omnizap/catalog';
import { filterQuery, packSummary } from './schemas.ts';
import { wholeNumber } from './whole-number.ts';

export const intents = ['em_alta', 'novos', 'crescendo_agora', 'mais_curtidos', 'melhor_avaliados'] as const;

const meta = z.object({
  source: z.enum(['snapshot', 'live']),
  generation: z.int().nullable(),
  refreshed_at: z.string().nullable().describe('RFC 3339, UTC'),
});

export const intentsQuery = z.strictObject({ ...filterQuery, limit: wholeNumber(1, 60, 18, 'Packs per shelf') });
export const intentsSchema = z.object({
  data: z.object({
    em_alta: z.array(packSummary).describe('Best ranked'),
    novos: z.array(packSummary).describe('Changed last'),
    crescendo_agora: z.array(packSummary).describe('Opened more than usual'),
    mais_curtidos: z.array(packSummary).describe('Most likes'),
    melhor_avaliados: z.array(packSummary).describe('Best share of likes'),
  }),
  meta,
});

export const creatorsQuery = z.strictObject({ limit: wholeNumber(1, maxCreators, 50, 'Creators at most') });
export const creatorsSchema = z.object({
  data: z.array(
    z.object({
      publisher: z.string(),
      creator_score: z.number(),
      packs_count: z.int(),
      stickers_count: z.int(),
      total_opens: z.int(),
      total_likes: z.int(),
      total_downloads: z.int(),
      avg_pack_score: z.number(),
      top_pack: packSummary.nullable(),
    }),
  ),
  meta,
});

export const recommendationsQuery = z.strictObject({
  viewer_key: z.string().min(1).max(128).optional().describe('The viewer as in X-Viewer-Key, which it stands in for'),
  limit: wholeNumber(1, 60, 18, 'Packs at most'),
});
export const recommendationsSchema = z.object({
  data: z.array(packSummary),
  meta: meta.extend({
    personalized: z.boolean(),
    liked_categories: z.array(z.string()),
  }),
});

export const marketplaceStatsSchema = z.object({
  data: z.object({
    total_packs: z.int(),
    total_stickers: z.int(),
    total_clicks: z.int().describe('Opens of packs'),
    total_likes: z.int(),
    total_downloads: z.int(),
    creators_total: z.int(),
    stickers_without_pack: z.int(),
    packs_last_7_days: z.int(),
    clicks_last_7_days: z.int(),
    likes_last_7_days: z.int(),
    downloads_last_7_days: z.int(),
    series_last_7_days: z
      .array(
        z.object({
          date: z.string().describe('YYYY-MM-DD, UTC'),
          packs_published: z.int(),
          clicks: z.int(),
          likes: z.int(),
          dislikes: z.int(),
          downloads: z.int(),
        }),
      )
      .describe('The oldest first, today last'),
    updated_at: z.string().describe('RFC 3339, UTC: when the days were added up'),
  }),
  meta,
});

export const statsSchema = z.object({
  data: z.object({
    packs_total: z.int(),
    stickers_total: z.int(),
    creators_total: z.int(),
    downloads_total: z.int(),
  }),
  meta,
});
