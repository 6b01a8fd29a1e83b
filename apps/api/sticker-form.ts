/** The multipart form that a sticker comes in: its file, and what is said about it. */
import type { Request } from 'express';
import { rm } from 'node:fs/promises';
import { z } from 'zod';
import type { StickerUpload } from '@omnizap/catalog';
import { imageLimits, maxEmojisPerSticker, parseEmojis, probeImage } from '@omnizap/imaging';
import { AppError } from '@omnizap/runtime';
import type { DiskStore } from '@omnizap/storage';
import { receiveFile } from './multipart.ts';

export const emojiList = z.array(z.string().max(64)).max(maxEmojisPerSticker);
export const labelText = z
  .string()
  .trim()
  .max(255, 'must have at most 255 characters')
  .refine((value) => !/[\p{Cc}\p{Cs}]/u.test(value), 'must not contain control characters');

/** The fields of the form, for the documentation. */
export const stickerFields = {
  file: z.string().meta({ format: 'binary', description: 'At most 20 MiB' }),
  emojis: z.string().max(4_096).optional().describe(`JSON array of at most ${maxEmojisPerSticker} emojis`),
  accessibility_label: z.string().max(255).optional().describe('What it shows, for people who do not see it'),
};

/** Emojis and label are null where the form does not name them. */
export type ReceivedSticker = Omit<StickerUpload, 'emojis'> & { emojis: string[] | null; fields: Map<string, string> };

/**
 * Reads the form and hands it to `work`; the file is gone afterwards, unless `work` had it taken over. `extra` names further text
 * fields, each with what checks it.
 * @throws AppError `validation-failed` and what `receiveFile` and `probeImage` throw
 */
export async function withReceivedSticker<T>(
  request: Request,
  store: DiskStore,
  extra: Record<string, z.ZodType<string>>,
  work: (sticker: ReceivedSticker) => Promise<T>,
): Promise<T> {
  const temporaryPath = store.temporaryPath();
  try {
    const file = await receiveFile(request, {
      fileField: 'file',
      textFields: ['emojis', 'accessibility_label', ...Object.keys(extra)],
      maxBytes: imageLimits.maxBytes,
      path: temporaryPath,
    });
    const probe = await probeImage(temporaryPath);
    const fields = new Map(
      Object.entries(extra).map(([name, schema]) => [name, textOf(name, schema, file.fields.get(name))]),
    );
    return await work({
      temporaryPath,
      sha256: file.sha256,
      probe,
      emojis: emojisOf(file.fields.get('emojis')),
      accessibilityLabel: textOf('accessibility_label', labelText, file.fields.get('accessibility_label')) || null,
      fields,
    });
  } finally {
    await rm(temporaryPath, { force: true });
  }
}

/** @throws AppError `validation-failed` */
function emojisOf(field: string | undefined): string[] | null {
  if (field === undefined || field === '') return null;
  let value: unknown;
  try {
    value = JSON.parse(field);
  } catch {
    value = undefined;
  }
  const list = emojiList.safeParse(value);
  const problem = `must be a JSON array of at most ${maxEmojisPerSticker} emojis, such as ["😀","🎉"]`;
  if (!list.success)
    throw new AppError('validation-failed', `Field "emojis" ${problem}.`, {
      fields: [{ pointer: '/emojis', detail: problem }],
    });
  return parseEmojis(list.data);
}

/** @throws AppError `validation-failed` */
function textOf(name: string, schema: z.ZodType<string>, field: string | undefined): string {
  const text = schema.safeParse(field ?? '');
  if (text.success) return text.data;
  const detail = text.error.issues[0]?.message ?? 'is not valid';
  throw new AppError('validation-failed', `Field "${name}" ${detail}.`, { fields: [{ pointer: `/${name}`, detail }] });
}
