/**
 * Paging to the end over HTTP while the catalogue does not stand still: scores change, packs come and packs are hidden, and new
 * rankings are published meanwhile. What a walk must show is worked out from the database's clock, not from any ranking.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createCatalogueClient, startFleet, testDatabaseKinds, waitFor, type Fleet } from '@omnizap/testkit';
import { v7 as uuidv7 } from 'uuid';

/** Enough that a word in every second pack is one that the search does not list. */
const packCount = 4_600;
/** The longest walk waits for three: a catalogue of this size rests for up to twenty seconds between two. */
const pagesBetweenGenerations = 30;
const patience = { timeoutMs: 90_000, intervalMs: 100 };

type Made = {
  key: string;
  words: string[];
  categories: string[];
  isSensitive: boolean;
  /** By the database's clock: before its transaction began, and once it was committed. */
  begunAt: Date;
  thereAt: Date;
  hiddenAt: Date | null;
};
type Page = {
  data: { pack_key: string }[];
  pagination: { next_cursor: string | null };
  meta: { generation: number; refreshed_at: string };
};
type Walk = {
  name: string;
  query: string;
  passes: (pack: Made) => boolean;
};

const walks: Walk[] = [
  { name: 'everything, best first', query: 'sort=popular&limit=60&include_sensitive=true', passes: () => true },
  {
    name: 'one category',
    query: 'sort=rating&limit=30&category=love',
    passes: ({ categories, isSensitive }) => categories.includes('love') && !isSensitive,
  },
  {
    name: 'a common word',
    query: 'sort=likes&limit=40&q=azul',
    passes: ({ words, isSensitive }) => words.includes('azul') && !isSensitive,
  },
  {
    name: 'a rare word in two categories',
    query: 'sort=trending&limit=3&q=unico&category=love&category=food&include_sensitive=true',
    passes: ({ words, categories }) => words.includes('unico') && categories.length > 0,
  },
];

