/**
 * From a word to the emojis that it may mean, in English, Portuguese and Spanish, by emojibase's names and keywords: whoever
 * searches for "gato" finds what somebody marked with 🐱. Read on first use (about 0.2 s), then kept.
 */

import { createRequire } from 'node:module';
import { findEmoji, foldWord } from './emoji-index.ts';

type EmojiRecord = { label: string; emoji: string; tags?: string[] };

const languages = ['en', 'pt', 'es'] as const;
const variationSelectors = /\ufe0f|\ufe0e/g;
/** "Love" and "coração" stand at some 40 emojis; a word that stands at more than 64 ("face", "animal", "bandeira") means none of them. */
const maxEmojisMeant = 64;
/** Each is one more place to look in when somebody searches. */
const maxEmojisPerWord = 32;

let emojisByWord: Map<string, string[]> | undefined;

/** The form in which an emoji is compared: without skin tone and variation selectors; undefined for what is no emoji. */
export function plainEmoji(text: string): string | undefined {
  return findEmoji(text)?.emoji.replace(variationSelectors, '');
}

/** Plain emojis that `word` means in one of the languages, its exact keywords first; at most 32, none when it means everything. */
export function emojisOfKeyword(word: string): string[] {
  emojisByWord ??= load();
  return emojisByWord.get(foldWord(word)) ?? [];
}

function load(): Map<string, string[]> {
  const require = createRequire(import.meta.url);
  const named = new Map<string, Set<string>>();
  const described = new Map<string, Set<string>>();
  const add = (to: Map<string, Set<string>>, word: string, emoji: string): void => {
    const known = to.get(word);
    if (known) known.add(emoji);
    else to.set(word, new Set([emoji]));
  };
  for (const language of languages) {
    for (const record of require(`emojibase-data/${language}/data.json`) as EmojiRecord[]) {
      const emoji = plainEmoji(record.emoji);
      if (emoji === undefined) continue;
      for (const word of [record.label, ...(record.tags ?? [])].map(foldWord)) add(named, word, emoji);
      for (const word of wordsOf(record.label)) add(described, word, emoji);
    }
  }
  const words = new Map<string, string[]>();
  for (const word of new Set([...named.keys(), ...described.keys()])) {
    // What the word is the name or a keyword of comes before what merely has it in its name.
    const exact = [...(named.get(word) ?? [])];
    const all = [...new Set([...exact, ...(described.get(word) ?? [])])];
    const meant = all.length <= maxEmojisMeant ? all : exact;
    if (meant.length <= maxEmojisMeant) words.set(word, meant.slice(0, maxEmojisPerWord));
  }
  return words;
}

/** Words of a name without the small ones that bind it. */
function wordsOf(label: string): string[] {
  return foldWord(label)
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word.length > 2);
}
