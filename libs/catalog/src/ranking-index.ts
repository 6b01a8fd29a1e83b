/**
 * A ranking in memory: every listed pack once, with what lists filter by, and its place in each order. A pack is known by its
 * ordinal, its place among the ids; an order is ordinals in turn. 100,000 packs are 8 MB, and a page of any filter is a walk over
 * arrays. The same index is made from the tables by the publisher (stored as a generation) and for live answers.
 */
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { rankingScore, ratingScore, trendScore, type DecayedOpens } from './ranking-formulas.ts';
import { creatorName, summariseMarketplace, type MarketplaceSummary } from './marketplace-summary.ts';
import { nsfwLevels } from './nsfw-level.ts';
import type { RankableRow } from './rankable-row.ts';

export const sorts = ['popular', 'trending', 'recent', 'likes', 'downloads', 'rating'] as const;
export type Sort = (typeof sorts)[number];

export type RankingIndex = {
  count: number;
  /** 16 bytes each, ascending: as PostgreSQL and MariaDB order them too. */
  ids: Buffer;
  /** What the bits of `categories` mean, from the lowest on. */
  categoryNames: string[];
  /** Two words for each pack: categories 0 to 31, 32 to 63. */
  categories: Uint32Array;
  /** Bits 0 and 1: level of sensitivity, bit 2: animated. */
  traits: Uint8Array;
  /** Two words for each pack: the mark of its creator, zeros where it has none. */
  creators: Uint32Array;
  /** Last change, ms since the epoch. */
  updatedAtMs: Float64Array;
  packScores: Float32Array;
  trends: Float32Array;
  /** By sort: ordinals, the best first. */
  orders: Record<Sort, Uint32Array>;
  summary: MarketplaceSummary;
};

const idBytes = 16;
const animatedBit = 4;

/** Rows that are looked at before others have their turn. */
const rowsPerTurn = 10_000;

/**
 * Orders the rows, which come by ascending id. Takes a second for 100,000 packs, in turns of at most a tenth of that: who renews
 * leases, or answers requests, in the same process must not wait for it.
 Ties go to the newer change, then by id, so that an order is one order.
 * `popular` ranking score; `trending` trend; `recent` last change; `likes`, `downloads` counts; `rating` Wilson lower bound.
 */
export async function buildRankingIndex(
  rows: RankableRow[],
  at: Date,
  options: { ageDecayDays: number; categoryNames: string[] },
): Promise<RankingIndex> {
  const count = rows.length;
  const { categoryNames } = options;
  const bitOf = new Map(categoryNames.map((name, bit) => [name, bit]));
  const index: RankingIndex = {
    count,
    ids: Buffer.from(rows.map((row) => row.pack_id.replaceAll('-', '')).join(''), 'hex'),
    categoryNames,
    categories: new Uint32Array(2 * count),
    traits: new Uint8Array(count),
    creators: new Uint32Array(2 * count),
    updatedAtMs: new Float64Array(count),
    packScores: new Float32Array(count),
    trends: new Float32Array(count),
    orders: {} as Record<Sort, Uint32Array>,
    summary: summariseMarketplace(rows),
  };
  const markOf = rememberedMarks();
  const keys = Object.fromEntries(sorts.map((sort) => [sort, new Float64Array(count)])) as Record<Sort, Float64Array>;
  for (const [ordinal, row] of rows.entries()) {
    if (ordinal % rowsPerTurn === 0) await nextTurn();
    const opens: DecayedOpens = { opensDay: row.opens_day, opensWeek: row.opens_week, at: row.trend_at };
    const counts = {
      open: row.open_count,
      like: row.like_count,
      dislike: row.dislike_count,
      download: row.download_count,
    };
    const trend = trendScore(opens, at);
    for (const name of row.categories) setBit(index.categories, ordinal, bitOf.get(name));
    index.traits[ordinal] = nsfwLevels.indexOf(row.nsfw_level) | (row.is_animated === 1 ? animatedBit : 0);
    index.creators.set(markOf(creatorName(row.publisher, row.theme_key)), 2 * ordinal);
    index.updatedAtMs[ordinal] = row.updated_at.getTime();
    index.packScores[ordinal] = row.pack_score;
    index.trends[ordinal] = trend;
    keys.popular[ordinal] = rankingScore(
      { packScore: row.pack_score, cohesionScore: row.cohesion_score, updatedAt: row.updated_at, opens },
      at,
      options.ageDecayDays,
    );
    keys.trending[ordinal] = trend;
    keys.recent[ordinal] = row.updated_at.getTime();
    keys.likes[ordinal] = counts.like;
    keys.downloads[ordinal] = counts.download;
    keys.rating[ordinal] = ratingScore(counts);
  }
  for (const sort of sorts) {
    await nextTurn();
    index.orders[sort] = order(keys[sort], index.updatedAtMs);
  }
  return index;
}

