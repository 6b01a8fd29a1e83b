/**
 * The terms under which a pack is found, and what a query asks for. Both are folded the same way: lower case, without accents.
 * Emojis are terms of their own; a word of the query also stands for the emojis that it means (in English, Portuguese or Spanish),
 * which therefore need not be written down for each pack.
 */
import { emojisOfKeyword, foldWord, plainEmoji } from '@omnizap/imaging';

/** Of a term in UTF-8: the column's width. The longest emoji of Unicode takes 35. */
const maxTermBytes = 64;
/** What people write about a pack of 30 stickers stays far below it. */
const maxTermsPerPack = 150;
/** Each word of a query is one more condition; nobody needs more to name a sticker. */
const maxWordsPerQuery = 6;
/** Words shorter than this match exactly: a prefix of two letters is half of the catalogue. */
const minPrefixLength = 3;

/** Words that bind others in Portuguese, English and Spanish: they say nothing, unless they are all there is. */
const bindingWords = new Set(
  (
    'a o e as os um uma de da do das dos em no na nos nas por para com sem que ' +
    'the an and or of for in on to with at by el la los las y un del al con sin'
  )
    .split(' ')
    .map(foldWord),
);

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

export type PackText = {
  name: string;
  publisher: string;
  tags: string[];
  /** Of its classification. */
  labels: string[];
  /** Of its stickers. */
  emojis: string[];
};

/** Distinct terms of a pack, sorted; what is closest to its name comes in first when there are too many. */
export function termsOfPack(pack: PackText): string[] {
  const texts = [pack.name, ...pack.tags, pack.publisher, ...pack.labels];
  const terms = [...texts.flatMap(split), ...pack.emojis.map((emoji) => plainEmoji(emoji) ?? '')];
  return [...new Set(terms.filter((term) => term !== ''))].slice(0, maxTermsPerPack).sort();
}

/** One word of a query: a pack must have one of these terms, or one that begins with `prefix`. */
export type SoughtWord = { terms: string[]; prefix: string | null };

/** Every word must be met. Empty when the query says nothing that could be looked for. */
export function parseQuery(query: string): SoughtWord[] {
  const all = [...new Set(split(query))];
  const telling = all.filter((word) => !bindingWords.has(word));
  return (telling.length > 0 ? telling : all).slice(0, maxWordsPerQuery).map((word) => ({
    terms: plainEmoji(word) === word ? [word] : [word, ...emojisOfKeyword(word)],
    prefix: plainEmoji(word) !== word && word.length >= minPrefixLength ? word : null,
  }));
}

/** Words and emojis of a text in turn, folded. */
function split(text: string): string[] {
  const terms: string[] = [];
  let word = '';
  const endWord = (): void => {
    if (word !== '') terms.push(cut(word));
    word = '';
  };
  for (const { segment } of graphemes.segment(text)) {
    const emoji = plainEmoji(segment);
    if (emoji !== undefined) {
      endWord();
      terms.push(emoji);
    } else if (/[\p{L}\p{N}]/u.test(segment)) word += foldWord(segment).replaceAll(/[^\p{L}\p{N}]/gu, '');
    else endWord();
  }
  endWord();
  return terms;
}

/** To the column's width, never through a character. */
function cut(word: string): string {
  if (Buffer.byteLength(word) <= maxTermBytes) return word;
  let end = maxTermBytes;
  const bytes = Buffer.from(word);
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}
