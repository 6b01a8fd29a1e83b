/** The gallery: packs in a chosen order. A search is an ordinary form, the next page an ordinary link: a script only saves clicks. */
import { z } from 'zod';
import { sorts } from '@omnizap/catalog';
import { categoryName, galleryCategories } from '../category-names.ts';
import { html, type Content } from '../html.ts';
import { readListPage, type ListQuery, type PackSummary } from '../list-page-data.ts';
import { page, type Page, type PageContext } from '../page.ts';
import { linkTo, shell } from '../page-shell.ts';
import { icon } from '../parts/icon.ts';
import { packGrid } from '../parts/pack-card.ts';
import { structuredData } from '../structured-data.ts';
import type { WebDeps } from '../web-deps.ts';
import { viewerOf } from '../../viewer.ts';

const defaultSort = 'popular';
const defaultLimit = 24;
const maxQueryLength = 80;
const maxCategories = 5;
/** As long as a publisher may be. */
const maxCreatorLength = 120;

const listPageQuery = z.object({
  sort: z.enum(sorts).default(defaultSort),
  limit: z
    .string()
    .regex(/^\d{1,2}$/, 'must be a whole number from 1 to 60')
    .transform(Number)
    .refine((value) => value >= 1 && value <= 60, 'must be a whole number from 1 to 60')
    .default(defaultLimit),
  cursor: z.string().min(1).max(400).optional(),
  q: z
    .string()
    .trim()
    .max(maxQueryLength, `must have at most ${maxQueryLength} characters`)
    .optional()
    .transform((value) => value || undefined),
  category: z
    .union([z.string(), z.array(z.string())])
    .default([])
    .transform((value) => [value].flat().filter((one) => one !== ''))
    .pipe(z.array(z.enum(galleryCategories)).max(maxCategories, `must be at most ${maxCategories}`)),
  include_sensitive: z.enum(['true', 'false']).default('false'),
  creator: z
    .string()
    .trim()
    .max(maxCreatorLength, `must have at most ${maxCreatorLength} characters`)
    .optional()
    .transform((value) => value || undefined),
});
type Query = z.output<typeof listPageQuery>;

export function listPage(deps: WebDeps): Page {
  return page({
    method: 'get',
    path: '/stickers',
    routeGroup: 'catalog_web',
    query: listPageQuery,
    canonical: (query) => paramsOf(query, {}),
    limit: ({ q, creator }) => (q === undefined && creator === undefined ? undefined : 'read'),
    async handle({ request, query, context }) {
      const wanted: ListQuery = {
        sort: query.sort,
        limit: query.limit,
        cursor: query.cursor,
        q: query.q,
        categories: query.category,
        includeSensitive: query.include_sensitive === 'true',
        creator: query.creator,
      };
      const list = await readListPage(deps, wanted, viewerOf(request).key);
      return {
        kind: 'shared',
        key: `list:${JSON.stringify(wanted)}`,
        stamp: list.stamp,
        build: async () => {
          const { packs, nextCursor } = await list.read();
          return listDocument(context, query, packs, nextCursor);
        },
      };
    },
  });
}

function listDocument(context: PageContext, query: Query, packs: PackSummary[], nextCursor: string | null): string {
  const { t } = context;
  const next = nextCursor === null ? null : linkTo(context, listPath({ ...query, cursor: nextCursor }));
  const [category] = query.category;
  const plainTitle =
    query.q !== undefined
      ? t('list.title-search', { q: query.q })
      : category === undefined
        ? t('list.title')
        : t('list.title-category', { category: categoryName(category, context.language) });
  const { creator } = query;
  const title = creator === undefined ? plainTitle : t('list.title-creator', { title: plainTitle, creator });
  return shell({
    context,
    title: query.sort === defaultSort ? title : `${title} (${t(`sort.${query.sort}`)})`,
    description: t('list.description'),
    section: 'packs',
    styles: ['gallery.css'],
    scripts: ['gallery.js'],
    head: next === null ? null : html`<link rel="next" href=${next} />`,
    structuredData: [
      structuredData('ItemList', {
        itemListElement: packs.map((pack, index) => ({
          '@type': 'ListItem',
          position: index + 1,
          name: pack.name,
          url: `${context.origin}${linkTo(context, `/stickers/${pack.pack_key}`)}`,
        })),
      }),
    ],
    content: html`
      <div class="list-page">
        <div class="list-head">
          <h1>${title}</h1>
          ${searchForm(context, query)}
        </div>
        ${categoryChips(context, query)} ${sortTabs(context, query)}
        ${packs.length === 0 && query.cursor === undefined ? emptyList(context) : packGrid(context, packs, { id: 'packs' })}
        <p class="pager" data-pager>
          ${
            next === null
              ? packs.length > 0
                ? html`<span class="fine">${t('list.end')}</span>`
                : null
              : html`<a class="button quiet" rel="next" href=${next}>${t('list.next')}</a>`
          }
        </p>
        <p
          class="visually-hidden"
          role="status"
          aria-live="polite"
          data-list-status
          data-loading=${t('list.loading')}
          data-loaded=${t('list.loaded')}
          data-failed=${t('list.failed')}
        ></p>
      </div>
    `,
  });
}

