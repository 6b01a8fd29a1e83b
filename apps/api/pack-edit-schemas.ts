/** Schemas of what owners change, collect and list. */
import { z } from 'zod';
import { judgedStickerSchema } from './pack-file-schemas.ts';
import { packInput, packSummary, stickerSchema } from './schemas.ts';
import { emojiList, labelText } from './sticker-form.ts';
import { wholeNumber } from './whole-number.ts';

const { shape } = packInput;
/** STICKER_PACK_MAX_ITEMS can be no more. */
const maxItems = 120;
/** Ids are compared as they are written, and answers write them small. */
const stickerId = z.uuid().toLowerCase();

/** As for a new pack, without its defaults: what is absent stays. */
export const packChanges = z.strictObject({
  name: shape.name.optional(),
  publisher: shape.publisher.unwrap().optional(),
  description: shape.description.unwrap().optional(),
  visibility: shape.visibility.unwrap().optional(),
  tags: shape.tags.unwrap().optional(),
});

export const coverInput = z.strictObject({ sticker_id: stickerId });
export const orderInput = z.strictObject({
  sticker_ids: z.array(stickerId).max(maxItems, `must have at most ${maxItems} entries`),
});
export const cloneInput = z.strictObject({
  name: shape.name.optional(),
  publisher: shape.publisher.unwrap().optional(),
});
export const stickerChanges = z.strictObject({
  emojis: emojiList.optional(),
  accessibility_label: labelText.nullable().optional(),
});
export const senderName = shape.publisher.unwrap();

export const ownedQuery = z.strictObject({
  limit: wholeNumber(1, 60, 24, 'Entries per page'),
  cursor: z.string().min(1).max(200).optional().describe('next_cursor of the page before'),
});

export const stickerAnswer = z.object({ data: stickerSchema });
export const collectedSchema = z.object({
  data: judgedStickerSchema.shape.data.extend({
    pack_key: z.string(),
    pack_name: z.string(),
    outcome: z.enum(['added', 'duplicate']),
  }),
});

const pagination = z.object({ limit: z.int(), next_cursor: z.string().nullable(), has_more: z.boolean() });
export const ownedPacksSchema = z.object({ data: z.array(packSummary), pagination });
export const orphansSchema = z.object({
  data: z.array(
    z.object({
      sticker_id: z.string(),
      sha256: z.string(),
      width: z.int(),
      height: z.int(),
      size_bytes: z.int(),
      is_animated: z.boolean(),
      created_at: z.string().describe('RFC 3339, UTC'),
    }),
  ),
  pagination,
});
