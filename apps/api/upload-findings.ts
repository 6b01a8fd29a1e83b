/** What the validator says to an upload: to the file as it came, and to what is said about it. */
import { readFile } from 'node:fs/promises';
import { validateSticker, validateStickerWords, type Finding } from '@omnizap/imaging';

/**
 * Reads the file, which `probeImage` has accepted: it is no larger than an upload may be. `emojis` null: those that are there stay, and
 * are not judged again.
 */
export async function findingsOfUpload(
  path: string,
  words: { emojis: string[] | null; accessibilityLabel: string | null },
): Promise<Finding[]> {
  const { facts, findings } = validateSticker(await readFile(path));
  const ofWords = validateStickerWords({
    isAnimated: facts?.isAnimated ?? false,
    emojis: words.emojis ?? [],
    accessibilityText: words.accessibilityLabel,
  });
  return [...findings, ...ofWords.filter(({ rule }) => words.emojis !== null || rule !== 'sticker-emojis')];
}
