import { beforeAll, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { randomNumbers } from '../test/builders.ts';
import { nsfwLevels } from './nsfw-level.ts';
import { rankingScore, ratingScore, trendScore } from './ranking-formulas.ts';
import {
  buildRankingIndex,
  categoriesAt,
  createAcceptance,
  decodeIndex,
  digestOfIndex,
  encodeIndex,
  ordinalOf,
  packIdAt,
  sorts,
  type ListFilter,
  type RankingIndex,
} from './ranking-index.ts';
import type { RankableRow } from './rankable-row.ts';
import { walkRanking } from './walk-ranking.ts';

const at = new Date('2026-11-27T12:00:00Z');
const ageDecayDays = 45;
/** As many as there can be, so that both words of bits are used. */
const categoryNames = Array.from({ length: 64 }, (_, number) => `category-${number}`);

function buildRows(count: number, seed = 7): RankableRow[] {
  const next = randomNumbers(seed);
  const upTo = (limit: number): number => Math.floor(next() * limit);
  return Array.from({ length: count }, () => ({
    pack_id: uuidv7(),
    pack_score: next() * 1.5,
    cohesion_score: next(),
    updated_at: new Date(at.getTime() - upTo(90) * 86_400_000),
    open_count: upTo(50),
    like_count: upTo(10),
    dislike_count: upTo(5),
    download_count: upTo(4),
    opens_day: next() * 5,
    opens_week: next() * 20,
    trend_at: new Date(at.getTime() - upTo(7) * 86_400_000),
    nsfw_level: nsfwLevels[upTo(4)] ?? 'safe',
    is_animated: upTo(2),
    categories: Array.from({ length: upTo(4) }, () => categoryNames[upTo(64)] ?? ''),
    sticker_count: upTo(31),
    publisher: `publisher ${upTo(20)}`,
    theme_key: null,
  })).sort((a, b) => (a.pack_id < b.pack_id ? -1 : 1));
}

const build = (rows: RankableRow[]) => buildRankingIndex(rows, at, { ageDecayDays, categoryNames });
const everything = { categories: [], includeSensitive: true };

describe('a ranking index', () => {
  const rows = buildRows(500);
  let index: RankingIndex;

  beforeAll(async () => {
    index = await build(rows);
  });

  it('finds each pack by its id and says its id again', () => {
    for (const [ordinal, row] of rows.entries()) {
      expect(ordinalOf(index, row.pack_id)).toBe(ordinal);
      expect(packIdAt(index, ordinal)).toBe(row.pack_id);
    }
  });

  it('knows nothing of packs that are not in it', async () => {
    expect(ordinalOf(index, uuidv7())).toBeUndefined();
    expect(ordinalOf(index, '00000000-0000-0000-0000-000000000000')).toBeUndefined();
    expect(ordinalOf(index, 'ffffffff-ffff-ffff-ffff-ffffffffffff')).toBeUndefined();
    expect(ordinalOf(index, 'nothing')).toBeUndefined();
    expect(ordinalOf(await build([]), uuidv7())).toBeUndefined();
  });

  it.each(sorts)('has every pack once in %s, in the order that its formula gives', (sort) => {
    const keyOf = (row: RankableRow): number => {
      const opens = { opensDay: row.opens_day, opensWeek: row.opens_week, at: row.trend_at };
      const counts = { open: row.open_count, like: row.like_count, dislike: row.dislike_count, download: 0 };
      const pack = {
        ...{ packScore: row.pack_score, cohesionScore: row.cohesion_score },
        ...{ updatedAt: row.updated_at, opens },
      };
      return {
        popular: () => rankingScore(pack, at, ageDecayDays),
        trending: () => trendScore(opens, at),
        recent: () => row.updated_at.getTime(),
        likes: () => row.like_count,
        downloads: () => row.download_count,
        rating: () => ratingScore(counts),
      }[sort]();
    };
    const expected = rows
      .toSorted(
        (a, b) =>
          keyOf(b) - keyOf(a) || b.updated_at.getTime() - a.updated_at.getTime() || (a.pack_id < b.pack_id ? -1 : 1),
      )
      .map((row) => row.pack_id);

    expect([...index.orders[sort]].map((ordinal) => packIdAt(index, ordinal))).toEqual(expected);
  });

  it('keeps the categories of each pack', () => {
    for (const [ordinal, row] of rows.entries())
      expect(new Set(categoriesAt(index, ordinal))).toEqual(new Set(row.categories));
  });

  it('accepts by category and by sensitivity what the rows say', () => {
    const filters: ListFilter[] = [
      everything,
      { categories: [], includeSensitive: false },
      { categories: ['category-3', 'category-40', 'category-63'], includeSensitive: false },
      { categories: ['category-31'], includeSensitive: true },
      { categories: [], includeSensitive: true, isAnimated: true },
      { categories: ['category-31'], includeSensitive: false, isAnimated: false },
      { categories: [], includeSensitive: true, creator: 'publisher 3' },
      { categories: [], includeSensitive: false, isAnimated: true, creator: ' publisher 3 ' },
      { categories: [], includeSensitive: true, creator: 'Publisher 3' },
      { categories: [], includeSensitive: true, creator: 'publisher' },
      { categories: ['no such category'], includeSensitive: true },
    ];
    for (const filter of filters) {
      const accepts = createAcceptance(index, filter);
      const expected = rows.map(
        (row) =>
          (filter.isAnimated === undefined || filter.isAnimated === (row.is_animated === 1)) &&
          (filter.creator === undefined || filter.creator.trim() === row.publisher) &&
          (filter.includeSensitive || row.nsfw_level === 'safe' || row.nsfw_level === 'unknown') &&
          (filter.categories.length === 0 || row.categories.some((name) => filter.categories.includes(name))),
      );
      expect(rows.map((_, ordinal) => accepts(ordinal))).toEqual(expected);
    }
  });

  it('knows no creator of a pack of curation or without a publisher, and takes no notice of spaces around a name', async () => {
    const [first, second, third] = rows as [RankableRow, RankableRow, RankableRow];
    const marked = await build([
      { ...first, publisher: 'Maria', theme_key: 'love' },
      { ...second, publisher: ' Maria ' },
      { ...third, publisher: ' ' },
    ]);
    const accepted = (creator: string): boolean[] =>
      [0, 1, 2].map(createAcceptance(marked, { categories: [], includeSensitive: true, creator }));

    expect(accepted('Maria')).toEqual([false, true, false]);
    expect(accepted('')).toEqual([false, false, false]);
  });

  it.each([0, 1, 500])('is the same after being stored and read, with %s packs', async (count) => {
    const before = await build(rows.slice(0, count));
    // Read back from larger buffers, as drivers give them.
    const parts = new Map(
      [...encodeIndex(before)].map(([name, bytes]) => [name, Buffer.concat([Buffer.alloc(3), bytes]).subarray(3)]),
    );

    expect(decodeIndex(parts)).toEqual(before);
  });

  it('lets others have their turn while a large one is made', async () => {
    let turns = 0;
    const counting = setInterval(() => (turns += 1), 0);
    await build(buildRows(25_000, 17)).finally(() => clearInterval(counting));

    // At each of the six orders, and between stretches of rows.
    expect(turns).toBeGreaterThanOrEqual(6);
  });

  it('is not readable when it was stored in another form, and refuses one that is cut', () => {
    const parts = encodeIndex(index);

    expect(decodeIndex(new Map([['popular', index.ids]]))).toBeNull();
    expect(() => decodeIndex(new Map(parts).set('order:likes', Buffer.alloc(8)))).toThrow('order:likes');
  });

  it('has another digest when an order or a filter changes, and the same when only a score moves', async () => {
    const [first, ...rest] = rows as [RankableRow, ...RankableRow[]];
    const changed = async (changes: Partial<RankableRow>): Promise<string> =>
      digestOfIndex(await build([{ ...first, ...changes }, ...rest]));

    expect(await changed({})).toBe(digestOfIndex(index));
    expect(await changed({ pack_score: first.pack_score + 1e-9 })).toBe(digestOfIndex(index));
    expect(await changed({ like_count: 1_000 })).not.toBe(digestOfIndex(index));
    expect(await changed({ nsfw_level: first.nsfw_level === 'safe' ? 'explicit' : 'safe' })).not.toBe(
      digestOfIndex(index),
    );
    expect(await changed({ categories: ['category-50'] })).not.toBe(digestOfIndex(index));
    expect(await changed({ publisher: 'somebody else' })).not.toBe(digestOfIndex(index));
  });
});

describe('walkRanking', () => {
  const rows = buildRows(2_000, 11);
  let index: RankingIndex;
  let accepts: (ordinal: number) => boolean;
  let passing: string[];

  beforeAll(async () => {
    index = await build(rows);
    accepts = createAcceptance(index, { categories: [], includeSensitive: false });
    passing = [...index.orders.popular].filter(accepts).map((ordinal) => packIdAt(index, ordinal));
  });

  async function walk(limit: number, matches: Parameters<typeof walkRanking>[1]['matches']): Promise<string[][]> {
    const pages: string[][] = [];
    for (let position: number | null = 0; position !== null;) {
      const page = await walkRanking(index, { sort: 'popular', position, limit, accepts, matches });
      pages.push(page.packIds);
      position = page.nextPosition;
    }
    return pages;
  }
  const among = (wanted: Set<string>) => (packIds: string[]) =>
    Promise.resolve(new Set(packIds.filter((id) => wanted.has(id))));

  it('goes over all that passes, in full pages but for the last', async () => {
    const pages = await walk(60, null);

    expect(pages.flat()).toEqual(passing);
    expect(pages.slice(0, -1).every((page) => page.length === 60)).toBe(true);
    expect(pages.at(-1)).not.toEqual([]);
  });

  it('finds the same for a list of matches as for asking, each in the order of the ranking', async () => {
    const wanted = new Set(rows.filter((_, number) => number % 7 === 0).map((row) => row.pack_id));
    const expected = passing.filter((id) => wanted.has(id));

    const few = await walk(10, { kind: 'few', packIds: [...wanted, uuidv7()] });
    const many = await walk(10, { kind: 'many', among: among(wanted) });

    expect(few.flat()).toEqual(expected);
    expect(many).toEqual(few);
  });

  it('ends a page early rather than ask for the whole of a large catalogue, and goes on behind it', async () => {
    const large = await build(buildRows(45_000, 13));
    const last = packIdAt(large, large.orders.likes.at(-1) ?? 0);
    let asked = 0;
    const matches = {
      kind: 'many' as const,
      among: (packIds: string[]) => {
        asked += packIds.length;
        return among(new Set([last]))(packIds);
      },
    };
    const found: string[] = [];
    let pages = 0;
    for (let position: number | null = 0; position !== null; pages += 1) {
      const before = asked;
      const page = await walkRanking(large, { sort: 'likes', position, limit: 24, accepts: () => true, matches });
      expect(asked - before).toBeLessThanOrEqual(20_500);
      found.push(...page.packIds);
      position = page.nextPosition;
    }

    expect(found).toEqual([last]);
    expect(pages).toBe(3);
  });
});
