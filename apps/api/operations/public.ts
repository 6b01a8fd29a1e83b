/** What anybody may ask: the ranked list, a pack, the bytes of a sticker, and to be counted. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { interactions } from '@omnizap/catalog';
import type { ApiDeps } from '../api-deps.ts';
import { packEtag } from '../entity-tags.ts';
import { operation, type Operation } from '../operation.ts';
import { packJson, stickerJson } from '../pack-json.ts';
import type { PreparedAnswers } from '../prepared-answers.ts';
import { assetQuery, engagementSchema, filtersOf, listQuery, packDetailSchema, packListSchema } from '../schemas.ts';
import { rememberedViewerOf, viewerOf } from '../viewer.ts';
import { packKeyOf, stickerIdOf } from './pack-path.ts';
import { sourceBy } from '../ranking-source.ts';

const listCacheControl = 'public, max-age=10, stale-while-revalidate=60';
const detailCacheControl = 'public, max-age=10, stale-while-revalidate=60';
/** Copies of what is not public outlive the owner's change of mind, and a moderator's, by so much where no purge hook is told. */
const longestSignedCacheSeconds = 3_600;
const packKeyParam = { packKey: 'Key of the pack' };

export function publicOperations(deps: ApiDeps, prepared: PreparedAnswers): Operation[] {
  const { reader, config, signedPaths } = deps;
  const sourceFor = sourceBy(deps.flags);

  const list = operation({
    method: 'get',
    path: '/api/sticker-packs',
    id: 'listPacks',
    summary: 'Packs in the order of the published ranking; follow next_cursor to the end to see each exactly once.',
    routeGroup: 'catalog_api_public',
    access: 'public',
    query: listQuery,
    responses: { 200: { description: 'A page of packs.', schema: packListSchema }, 304: { description: 'Unchanged.' } },
    problems: ['snapshot-expired'],
    limitedBy: ['q', 'creator'],
    example: { query: { sort: 'trending', limit: 3 }, status: 200 },
    async handle({ request, response, query }) {
      const { sort, limit, cursor } = query;
      const filters = filtersOf(query);
      const located = await reader.locatePage({
        ...{ sort, limit, cursor, filters },
        source: sourceFor(viewerOf(request).key),
      });
      await prepared.answer(request, response, {
        key: `list:${sort}:${limit}:${located.place}`,
        stamp: await reader.stampOf(located),
        cacheControl: listCacheControl,
        build: async () => {
          const page = await reader.readPage(located);
          return {
            data: page.packs.map((pack) => packJson(pack, { countAll: false })),
            pagination: { limit, next_cursor: page.nextCursor, has_more: page.nextCursor !== null },
            meta: {
              source: page.source,
              generation: page.generation?.generation ?? null,
              refreshed_at: page.at?.toISOString() ?? null,
            },
          };
        },
      });
      return 'written';
    },
  });

  const detail = operation({
    method: 'get',
    path: '/api/sticker-packs/{packKey}',
    id: 'getPack',
    summary: 'One pack with its stickers. Its owner also sees what is pending or rejected, and drafts.',
    routeGroup: 'catalog_api_public',
    access: 'optional',
    params: packKeyParam,
    query: z.strictObject({}),
    responses: { 200: { description: 'The pack.', schema: packDetailSchema }, 304: { description: 'Unchanged.' } },
    example: { params: { packKey: '{publicPackKey}' }, status: 200 },
    async handle({ request, response, params, actor }) {
      const packKey = packKeyOf(params);
      const { view, stickers, isOwn } = await reader.readPack(packKey, actor, sourceFor(packKey));
      const signed = isOwn ? { sign: signedPaths.signerOf(view.pack) } : {};
      const body = {
        data: {
          ...packJson(view, { countAll: isOwn, ...signed }),
          stickers: stickers.map((sticker) => stickerJson(view.pack.packKey, sticker, { isOwn, ...signed })),
        },
      };
      if (actor) return { status: 200, body, ...(isOwn ? { headers: { ETag: packEtag(view.pack) } } : {}) };
      const stamp = createHash('sha256').update(JSON.stringify(body)).digest('base64');
      await prepared.answer(request, response, {
        key: `pack:${view.pack.packKey}`,
        stamp,
        cacheControl: detailCacheControl,
        build: () => Promise.resolve(body),
      });
      return 'written';
    },
  });

  const bytes = operation({
    method: 'get',
    path: '/api/sticker-packs/{packKey}/stickers/{stickerId}.webp',
    id: 'getStickerBytes',
    summary: 'The WebP of a ready sticker, or its preview.',
    routeGroup: 'catalog_data_asset',
    access: 'optional',
    params: { ...packKeyParam, stickerId: 'Id of the sticker' },
    query: assetQuery,
    responses: {
      200: { description: 'The bytes.', schema: z.string().meta({ format: 'binary' }), contentType: 'image/webp' },
      206: {
        description: 'The range asked for.',
        schema: z.string().meta({ format: 'binary' }),
        contentType: 'image/webp',
      },
      302: {
        description: 'Where the bytes are for a while, in mode redirect; never for HEAD nor with Authorization.',
        headers: ['Location'],
      },
      304: { description: 'Unchanged.' },
    },
    problems: ['signed-url-invalid'],
    example: {
      params: { packKey: '{ownPackKey}', stickerId: '{stickerId}' },
      query: { variant: 'preview' },
      status: 200,
    },
    async handle({ request, response, params, query, actor }) {
      const packKey = packKeyOf(params);
      const stickerId = stickerIdOf(params);
      const { variant, expires, signature } = query;
      const isSigned = expires !== undefined || signature !== undefined;
      // Also of what anybody may see: an address that was tampered with does not hold, whatever it leads to.
      const leftSeconds = isSigned ? signedPaths.verify({ packKey, stickerId, variant }, { expires, signature }) : null;
      const file = await reader.findFile(packKey, stickerId, variant, actor, { isSigned });
      const isVersioned = query.v !== undefined && query.v.length >= 8 && file.sha256.startsWith(query.v);
      response.set({
        'Content-Type': 'image/webp',
        ETag: `"${file.sha256}"`,
        'Cache-Control': actor
          ? 'private, no-store'
          : file.isPublic
            ? assetCacheControl(config, isVersioned)
            : `public, max-age=${Math.min(leftSeconds ?? 0, longestSignedCacheSeconds)}`,
      });
      await deps.assetDelivery.deliver(request, response, { ...file, isSigned }, variant);
      return 'written';
    },
  });

  // A download is counted where the pack is handed out.
  const sent = interactions.filter((interaction) => interaction !== 'download');
  const counters = sent.map((interaction) =>
    operation({
      method: 'post',
      path: `/api/sticker-packs/{packKey}/${interaction}`,
      id: `${interaction}Pack`,
      summary: `Counts one ${interaction} of this viewer, once per window, and returns the engagement.`,
      routeGroup: 'catalog_api_public',
      access: 'public',
      params: packKeyParam,
      query: z.strictObject({}),
      responses: { 200: { description: 'The engagement.', schema: engagementSchema } },
      headers: ['X-Viewer-Key'],
      example: {
        params: { packKey: '{publicPackKey}' },
        headers: { 'X-Viewer-Key': '{viewerKey}' },
        status: 200,
      },
      async handle({ request, response, params, requestId }) {
        const packKey = packKeyOf(params);
        const viewer = rememberedViewerOf(request, response);
        const engagement = await deps.engagement.record(packKey, interaction, viewer, requestId);
        return {
          status: 200,
          body: { data: { pack_key: packKey, interaction, engagement } },
          headers: { 'Cache-Control': 'no-store' },
        };
      },
    }),
  );
  return [list, detail, bytes, ...counters];
}

type CacheSettings = { STICKER_WEB_ASSET_CACHE_SECONDS: number; STICKER_WEB_IMMUTABLE_ASSET_CACHE_SECONDS: number };

/** As the contract says; a version that is not the content's own must not be kept as if it were. */
function assetCacheControl(config: CacheSettings, isVersioned: boolean): string {
  if (isVersioned) return `public, max-age=${config.STICKER_WEB_IMMUTABLE_ASSET_CACHE_SECONDS}, immutable`;
  const maxAge = Math.max(86_400, config.STICKER_WEB_ASSET_CACHE_SECONDS);
  return `public, max-age=${maxAge}, stale-while-revalidate=${Math.min(604_800, Math.max(300, maxAge))}`;
}
