/** What visitors report, and what administrators see of it. */
import { z } from 'zod';
import { formatKeyset, parseKeyset, reportGroupJson, reportJson, type Actor } from '@omnizap/catalog';
import { AppError } from '@omnizap/runtime';
import type { ApiDeps } from '../api-deps.ts';
import {
  closedReportSchema,
  reasonInput,
  reportedSchema,
  reportGroupsQuery,
  reportGroupsSchema,
  reportInput,
} from '../moderation-schemas.ts';
import { operation, type Operation } from '../operation.ts';
import { viewerOf } from '../viewer.ts';
import { packKeyOf } from './pack-path.ts';

const admin = { routeGroup: 'catalog_api_admin', access: 'admin' } as const;
const noQuery = z.strictObject({});

export function reportOperations({ reports }: ApiDeps): Operation[] {
  const report = operation({
    method: 'post',
    path: '/api/sticker-packs/{packKey}/report',
    id: 'reportPack',
    summary: 'Tells the operators that a pack, or a sticker of it, should not be here.',
    routeGroup: 'catalog_api_public',
    access: 'public',
    params: { packKey: 'Key of the pack' },
    query: noQuery,
    body: reportInput,
    problems: ['sticker-not-found'],
    headers: ['X-Viewer-Key'],
    example: {
      params: { packKey: '{publicPackKey}' },
      body: { reason: 'spam', details: 'The same everywhere' },
      status: 202,
    },
    responses: { 202: { description: 'Received; the same answer whether it counted or not.', schema: reportedSchema } },
    async handle({ request, params, body, requestId }) {
      const packKey = packKeyOf(params);
      const { reason, sticker_id: stickerId = null, details = '' } = body;
      const input = { reason, stickerId, details: details === '' ? null : details };
      await reports.report(packKey, input, viewerOf(request), requestId);
      return {
        status: 202,
        body: { data: { pack_key: packKey, status: 'received' } },
        headers: { 'Cache-Control': 'no-store' },
      };
    },
  });

  const list = operation({
    ...admin,
    method: 'get',
    path: '/api/admin/reports',
    id: 'listReports',
    summary: 'Open reports by pack and sticker, what waits longest first.',
    query: reportGroupsQuery,
    example: { query: { limit: 10 }, status: 200 },
    responses: { 200: { description: 'A page.', schema: reportGroupsSchema } },
    async handle({ query }) {
      const { limit } = query;
      const afterId = parseKeyset('reports', query.cursor, { i: z.int().positive() })?.i ?? 0;
      const { groups, nextId } = await reports.groups({ afterId, limit });
      const nextCursor = nextId === null ? null : formatKeyset('reports', { i: nextId });
      const pagination = { limit, next_cursor: nextCursor, has_more: nextCursor !== null };
      return { status: 200, body: { data: groups.map(reportGroupJson), pagination } };
    },
  });

  const dismiss = operation({
    ...admin,
    method: 'post',
    path: '/api/admin/reports/{reportId}/dismiss',
    id: 'dismissReport',
    summary: 'Closes one report as unfounded. Again: without effect.',
    params: { reportId: 'Id of the report' },
    query: noQuery,
    body: reasonInput,
    example: { params: { reportId: '{throwawayReportId}' }, body: { reason: 'Nothing wrong with it' }, status: 200 },
    responses: { 200: { description: 'The report.', schema: closedReportSchema } },
    async handle({ params, body, actor, requestId }) {
      const id = params.reportId ?? '';
      if (!/^\d{1,15}$/.test(id)) throw new AppError('not-found', 'There is no report with this id.');
      const by = { actor: (actor as Actor).ownerId, reason: body.reason, requestId };
      return { status: 200, body: { data: reportJson(await reports.dismiss(Number(id), by)) } };
    },
  });

  return [report, list, dismiss];
}