/** Parameters of a list; what is as it would be anyway is left out, so that one list has one URL. */
function paramsOf(query: Query, changes: Partial<Query>): URLSearchParams {
  const { sort, limit, q, category, include_sensitive, creator, cursor } = { ...query, ...changes };
  const params = new URLSearchParams();
  if (q !== undefined) params.set('q', q);
  for (const one of category) params.append('category', one);
  if (sort !== defaultSort) params.set('sort', sort);
  if (include_sensitive === 'true') params.set('include_sensitive', 'true');
  if (creator !== undefined) params.set('creator', creator);
  if (limit !== defaultLimit) params.set('limit', String(limit));
  if (cursor !== undefined) params.set('cursor', cursor);
  return params;
}

function listPath(query: Query, changes: Partial<Query> = {}): string {
  const params = paramsOf(query, changes);
  return params.size === 0 ? '/stickers' : `/stickers?${params.toString()}`;
}

function searchForm(context: PageContext, query: Query): Content {
  const { t } = context;
  const kept = paramsOf(query, { q: undefined, cursor: undefined });
  return html`
    <form class="search" role="search" action="/stickers" method="get">
      ${[...kept].map(([name, value]) => html`<input type="hidden" name=${name} value=${value} />`)}
      ${context.isLanguageChosen ? html`<input type="hidden" name="lang" value=${context.language} />` : null}
      <label class="visually-hidden" for="q">${t('list.search-label')}</label>
      <input
        id="q"
        type="search"
        name="q"
        value=${query.q ?? ''}
        maxlength=${maxQueryLength}
        placeholder=${t('list.search-hint')}
        autocomplete="off"
        enterkeyhint="search"
      />
      <button class="button" type="submit">${icon('search')} <span>${t('list.search')}</span></button>
    </form>
  `;
}

function categoryChips(context: PageContext, query: Query): Content {
  const { t, language } = context;
  const chip = (label: string, category: Query['category'], isCurrent: boolean): Content =>
    html`<li>
      <a
        class="chip"
        href=${linkTo(context, listPath(query, { category, cursor: undefined }))}
        aria-current=${isCurrent ? 'true' : undefined}
        >${label}</a
      >
    </li>`;
  return html`
    <nav class="chips" aria-label=${t('list.categories')}>
      <ul role="list">
        ${chip(t('list.all-categories'), [], query.category.length === 0)}
        ${galleryCategories.map((one) => chip(categoryName(one, language), [one], query.category.includes(one)))}
      </ul>
    </nav>
  `;
}

function sortTabs(context: PageContext, query: Query): Content {
  const { t } = context;
  return html`
    <nav class="tabs" aria-label=${t('list.sort')}>
      <ul role="list">
        ${sorts.map(
          (sort) =>
            html`<li>
              <a
                href=${linkTo(context, listPath(query, { sort, cursor: undefined }))}
                aria-current=${sort === query.sort ? 'page' : undefined}
                >${t(`sort.${sort}`)}</a
              >
            </li>`,
        )}
      </ul>
    </nav>
  `;
}

function emptyList(context: PageContext): Content {
  const { t } = context;
  return html`
    <div class="notice" id="packs">
      <img src=${context.assets.url('lost.svg')} width="220" height="180" alt="" />
      <h2>${t('list.empty')}</h2>
      <p>${t('list.empty-text')}</p>
      <p><a class="button quiet" href=${linkTo(context, '/stickers')}>${t('list.empty-reset')}</a></p>
    </div>
  `;
}
