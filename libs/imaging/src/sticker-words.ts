/** The words of a sticker as WhatsApp takes them: what is too much is left out, what is missing is filled in. */

import { keepEmojis } from './emoji-index.ts';
import type { StickerCategory } from './sticker-taxonomy.ts';
import { whatsappLimits } from './whatsapp-rules.ts';

/** What says least wrong about any sticker of its category. */
const emojiOfCategory: Record<StickerCategory, string> = {
  ...{ love: '😍', happy: '😊', laughing: '😂', playful: '😜', sad: '😢', angry: '😠', surprised: '😮' },
  ...{ thinking: '🤔', sleepy: '😴', sick: '🤒', greeting: '👋', approval: '👍️', hands: '✋️', people: '🧑' },
  ...{ work: '💼', fantasy: '🦄', animals: '🐾', nature: '🌿', food: '🍽️', drink: '☕️', travel: '✈️' },
  ...{ weather: '🌈', sport: '🏅', games: '🎮️', music: '🎵', celebration: '🎉', fashion: '👕', money: '💰️' },
  ...{ objects: '📦️', symbols: '✨️', flags: '🏁', other: '🙂' },
};

/** One to `limit` emojis: the sticker's own, or else one that fits its category. */
export function fittingEmojis(
  emojis: string[],
  category: string | null,
  limit: number = whatsappLimits.maxEmojis,
): string[] {
  const own = keepEmojis(emojis, limit);
  if (own.length > 0) return own;
  const fitting = (emojiOfCategory as Record<string, string | undefined>)[category ?? 'other'];
  return keepEmojis([fitting ?? emojiOfCategory.other]);
}

/** The text within WhatsApp's length: cut behind a whole word where there is one, marked as cut. */
export function fittingAltText(text: string | null, isAnimated: boolean): string | undefined {
  if (text === null || text.trim() === '') return undefined;
  return shortenText(text.trim(), isAnimated ? whatsappLimits.maxAnimatedAltText : whatsappLimits.maxStaticAltText);
}

/** At most `maxLength` UTF-16 units; no character is cut in half. */
export function shortenText(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  let kept = '';
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (kept.length + segment.length > maxLength - 1) break;
    kept += segment;
  }
  const lastBlank = kept.lastIndexOf(' ');
  return `${(lastBlank > kept.length / 2 ? kept.slice(0, lastBlank) : kept).trimEnd()}…`;
}
