/**
 * Looks around in the running catalogue and makes requests of what it finds, as visitors would: lists in every order with filters
 * and further pages, packs, bytes of still and animated stickers (some of which the visitor has already), searches for words that
 * exist and for some that do not, figures, pages, and opens and likes.
 */
import { z } from 'zod';
import { createSeededRandom } from '../simulation/seeded-random.ts';
import type { LoadRequest, RequestGroup } from './request-mix.ts';

const sorts = ['popular', 'trending', 'recent', 'likes', 'downloads', 'rating'] as const;
const pageLimit = 24;
const largestPage = 60;
const pagesFollowed = 5;
const packsRead = 120;
const picturesRemembered = 40;
const searches = 120;
/** What the catalogue takes from one address as different viewers: more of them would be answered, and not counted. */
const viewers = 20;

const packSchema = z.object({
  pack_key: z.string(),
  name: z.string(),
  publisher: z.string(),
  is_animated: z.boolean(),
  tags: z.array(z.string()),
  categories: z.array(z.string()),
});
const listSchema = z.object({
  data: z.array(packSchema),
  pagination: z.object({ next_cursor: z.string().nullable() }),
});
const stickerSchema = z.object({
  asset_url: z.string().nullable(),
  emojis: z.array(z.string()),
  is_animated: z.boolean().nullable(),
});
const detailSchema = z.object({ data: z.object({ stickers: z.array(stickerSchema) }) });
const statsSchema = z.object({ data: z.object({ packs_total: z.number(), stickers_total: z.number() }) });

export type Dataset = { packs: number; stickers: number };
export type Answer = { status: number; etag: string | undefined; text: string };
/** GET of a path of the target. */
export type Ask = (path: string, headers?: Record<string, string>) => Promise<Answer>;

/** How many packs and stickers the target has; null when it does not say, as a server that is not a catalogue. */
export async function readDataset(ask: Ask): Promise<Dataset | null> {
  const { status, text } = await ask('/api/sticker-packs/stats').catch(() => ({ status: 0, text: '' }));
  const read = status === 200 ? statsSchema.safeParse(parseJson(text)) : null;
  return read?.success === true ? { packs: read.data.data.packs_total, stickers: read.data.data.stickers_total } : null;
}

export type Discovered = {
  groups: RequestGroup[];
  /** Kinds of requests that the catalogue has nothing for, as further pages of few packs. */
  leftOut: string[];
};

/** @throws Error with a line for the user when the target is no catalogue or has no packs */
export async function discoverCatalogue(
  ask: Ask,
  { hasWrites, seed }: { hasWrites: boolean; seed: number },
): Promise<Discovered> {
  const read = createReader(ask);
  const packs: z.infer<typeof packSchema>[] = [];
  const further: LoadRequest[] = [];
  for (const sort of sorts)
    further.push(...(await followPages(read, `/api/sticker-packs?sort=${sort}&limit=${pageLimit}`)));
  let path: string | null = `/api/sticker-packs?limit=${largestPage}`;
  while (path !== null && packs.length < packsRead) {
    const page: z.infer<typeof listSchema> = await read(path, listSchema);
    packs.push(...page.data);
    path =
      page.pagination.next_cursor === null
        ? null
        : `/api/sticker-packs?limit=${largestPage}&cursor=${encodeURIComponent(page.pagination.next_cursor)}`;
  }
  if (packs.length === 0)
    throw new Error('The catalogue has no published packs: fill it first (npm run db:seed), or give --paths');

  const stickers: z.infer<typeof stickerSchema>[] = [];
  for (const { pack_key } of packs.slice(0, packsRead))
    stickers.push(...(await read(`/api/sticker-packs/${pack_key}`, detailSchema)).data.stickers);
  const random = createSeededRandom(seed);
  const pictures = shuffle(stickers, random).flatMap(({ asset_url, is_animated }) =>
    asset_url === null ? [] : [{ is_animated, path: pathOf(asset_url) }],
  );
  const still = pictures.filter(({ is_animated }) => is_animated !== true);
  const animated = pictures.filter(({ is_animated }) => is_animated === true);
  const keys = packs.map(({ pack_key }) => pack_key);
  const gets = (paths: string[]): LoadRequest[] => paths.map((each) => ({ method: 'GET', path: each }));
  const group = (label: string, weight: number, requests: LoadRequest[], isSkewed = true): RequestGroup => ({
    label,
    weight,
    requests,
    isSkewed,
  });

  const filtered = await followable(read, filteredLists(packs));
  const all: RequestGroup[] = [
    ...sorts.map((sort) =>
      group(`list ${sort}`, sort === 'popular' ? 8 : 3, gets([`/api/sticker-packs?sort=${sort}&limit=${pageLimit}`])),
    ),
    group('list filtered', 8, gets(filtered.first)),
    group('list next page', 7, [...further, ...filtered.further], false),
    group(
      'list unchanged (If-None-Match)',
      3,
      await remembered(
        ask,
        sorts.map((sort) => `/api/sticker-packs?sort=${sort}&limit=${pageLimit}`),
      ),
    ),
    group('search found', 8, gets(searchPaths(words(packs, stickers, random)))),
    group('search nothing', 2, gets(searchPaths(nonsense(random))), false),
    group('pack', 12, gets(keys.map((key) => `/api/sticker-packs/${key}`))),
    group('sticker still', 14, gets(still.map((one) => one.path))),
    group('sticker animated', 4, gets(animated.map((one) => one.path))),
    group('sticker preview', 8, gets(pictures.map((one) => withQuery(one.path, 'variant=preview')))),
    group(
      'sticker unchanged (If-None-Match)',
      5,
      await remembered(
        ask,
        pictures.slice(0, picturesRemembered).map((one) => one.path),
      ),
    ),
    group('marketplace stats', 2, gets(['/api/marketplace/stats', '/api/sticker-packs/stats'])),
    group('creators and shelves', 3, gets(['/api/sticker-packs/intents', '/api/sticker-packs/creators?limit=25'])),
    group('page gallery', 2, gets(['/stickers', '/'])),
    group('page pack', 3, gets(keys.map((key) => `/stickers/${key}`))),
    ...(hasWrites ? [group('open', 4, votes('open', keys, seed)), group('like', 1, votes('like', keys, seed))] : []),
  ];
  const isEmpty = ({ requests }: RequestGroup): boolean => requests.length === 0;
  return {
    groups: all.filter((each) => !isEmpty(each)),
    leftOut: all.filter(isEmpty).map(({ label }) => label),
  };
}

