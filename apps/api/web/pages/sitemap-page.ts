/** The sitemap (sitemaps.org): an index of parts, and each part. Only packs that are published, public and reachable. */
import { z } from 'zod';
import { createSitemapReader, sitemapPartSize } from '@omnizap/catalog';
import { AppError } from '@omnizap/runtime';
import { page, type Page } from '../page.ts';
import type { WebDeps } from '../web-deps.ts';

const namespace = 'http://www.sitemaps.org/schemas/sitemap/0.9';
/** Besides a new ranking, which a change of visibility leads to. */
const keptMs = 3_600_000;

const sitemapQuery = z.object({
  part: z
    .string()
    .regex(/^[1-9]\d{0,4}$/, 'must be the number of a part')
    .transform(Number)
    .optional(),
});

export function sitemapPage(deps: WebDeps): Page {
  const sitemap = createSitemapReader(deps, { partSize: sitemapPartSize });
  return page({
    method: 'get',
    path: '/sitemap.xml',
    routeGroup: 'catalog_web',
    query: sitemapQuery,
    cacheControl: 'public, max-age=3600',
    async handle({ query, context: { origin } }) {
      const { part } = query;
      const generation = await deps.reader.currentGeneration();
      const parts = await sitemap.partCount();
      if (part !== undefined && part > parts) throw new AppError('not-found', `The sitemap has ${parts} parts.`);
      return {
        kind: 'shared',
        key: `sitemap:${part ?? 'index'}`,
        stamp: `${generation?.generation ?? 0}:${parts}:${Math.floor(Date.now() / keptMs)}`,
        contentType: 'application/xml; charset=utf-8',
        build: async () =>
          part === undefined
            ? indexXml(Array.from({ length: parts }, (_, index) => `${origin}/sitemap.xml?part=${index + 1}`))
            : partXml([
                ...(part === 1 ? [`${origin}/`, `${origin}/stickers`].map((url) => ({ url })) : []),
                ...(await sitemap.part(part)).map(({ packKey, updatedAt }) => ({
                  url: `${origin}/stickers/${packKey}`,
                  updatedAt,
                })),
              ]),
      };
    },
  });
}

function indexXml(urls: string[]): string {
  return document(
    'sitemapindex',
    urls.map((url) => `<sitemap><loc>${url}</loc></sitemap>`),
  );
}

function partXml(entries: { url: string; updatedAt?: Date }[]): string {
  return document(
    'urlset',
    entries.map(
      ({ url, updatedAt }) =>
        `<url><loc>${url}</loc>${updatedAt ? `<lastmod>${updatedAt.toISOString()}</lastmod>` : ''}</url>`,
    ),
  );
}

/** Hosts and keys of packs hold no sign that XML would take for its own. */
function document(root: string, entries: string[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${namespace}">\n${entries.join('\n')}\n</${root}>\n`;
}
