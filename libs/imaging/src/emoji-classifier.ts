/**
 * A classifier that looks at what people said about a sticker, not at its pixels: the emojis chosen for it, the text
 * for screen readers and the words of its pack. It prefers `other` with a low confidence over a guess, and never calls
 * a picture safe that it has not seen.
 */

import { findEmoji, foldWord, keywordsOfEmoji, listEmojis } from './emoji-index.ts';
import type { ImageFeatures } from './image-types.ts';
import { categories, categoryOf } from './sticker-taxonomy.ts';
import type { StickerCategory } from './sticker-taxonomy.ts';

export type ClassifierInput = {
  emojis: string[];
  packWords: string[];
  accessibilityLabel: string | null;
  features: ImageFeatures;
};

export type Classification = {
  category: string;
  /** 0..1. */
  confidence: number;
  /** At most 8, best first. */
  labels: { label: string; score: number }[];
  nsfwLevel: 'unknown' | 'safe' | 'suggestive' | 'explicit';
  provider: string;
  version: string;
};

/** A classifier; one that looks at pixels is plugged in by implementing this. */
export type ClassifierProvider = {
  name: string;
  /** Stored with each result; raising it has every asset classified again. */
  version: string;
  classify(input: ClassifierInput): Promise<Classification>;
};

/** What a sticker expresses matters more than what it depicts: a coffee cup that cries is filed under `sad`. */
const expressive = new Set<StickerCategory>([
  ...(['love', 'happy', 'laughing', 'playful', 'sad', 'angry', 'surprised', 'thinking', 'sleepy', 'sick'] as const),
  ...(['greeting', 'approval', 'celebration'] as const),
]);
const expressiveFactor = 1.4;

const provider = 'emoji';
const version = '1';

/** WhatsApp orders emojis by importance, so each next one counts less. */
const emojiWeights = [1, 0.8, 0.65, 0.5, 0.4, 0.35, 0.3, 0.25];
/** Texts are vague: together they may outvote the second emoji, never the first. */
const accessibilityWeight = 0.4;
const packWeight = 0.3;
/** A word under which this many emojis are found ("face", "person") says nothing. */
const commonWordEmojis = 60;
const maxWords = 40;
const maxLabels = 8;
const keywordsPerEmoji = 2;
const unknownConfidence = 0.1;

const suggestiveEmojis = new Set(['🔞', '🫦']);
/** Harmless alone, suggestive when two stand together. */
const suggestiveInPairs = new Set(['🍆', '🍑', '💦', '👅']);
const suggestiveWords = new Set([
  'nsfw',
  'porn',
  'porno',
  'xxx',
  'nude',
  'nudes',
  'naked',
  'sexy',
  'hentai',
  'horny',
  'erotic',
  'onlyfans',
  '18+',
]);

type Votes = Map<StickerCategory, number>;
/** One voice: an emoji or a text. `share` of its votes sums to 1. */
type Source = { weight: number; shares: Votes };

/** Builds the classifier; it keeps no state between calls. */
export function createEmojiClassifier(): ClassifierProvider {
  return { name: provider, version, classify: (input) => Promise.resolve(classify(input)) };
}

function classify(input: ClassifierInput): Classification {
  const entries = input.emojis.flatMap((emoji) => findEmoji(emoji) ?? []).slice(0, emojiWeights.length);
  const accessibilityWords = wordsOf([input.accessibilityLabel ?? '']);
  const packWords = wordsOf(input.packWords);
  const sources: Source[] = [
    ...entries.map((entry, position) => emojiSource(categoryOf(entry), emojiWeights[position] ?? 0)),
    textSource(accessibilityWords, accessibilityWeight),
    textSource(packWords, packWeight),
  ].filter((source) => source.shares.size > 0);
  const ranked = rank(sources);
  const best = ranked[0];
  return {
    category: best?.category ?? 'other',
    confidence: best ? confidenceOf(ranked, sources) : unknownConfidence,
    labels: labelsOf(ranked, input),
    nsfwLevel: isSuggestive(input.emojis, [...accessibilityWords, ...packWords]) ? 'suggestive' : 'unknown',
    provider,
    version,
  };
}

function emojiSource(category: StickerCategory, weight: number): Source {
  return { weight: expressive.has(category) ? weight * expressiveFactor : weight, shares: new Map([[category, 1]]) };
}

type Ranked = { category: StickerCategory; score: number }[];

function rank(sources: Source[]): Ranked {
  const totals: Votes = new Map();
  for (const { weight, shares } of sources) {
    for (const [category, share] of shares) totals.set(category, (totals.get(category) ?? 0) + weight * share);
  }
  // Array.sort is stable, so a tie goes to the source named first.
  return [...totals].map(([category, score]) => ({ category, score })).sort((a, b) => b.score - a.score);
}

