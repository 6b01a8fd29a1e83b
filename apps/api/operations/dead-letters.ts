/** What administrators do about events and tasks that failed for good. */
import { z } from 'zod';
import { errorGroupJson, type Actor } from '@omnizap/catalog';
import { deadLetterDetailJson, deadLetterJson, settledJson } from '@omnizap/outbox';
import { AppError } from '@omnizap/runtime';
import type { ApiDeps } from '../api-deps.ts';
import {
  bulkRedriveInput,
  bulkRedriveSchema,
  deadLetterDetailSchema,
  deadLetterGroupsQuery,
  deadLetterGroupsSchema,
  deadLetterListSchema,
  deadLetterQuery,
  deadLettersQuery,
  discardQuery,
  filterOf,
  redrivenSchema,
  redriveQuery,
} from '../dead-letter-schemas.ts';
import { operation, type Operation } from '../operation.ts';

const path = '/api/admin/dlq';
const idParam = { id: 'Id of the dead letter' };
const common = { routeGroup: 'catalog_api_admin', access: 'admin' } as const;

export function deadLetterOperations({ deadLetters }: ApiDeps): Operation[] {
  const list = operation({
    ...common,
    method: 'get',
    path,
    id: 'listDeadLetters',
    summary: 'Events or tasks that failed for good, the newest first.',
    query: deadLettersQuery,
    responses: { 200: { description: 'A page.', schema: deadLetterListSchema } },
    example: { query: { source: 'outbox', type: 'PACK_UPDATED', limit: 10 }, status: 200 },
    async handle({ query }) {
      const { limit, cursor } = query;
      const { letters, nextCursor } = await deadLetters.list(query.source, filterOf(query), { limit, cursor });
      const pagination = { limit, next_cursor: nextCursor, has_more: nextCursor !== null };
      return { status: 200, body: { data: letters.map(deadLetterJson), pagination } };
    },
  });

  const groups = operation({
    ...common,
    method: 'get',
    path: `${path}/groups`,
    id: 'groupDeadLetters',
    summary: 'The few causes behind many dead letters: by type and first line of the error, the largest first.',
    query: deadLetterGroupsQuery,
    responses: { 200: { description: 'The groups.', schema: deadLetterGroupsSchema } },
    example: { query: { source: 'tasks', failed_after: '2026-01-31T13:45:00Z' }, status: 200 },
    async handle({ query }) {
      const found = await deadLetters.groups(query.source, filterOf(query));
      const meta = { total: found.total, examined: found.examined };
      return { status: 200, body: { data: found.groups.map(errorGroupJson), meta } };
    },
  });

  const redriveAll = operation({
    ...common,
    method: 'post',
    path: `${path}/redrive`,
    id: 'redriveDeadLetters',
    summary: 'Runs again what matches, the oldest first; with preview, only says what that would be.',
    query: z.strictObject({}),
    body: bulkRedriveInput,
    responses: { 200: { description: 'What was, or would be, redriven.', schema: bulkRedriveSchema } },
    example: { body: { source: 'outbox', filter: { type: 'PACK_UPDATED' }, preview: true }, status: 200 },
    async handle({ body, actor, requestId }) {
      const { source, preview, limit, rate_per_second: ratePerSecond } = body;
      const filter = filterOf(body.filter);
      const settler = { actor: (actor as Actor).ownerId, reason: body.reason, requestId };
      const planned = preview ? await deadLetters.preview(source, filter, { limit, ratePerSecond }) : null;
      const result =
        planned ??
        (await deadLetters.settleAll(source, filter, { settlement: 'redriven', limit, ratePerSecond }, settler));
      const { matched, settled, left, until } = result;
      const data = {
        source,
        preview,
        matched,
        redriven: settled,
        left,
        until: until?.toISOString() ?? null,
        ...(planned ? { groups: planned.groups.map(errorGroupJson), first_ids: planned.firstIds } : {}),
      };
      return { status: 200, body: { data } };
    },
  });

  const show = operation({
    ...common,
    method: 'get',
    path: `${path}/{id}`,
    id: 'getDeadLetter',
    summary: 'One dead letter with its whole error, its payload and what became of earlier ones of its origin.',
    params: idParam,
    query: deadLetterQuery,
    responses: { 200: { description: 'The dead letter.', schema: deadLetterDetailSchema } },
    example: { params: { id: '{outboxDeadLetterId}' }, query: { source: 'outbox' }, status: 200 },
    async handle({ params, query }) {
      const { letter, history } = await deadLetters.show(query.source, idOf(params));
      return { status: 200, body: { data: { ...deadLetterDetailJson(letter), history: history.map(settledJson) } } };
    },
  });

  const redrive = operation({
    ...common,
    method: 'post',
    path: `${path}/{id}/redrive`,
    id: 'redriveDeadLetter',
    summary: 'Runs it again, its attempts counted from zero. Of two calls at once, the second finds nothing.',
    params: idParam,
    query: redriveQuery,
    responses: { 200: { description: 'Redriven.', schema: redrivenSchema } },
    example: {
      params: { id: '{throwawayDeadLetterId}' },
      query: { source: 'outbox', reason: 'the cause is mended' },
      status: 200,
    },
    async handle({ params, query, actor, requestId }) {
      const settler = { actor: (actor as Actor).ownerId, reason: query.reason, requestId };
      const letter = await deadLetters.redrive(query.source, idOf(params), settler);
      const { id, source, type, subject_id } = deadLetterJson(letter);
      return { status: 200, body: { data: { id, source, type, subject_id, settlement: 'redriven' } } };
    },
  });

  const discard = operation({
    ...common,
    method: 'delete',
    path: `${path}/{id}`,
    id: 'discardDeadLetter',
    summary: 'Gives it up, for a reason that is kept.',
    params: idParam,
    query: discardQuery,
    responses: { 204: { description: 'Discarded.' } },
    example: {
      params: { id: '{throwawayDeadLetterId}' },
      query: { source: 'outbox', reason: 'its pack is gone' },
      status: 204,
    },
    async handle({ params, query, actor, requestId }) {
      const settler = { actor: (actor as Actor).ownerId, reason: query.reason, requestId };
      await deadLetters.discard(query.source, idOf(params), settler);
      return { status: 204 };
    },
  });

  // `/groups` and `/redrive` before `/{id}`, which would take them for ids.
  return [list, groups, redriveAll, show, redrive, discard];
}

/** @throws AppError `not-found` for what is no id */
function idOf(params: Record<string, string>): number {
  const id = params.id ?? '';
  if (!/^\d{1,15}$/.test(id)) throw new AppError('not-found', 'There is no dead letter with this id.');
  return Number(id);
}
