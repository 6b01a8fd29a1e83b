/** Finding packs: words and emojis, categories, sensitivity, and what is told about the catalogue as a whole. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ask, createCatalogueClient, drawPng, startFleet, testDatabaseKinds, waitFor } from '@omnizap/testkit';
import type { CatalogueClient, Fleet, PackListJson, PackSummaryJson } from '@omnizap/testkit';
import { waitUntilQuiet } from './quiet.ts';

const patience = { timeoutMs: 45_000, intervalMs: 100 };

const packs = [
  { name: 'Gatos engraçados', publisher: 'João da Silva', tags: ['felinos'], emojis: ['😹'] },
  { name: 'Cachorros', publisher: 'João da Silva', tags: ['pets'], emojis: ['🐶'] },
  { name: 'Amor sem fim', publisher: 'Maria', tags: ['namoro'], emojis: ['❤️'] },
  { name: 'Festa!', publisher: 'Maria', tags: [], emojis: ['🎉'] },
  { name: 'Futebol 2026', publisher: 'Torcida', tags: ['gol'], emojis: ['⚽'] },
];

type Meta = { source: string; generation: number | null; refreshed_at: string | null };

describe.each(testDatabaseKinds())('lists of packs on %s', (kind) => {
  let fleet: Fleet;
  let anybody: CatalogueClient;

  beforeAll(async () => {
    fleet = await startFleet(kind, { env: { STICKER_DEDICATED_WORKER_POLL_INTERVAL_MS: '250' } });
    const own = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
    anybody = createCatalogueClient(fleet.apiUrl);
    for (const [number, { name, publisher, tags, emojis }] of packs.entries()) {
      const packKey = await own.createPack({ name, publisher, tags });
      await own.addStickers(packKey, [{ bytes: drawPng(300 + number), emojis }]);
      expect((await own.publish(packKey)).status).toBe(200);
    }
    const secret = await own.createPack({ name: 'Gatos secretos', visibility: 'unlisted' });
    await own.addStickers(secret, [{ bytes: drawPng(400), emojis: ['😹'] }]);
    await own.publish(secret);
    await waitUntilQuiet(fleet.database);
    await waitFor(async () => (await found('')).length === packs.length, patience);
  }, 180_000);
  afterAll(async () => await fleet?.stop(), 60_000);

  /** Names that a list of these parameters shows, each once, over all of its pages. */
  async function found(parameters: string): Promise<string[]> {
    const names: string[] = [];
    for (let cursor = ''; ;) {
      const list = await anybody.list(`?limit=2&${parameters}${cursor}`);
      names.push(...list.data.map((pack) => pack.name));
      if (list.pagination.next_cursor === null) break;
      cursor = `&cursor=${list.pagination.next_cursor}`;
    }
    expect(new Set(names).size).toBe(names.length);
    return names.toSorted();
  }

  it.each([
    ['a word of a name', 'q=gatos', ['Gatos engraçados']],
    ['a word without its accents', 'q=engracados', ['Gatos engraçados']],
    ['capitals', 'q=FESTA', ['Festa!']],
    ['the beginning of a word', 'q=cacho', ['Cachorros']],
    ['a publisher', 'q=maria', ['Amor sem fim', 'Festa!']],
    ['a tag', 'q=felinos', ['Gatos engraçados']],
    ['an emoji', `q=${encodeURIComponent('❤')}`, ['Amor sem fim']],
    ['the English word for an emoji', 'q=soccer', ['Futebol 2026']],
    ['the Spanish word for an emoji', 'q=perro', ['Cachorros']],
    ['the Portuguese word for an emoji', 'q=coracao', ['Amor sem fim']],
    ['two words that both must be met', 'q=maria%20festa', ['Festa!']],
    ['a number', 'q=2026', ['Futebol 2026']],
    ['a word that nothing has', 'q=xyzzy', []],
    ['signs alone', 'q=%25', []],
  ])('finds by %s', async (_title, parameters, names) => {
    expect(await found(parameters)).toEqual(names);
  });

  it('filters by what the stickers are about, by any of several categories', async () => {
    const list = await anybody.list('?limit=60');
    const of = (name: string): string => list.data.find((pack) => pack.name === name)?.categories[0] ?? '';
    const [cats, love] = [of('Gatos engraçados'), of('Amor sem fim')];
    const having = (...categories: string[]): string[] =>
      list.data
        .filter((pack) => pack.categories.some((category) => categories.includes(category)))
        .map((pack) => pack.name)
        .toSorted();

    expect(love).toBe('love');
    expect(await found(`category=${love}`)).toEqual(having(love));
    expect(await found(`category=${love}&category=${cats}`)).toEqual(having(love, cats));
    expect(await found(`category=${love}&q=gatos`)).toEqual([]);
  });

  it('tells animated packs from still ones', async () => {
    expect(await found('animated=false')).toEqual(packs.map(({ name }) => name).toSorted());
    expect(await found('animated=true')).toEqual([]);
  });

  it('lists the packs of one creator, by the name that creators are listed under', async () => {
    const { data: creators } = (await anybody.get('/api/sticker-packs/creators')).json<{
      data: { publisher: string; packs_count: number }[];
    }>();
    for (const { publisher, packs_count: count } of creators) {
      const names = packs.filter((pack) => pack.publisher === publisher).map(({ name }) => name);
      expect(await found(`creator=${encodeURIComponent(publisher)}`)).toEqual(names.toSorted());
      expect(names).toHaveLength(count);
    }
    expect(await found('creator=Maria&q=festa&sort=likes')).toEqual(['Festa!']);
    expect(await found('creator=maria')).toEqual([]);
    expect((await anybody.get('/api/sticker-packs?creator=')).status).toBe(400);
  });

  it('leads in the gallery from a pack to all of its publisher, over every page and in any order', async () => {
    const page = async (path: string): Promise<string> => {
      const answer = await ask(`${fleet.apiUrl}${path}`, { headers: { Accept: 'text/html' } });
      expect(answer.status).toBe(200);
      return answer.bytes.toString('utf8').replaceAll('&amp;', '&');
    };
    const cards = (text: string): string[] => [...text.matchAll(/data-pack="([^"]*)"/g)].map(([, key = '']) => key);
    const keyOf = async (name: string): Promise<string> =>
      (await anybody.list('?limit=60')).data.find((pack) => pack.name === name)?.pack_key ?? '';
    const [cats, dogs] = [await keyOf('Gatos engraçados'), await keyOf('Cachorros')];

    const link = /href="([^"]*)">by João da Silva</.exec(await page(`/stickers/${cats}`))?.[1] ?? '';
    expect(link).toBe(`/stickers?creator=${encodeURIComponent('João da Silva')}`);
    const all = await page(link);
    expect(cards(all).toSorted()).toEqual([cats, dogs].toSorted());
    expect(all).toContain('<h1>Sticker packs by João da Silva</h1>');
    const recent = /href="([^"]*)"[^>]*>New</.exec(await page(`${link}&limit=1`))?.[1] ?? '';
    const first = await page(recent);
    const second = await page(/<link rel="next" href="([^"]*)"/.exec(first)?.[1] ?? '');
    expect([...cards(first), ...cards(second)].toSorted()).toEqual([cats, dogs].toSorted());
    expect(second).not.toContain('rel="next"');
  });

  it('tells what happened in the last seven days, today last', async () => {
    const { data } = (await anybody.get('/api/marketplace/stats')).json<{
      data: Record<string, number> & { series_last_7_days: Record<string, number | string>[] };
    }>();

    expect(data).toMatchObject({ total_packs: 5, total_stickers: 5, creators_total: 3, packs_last_7_days: 5 });
    expect(data.series_last_7_days).toHaveLength(7);
    expect(data.series_last_7_days.at(-1)).toMatchObject({
      date: new Date().toISOString().slice(0, 10),
      packs_published: 5,
    });
  });

  it('shows what is sensitive only to whom asks for it', async () => {
    const { knex } = fleet.database;
    const { id } = await knex('sticker_pack').where({ name: 'Festa!' }).first<{ id: string }>('id');
    const setLevel = (level: string): Promise<unknown> =>
      knex('sticker_pack_score_snapshot')
        .where({ pack_id: id })
        .update({ nsfw_level: level, source_version: knex.raw('source_version + 1'), refreshed_at: new Date() });

    await setLevel('suggestive');
    await waitFor(async () => !(await found('')).includes('Festa!'), patience);
    const withSensitive = await found('include_sensitive=true');
    await setLevel('safe');
    await waitFor(async () => (await found('')).includes('Festa!'), patience);

    expect(withSensitive).toContain('Festa!');
  });

  it('answers a search that has not changed with 304', async () => {
    const first = await anybody.get('/api/sticker-packs?q=maria');
    const again = await anybody.get('/api/sticker-packs?q=maria', { 'If-None-Match': String(first.headers.etag) });

    expect([first.status, again.status]).toEqual([200, 304]);
  });

  it('puts every pack on each shelf, in the order of its list', async () => {
    const sorts = {
      ...{ em_alta: 'popular', novos: 'recent', crescendo_agora: 'trending' },
      ...{ mais_curtidos: 'likes', melhor_avaliados: 'rating' },
    };
    const shelves = (await anybody.get('/api/sticker-packs/intents?limit=60')).json<{
      data: Record<string, PackSummaryJson[]>;
      meta: Meta;
    }>();

    for (const [shelf, sort] of Object.entries(sorts)) {
      const list: PackListJson = await anybody.list(`?limit=60&sort=${sort}`);
      expect(list.meta.generation).toBe(shelves.meta.generation);
      expect(shelves.data[shelf]).toEqual(list.data);
    }
  });

  it('adds up packs, stickers and creators', async () => {
    const { data } = (await anybody.get('/api/sticker-packs/stats')).json<{ data: Record<string, number> }>();

    expect(data).toEqual({ packs_total: 5, stickers_total: 5, creators_total: 3, downloads_total: 0 });
  });

  it('names creators with their packs, and nobody’s owner', async () => {
    const answer = await anybody.get('/api/sticker-packs/creators?limit=2');
    const { data } = answer.json<{ data: { publisher: string; packs_count: number; top_pack: PackSummaryJson }[] }>();

    expect(data).toHaveLength(2);
    expect(data.map(({ packs_count: count }) => count)).toEqual([2, 2]);
    for (const creator of data) expect(creator.top_pack.publisher).toBe(creator.publisher);
    const { owner_id: ownerId } = await fleet.database.knex('sticker_pack').first<{ owner_id: string }>('owner_id');
    expect(answer.bytes.toString('utf8')).not.toContain(ownerId);
  });

  it('recommends what a viewer does not know yet, by what they liked', async () => {
    const liked = await anybody.list(`?q=${encodeURIComponent('❤')}`);
    await anybody.call('POST', `/api/sticker-packs/${liked.data[0]?.pack_key}/like`, {
      headers: { 'X-Viewer-Key': 'a-viewer' },
    });
    const ask = async (parameters: string) =>
      (await anybody.get(`/api/sticker-packs/recommendations?${parameters}`)).json<{
        data: PackSummaryJson[];
        meta: Meta & { personalized: boolean; liked_categories: string[] };
      }>();

    const forViewer = await ask('viewer_key=a-viewer&limit=60');
    const forStranger = await ask('viewer_key=a-stranger&limit=60');

    expect(forViewer.meta).toMatchObject({ personalized: true, liked_categories: ['love'] });
    expect(forViewer.data.map((pack) => pack.name)).not.toContain('Amor sem fim');
    expect(forViewer.data).toHaveLength(4);
    expect(forStranger.meta).toMatchObject({ personalized: false, liked_categories: [] });
    expect(forStranger.data).toHaveLength(5);
  });
});
