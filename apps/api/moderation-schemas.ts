/** Schemas of moderation, bans, reports and the audit log, in and out. */
import { z } from 'zod';
import { reportReasons, sha256Pattern } from '@omnizap/catalog';
import { instant, line, moderationSchema, ownerId, packSummary, stickerSchema } from './schemas.ts';
import { wholeNumber } from './whole-number.ts';

export const reasonInput = z.strictObject({ reason: line(500).describe('Kept in the audit log; the owner reads it') });

const pageFields = {
  limit: wholeNumber(1, 100, 50, 'Entries per page'),
  cursor: z.string().min(1).max(200).optional().describe('next_cursor of the page before'),
};
const stickerId = z.uuid('must be the id of a sticker').toLowerCase();
const sha256 = z.string().regex(sha256Pattern, 'must be 64 lower-case hexadecimal digits');

export const queueQuery = z.strictObject({
  ...pageFields,
  type: z.enum(['pack', 'sticker']).optional().describe('Only these'),
});
export const reportGroupsQuery = z.strictObject(pageFields);
export const bansQuery = z.strictObject({
  ...pageFields,
  active: z.enum(['true', 'false']).default('false').describe('Only those in force'),
});
export const auditQuery = z.strictObject({
  ...pageFields,
  target_type: z
    .string()
    .regex(/^\w{1,64}$/, 'must be the name of a type')
    .optional()
    .describe('Such as sticker_pack, sticker_asset, moderation_ban, feature_flag, api_key'),
  target_id: line(160).optional().describe('Of packs, the key'),
  actor: line(128).optional().describe('Who did it'),
});

export const maxReportDetails = 1_000;
export const reportDetails = z
  .string()
  .trim()
  .max(maxReportDetails, `must have at most ${maxReportDetails} characters`)
  .refine((value) => !/[\p{Cc}\p{Cs}]/u.test(value.replaceAll(/[\n\r\t]/g, '')), 'must not contain control characters');
export const reportInput = z.strictObject({
  reason: z.enum(reportReasons),
  sticker_id: stickerId.optional().describe('Absent: the pack as a whole'),
  details: reportDetails.optional(),
});

export const banInput = z
  .strictObject({
    kind: z.enum(['owner', 'sticker']),
    owner_id: ownerId.optional().describe('owner only, and needed there'),
    sticker_id: stickerId.optional().describe('sticker only: its bytes and what looks like them'),
    sha256: sha256.optional().describe('sticker only: of the bytes as they were uploaded'),
    ...reasonInput.shape,
  })
  .refine(({ kind, owner_id }) => (kind === 'owner') === (owner_id !== undefined), {
    path: ['owner_id'],
    error: 'is needed for an owner, and for one only',
  })
  .refine(({ kind, ...what }) => (kind === 'owner' ? 0 : 1) === countOf([what.sticker_id, what.sha256]), {
    path: ['sticker_id'],
    error: 'is needed for a sticker, or sha256 in its place, and for one only',
  });

function countOf(values: unknown[]): number {
  return values.filter((value) => value !== undefined).length;
}

const pagination = z.object({ limit: z.int(), next_cursor: z.string().nullable(), has_more: z.boolean() });
const caseSchema = moderationSchema.extend({
  since_at: instant.nullable().describe('null when it is approved'),
  ban_id: z.string().nullable().describe('The ban that led to it'),
});
const reportSchema = z.object({
  report_id: z.int(),
  sticker_id: z.string().nullable(),
  reason: z.enum(reportReasons),
  details: z.string().nullable(),
  state: z.enum(['open', 'dismissed', 'upheld']),
  created_at: instant,
});
const auditRecordSchema = z.object({
  audit_id: z.int(),
  actor: z.string(),
  action: z.string(),
  target_type: z.string(),
  target_id: z.string(),
  reason: z.string().nullable(),
  before: z.unknown(),
  after: z.unknown(),
  request_id: z.string().nullable(),
  at: instant,
});
const banSchema = z.object({
  ban_id: z.string(),
  kind: z.enum(['owner', 'sticker']),
  owner_id: z.string().nullable(),
  sha256: z.string().nullable(),
  has_picture: z.boolean().describe('Near-duplicates are known; false until the sticker was classified'),
  reason: z.string(),
  made_by: z.string(),
  created_at: instant,
  revoked_at: instant.nullable(),
  revoked_by: z.string().nullable(),
  revoke_reason: z.string().nullable(),
  is_settled: z.boolean().describe('false: it still takes, or gives back, what was there before'),
  affected: z.int().describe('Packs or stickers that it has in its hands'),
});

export const verdictSchema = z.object({ data: z.object({ moderation: moderationSchema }) });
export const queueSchema = z.object({
  data: z.array(
    z.object({
      type: z.enum(['pack', 'sticker']),
      pack_keys: z.array(z.string()).describe('The pack, or packs that hold the sticker, at most ten'),
      sticker_id: z.string().nullable(),
      owner_id: z.string(),
      open_reports: z.int(),
      moderation: caseSchema,
    }),
  ),
  pagination,
});
export const packFileSchema = z.object({
  data: packSummary.extend({
    owner_id: z.string(),
    moderation: caseSchema,
    stickers: z.array(stickerSchema),
    reports: z.array(reportSchema).describe('Open ones, the newest 50'),
    actions: z.array(auditRecordSchema).describe('The newest 20'),
  }),
});
export const reportGroupsSchema = z.object({
  data: z.array(
    z.object({
      pack_key: z.string(),
      pack_name: z.string(),
      owner_id: z.string(),
      sticker_id: z.string().nullable(),
      open_reports: z.int(),
      first_reported_at: instant,
      last_reported_at: instant,
      reports: z.array(reportSchema).describe('The newest ten'),
    }),
  ),
  pagination,
});
export const reportedSchema = z.object({ data: z.object({ pack_key: z.string(), status: z.literal('received') }) });
export const closedReportSchema = z.object({ data: reportSchema });
export const bannedSchema = z.object({ data: banSchema });
export const banListSchema = z.object({ data: z.array(banSchema), pagination });
export const auditListSchema = z.object({ data: z.array(auditRecordSchema), pagination });
