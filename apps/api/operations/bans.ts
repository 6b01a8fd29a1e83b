/** Bans of owners and stickers, and the log of everything that administrators do. */
import { z } from 'zod';
import { auditJson, banJson, formatKeyset, parseKeyset, type Actor } from '@omnizap/catalog';
import { AppError, pageOfAudit } from '@omnizap/runtime';
import type { ApiDeps } from '../api-deps.ts';
import {
  auditListSchema,
  auditQuery,
  banInput,
  banListSchema,
  bannedSchema,
  bansQuery,
  reasonInput,
} from '../moderation-schemas.ts';
import { operation, type Operation } from '../operation.ts';

const common = { routeGroup: 'catalog_api_admin', access: 'admin' } as const;
const path = '/api/admin/bans';
const noQuery = z.strictObject({});

export function banOperations({ bans, database }: ApiDeps): Operation[] {
  const list = operation({
    ...common,
    method: 'get',
    path,
    id: 'listBans',
    summary: 'Bans, the newest first.',
    query: bansQuery,
    example: { query: { active: 'true' }, status: 200 },
    responses: { 200: { description: 'A page.', schema: banListSchema } },
    async handle({ query }) {
      const { limit } = query;
      const beforeId = parseKeyset('bans', query.cursor, { i: z.uuid() })?.i ?? null;
      const page = await bans.list({ limit, beforeId, onlyActive: query.active === 'true' });
      const nextCursor = page.nextId === null ? null : formatKeyset('bans', { i: page.nextId });
      const pagination = { limit, next_cursor: nextCursor, has_more: nextCursor !== null };
      return { status: 200, body: { data: page.bans.map(banJson), pagination } };
    },
  });

  const make = operation({
    ...common,
    method: 'post',
    path,
    id: 'makeBan',
    summary: 'Bans an owner with all their packs, or a sticker: its bytes are refused, and what looks like it is held.',
    query: noQuery,
    body: banInput,
    problems: ['moderation-conflict', 'sticker-not-found'],
    example: { body: { kind: 'owner', owner_id: '{newOwnerId}', reason: 'Spam in every pack' }, status: 201 },
    responses: {
      201: { description: 'The ban.', schema: bannedSchema },
      200: { description: 'The ban that there was already.', schema: bannedSchema },
    },
    async handle({ body, actor, requestId }) {
      const by = { actor: (actor as Actor).ownerId, reason: body.reason, requestId };
      const { ban, isNew } = await bans.make(banned(body), by);
      return { status: isNew ? 201 : 200, body: { data: banJson(ban) } };
    },
  });

  const revoke = operation({
    ...common,
    method: 'post',
    path: `${path}/{banId}/revoke`,
    id: 'revokeBan',
    summary: 'Ends a ban and gives back exactly what it took. Again: without effect.',
    params: { banId: 'Id of the ban' },
    query: noQuery,
    body: reasonInput,
    example: { params: { banId: '{throwawayBanId}' }, body: { reason: 'It was a mistake' }, status: 200 },
    responses: { 200: { description: 'The ban, over.', schema: bannedSchema } },
    async handle({ params, body, actor, requestId }) {
      const banId = z.uuid().safeParse(params.banId);
      if (!banId.success) throw new AppError('not-found', 'There is no ban with this id.');
      const by = { actor: (actor as Actor).ownerId, reason: body.reason, requestId };
      return { status: 200, body: { data: banJson(await bans.revoke(banId.data.toLowerCase(), by)) } };
    },
  });

  const auditLog = operation({
    ...common,
    method: 'get',
    path: '/api/admin/audit-log',
    id: 'listAuditLog',
    summary: 'What was done to whatever by whomever, and why; the newest first.',
    query: auditQuery,
    example: { query: { target_type: 'sticker_pack', limit: 10 }, status: 200 },
    responses: { 200: { description: 'A page.', schema: auditListSchema } },
    async handle({ query }) {
      const { limit, cursor, target_type: targetType, target_id: targetId, actor } = query;
      const beforeId = parseKeyset('audit', cursor, { i: z.int().positive() })?.i ?? null;
      const found = await pageOfAudit(database, { targetType, targetId, actor }, { beforeId, limit: limit + 1 });
      const records = found.slice(0, limit);
      const last = records.at(-1);
      const nextCursor = found.length > limit && last ? formatKeyset('audit', { i: last.id }) : null;
      const pagination = { limit, next_cursor: nextCursor, has_more: nextCursor !== null };
      return { status: 200, body: { data: records.map(auditJson), pagination } };
    },
  });

  return [list, make, revoke, auditLog];
}

function banned(body: z.output<typeof banInput>): Parameters<ApiDeps['bans']['make']>[0] {
  if (body.owner_id !== undefined) return { kind: 'owner', ownerId: body.owner_id };
  return body.sticker_id === undefined
    ? { kind: 'sticker', sha256: body.sha256 ?? '' }
    : { kind: 'sticker', stickerId: body.sticker_id };
}
