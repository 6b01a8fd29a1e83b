/** What administrators decide about packs and stickers, and what they look at before. */
import { z } from 'zod';
import {
  auditJson,
  formatKeyset,
  keysetInstant,
  packDecisions,
  parseKeyset,
  queuedJson,
  reportJson,
  stickerDecisions,
  type Actor,
} from '@omnizap/catalog';
import type { ApiDeps } from '../api-deps.ts';
import { packFileSchema, queueQuery, queueSchema, reasonInput, verdictSchema } from '../moderation-schemas.ts';
import { operation, type Operation } from '../operation.ts';
import { packJson, stickerJson } from '../pack-json.ts';
import { packKeyOf, stickerIdOf } from './pack-path.ts';

const common = { routeGroup: 'catalog_api_admin', access: 'admin' } as const;
const noQuery = z.strictObject({});
const packKeyParam = { packKey: 'Key of the pack' };
const exampleReason = { reason: 'Looked at after a report' };
const queuePosition = { t: keysetInstant, i: z.uuid() };

const summaries = {
  approve: 'Shows what was held or rejected.',
  reject: 'Refuses a held pack; a change by its owner asks again.',
  'take-down': 'Hides it from everybody at once, whatever its owner does, until it is restored.',
  restore: 'Shows again what was taken down.',
} as const;

export function moderationOperations({ moderation, reader }: ApiDeps): Operation[] {
  const queue = operation({
    ...common,
    method: 'get',
    path: '/api/admin/moderation/queue',
    id: 'listModerationQueue',
    summary: 'Packs and stickers that are held, the longest waiting first.',
    query: queueQuery,
    example: { query: { limit: 10 }, status: 200 },
    responses: { 200: { description: 'A page.', schema: queueSchema } },
    async handle({ query }) {
      const { limit, type } = query;
      const position = parseKeyset('queue', query.cursor, queuePosition);
      const after = position && { sinceAt: new Date(position.t), id: position.i };
      const { cases, next } = await moderation.queue({ target: type, after, limit });
      const nextCursor = next && formatKeyset('queue', { t: next.sinceAt.getTime(), i: next.id });
      const pagination = { limit, next_cursor: nextCursor, has_more: nextCursor !== null };
      return { status: 200, body: { data: cases.map(queuedJson), pagination } };
    },
  });

  const show = operation({
    ...common,
    method: 'get',
    path: '/api/admin/packs/{packKey}',
    id: 'getPackForAdmin',
    summary: 'One pack with its owner, its moderation, open reports and what administrators did about it.',
    params: packKeyParam,
    query: noQuery,
    example: { params: { packKey: '{ownPackKey}' }, status: 200 },
    responses: { 200: { description: 'The pack.', schema: packFileSchema } },
    async handle({ params, actor }) {
      const packKey = packKeyOf(params);
      const file = await moderation.packFile(packKey);
      const { view, stickers } = await reader.readPack(packKey, actor);
      const { state, reason, sinceAt, banId } = file.moderation;
      const data = {
        ...packJson(view, { countAll: true }),
        owner_id: file.ownerId,
        moderation: { state, reason, since_at: sinceAt?.toISOString() ?? null, ban_id: banId },
        stickers: stickers.map((sticker) => stickerJson(packKey, sticker, { isOwn: true })),
        reports: file.reports.map(reportJson),
        actions: file.actions.map(auditJson),
      };
      return { status: 200, body: { data } };
    },
  });

  const ofPacks = packDecisions.map((decision) =>
    operation({
      ...common,
      method: 'post',
      path: `/api/admin/packs/{packKey}/${decision}`,
      id: `${idOf(decision)}Pack`,
      summary: summaries[decision],
      params: packKeyParam,
      query: noQuery,
      body: reasonInput,
      problems: ['moderation-conflict'],
      example: {
        params: { packKey: decision === 'reject' ? '{heldPackKey}' : '{throwawayPackKey}' },
        body: exampleReason,
        status: 200,
      },
      responses: { 200: { description: 'The state after it.', schema: verdictSchema } },
      async handle({ params, body, actor, requestId }) {
        const by = { actor: (actor as Actor).ownerId, reason: body.reason, requestId };
        const verdict = await moderation.decidePack(packKeyOf(params), decision, by);
        return { status: 200, body: { data: { moderation: verdict } } };
      },
    }),
  );

  const ofStickers = stickerDecisions.map((decision) =>
    operation({
      ...common,
      method: 'post',
      path: `/api/admin/stickers/{stickerId}/${decision}`,
      id: `${idOf(decision)}Sticker`,
      summary: summaries[decision],
      params: { stickerId: 'Id of the sticker' },
      query: noQuery,
      body: reasonInput,
      problems: ['moderation-conflict'],
      example: { params: { stickerId: '{throwawayStickerId}' }, body: exampleReason, status: 200 },
      responses: { 200: { description: 'The state after it.', schema: verdictSchema } },
      async handle({ params, body, actor, requestId }) {
        const by = { actor: (actor as Actor).ownerId, reason: body.reason, requestId };
        const verdict = await moderation.decideSticker(stickerIdOf(params), decision, by);
        return { status: 200, body: { data: { moderation: verdict } } };
      },
    }),
  );

  return [queue, show, ...ofPacks, ...ofStickers];
}

/** `take-down` is `takeDown`. */
function idOf(decision: string): string {
  return decision.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