type Read = <T>(path: string, schema: z.ZodType<T>) => Promise<T>;

function createReader(ask: Ask): Read {
  return async (path, schema) => {
    const { status, text } = await ask(path);
    const read = schema.safeParse(parseJson(text));
    if (status === 200 && read.success) return read.data;
    throw new Error(
      `${path} was answered with ${status === 200 ? 'something else than a catalogue answers' : String(status)}: ` +
        'is --base-url an OmniZap Stickers API that is ready? (npm run ops -- doctor)',
    );
  };
}

/** Requests for the pages after the first one. */
async function followPages(read: Read, first: string): Promise<LoadRequest[]> {
  const found: LoadRequest[] = [];
  let path = first;
  for (let page = 0; page < pagesFollowed; page += 1) {
    const { next_cursor } = (await read(path, listSchema)).pagination;
    if (next_cursor === null) break;
    path = `${first}&cursor=${encodeURIComponent(next_cursor)}`;
    found.push({ method: 'GET', path });
  }
  return found;
}

async function followable(read: Read, first: string[]): Promise<{ first: string[]; further: LoadRequest[] }> {
  const further: LoadRequest[] = [];
  for (const path of first.slice(0, pagesFollowed)) further.push(...(await followPages(read, path)));
  return { first, further };
}

function filteredLists(packs: z.infer<typeof packSchema>[]): string[] {
  const categories = mostFrequent(packs.flatMap((pack) => pack.categories));
  const creators = mostFrequent(packs.map(({ publisher }) => publisher));
  const filters = [
    ...categories.slice(0, 8).map((category) => `category=${encodeURIComponent(category)}`),
    ...categories
      .slice(1, 4)
      .map((category) => `category=${encodeURIComponent(category)}&category=${categories[0] ?? ''}`),
    'animated=true',
    'animated=false',
    'include_sensitive=false',
    ...creators.slice(0, 8).map((creator) => `creator=${encodeURIComponent(creator)}`),
  ];
  return filters.map(
    (filter, index) =>
      `/api/sticker-packs?sort=${sorts[index % sorts.length] ?? 'popular'}&${filter}&limit=${pageLimit}`,
  );
}

/** Words of names, publishers and tags, beginnings of words as they are typed, pairs, and emojis. */
function words(
  packs: z.infer<typeof packSchema>[],
  stickers: z.infer<typeof stickerSchema>[],
  random: () => number,
): string[] {
  const all = [...new Set(packs.flatMap(({ name, tags }) => [...name.split(/\s+/), ...tags]))].filter((word) =>
    /^\p{Letter}{3,}$/u.test(word),
  );
  const emojis = mostFrequent(stickers.flatMap((sticker) => sticker.emojis)).slice(0, 20);
  const pairs = packs.slice(0, 20).map(({ name }) => name.split(/\s+/).slice(0, 2).join(' '));
  const typed = all.slice(0, 20).map((word) => word.slice(0, 3));
  return shuffle([...new Set([...all, ...emojis, ...pairs, ...typed])], random).slice(0, searches);
}

function nonsense(random: () => number): string[] {
  const letters = 'bcdfghjklmnpqrstvwxz';
  const letter = (): string => letters[Math.floor(random() * letters.length)] ?? 'x';
  return Array.from({ length: searches / 2 }, () => `zq${Array.from({ length: 8 }, letter).join('')}`);
}

const searchPaths = (terms: string[]): string[] =>
  terms.map((term) => `/api/sticker-packs?q=${encodeURIComponent(term)}&limit=${pageLimit}`);

/** Requests of somebody who has the answer already. */
async function remembered(ask: Ask, paths: string[]): Promise<LoadRequest[]> {
  const found: LoadRequest[] = [];
  for (const path of paths) {
    const { status, etag } = await ask(path);
    if (status === 200 && etag !== undefined) found.push({ method: 'GET', path, headers: { 'if-none-match': etag } });
  }
  return found;
}

function votes(interaction: 'open' | 'like', keys: string[], seed: number): LoadRequest[] {
  return keys.flatMap((key) =>
    Array.from({ length: viewers }, (_none, viewer): LoadRequest => ({
      method: 'POST',
      path: `/api/sticker-packs/${key}/${interaction}`,
      headers: { 'x-viewer-key': `loadtest-${seed}-${viewer}` },
    })),
  );
}

function mostFrequent(values: string[]): string[] {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== '') counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].toSorted(([a, more], [b, less]) => less - more || (a < b ? -1 : 1)).map(([value]) => value);
}

function shuffle<T>(values: T[], random: () => number): T[] {
  return values
    .map((value) => ({ value, order: random() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ value }) => value);
}

/** Also of an address with a host: the load stays on its target. */
function pathOf(address: string): string {
  const { pathname, search } = new URL(address, 'http://localhost');
  return `${pathname}${search}`;
}

const withQuery = (path: string, query: string): string => `${path}${path.includes('?') ? '&' : '?'}${query}`;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