describe.each(testDatabaseKinds())('paging through a catalogue that changes, on %s', (kind) => {
  let fleet: Fleet;
  const packs = new Map<string, Made>();

  beforeAll(async () => {
    fleet = await startFleet(kind, { processes: ['api', 'maintenance'] });
    await addPacks(packCount);
  }, 180_000);
  afterAll(async () => await fleet?.stop(), 60_000);

  async function now(): Promise<Date> {
    const [row] = await fleet.database.knex.select<{ at: Date }[]>(
      fleet.database.knex.raw('CURRENT_TIMESTAMP(3) AS at'),
    );
    return row?.at ?? new Date(NaN);
  }

  /** As the workers leave them. */
  async function addPacks(count: number): Promise<void> {
    const first = packs.size;
    const begunAt = await now();
    const made = Array.from({ length: count }, (_, index) => {
      const number = first + index;
      const words = ['figurinhas', ...(number % 2 === 0 ? ['azul'] : []), ...(number % 23 === 0 ? ['unico'] : [])];
      const categories = [...(number % 3 === 0 ? ['love'] : []), ...(number % 5 === 0 ? ['food'] : [])];
      return { id: uuidv7(), key: `pack-${number}`, number, words, categories, isSensitive: number % 50 === 1 };
    });
    await fleet.database.transaction(async (trx) => {
      await trx.batchInsert(
        'sticker_pack',
        made.map(({ id, key, words }) => ({
          ...{ id, pack_key: key, owner_id: 'owner', name: words.join(' '), publisher: 'Somebody', tags: '[]' },
          ...{ visibility: 'public', status: 'published' },
        })),
        500,
      );
      await trx.batchInsert(
        'sticker_pack_engagement',
        made.map(({ id, number }) => ({ pack_id: id, like_count: (number * 7_919) % 1_000, open_count: number % 97 })),
        500,
      );
      await trx.batchInsert(
        'sticker_pack_score_snapshot',
        made.map(({ id, number, categories, isSensitive }) => ({
          ...{ pack_id: id, source_version: 1, pack_score: ((number * 7_919) % 1_000) / 1_000, quality_score: 0.5 },
          ...{ engagement_score: 0.5, diversity_score: 0.5, cohesion_score: 0.5, confidence_score: 0.5 },
          ...{ duplicate_share: 0, nsfw_level: isSensitive ? 'explicit' : 'safe', is_listed: 1, is_animated: 0 },
          ...{ is_whatsapp_ready: 1, sticker_count: 3, categories: JSON.stringify(categories), labels: '[]' },
          engagement_version: 0,
        })),
        500,
      );
      await trx.batchInsert(
        'sticker_pack_term',
        made.flatMap(({ id, words }) => words.map((word) => ({ pack_id: id, term: Buffer.from(word) }))),
        500,
      );
    });
    const thereAt = await now();
    for (const { id, key, words, categories, isSensitive } of made)
      packs.set(id, { key, words, categories, isSensitive, begunAt, thereAt, hiddenAt: null });
  }

  async function hide(id: string): Promise<void> {
    await fleet.database.transaction(async (trx) => {
      await trx('sticker_pack')
        .where({ id })
        .update({ visibility: 'private', version: trx.raw('version + 1') });
      await trx('sticker_pack_score_snapshot')
        .where({ pack_id: id })
        .update({
          is_listed: 0,
          source_version: trx.raw('source_version + 1'),
          refreshed_at: trx.raw('CURRENT_TIMESTAMP(3)'),
        });
      await trx('sticker_pack_term').where({ pack_id: id }).delete();
    });
    const pack = packs.get(id);
    if (pack) pack.hiddenAt = await now();
  }

  /** Turns the order of some packs upside down. */
  async function shuffle(ids: string[]): Promise<void> {
    const { knex } = fleet.database;
    await knex('sticker_pack_score_snapshot')
      .whereIn('pack_id', ids)
      .update({
        pack_score: knex.raw('1.4 - pack_score'),
        source_version: knex.raw('source_version + 1'),
        refreshed_at: knex.raw('CURRENT_TIMESTAMP(3)'),
      });
    await knex('sticker_pack_engagement')
      .whereIn('pack_id', ids)
      .update({ like_count: knex.raw('1000 - like_count'), version: knex.raw('version + 1') });
  }

  const newestGeneration = async (): Promise<number> => {
    const [row] = await fleet.database
      .knex('ranking_generation')
      .max<{ newest: number | null }[]>({ newest: 'generation' });
    return row?.newest ?? 0;
  };

  type Seen = { key: string; askedAt: Date };

  async function walk({ query }: Walk): Promise<{ seen: Seen[]; generations: number[]; first: Page; firstAt: Date }> {
    const client = createCatalogueClient(fleet.apiUrl);
    const seen: Seen[] = [];
    const generations: number[] = [];
    let first: { page: Page; at: Date } | undefined;
    let cursor: string | null = '';
    for (let number = 1; cursor !== null; number += 1) {
      const askedAt = await now();
      const page: Page = (await client.list(`?${query}${cursor === '' ? '' : `&cursor=${cursor}`}`)) as unknown as Page;
      first ??= { page, at: await now() };
      generations.push(page.meta.generation);
      seen.push(...page.data.map(({ pack_key }) => ({ key: pack_key, askedAt })));
      cursor = page.pagination.next_cursor;
      if (number % pagesBetweenGenerations !== 1) continue;
      const before = await newestGeneration();
      await waitFor(async () => (await newestGeneration()) > before, { ...patience, description: 'a new ranking' });
    }
    if (!first) throw new Error('There was no page');
    return { seen, generations, first: first.page, firstAt: first.at };
  }

  it('shows each pack of the first page’s ranking exactly once, whatever happens meanwhile', async () => {
    await waitFor(
      async () => {
        const { data } = await createCatalogueClient(fleet.apiUrl).list();
        return data.length === 24;
      },
      { ...patience, description: 'the first ranking' },
    );
    let isOver = false;
    const churn = (async () => {
      for (let round = 1; !isOver; round += 1) {
        const ids = [...packs.keys()];
        await shuffle(ids.filter((_, index) => index % 10 === round % 10));
        await addPacks(3);
        const victim = ids[(round * 101) % packCount] ?? '';
        if (packs.get(victim)?.hiddenAt === null) await hide(victim);
      }
    })();

    const results = await Promise.all(walks.map(async (one) => ({ ...one, ...(await walk(one)) }))).finally(() => {
      isOver = true;
    });
    await churn;

    for (const { name, passes, seen, generations, first, firstAt } of results) {
      const rankedAt = new Date(first.meta.refreshed_at);
      const count = new Map<string, number>();
      for (const { key } of seen) count.set(key, (count.get(key) ?? 0) + 1);
      const keysOf = (wanted: (pack: Made) => boolean): string[] =>
        [...packs.values()].filter((pack) => passes(pack) && wanted(pack)).map(({ key }) => key);
      const isSeen = (key: string): boolean => count.has(key);

      const mustBeSeen = keysOf(({ thereAt, hiddenAt }) => thereAt < rankedAt && hiddenAt === null);
      expect(mustBeSeen.length).toBeGreaterThan(20);
      expect([name, 'missing', mustBeSeen.filter((key) => !isSeen(key))]).toEqual([name, 'missing', []]);
      expect([name, 'repeated', [...count].filter(([, times]) => times > 1)]).toEqual([name, 'repeated', []]);
      const mayBeSeen = new Set(keysOf(() => true));
      expect([name, 'foreign', [...count.keys()].filter((key) => !mayBeSeen.has(key))]).toEqual([name, 'foreign', []]);
      const late = keysOf(({ begunAt }) => begunAt > firstAt).filter(isSeen);
      expect([name, 'younger than the ranking', late]).toEqual([name, 'younger than the ranking', []]);
      const hiddenAt = new Map([...packs.values()].map((pack) => [pack.key, pack.hiddenAt]));
      const shown = seen.filter(({ key, askedAt }) => (hiddenAt.get(key) ?? askedAt) < askedAt);
      expect([name, 'hidden', shown]).toEqual([name, 'hidden', []]);
      expect([name, 'rankings', new Set(generations).size]).toEqual([name, 'rankings', 1]);
    }
    // It did change: all the while.
    expect(packs.size).toBeGreaterThan(packCount + 20);
    expect([...packs.values()].filter((pack) => pack.hiddenAt !== null).length).toBeGreaterThan(5);
    expect((await newestGeneration()) - Math.min(...results.map(({ first }) => first.meta.generation))).toBeGreaterThan(
      1,
    );
  }, 300_000);
});
