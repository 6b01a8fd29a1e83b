/**
 * WhatsApp's block inside a WebP's EXIF chunk: a minimal TIFF directory with the one tag 0x5741 ("AW") whose value is
 * UTF-8 JSON. Reading never throws: what strangers wrote there is optional, so a broken or hostile block counts as none.
 */

import { z } from 'zod';
import { keepEmojis } from './emoji-index.ts';
import { imageLimits } from './image-limits.ts';
import type { StickerMetadata } from './image-types.ts';
import { identifierProblem } from './pack-identifier.ts';

/** "AW" as the number of a TIFF entry. */
export const stickerTag = 0x5741;
const undefinedType = 7;
const jsonOffset = 22;
const maxNameLength = 128;
const maxAccessibilityLength = 255;

// A text that is too long or no text is dropped alone; the rest of the block stays useful.
const text = (maxLength: number) => z.string().trim().min(1).max(maxLength).optional().catch(undefined);

const blockSchema = z.object({
  'sticker-pack-id': z
    .string()
    .refine((id) => identifierProblem(id) === null)
    .optional()
    .catch(undefined),
  'sticker-pack-name': text(maxNameLength),
  'sticker-pack-publisher': text(maxNameLength),
  'accessibility-text': text(maxAccessibilityLength),
  emojis: z.array(z.unknown()).max(100).catch([]).default([]),
});

/** Reads the block; null when there is none, when it is larger than `imageLimits.maxMetadataBytes`, or not JSON. */
export function readStickerExif(exif: Buffer): StickerMetadata | null {
  const block = blockSchema.safeParse(readJson(exif));
  if (!block.success) return null;
  const { data } = block;
  const metadata: StickerMetadata = {
    packId: data['sticker-pack-id'],
    packName: data['sticker-pack-name'],
    publisher: data['sticker-pack-publisher'],
    emojis: keepEmojis(data.emojis),
    accessibilityText: data['accessibility-text'],
  };
  return Object.values(metadata).some((value) => value !== undefined && value.length > 0) ? metadata : null;
}

/** Writes the block with a 32-bit length; many bots write one byte and break beyond 255. */
export function writeStickerExif(metadata: StickerMetadata): Buffer {
  const json = Buffer.from(
    JSON.stringify({
      'sticker-pack-id': metadata.packId,
      'sticker-pack-name': metadata.packName,
      'sticker-pack-publisher': metadata.publisher,
      'accessibility-text': metadata.accessibilityText,
      emojis: metadata.emojis,
    }),
  );
  const header = Buffer.alloc(jsonOffset);
  header.write('II', 0, 'latin1');
  header.writeUInt16LE(42, 2);
  header.writeUInt32LE(8, 4);
  header.writeUInt16LE(1, 8);
  header.writeUInt16LE(stickerTag, 10);
  header.writeUInt16LE(undefinedType, 12);
  header.writeUInt32LE(json.length, 14);
  header.writeUInt32LE(jsonOffset, 18);
  return Buffer.concat([header, json]);
}

function readJson(exif: Buffer): unknown {
  // Some writers prepend the marker that JPEG uses.
  const tiff = exif.toString('latin1', 0, 6) === 'Exif\0\0' ? exif.subarray(6) : exif;
  if (tiff.length < jsonOffset || tiff.toString('latin1', 0, 4) !== 'II*\0') return undefined;
  const directory = tiff.readUInt32LE(4);
  if (directory + 2 > tiff.length) return undefined;
  const entryCount = Math.min(tiff.readUInt16LE(directory), 16);
  for (let index = 0; index < entryCount; index += 1) {
    const entry = directory + 2 + index * 12;
    if (entry + 12 > tiff.length) return undefined;
    if (tiff.readUInt16LE(entry) !== stickerTag) continue;
    const start = tiff.readUInt32LE(entry + 8);
    const declared = tiff.subarray(start, start + tiff.readUInt32LE(entry + 4));
    // A length cut to one byte leaves half a JSON text: then everything up to the end of the chunk is tried.
    return parseJson(declared) ?? parseJson(tiff.subarray(start));
  }
  return undefined;
}

function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0 || bytes.length > imageLimits.maxMetadataBytes) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8').replace(/\0+$/, ''));
  } catch {
    return undefined;
  }
}