function order(keys: Float64Array, updatedAtMs: Float64Array): Uint32Array {
  const byAge = (a: number, b: number): number => (updatedAtMs[b] as number) - (updatedAtMs[a] as number) || a - b;
  return Uint32Array.from(keys.keys()).sort((a, b) => (keys[b] as number) - (keys[a] as number) || byAge(a, b));
}

function setBit(words: Uint32Array, ordinal: number, bit: number | undefined): void {
  if (bit === undefined || bit >= 64) return;
  const word = 2 * ordinal + (bit >> 5);
  words[word] = (words[word] ?? 0) | (1 << (bit & 31));
}

/**
 * A creator in 8 bytes: the start of the name's SHA-256. Of a million creators two look the same once in 37 million catalogues;
 * a name that looks like a given other one takes 2^64 tries to find.
 */
function creatorMark(name: string): [number, number] {
  const digest = createHash('sha256').update(name).digest();
  return [digest.readUInt32LE(0), digest.readUInt32LE(4)];
}

/** Most creators have several packs. */
function rememberedMarks(): (name: string | null) => [number, number] {
  const marks = new Map<string | null, [number, number]>([[null, [0, 0]]]);
  return (name) => {
    const mark = marks.get(name) ?? creatorMark(name ?? '');
    marks.set(name, mark);
    return mark;
  };
}

