/** Schemas of what goes in and out, shared by validation and documentation. */
import { z } from 'zod';
import { moderationStates, ownerIdPattern, sorts } from '@omnizap/catalog';
import { categories } from '@omnizap/imaging';
import { wholeNumber } from './whole-number.ts';

const maxNameLength = 120;

/** Text for people: trimmed, without control characters (line breaks only where `multiline`). */
function text(maxLength: number, options: { min?: number; multiline?: boolean } = {}) {
  const forbidden = options.multiline === true ? /[\p{Cc}\p{Cs}]/u : /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;
  return z
    .string()
    .trim()
    .min(options.min ?? 0, options.min === undefined ? undefined : 'must not be empty')
    .max(maxLength, `must have at most ${maxLength} characters`)
    .refine(
      (value) => !forbidden.test(options.multiline === true ? value.replaceAll(/[\n\r\t]/g, '') : value),
      'must not contain control characters',
    );
}

/** One line of text that says something. */
export const line = (maxLength: number) =>
  z
    .string()
    .trim()
    .min(1, 'must not be empty')
    .max(maxLength, `must have at most ${maxLength} characters`)
    .refine((value) => !/[\p{Cc}\p{Cs}]/u.test(value), 'must not contain control characters');

export const ownerId = z.string().regex(ownerIdPattern, 'must be 1 to 128 of A-Z a-z 0-9 . _ @ + -');

export const packInput = z.strictObject({
  name: text(maxNameLength, { min: 1 }),
  publisher: text(maxNameLength).default(''),
  description: text(1_024, { multiline: true }).default(''),
  visibility: z.enum(['private', 'unlisted', 'public']).default('public'),
  tags: z
    .array(text(32, { min: 1 }))
    .max(20, 'must have at most 20 tags')
    .default([]),
});

const category = z.enum(categories(), { error: `must be one of ${categories().join(', ')}` });

/** What lists of packs filter by. */
export const filterQuery = {
  q: text(100, { min: 1 }).optional().describe('Words and emojis: of names, tags and stickers'),
  category: z
    .union([category.transform((one) => [one]), z.array(category).max(20)])
    .default([])
    .describe('Repeatable: packs with at least one of them'),
  include_sensitive: z
    .enum(['true', 'false'])
    .default('false')
    .transform((value) => value === 'true')
    .describe('Also packs that are suggestive or explicit'),
  animated: z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .optional()
    .describe('Only animated packs, or only still ones'),
  creator: text(maxNameLength, { min: 1 }).optional().describe('Only packs of this publisher, as creators are listed'),
};

export function filtersOf(query: {
  q?: string | undefined;
  category: string[];
  include_sensitive: boolean;
  animated?: boolean | undefined;
  creator?: string | undefined;
}) {
  return {
    query: query.q,
    categories: query.category,
    includeSensitive: query.include_sensitive,
    isAnimated: query.animated,
    creator: query.creator,
  };
}

export const listQuery = z.strictObject({
  sort: z.enum(sorts).default('popular').describe('What comes first'),
  ...filterQuery,
  limit: wholeNumber(1, 60, 24, 'Packs per page'),
  cursor: z.string().min(1).max(200).optional().describe('next_cursor of the page before'),
});

/** Doubled or too long is not a signature: that is refused as one that does not hold, like any other. */
function signedPart(maxLength: number, description: string) {
  const textOf = (value: unknown): unknown =>
    value === undefined || (typeof value === 'string' && value.length <= maxLength) ? value : '';
  return z.preprocess(textOf, z.string().optional()).meta({ type: 'string', maxLength, description });
}

export const assetQuery = z.strictObject({
  variant: z.enum(['sticker', 'preview']).default('sticker').describe('preview: smaller and never animated'),
  v: z.string().max(64).optional().describe('Start of the content’s SHA-256: the answer may be kept for ever'),
  expires: signedPart(11, 'Of a signed address: until when it holds, in seconds since 1970'),
  signature: signedPart(
    43,
    'Of a signed address: base64url of an HMAC-SHA256; owners find it in what they are answered',
  ),
});

