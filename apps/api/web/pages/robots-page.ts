/** What crawlers may fetch: pages and sticker pictures, not the API, which says the same in another form. */
import { z } from 'zod';
import { page, type Page } from '../page.ts';

export function robotsPage(): Page {
  return page({
    method: 'get',
    path: '/robots.txt',
    routeGroup: 'catalog_web',
    query: z.object({}),
    cacheControl: 'public, max-age=3600',
    handle: async ({ context }) => ({
      kind: 'shared',
      key: 'robots',
      stamp: '',
      contentType: 'text/plain; charset=utf-8',
      build: async () =>
        [
          'User-agent: *',
          'Allow: /',
          'Disallow: /api/',
          'Allow: /api/sticker-packs/*/stickers/',
          'Disallow: /user',
          '',
          `Sitemap: ${context.origin}/sitemap.xml`,
          '',
        ].join('\n'),
    }),
  });
}
