/** What owners are told about their packs. */
import type { Actor } from '@omnizap/catalog';
import { analyticsQuery, analyticsSchema } from '../analytics-schemas.ts';
import type { ApiDeps } from '../api-deps.ts';
import { operation, type Operation } from '../operation.ts';
import { packKeyOf } from './pack-path.ts';

export function analyticsOperations(deps: Pick<ApiDeps, 'analytics'>): Operation[] {
  const read = operation({
    method: 'get',
    path: '/api/sticker-packs/{packKey}/analytics',
    id: 'getPackAnalytics',
    summary:
      'How often the pack was opened, rated and downloaded: in total, lately and day by day. For its owner only.',
    routeGroup: 'catalog_api_auth',
    access: 'catalog:write',
    params: { packKey: 'Key of the pack' },
    query: analyticsQuery,
    example: { params: { packKey: '{ownPackKey}' }, query: { days: 7 }, status: 200 },
    responses: { 200: { description: 'The counts.', schema: analyticsSchema } },
    async handle({ params, query, actor }) {
      const packKey = packKeyOf(params);
      const analytics = await deps.analytics.read(actor as Actor, packKey, query.days);
      return {
        status: 200,
        body: {
          data: {
            pack_key: packKey,
            totals: analytics.totals,
            last_7_days: analytics.last7Days,
            last_30_days: analytics.last30Days,
            rating_score: Math.round(analytics.rating * 1e6) / 1e6,
            days: analytics.days,
          },
        },
      };
    },
  });

  return [read];
}