export function packIdAt(index: RankingIndex, ordinal: number): string {
  const hex = index.ids.toString('hex', ordinal * idBytes, (ordinal + 1) * idBytes);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Undefined for a pack that is not in this ranking. */
export function ordinalOf(index: RankingIndex, packId: string): number | undefined {
  const sought = Buffer.from(packId.replaceAll('-', ''), 'hex');
  if (sought.length !== idBytes) return undefined;
  let low = 0;
  let high = index.count - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const difference = index.ids.compare(sought, 0, idBytes, middle * idBytes, (middle + 1) * idBytes);
    if (difference === 0) return middle;
    if (difference < 0) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
}

export type ListFilter = {
  /** Packs with at least one of them; all packs when empty. */
  categories: string[];
  /** Also what is suggestive or explicit. */
  includeSensitive: boolean;
  /** Only animated packs, or only still ones. */
  isAnimated?: boolean | undefined;
  /** Only packs of this creator, by the name that creators are listed under. */
  creator?: string | undefined;
};

/** Says of an ordinal whether the pack passes. */
export function createAcceptance(index: RankingIndex, filter: ListFilter): (ordinal: number) => boolean {
  const wanted = new Uint32Array(2);
  for (const name of filter.categories) setBit(wanted, 0, bitOrNone(index.categoryNames.indexOf(name)));
  const [low = 0, high = 0] = wanted;
  const mark = filter.creator === undefined ? null : creatorMark(filter.creator.trim());
  const byCategory = filter.categories.length > 0;
  return (ordinal) => {
    if (!filter.includeSensitive && isSensitive(index, ordinal)) return false;
    if (filter.isAnimated !== undefined && isAnimated(index, ordinal) !== filter.isAnimated) return false;
    if (mark !== null && !hasMark(index, ordinal, mark)) return false;
    if (!byCategory) return true;
    return (((index.categories[2 * ordinal] ?? 0) & low) | ((index.categories[2 * ordinal + 1] ?? 0) & high)) !== 0;
  };
}

export function isSensitive(index: RankingIndex, ordinal: number): boolean {
  return ((index.traits[ordinal] ?? 0) & 3) >= nsfwLevels.indexOf('suggestive');
}

function isAnimated(index: RankingIndex, ordinal: number): boolean {
  return ((index.traits[ordinal] ?? 0) & animatedBit) !== 0;
}

function hasMark(index: RankingIndex, ordinal: number, [low, high]: [number, number]): boolean {
  return index.creators[2 * ordinal] === low && index.creators[2 * ordinal + 1] === high;
}

/** Names of a pack's categories, in the order of the taxonomy. */
export function categoriesAt(index: RankingIndex, ordinal: number): string[] {
  return index.categoryNames.filter(
    (_, bit) => (((index.categories[2 * ordinal + (bit >> 5)] ?? 0) >>> (bit & 31)) & 1) === 1,
  );
}

const bitOrNone = (bit: number): number | undefined => (bit === -1 ? undefined : bit);

/** Equal for two indexes that put the same packs, with the same filters, in the same orders. */
export function digestOfIndex(index: RankingIndex): string {
  const hash = createHash('sha256').update(index.ids).update(bytesOf(index.categories)).update(index.traits);
  hash.update(bytesOf(index.creators));
  for (const sort of sorts) hash.update(bytesOf(index.orders[sort]));
  return hash.digest('hex');
}

/** Bytes by name, as they are stored: little-endian, as on every processor that Node.js runs on. */
export type IndexParts = Map<string, Buffer>;

export function encodeIndex(index: RankingIndex): IndexParts {
  const parts: IndexParts = new Map([
    ['ids', index.ids],
    ['categories', bytesOf(index.categories)],
    ['traits', bytesOf(index.traits)],
    ['creators', bytesOf(index.creators)],
    ['updated', bytesOf(index.updatedAtMs)],
    ['score', bytesOf(index.packScores)],
    ['trend', bytesOf(index.trends)],
    ['names', Buffer.from(JSON.stringify(index.categoryNames))],
    ['summary', Buffer.from(JSON.stringify(index.summary))],
  ]);
  for (const sort of sorts) parts.set(`order:${sort}`, bytesOf(index.orders[sort]));
  return parts;
}

/** Null when parts are missing: the generation was published by a release that stored it in another form. */
export function decodeIndex(parts: IndexParts): RankingIndex | null {
  const ids = parts.get('ids');
  const names = parts.get('names');
  const summary = parts.get('summary');
  if (!ids || !names || !summary || !parts.has('creators')) return null;
  const count = ids.length / idBytes;
  const part = (name: string, bytesEach: number): ArrayBuffer => {
    const bytes = parts.get(name);
    if (bytes?.length !== count * bytesEach)
      throw new Error(`A ranking of ${count} packs has no usable part "${name}"`);
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
  };
  return {
    count,
    ids,
    categoryNames: JSON.parse(names.toString('utf8')) as string[],
    categories: new Uint32Array(part('categories', 8)),
    traits: new Uint8Array(part('traits', 1)),
    creators: new Uint32Array(part('creators', 8)),
    updatedAtMs: new Float64Array(part('updated', 8)),
    packScores: new Float32Array(part('score', 4)),
    trends: new Float32Array(part('trend', 4)),
    orders: Object.fromEntries(sorts.map((sort) => [sort, new Uint32Array(part(`order:${sort}`, 4))])) as Record<
      Sort,
      Uint32Array
    >,
    summary: JSON.parse(summary.toString('utf8')) as MarketplaceSummary,
  };
}

function bytesOf(array: Uint8Array | Uint32Array | Float32Array | Float64Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}
