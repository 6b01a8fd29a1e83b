/**
 * Every emoji of Unicode with its English name, keywords and subgroup, from emojibase-data. Read on first use (about
 * 0.1 s), then kept: the API and the classification worker ask for each sticker.
 */

import { createRequire } from 'node:module';
import { AppError } from '@omnizap/runtime';

export type EmojiEntry = {
  /** Fully qualified, as emoji keyboards send it: with the variation selector only where Unicode asks for it. */
  emoji: string;
  label: string;
  /** Lower-case words, without accents. */
  keywords: string[];
  /** Unicode's name of the subgroup, such as `face-smiling`. */
  subgroup: string;
};

type EmojiRecord = {
  label: string;
  emoji: string;
  tags?: string[];
  group?: number;
  subgroup?: number;
  skins?: EmojiRecord[];
};
type GroupTable = { groups: Record<string, string>; subgroups: Record<string, string> };

/** WhatsApp takes three; the catalogue keeps a few more for search. */
export const maxEmojisPerSticker = 8;

const variationSelectors = /\ufe0f|\ufe0e/g;

let index: Map<string, EmojiEntry> | undefined;
let canonicalForms: Map<string, string> | undefined;

/** The entry of an emoji in any skin tone, with or without variation selector; undefined when it is not an emoji. */
export function findEmoji(text: string): EmojiEntry | undefined {
  return load().entries.get(text.replace(variationSelectors, ''));
}

/** Words under which an emoji can be found, its name first; empty for what is no emoji. */
export function keywordsOfEmoji(emoji: string): string[] {
  const entry = findEmoji(emoji);
  return entry ? [entry.label, ...entry.keywords.filter((keyword) => keyword !== entry.label)] : [];
}

/** All entries, untoned, in Unicode's order. */
export function listEmojis(): EmojiEntry[] {
  return [...new Set(load().entries.values())];
}

/**
 * Checks the emojis of a request: each must be one whole emoji recommended for interchange, at most 8. Answers them in
 * their keyboard form, without repetitions.
 * @throws AppError validation-failed naming each wrong entry
 */
export function parseEmojis(list: string[]): string[] {
  const fields = list.flatMap((text, position) =>
    canonicalEmoji(text) === undefined
      ? [{ pointer: `/emojis/${position}`, detail: `${JSON.stringify(text.slice(0, 32))} is not one emoji` }]
      : [],
  );
  const emojis = keepEmojis(list, Number.POSITIVE_INFINITY);
  if (emojis.length > maxEmojisPerSticker) {
    fields.push({
      pointer: '/emojis',
      detail: `${emojis.length} emojis were given, at most ${maxEmojisPerSticker} are allowed`,
    });
  }
  if (fields.length > 0) throw new AppError('validation-failed', 'The emojis are not valid.', { fields });
  return emojis;
}

/** The valid ones among whatever a file holds, at most `limit`. */
export function keepEmojis(list: unknown[], limit = maxEmojisPerSticker): string[] {
  const emojis = list.flatMap((item) => (typeof item === 'string' ? (canonicalEmoji(item) ?? []) : []));
  return [...new Set(emojis)].slice(0, limit);
}

/** Lower case without accents: the form in which words are compared. */
export function foldWord(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}

function canonicalEmoji(text: string): string | undefined {
  return load().forms.get(text.trim().replace(variationSelectors, ''));
}

/** emojibase writes the variation selector behind every emoji that can take one; Unicode only behind some. */
function qualify(emoji: string): string {
  const bare = emoji.replace(variationSelectors, '');
  if (/^\p{RGI_Emoji}$/v.test(emoji)) return emoji;
  // The runtime's Unicode tables may be older than emojibase: then the presentation of the single character decides.
  return /^\p{RGI_Emoji}$/v.test(bare) || /^\p{Emoji_Presentation}$/u.test(bare) ? bare : emoji;
}

function load(): { entries: Map<string, EmojiEntry>; forms: Map<string, string> } {
  if (index && canonicalForms) return { entries: index, forms: canonicalForms };
  const require = createRequire(import.meta.url);
  const records = require('emojibase-data/en/data.json') as EmojiRecord[];
  const table = require('emojibase-data/meta/groups.json') as GroupTable;
  index = new Map();
  canonicalForms = new Map();
  for (const record of records) {
    // Lone regional letters have no group; skin tones and hair styles are parts, not emojis.
    if (record.group === undefined || record.subgroup === undefined || table.groups[record.group] === 'component')
      continue;
    const entry: EmojiEntry = {
      emoji: qualify(record.emoji),
      label: foldWord(record.label),
      keywords: (record.tags ?? []).map(foldWord),
      subgroup: table.subgroups[record.subgroup] ?? 'unknown',
    };
    for (const form of [record, ...(record.skins ?? [])]) {
      const bare = form.emoji.replace(variationSelectors, '');
      index.set(bare, entry);
      canonicalForms.set(bare, qualify(form.emoji));
    }
  }
  return { entries: index, forms: canonicalForms };
}
