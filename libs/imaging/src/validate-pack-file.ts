/** Predicts what WhatsApp says to a zip file or a folder that holds a pack: its words, its tray image and every sticker. */

import { isAppError } from '@omnizap/runtime';
import { isWebp, parseWebp } from './webp-container.ts';
import { readPackFile, type PackSource } from './read-pack-file.ts';
import { readStickerExif } from './sticker-exif.ts';
import { validateTray } from './tray-image.ts';
import { validatePack } from './validate-pack.ts';
import { validateSticker } from './validate-sticker.ts';
import { about, finding, type Finding } from './whatsapp-rules.ts';
import type { StickerMetadata } from './image-types.ts';

export type PackFileVerdict = {
  layout: 'contents' | 'wastickers' | 'loose';
  name: string | null;
  stickerCount: number;
  findings: Finding[];
};

/**
 * Reads one file after the other. What the layout has no place for is not missed: a `.wastickers` has no identifier, and its
 * emojis are those in the stickers.
 * @throws AppError pack-file-invalid, pack-file-unsafe
 */
export async function validatePackFile(
  source: PackSource,
  options: { identifier?: string | undefined; mayBeLoose?: boolean } = {},
): Promise<PackFileVerdict> {
  const pack = await readPackFile(source, options);
  const findings: Finding[] = [...pack.findings];
  const stickers: Parameters<typeof validatePack>[0]['stickers'] = [];
  for (const { file, emojis, accessibilityText } of pack.stickers) {
    const bytes = await source.read(file);
    const { facts, findings: own } = validateSticker(bytes);
    findings.push(...about(file, own));
    if (!facts) continue;
    const inside = metadataOf(bytes);
    stickers.push({
      subject: file,
      isAnimated: facts.isAnimated,
      emojis: emojis?.filter((emoji) => typeof emoji === 'string') ?? inside?.emojis ?? [],
      accessibilityText: accessibilityText ?? inside?.accessibilityText ?? null,
    });
  }
  if (pack.trayFile !== null) findings.push(...about(pack.trayFile, validateTray(await source.read(pack.trayFile))));
  const ofPack = validatePack({
    identifier: pack.identifier ?? 'none',
    name: pack.name ?? (pack.layout === 'loose' ? 'none' : ''),
    publisher: pack.publisher ?? (pack.layout === 'loose' ? 'none' : ''),
    stickers,
  });
  const isAnimated = stickers.some((sticker) => sticker.isAnimated);
  if (pack.isMarkedAnimated !== null && pack.isMarkedAnimated !== isAnimated)
    findings.push(
      finding(
        'pack-animated-flag',
        `contents.json says ${pack.isMarkedAnimated ? 'animated' : 'still'}, the stickers are ${isAnimated ? 'animated' : 'still'}.`,
      ),
    );
  return {
    layout: pack.layout,
    name: pack.name,
    stickerCount: pack.stickers.length,
    // Loose files have no place for emojis but their EXIF blocks, which most do without.
    findings: [...ofPack.filter(({ rule }) => pack.layout !== 'loose' || rule !== 'sticker-emojis'), ...findings],
  };
}

/** WhatsApp's block of a sticker file; null when there is none that can be used. */
function metadataOf(bytes: Buffer): StickerMetadata | null {
  if (!isWebp(bytes)) return null;
  try {
    const { exif } = parseWebp(bytes);
    return exif ? readStickerExif(exif) : null;
  } catch (error) {
    if (isAppError(error)) return null;
    throw error;
  }
}
