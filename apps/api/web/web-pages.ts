/** Every page of the web, in one list: routes, refused methods and error pages are made from it. */
import type { ApiDeps } from '../api-deps.ts';
import type { Page } from './page.ts';
import { docsErrorsPage } from './pages/docs-errors-page.ts';
import { docsPage } from './pages/docs-page.ts';
import { homePage } from './pages/home-page.ts';
import { listPage } from './pages/list-page.ts';
import { likeForm, packPage } from './pages/pack-page.ts';
import { reportFormPage } from './pages/report-page.ts';
import { robotsPage } from './pages/robots-page.ts';
import { sitemapPage } from './pages/sitemap-page.ts';
import { ownerPages } from './owner/owner-pages.ts';
import { webDepsOf } from './web-deps.ts';

/** `document`: the OpenAPI document, which has a page too. */
export function webPages(deps: ApiDeps, document: object): Page[] {
  const webDeps = webDepsOf(deps);
  return [
    homePage(webDeps),
    listPage(webDeps),
    packPage(webDeps),
    likeForm(webDeps),
    reportFormPage(webDeps),
    ...ownerPages(webDeps),
    robotsPage(),
    sitemapPage(webDeps),
    docsPage(document),
    docsErrorsPage(),
  ];
}
