/**
 * Which packs a made-up catalogue consists of: a pack is a function of seed and number, so that a run can go on where another
 * stopped. Nearly everything has a long tail, as it has in catalogues that people made: a few publishers with thousands of packs,
 * words that every tenth pack has and words of one pack only, a few packs with most of the likes.
 */
import { createRequire } from 'node:module';
import { createPackKey, type EngagementCounts } from '@omnizap/catalog';
import { createSeededRandom } from '../../simulation/seeded-random.ts';
import { animatedArt, languages, stillArt, syllables, type Language } from './bulk-words.ts';

export type PlannedPack = {
  id: string;
  packKey: string;
  ownerId: string;
  name: string;
  publisher: string;
  description: string;
  tags: string[];
  visibility: 'public' | 'unlisted' | 'private';
  status: 'draft' | 'published';
  isAnimated: boolean;
  /** Its first picture, among the animated ones or the still ones; the others follow. */
  firstPicture: number;
  /** Second emoji of every third sticker. */
  companion: string;
  nsfwLevel: 'unknown' | 'suggestive' | 'explicit';
  counts: EngagementCounts;
  opensDay: number;
  opensWeek: number;
  createdDaysAgo: number;
  updatedDaysAgo: number;
};

const publisherCount = 20_000;
const oldestDays = 730;
const keySpace = 36 ** 6;
/** Has no factor in common with the space: no two packs of one seed get the same key. */
const keyStep = 1_000_003;
/** Fits the numbers of stickers in a pack. */
const idsPerPack = 32;

/** Ids of one seed are neighbours: what a seed made can be told from everything else. */
export function createPackIds(seed: number) {
  const block = seed.toString(16).padStart(4, '0');
  const digits = (number: number): string => number.toString(16).padStart(12, '0');
  return {
    pack: (number: number): string => `5eed${block}-0000-7000-8000-${digits(number)}`,
    /** Of the first and the last pack that there can be. */
    range: [`5eed${block}-0000-7000-8000-000000000000`, `5eed${block}-0000-7000-8000-ffffffffffff`] as const,
    numberOf: (packId: string): number => Number.parseInt(packId.slice(-12), 16),
    /** Stickers have ids of their own: this, and the number of the pack's first one in twelve hexadecimal digits. */
    stickerPrefix: `5eed${block}-0000-7000-9000-`,
    firstSticker: (number: number): number => number * idsPerPack,
    sticker: (number: number, position: number): string =>
      `5eed${block}-0000-7000-9000-${digits(number * idsPerPack + position)}`,
  };
}

/** Numbers count from 1. */
export function planPack(seed: number, number: number): PlannedPack {
  const random = createSeededRandom(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(number, 0x85ebca6b));
  const below = (count: number): number => Math.floor(random() * count);
  const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item;
  /** The n-th is picked about 1/n as often as the first. */
  const pickRank = (count: number): number => Math.floor(count ** random()) - 1;
  const pickEarly = <Item>(items: readonly Item[]): Item => items[pickRank(items.length)] as Item;
  const word = (): string => capitalise(pick(syllables) + pick(syllables) + pick(syllables));

  const language = pickLanguage(random());
  const [noun, adjective] = [pickEarly(language.nouns), pickEarly(language.adjectives)];
  const companion = pickEarly(companions());
  const name = [
    capitalise(language.isAdjectiveFirst ? `${adjective} ${noun}` : `${noun} ${adjective}`),
    ...(random() < 0.4 ? [word()] : []),
    ...(random() < 0.2 ? [`Vol. ${1 + pickRank(40)}`] : []),
    ...(random() < 0.15 ? [companion] : []),
  ].join(' ');
  const publisher = pickRank(publisherCount);
  const isAnimated = random() < 0.05;
  const likes = Math.floor(2_000 ** (random() ** 2)) - 1;
  const counts = {
    open: likes * (5 + below(30)) + below(20),
    like: likes,
    dislike: below(1 + Math.ceil(likes / 8)),
    download: below(1 + likes * 3),
  };
  const createdDaysAgo = oldestDays * random();
  return {
    id: createPackIds(seed).pack(number),
    packKey: createPackKey(name, drawDigits(seed, number)),
    ownerId: `seed-owner-${publisher}`,
    name,
    publisher: publisherName(publisher),
    description: random() < 0.7 ? language.describe(name) : '',
    tags: [...new Set(Array.from({ length: 1 + below(4) }, () => pickEarly(language.tags)))],
    ...pickState(random()),
    isAnimated,
    firstPicture: below(isAnimated ? animatedArt.length : stillArt.length),
    companion,
    nsfwLevel: pickLevel(random()),
    counts,
    // As if they had come evenly over the pack's life, and a few packs had just become fashionable.
    ...decayedOpens(counts.open / Math.max(1, createdDaysAgo), random() < 0.02 ? 10 * random() : 1),
    createdDaysAgo,
    updatedDaysAgo: createdDaysAgo * random() ** 2,
  };
}

function pickLanguage(point: number): Language {
  let left = point;
  return languages.find(({ share }) => (left -= share) < 0) ?? languages[0];
}

function pickState(point: number): Pick<PlannedPack, 'visibility' | 'status'> {
  if (point < 0.94) return { visibility: 'public', status: 'published' };
  if (point < 0.97) return { visibility: 'unlisted', status: 'published' };
  return point < 0.99 ? { visibility: 'private', status: 'published' } : { visibility: 'public', status: 'draft' };
}

function pickLevel(point: number): PlannedPack['nsfwLevel'] {
  if (point < 0.98) return 'unknown';
  return point < 0.997 ? 'suggestive' : 'explicit';
}

/** A steady rate r gives r and 7 r, see `openDecayMs` of the ranking. */
function decayedOpens(perDay: number, trend: number): Pick<PlannedPack, 'opensDay' | 'opensWeek'> {
  return { opensDay: perDay * trend, opensWeek: 7 * perDay };
}

function publisherName(rank: number): string {
  const random = createSeededRandom(rank + 1);
  const word = (): string =>
    capitalise([1, 2, 3].map(() => syllables[Math.floor(random() * syllables.length)] ?? '').join(''));
  return rank % 3 === 0 ? `${word()} Stickers` : `${word()} ${word()}`;
}

function drawDigits(seed: number, number: number): (count: number) => number {
  let left = (number * keyStep + seed * 7_919) % keySpace;
  return (count) => {
    const digit = left % count;
    left = Math.floor(left / count);
    return digit;
  };
}

let companionList: string[] | undefined;

/** Every emoji that is not on a picture. */
function companions(): string[] {
  if (companionList) return companionList;
  const require = createRequire(import.meta.url);
  const records = require('emojibase-data/en/data.json') as { emoji: string; group?: number }[];
  const drawn = new Set([...stillArt, ...animatedArt]);
  companionList = records
    .filter(({ emoji, group }) => group !== undefined && !drawn.has(emoji))
    .map(({ emoji }) => emoji);
  return companionList;
}

const capitalise = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
