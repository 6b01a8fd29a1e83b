/**
 * What readers of the catalogue ask again and again, run by the code that asks it, and how many rows the server may read for it:
 * bounds that know the size of a page and of a pack, not that of the catalogue.
 */
import {
  createCatalogueReader,
  createRankingPublisher,
  type CatalogueReader,
  type ListFilters,
} from '@omnizap/catalog';
import { createLogger, createMetrics, createWakeups, type Database } from '@omnizap/runtime';
import { createPackIds, planPack } from '../seed/bulk/plan-packs.ts';
import type { HotQuery } from './hot-queries.ts';

const pageSize = 24;
const ageDecayDays = 45;
/** As `maxListedRows` of the search: a list that is longer is not made. */
const listedRows = 2_000;

/** `packs` of that seed must be there, made by `db:seed -- --packs`. Publishes a ranking. */
export async function createCatalogueQueries(
  database: Database,
  options: { queueUrl: string; seed: number; stickersPerPack: number },
): Promise<HotQuery[]> {
  const { seed, stickersPerPack } = options;
  await publishRanking(database, options.queueUrl);
  /** With the ranking in memory and no word looked up. */
  const freshReader = async (): Promise<CatalogueReader> => {
    const reader = createCatalogueReader({ database }, { ageDecayDays });
    await locate(reader);
    return reader;
  };
  const locate = (reader: CatalogueReader, filters: Partial<ListFilters> = {}) =>
    reader.locatePage({
      ...{ sort: 'popular', limit: pageSize, source: 'snapshot' },
      filters: { query: undefined, categories: [], includeSensitive: true, ...filters },
    });
  const readers = { plain: await freshReader() };
  const page = await locate(readers.plain);
  if (page.ids.length !== pageSize) throw new Error(`A page of ${page.ids.length} packs instead of ${pageSize}`);
  const listed = firstListed(seed);
  const search = async (name: string, query: string, atMostRows: number): Promise<HotQuery> => {
    const reader = await freshReader();
    return { name: `search, ${name}`, atMostRows, run: () => locate(reader, { query }) };
  };

  return [
    // The newest generation is looked up once a second.
    { name: 'list, where a page is', atMostRows: 10, run: () => locate(readers.plain) },
    { name: `list, stamps of ${pageSize} packs`, atMostRows: 6 * pageSize, run: () => readers.plain.stamps(page.ids) },
    {
      name: `list, ${pageSize} packs`,
      // Four rows each, and their stickers are counted.
      atMostRows: (5 + 2 * stickersPerPack) * pageSize,
      run: () => readers.plain.readPage(page),
    },
    {
      name: 'detail',
      // Of a sticker: its place, asset, classification and two derivatives, by index and by table.
      atMostRows: 60 + 14 * stickersPerPack,
      run: () => readers.plain.readPack(listed.packKey, null),
    },
    {
      name: 'asset',
      // Pack, place, sticker, derivative and what the bucket has of it, each by its key; MariaDB counts every step to a key.
      atMostRows: 20,
      run: () => readers.plain.findFile(listed.packKey, listed.stickerId, 'sticker', null),
    },
    await search('a word of few packs', listed.publisher.split(' ')[0] ?? '', 3_000),
    // Every prefix step is one row; then as many rows as make a word common, and stretches of the walk by primary key.
    await search('a word of nearly all packs', 'transparent', listedRows + 2_000),
    await search('the beginning of words', 'tra', listedRows + 4_000),
    await search('an emoji', '🐱', listedRows + 2_000),
    await search('two words of nearly all packs', 'transparent colourful', 3 * listedRows + 45_000),
  ];
}

/** A generation of what the tables say now. */
export async function publishRanking(database: Database, queueUrl: string): Promise<void> {
  const log = createLogger({ level: 'silent', format: 'json', process: 'bench' });
  await createRankingPublisher(
    {
      ...{ database, log, wakeups: createWakeups({ queueUrl, log }) },
      metrics: createMetrics({ version: '0', release: 'stable', process: 'bench' }),
    },
    { refreshIntervalMs: 1, ageDecayDays, mayPublish: () => true },
  ).pass();
}

function firstListed(seed: number) {
  for (let number = 1; ; number += 1) {
    const { packKey, publisher, visibility, status } = planPack(seed, number);
    if (visibility === 'public' && status === 'published')
      return { packKey, publisher, stickerId: createPackIds(seed).sticker(number, 0) };
  }
}
