/** What is told about the catalogue as a whole: shelves, creators, recommendations, totals. All from one ranking. */
import { z } from 'zod';
import { recommendPacks, type ListRanking, type Sort } from '@omnizap/catalog';
import type { ApiDeps } from '../api-deps.ts';
import {
  creatorsQuery,
  creatorsSchema,
  intents,
  intentsQuery,
  intentsSchema,
  marketplaceStatsSchema,
  recommendationsQuery,
  recommendationsSchema,
  statsSchema,
} from '../marketplace-schemas.ts';
import { operation, type Operation } from '../operation.ts';
import { packJson } from '../pack-json.ts';
import type { PreparedAnswers } from '../prepared-answers.ts';
import { sourceBy } from '../ranking-source.ts';
import { filtersOf } from '../schemas.ts';
import { viewerOf } from '../viewer.ts';

const cacheControl = 'public, max-age=30, stale-while-revalidate=120';
const sortOfIntent: Record<(typeof intents)[number], Sort> = {
  em_alta: 'popular',
  novos: 'recent',
  crescendo_agora: 'trending',
  mais_curtidos: 'likes',
  melhor_avaliados: 'rating',
};

export function marketplaceOperations(deps: ApiDeps, prepared: PreparedAnswers): Operation[] {
  const { reader, engagement } = deps;
  const sourceFor = sourceBy(deps.flags);
  const metaOf = ({ source, generation, at }: Omit<ListRanking, 'index'>) => ({
    source,
    generation: generation?.generation ?? null,
    refreshed_at: at?.toISOString() ?? null,
  });
  const keyOf = ({ source, generation, at }: Omit<ListRanking, 'index'>): string =>
    `${source}:${generation?.generation ?? at?.getTime() ?? 0}`;

  const shelves = operation({
    method: 'get',
    path: '/api/sticker-packs/intents',
    id: 'listIntents',
    summary: 'Five shelves of packs: best ranked, newest, growing, most liked, best rated.',
    routeGroup: 'catalog_api_public',
    access: 'public',
    query: intentsQuery,
    limitedBy: ['creator'],
    example: { query: { limit: 3 }, status: 200 },
    responses: { 200: { description: 'The shelves.', schema: intentsSchema }, 304: { description: 'Unchanged.' } },
    async handle({ request, response, query }) {
      const source = sourceFor(viewerOf(request).key);
      const pages = await Promise.all(
        intents.map((intent) =>
          reader.locatePage({ sort: sortOfIntent[intent], limit: query.limit, source, filters: filtersOf(query) }),
        ),
      );
      const [first] = pages;
      const ids = [...new Set(pages.flatMap((page) => page.ids))];
      await prepared.answer(request, response, {
        key: `intents:${first ? keyOf(first) : ''}:${first?.filterDigest ?? ''}:${query.limit}`,
        stamp: `${await reader.stamps(ids)}:${pages.map((page) => page.ids.join()).join(';')}`,
        cacheControl,
        build: async () => {
          const packs = new Map(
            (await reader.readPacks(ids, first?.at ?? null)).map((pack) => [
              pack.pack.id,
              packJson(pack, { countAll: false }),
            ]),
          );
          const shelf = (pageIds: string[]) => pageIds.map((id) => packs.get(id)).filter((pack) => pack !== undefined);
          return {
            data: Object.fromEntries(intents.map((intent, number) => [intent, shelf(pages[number]?.ids ?? [])])),
            meta: first ? metaOf(first) : null,
          };
        },
      });
      return 'written';
    },
  });

  const creators = operation({
    method: 'get',
    path: '/api/sticker-packs/creators',
    id: 'listCreators',
    summary: 'Publishers of public packs, the best first.',
    routeGroup: 'catalog_api_public',
    access: 'public',
    query: creatorsQuery,
    example: { query: { limit: 5 }, status: 200 },
    responses: { 200: { description: 'The creators.', schema: creatorsSchema }, 304: { description: 'Unchanged.' } },
    async handle({ request, response, query }) {
      const ranking = await reader.ranking(sourceFor(viewerOf(request).key));
      const top = (ranking.index?.summary.topCreators ?? []).slice(0, query.limit);
      const ids = top.map((creator) => creator.topPackId);
      await prepared.answer(request, response, {
        key: `creators:${keyOf(ranking)}:${query.limit}`,
        stamp: await reader.stamps(ids),
        cacheControl,
        build: async () => {
          const packs = new Map((await reader.readPacks(ids, ranking.at)).map((pack) => [pack.pack.id, pack]));
          return {
            data: top.map((creator) => {
              const pack = packs.get(creator.topPackId);
              return {
                publisher: creator.publisher,
                creator_score: creator.score,
                packs_count: creator.packs,
                stickers_count: creator.stickers,
                total_opens: creator.opens,
                total_likes: creator.likes,
                total_downloads: creator.downloads,
                avg_pack_score: creator.meanPackScore,
                top_pack: pack ? packJson(pack, { countAll: false }) : null,
              };
            }),
            meta: metaOf(ranking),
          };
        },
      });
      return 'written';
    },
  });

  const recommendations = operation({
    method: 'get',
    path: '/api/sticker-packs/recommendations',
    id: 'listRecommendations',
    summary: 'Packs that this viewer may like, by what they opened, liked and downloaded; never sensitive ones.',
    routeGroup: 'catalog_api_public',
    access: 'public',
    query: recommendationsQuery,
    // Computed for each viewer.
    limit: 'read',
    example: { query: { viewer_key: '{viewerKey}', limit: 5 }, status: 200 },
    responses: { 200: { description: 'The packs.', schema: recommendationsSchema } },
    async handle({ request, query }) {
      const viewer = viewerOf(request);
      const key = query.viewer_key === undefined ? viewer.key : `key:${query.viewer_key}`;
      const ranking = await reader.ranking(sourceFor(viewer.key));
      const history = await engagement.affinityOf({ ...viewer, key });
      const { packIds, likedCategories } = ranking.index
        ? recommendPacks(ranking.index, history, query.limit)
        : { packIds: [], likedCategories: [] };
      const packs = await reader.readPacks(packIds, ranking.at);
      return {
        status: 200,
        body: {
          data: packs.map((pack) => packJson(pack, { countAll: false })),
          meta: { ...metaOf(ranking), personalized: likedCategories.length > 0, liked_categories: likedCategories },
        },
        headers: { 'Cache-Control': 'private, no-store' },
      };
    },
  });

  const stats = operation({
    method: 'get',
    path: '/api/sticker-packs/stats',
    id: 'getStats',
    summary: 'What the public packs add up to.',
    routeGroup: 'catalog_api_public',
    access: 'public',
    query: z.strictObject({}),
    example: { status: 200 },
    responses: { 200: { description: 'The totals.', schema: statsSchema }, 304: { description: 'Unchanged.' } },
    async handle({ request, response }) {
      const ranking = await reader.ranking(sourceFor(viewerOf(request).key));
      const summary = ranking.index?.summary;
      await prepared.answer(request, response, {
        key: 'stats',
        stamp: keyOf(ranking),
        cacheControl,
        build: () =>
          Promise.resolve({
            data: {
              packs_total: summary?.packs ?? 0,
              stickers_total: summary?.stickers ?? 0,
              creators_total: summary?.creators ?? 0,
              downloads_total: summary?.downloads ?? 0,
            },
            meta: metaOf(ranking),
          }),
      });
      return 'written';
    },
  });

  const marketplace = operation({
    method: 'get',
    path: '/api/marketplace/stats',
    id: 'getMarketplaceStats',
    summary: 'What the public packs add up to, and what happened in the last seven days.',
    routeGroup: 'marketplace_stats',
    access: 'public',
    query: z.strictObject({}),
    example: { status: 200 },
    responses: {
      200: { description: 'The totals and the days.', schema: marketplaceStatsSchema },
      304: { description: 'Unchanged.' },
    },
    async handle({ request, response }) {
      const [ranking, activity] = await Promise.all([
        reader.ranking(sourceFor(viewerOf(request).key)),
        deps.activity.read(),
      ]);
      const summary = ranking.index?.summary;
      const total = (name: 'published' | 'open' | 'like' | 'download'): number =>
        activity.days.reduce((sum, day) => sum + day[name], 0);
      await prepared.answer(request, response, {
        key: 'marketplace',
        stamp: `${keyOf(ranking)}:${activity.at.getTime()}`,
        cacheControl,
        build: () =>
          Promise.resolve({
            data: {
              total_packs: summary?.packs ?? 0,
              total_stickers: summary?.stickers ?? 0,
              total_clicks: summary?.opens ?? 0,
              total_likes: summary?.likes ?? 0,
              total_downloads: summary?.downloads ?? 0,
              creators_total: summary?.creators ?? 0,
              stickers_without_pack: activity.stickersWithoutPack,
              packs_last_7_days: total('published'),
              clicks_last_7_days: total('open'),
              likes_last_7_days: total('like'),
              downloads_last_7_days: total('download'),
              series_last_7_days: activity.days.map(({ day, published, open, like, dislike, download }) => ({
                date: day,
                packs_published: published,
                ...{ clicks: open, likes: like, dislikes: dislike, downloads: download },
              })),
              updated_at: activity.at.toISOString(),
            },
            meta: metaOf(ranking),
          }),
      });
      return 'written';
    },
  });

  return [shelves, creators, recommendations, stats, marketplace];
}
