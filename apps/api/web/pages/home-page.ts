/** The front door: what this is, what people like today, and how to take a pack along. */
import { z } from 'zod';
import { html, type Content } from '../html.ts';
import { readListPage, type ListQuery, type PackSummary } from '../list-page-data.ts';
import { page, type Page, type PageContext } from '../page.ts';
import { linkTo, shell } from '../page-shell.ts';
import { icon } from '../parts/icon.ts';
import { packGrid } from '../parts/pack-card.ts';
import { heroPicture, heroPreload } from '../parts/hero.ts';
import { structuredData } from '../structured-data.ts';
import type { WebDeps } from '../web-deps.ts';
import { viewerOf } from '../../viewer.ts';

const packsPerShelf = 6;

export function homePage(deps: WebDeps): Page {
  return page({
    method: 'get',
    path: '/',
    routeGroup: 'catalog_web',
    query: z.object({}),
    async handle({ request, context }) {
      const viewer = viewerOf(request).key;
      const shelf = (sort: ListQuery['sort']) =>
        readListPage(deps, { sort, limit: packsPerShelf, categories: [], includeSensitive: false }, viewer);
      const [popular, recent] = [await shelf('popular'), await shelf('recent')];
      return {
        kind: 'shared',
        key: 'home',
        stamp: `${popular.stamp} ${recent.stamp}`,
        build: async () => homeDocument(context, (await popular.read()).packs, (await recent.read()).packs),
      };
    },
  });
}

function homeDocument(context: PageContext, popular: PackSummary[], recent: PackSummary[]): string {
  const { t, origin } = context;
  return shell({
    context,
    title: null,
    description: t('site.description'),
    section: 'home',
    styles: ['gallery.css', 'home.css'],
    scripts: ['gallery.js'],
    head: heroPreload(context),
    structuredData: [
      structuredData('WebSite', {
        name: t('site.name'),
        url: `${origin}/`,
        potentialAction: {
          '@type': 'SearchAction',
          target: { '@type': 'EntryPoint', urlTemplate: `${origin}/stickers?q={search_term_string}` },
          'query-input': 'required name=search_term_string',
        },
      }),
    ],
    content: html`
      <div class="home">
        <section class="hero">
          <div class="hero-text">
            <h1>${t('home.title')}</h1>
            <p class="lead">${t('home.lead')}</p>
            <p class="hero-actions">
              <a class="button" href=${linkTo(context, '/stickers')}>${t('home.browse')} ${icon('arrow')}</a>
              <a class="button quiet" href=${linkTo(context, '/stickers?sort=trending')}>${t('home.trending-link')}</a>
            </p>
          </div>
          ${heroPicture(context)}
        </section>
        ${shelf(context, t('home.popular'), '/stickers', popular)}
        ${shelf(context, t('home.recent'), '/stickers?sort=recent', recent)}
        <section aria-labelledby="how">
          <h2 id="how">${t('home.how')}</h2>
          <ol class="steps" role="list">
            ${([1, 2, 3] as const).map(
              (step) =>
                html`<li>
                  <h3>${t(`home.step-${step}`)}</h3>
                  <p>${t(`home.step-${step}-text`)}</p>
                </li>`,
            )}
          </ol>
        </section>
      </div>
    `,
  });
}

function shelf(context: PageContext, title: string, path: string, packs: PackSummary[]): Content {
  if (packs.length === 0) return null;
  return html`
    <section class="shelf">
      <div class="shelf-head">
        <h2>${title}</h2>
        <a href=${linkTo(context, path)}>${context.t('home.all')}<span class="visually-hidden">: ${title}</span></a>
      </div>
      ${packGrid(context, packs)}
    </section>
  `;
}