export const keyInput = z.strictObject({
  owner_id: ownerId,
  scopes: z
    .array(z.enum(['catalog:write', 'admin', 'metrics']))
    .min(1, 'must name at least one scope')
    .max(3),
});

export const instant = z.string().describe('RFC 3339, UTC');
const sharedCounts = z.object({ open: z.int(), like: z.int(), dislike: z.int(), download: z.int() });
export const engagementSchema = z.object({
  data: z.object({ pack_key: z.string(), interaction: z.string(), engagement: sharedCounts }),
});

export const moderationSchema = z.object({
  state: z.enum(moderationStates),
  reason: z.string().nullable().describe('null while it is approved'),
});

export const packSummary = z
  .object({
    pack_key: z.string(),
    name: z.string(),
    publisher: z.string(),
    description: z.string(),
    visibility: z.enum(['private', 'unlisted', 'public']),
    status: z.enum(['draft', 'published']),
    sticker_count: z.int(),
    cover_url: z.string().nullable(),
    is_animated: z.boolean(),
    whatsapp_ready: z.boolean(),
    categories: z.array(z.string()),
    tags: z.array(z.string()),
    nsfw_level: z.enum(['safe', 'suggestive', 'explicit', 'unknown']),
    created_at: instant,
    updated_at: instant,
    moderation: moderationSchema.optional().describe('For its owner only'),
    engagement: sharedCounts,
    signals: z.object({
      ranking_score: z.number(),
      pack_score: z.number(),
      trend_score: z.number(),
      quality_score: z.number(),
      engagement_score: z.number(),
      diversity_score: z.number(),
      cohesion_score: z.number(),
    }),
  })
  .meta({ id: 'PackSummary' });

export const stickerSchema = z
  .object({
    sticker_id: z.string(),
    position: z.int(),
    emojis: z.array(z.string()),
    accessibility_label: z.string().nullable(),
    asset_url: z.string().nullable().describe('null until the sticker is ready'),
    preview_url: z.string().nullable(),
    status: z.enum(['pending', 'ready', 'rejected']),
    rejection_reason: z.string().nullable(),
    moderation: moderationSchema.optional().describe('For the owner of the pack only'),
    width: z.int(),
    height: z.int(),
    size_bytes: z.int(),
    is_animated: z.boolean(),
    classification: z
      .object({
        category: z.string(),
        confidence: z.number(),
        labels: z.array(z.object({ label: z.string(), score: z.number() })),
        nsfw_level: z.string(),
        provider: z.string(),
        version: z.string(),
      })
      .nullable(),
  })
  .meta({ id: 'Sticker' });

export const packDetailSchema = z.object({ data: packSummary.extend({ stickers: z.array(stickerSchema) }) });
export const packSummarySchema = z.object({ data: packSummary });

export const packListSchema = z.object({
  data: z.array(packSummary),
  pagination: z.object({ limit: z.int(), next_cursor: z.string().nullable(), has_more: z.boolean() }),
  meta: z.object({
    source: z.enum(['snapshot', 'live']),
    generation: z.int().nullable(),
    refreshed_at: instant.nullable(),
  }),
});

export const addedStickerSchema = z.object({
  data: z.object({ sticker_id: z.string(), sha256: z.string(), status: z.enum(['pending', 'ready', 'rejected']) }),
});

export const createdKeySchema = z.object({ data: z.object({ key_id: z.string(), key: z.string() }) });

export const targetsSchema = z.array(
  z.object({ targets: z.array(z.string()), labels: z.record(z.string(), z.string()) }),
);

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    request_id: z.string(),
    trace_id: z.string().optional(),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string(), rule: z.string().optional() })).optional(),
  })
  .meta({ id: 'Problem' });
