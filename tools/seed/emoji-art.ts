/** Pictures (@twemoji/svg) and English names (emojibase-data) of emojis. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { AppError } from '@omnizap/runtime';

export type EmojiArt = {
  emoji: string;
  /** Starts with a capital letter. */
  name: string;
  /** One <svg> element of 36 by 36 units. */
  svg: string;
};

const variationSelector = 0xfe0f;
const zeroWidthJoiner = 0x200d;

/** @throws AppError `internal-error` for an emoji without name or picture */
export async function readEmojiArt(emoji: string): Promise<EmojiArt> {
  const name = namesOfEmojis().get(bare(emoji));
  if (name === undefined) throw new AppError('internal-error', `emojibase-data does not know the emoji ${emoji}.`);
  const require = createRequire(import.meta.url);
  const file = path.join(path.dirname(require.resolve('@twemoji/svg/package.json')), `${artName(emoji)}.svg`);
  const svg = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new AppError('internal-error', `@twemoji/svg has no picture of ${emoji}.`, { cause });
  });
  return { emoji, name: name.charAt(0).toUpperCase() + name.slice(1), svg };
}

/** Twemoji names files by code points; the variation selector counts only inside joined sequences. */
function artName(emoji: string): string {
  const codePoints = [...emoji].map((character) => character.codePointAt(0) ?? 0);
  const named = codePoints.includes(zeroWidthJoiner)
    ? codePoints
    : codePoints.filter((code) => code !== variationSelector);
  return named.map((code) => code.toString(16)).join('-');
}

const bare = (emoji: string): string => emoji.replaceAll(String.fromCodePoint(variationSelector), '');

let names: Map<string, string> | undefined;

function namesOfEmojis(): Map<string, string> {
  if (names) return names;
  const require = createRequire(import.meta.url);
  const records = require('emojibase-data/en/data.json') as { emoji: string; label: string }[];
  names = new Map(records.map(({ emoji, label }) => [bare(emoji), label]));
  return names;
}
