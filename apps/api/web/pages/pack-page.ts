/** One pack: its stickers, and what can be done with it. Everything works as links and forms; scripts make it quicker. */
import { z } from 'zod';
import { creatorName } from '@omnizap/catalog';
import { packKeyOf } from '../../operations/pack-path.ts';
import { packJson, stickerJson } from '../../pack-json.ts';
import { rememberedViewerOf } from '../../viewer.ts';
import { html, type Content } from '../html.ts';
import { readListPage, type PackSummary } from '../list-page-data.ts';
import { page, type Page, type PageContext } from '../page.ts';
import { linkTo, shell } from '../page-shell.ts';
import { packActions } from '../parts/pack-actions.ts';
import { packGrid } from '../parts/pack-card.ts';
import { packHead } from '../parts/pack-head.ts';
import { reportForm } from '../parts/report-form.ts';
import { stickerGrid, type Sticker } from '../parts/sticker-grid.ts';
import { structuredData, type StructuredData } from '../structured-data.ts';
import { stampOf, type WebDeps } from '../web-deps.ts';

const relatedPacks = 6;
const coverSide = 512;

export function packPage(deps: WebDeps): Page {
  return page({
    method: 'get',
    path: '/stickers/:packKey',
    routeGroup: 'catalog_web',
    query: z.object({ reported: z.literal('yes').optional().catch(undefined) }),
    async handle({ params, query, context }) {
      const packKey = packKeyOf(params);
      const { view, stickers } = await deps.reader.readPack(packKey, null, deps.sourceFor(packKey));
      const pack = packJson(view, { countAll: false });
      const shown = stickers.map((sticker) => stickerJson(pack.pack_key, sticker, { isOwn: false }));
      const related = await relatedTo(deps, pack);
      const isReported = query.reported === 'yes';
      return {
        kind: 'shared',
        key: `pack:${pack.pack_key}${isReported ? ':reported' : ''}`,
        stamp: stampOf([pack, shown, related?.stamp]),
        build: async () => {
          const others = (await related?.read())?.packs.filter((one) => one.pack_key !== pack.pack_key) ?? [];
          const creator = pack.visibility === 'public' ? creatorName(pack.publisher, view.pack.themeKey) : null;
          const packs = others.slice(0, relatedPacks);
          return packDocument(deps, context, { pack, stickers: shown, creator, related: packs, isReported });
        },
      };
    },
  });
}

/** The like button of a browser without scripts. */
export function likeForm(deps: WebDeps): Page {
  return page({
    method: 'post',
    path: '/stickers/:packKey/like',
    routeGroup: 'catalog_web',
    query: z.object({}),
    limit: () => 'count',
    async handle({ request, response, params, context }) {
      const packKey = packKeyOf(params);
      const viewer = rememberedViewerOf(request, response);
      await deps.engagement.record(packKey, 'like', viewer, response.locals.requestId as string);
      return { kind: 'redirect', location: linkTo(context, `/stickers/${packKey}`) };
    },
  });
}

async function relatedTo(deps: WebDeps, pack: PackSummary) {
  const [category] = pack.categories;
  if (category === undefined) return null;
  const query = { sort: 'popular', limit: relatedPacks + 1, categories: [category], includeSensitive: false } as const;
  return readListPage(deps, { ...query, categories: [category] }, pack.pack_key);
}

type Shown = {
  pack: PackSummary;
  stickers: Sticker[];
  creator: string | null;
  related: PackSummary[];
  isReported: boolean;
};

function packDocument(deps: WebDeps, context: PageContext, shown: Shown): string {
  const { pack, stickers, creator, related, isReported } = shown;
  const { t } = context;
  const count = t.count('pack.stickers', pack.sticker_count);
  const cover = pack.cover_url?.split('?')[0];
  return shell({
    context,
    title: pack.name,
    description:
      pack.description === '' ? t('pack.description', { name: pack.name, stickers: count }) : pack.description,
    section: 'packs',
    styles: ['gallery.css', 'pack.css'],
    scripts: ['gallery.js'],
    isPrivate: pack.visibility !== 'public',
    ...(cover === undefined ? {} : { image: { path: cover, width: coverSide, height: coverSide, alt: pack.name } }),
    structuredData: describePack(context, pack, stickers),
    content: html`
      <article class="pack">
        ${packHead(context, pack, creator, packActions(context, pack, deps.config.STICKER_WEB_WHATSAPP_MESSAGE_TEMPLATE))}
        ${stickerGrid(context, stickers)} ${reportForm(context, pack, isReported)}
      </article>
      ${relatedShelf(context, related)}
    `,
  });
}

function relatedShelf(context: PageContext, related: PackSummary[]): Content {
  if (related.length === 0) return null;
  return html`
    <section class="related" aria-labelledby="related">
      <h2 id="related">${context.t('pack.related')}</h2>
      ${packGrid(context, related)}
    </section>
  `;
}

function describePack(context: PageContext, pack: PackSummary, stickers: Sticker[]): StructuredData[] {
  const { origin, t } = context;
  const url = `${origin}${linkTo(context, `/stickers/${pack.pack_key}`)}`;
  return [
    structuredData('ImageGallery', {
      name: pack.name,
      description: pack.description,
      url,
      inLanguage: context.language,
      keywords: pack.tags.join(', '),
      dateCreated: pack.created_at,
      dateModified: pack.updated_at,
      ...(pack.publisher === '' ? {} : { author: { '@type': 'Organization', name: pack.publisher } }),
      image: stickers.flatMap(({ asset_url }) => (asset_url === null ? [] : [`${origin}${asset_url}`])),
      interactionStatistic: {
        '@type': 'InteractionCounter',
        interactionType: 'https://schema.org/LikeAction',
        userInteractionCount: pack.engagement.like,
      },
    }),
    structuredData('BreadcrumbList', {
      itemListElement: [
        { '@type': 'ListItem', position: 1, name: t('shell.packs'), item: `${origin}${linkTo(context, '/stickers')}` },
        { '@type': 'ListItem', position: 2, name: pack.name, item: url },
      ],
    }),
  ];
}
