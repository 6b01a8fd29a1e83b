/** The form that reports a pack: the same as the operation of the API, for whoever has a browser only. */
import { z } from 'zod';
import { reportReasons } from '@omnizap/catalog';
import { reportDetails } from '../../moderation-schemas.ts';
import { packKeyOf } from '../../operations/pack-path.ts';
import { viewerOf } from '../../viewer.ts';
import { readForm } from '../own-form.ts';
import { page, type Page } from '../page.ts';
import { linkTo } from '../page-shell.ts';
import { reportAnchor } from '../parts/report-form.ts';
import type { WebDeps } from '../web-deps.ts';

const reportFields = z.object({ reason: z.enum(reportReasons), details: reportDetails.default('') });

export function reportFormPage(deps: WebDeps): Page {
  return page({
    method: 'post',
    path: '/stickers/:packKey/report',
    routeGroup: 'catalog_web',
    query: z.object({}),
    limit: () => 'count',
    async handle({ request, response, params, context }) {
      const packKey = packKeyOf(params);
      const { reason, details } = await readForm(request, response, reportFields);
      const report = { reason, details: details === '' ? null : details, stickerId: null };
      await deps.reports.report(packKey, report, viewerOf(request), response.locals.requestId as string);
      const location = linkTo(context, `/stickers/${packKey}?reported=yes`);
      return { kind: 'redirect', location: `${location}#${reportAnchor}` };
    },
  });
}
