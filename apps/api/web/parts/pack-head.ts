/** The top of a pack's page: cover, name, who published it, counts, tags, and the actions. */
import { categoryName } from '../category-names.ts';
import { html, type Content } from '../html.ts';
import type { PackSummary } from '../list-page-data.ts';
import type { PageContext } from '../page.ts';
import { linkTo } from '../page-shell.ts';
import { icon } from './icon.ts';
import { coverSide, tintOf } from './pack-card.ts';

/** `creator`: the name under which there are more packs of this publisher, if there are. */
export function packHead(context: PageContext, pack: PackSummary, creator: string | null, actions: Content): Content {
  const { t, language } = context;
  return html`
    <header class="pack-head">
      <div class=${`pack-cover tint-${tintOf(pack.pack_key)}`}>
        ${
          pack.cover_url === null
            ? html`<span class="cover-missing" role="img" aria-label=${t('pack.no-cover')}></span>`
            : html`<img src=${pack.cover_url} width=${coverSide} height=${coverSide} alt="" fetchpriority="high" />`
        }
      </div>
      <div class="pack-about">
        ${pack.is_animated ? html`<p class="eyebrow">${icon('motion')} ${t('pack.animated')}</p>` : null}
        <h1>${pack.name}</h1>
        ${publisherLine(context, pack, creator)}
        ${pack.description === '' ? null : html`<p class="pack-text">${pack.description}</p>`}
        <ul class="pack-facts" role="list">
          <li>${t.count('pack.stickers', pack.sticker_count)}</li>
          ${pack.engagement.open > 0 ? html`<li>${t.count('pack.opens', pack.engagement.open)}</li>` : null}
          ${pack.engagement.download > 0 ? html`<li>${t.count('pack.downloads', pack.engagement.download)}</li>` : null}
        </ul>
        ${
          pack.categories.length === 0
            ? null
            : html`<ul class="pack-categories" role="list" aria-label=${t('list.categories')}>
                ${pack.categories.slice(0, 4).map(
                  (category) =>
                    html`<li>
                      <a class="chip" href=${linkTo(context, `/stickers?category=${encodeURIComponent(category)}`)}
                        >${categoryName(category, language)}</a
                      >
                    </li>`,
                )}
              </ul>`
        }
        ${actions}
      </div>
    </header>
  `;
}

function publisherLine(context: PageContext, pack: PackSummary, creator: string | null): Content {
  const text = context.t('pack.by', { publisher: pack.publisher });
  if (pack.publisher === '') return null;
  if (creator === null) return html`<p class="pack-publisher">${text}</p>`;
  const path = `/stickers?creator=${encodeURIComponent(creator)}`;
  return html`<p class="pack-publisher"><a href=${linkTo(context, path)}>${text}</a></p>`;
}