/**
 * confidence = strength x (0.35 + 0.4 x margin + 0.1 x agreeing), at most 0.95, where
 * margin = (best - second) / sum of all votes, agreeing = number of sources (at most 2) that prefer the winner, and
 * strength = the winner's votes up to 1. One emoji alone gives 0.85, two that disagree about 0.5, a pack's name alone
 * less than 0.3.
 */
function confidenceOf(ranked: Ranked, sources: Source[]): number {
  const best = ranked[0];
  if (!best) return unknownConfidence;
  const total = ranked.reduce((sum, { score }) => sum + score, 0);
  const margin = (best.score - (ranked[1]?.score ?? 0)) / total;
  const agreeing = sources.filter((source) => preferred(source) === best.category).length;
  return round(Math.min(0.95, Math.min(1, best.score) * (0.35 + 0.4 * margin + 0.1 * Math.min(2, agreeing))));
}

function preferred(source: Source): StickerCategory | undefined {
  return [...source.shares].sort((a, b) => b[1] - a[1])[0]?.[0];
}

/** Each word votes for the categories of the emojis that carry it as a keyword, in proportion to their number. */
function textSource(words: string[], weight: number): Source {
  const shares: Votes = new Map();
  let known = 0;
  for (const word of words) {
    const votes = wordVotes().get(word);
    if (!votes) continue;
    const total = emojisUnder(word);
    if (total > commonWordEmojis) continue;
    known += 1;
    for (const [category, count] of votes) shares.set(category, (shares.get(category) ?? 0) + count / total);
  }
  for (const [category, share] of shares) shares.set(category, share / known);
  return { weight, shares };
}

let votesOfWord: Map<string, Votes> | undefined;

function wordVotes(): Map<string, Votes> {
  if (votesOfWord) return votesOfWord;
  votesOfWord = new Map();
  const vote = (word: string, category: StickerCategory, count: number) => {
    const votes = votesOfWord?.get(word) ?? new Map<StickerCategory, number>();
    votesOfWord?.set(word, votes.set(category, (votes.get(category) ?? 0) + count));
  };
  for (const entry of listEmojis()) {
    for (const word of new Set([...wordsOf([entry.label]), ...entry.keywords])) vote(word, categoryOf(entry), 1);
  }
  // A category's own name is no matter of counting emojis.
  for (const category of categories()) {
    if (category !== 'other') votesOfWord.set(category, new Map([[category, 1]]));
  }
  return votesOfWord;
}

function isSearchWord(keyword: string): boolean {
  return keyword.length > 2 && !/\d/.test(keyword) && emojisUnder(keyword) <= commonWordEmojis;
}

/** Number of emojis that are found under `word`. */
function emojisUnder(word: string): number {
  return [...(wordVotes().get(word)?.values() ?? [])].reduce((sum, count) => sum + count, 0);
}

function wordsOf(texts: string[]): string[] {
  const words = texts.flatMap((text) => foldWord(text).match(/[\p{L}\p{N}]+\+?/gu) ?? []);
  return [...new Set(words)].filter((word) => word.length > 2).slice(0, maxWords);
}

function labelsOf(ranked: Ranked, { emojis, features }: ClassifierInput): Classification['labels'] {
  const labels = new Map<string, number>();
  const propose = (label: string, score: number) => {
    if (score > (labels.get(label) ?? 0)) labels.set(label, round(score));
  };
  const best = ranked[0]?.score ?? 1;
  for (const { category, score } of ranked.slice(0, 3)) propose(category, (score / best) * 0.9);
  emojis.forEach((emoji, position) => {
    const [name, ...keywords] = keywordsOfEmoji(emoji);
    if (name === undefined) return;
    const weight = emojiWeights[position] ?? 0;
    propose(name, weight * 0.6);
    // Keywords come in alphabetical order and many are slang; one that several emojis share is a word people search for.
    const shared = keywords.filter(isSearchWord).sort((a, b) => emojisUnder(b) - emojisUnder(a));
    shared.slice(0, keywordsPerEmoji).forEach((keyword) => propose(keyword, weight * 0.5));
  });
  if (features.isAnimated) propose('animated', 0.3);
  if (features.transparentShare > 0.05) propose('transparent', 0.25);
  if (features.colourfulness > 59) propose('colourful', 0.2);
  if (features.colourfulness < 5) propose('monochrome', 0.2);
  if (features.brightness < 0.25) propose('dark', 0.15);
  if (features.brightness > 0.85) propose('bright', 0.15);
  return [...labels]
    .map(([label, score]) => ({ label, score }))
    .sort((a, b) => b.score - a.score)
    .slice(0, maxLabels);
}

function isSuggestive(emojis: string[], words: string[]): boolean {
  const inPairs = new Set(emojis.filter((emoji) => suggestiveInPairs.has(emoji)));
  return (
    inPairs.size > 1 ||
    emojis.some((emoji) => suggestiveEmojis.has(emoji)) ||
    words.some((word) => suggestiveWords.has(word))
  );
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
