/** A pack as it stands in lists: its cover in a box of fixed size (nothing moves when it arrives), name, publisher, counts. */
import { html, type Content } from '../html.ts';
import type { PackSummary } from '../list-page-data.ts';
import type { PageContext } from '../page.ts';
import { linkTo } from '../page-shell.ts';
import { icon } from './icon.ts';

/** CSS pixels; previews are made at this side. */
export const coverSide = 160;
const tints = 6;

/** `isFirst`: within the first screen, so its picture does not wait until it is scrolled to. */
function packCard(context: PageContext, pack: PackSummary, isFirst: boolean): Content {
  const { t } = context;
  return html`
    <li class=${`card tint-${tintOf(pack.pack_key)}`} data-pack=${pack.pack_key}>
      <a class="card-link" href=${linkTo(context, `/stickers/${pack.pack_key}`)}>
        <span class="card-cover">
          ${
            pack.cover_url === null
              ? html`<span class="cover-missing" role="img" aria-label=${t('pack.no-cover')}></span>`
              : html`<img
                  src=${pack.cover_url}
                  width=${coverSide}
                  height=${coverSide}
                  alt=""
                  loading=${isFirst ? 'eager' : 'lazy'}
                  decoding="async"
                  data-animated-src=${pack.is_animated ? stickerUrl(pack.cover_url) : undefined}
                />`
          }
          ${pack.is_animated ? html`<span class="badge">${icon('motion')} ${t('pack.animated')}</span>` : null}
        </span>
        <span class="card-name">${pack.name}</span>
      </a>
      <p class="card-publisher">${pack.publisher === '' ? '\u00a0' : t('pack.by', { publisher: pack.publisher })}</p>
      <p class="card-counts">
        <span>${t.count('pack.stickers', pack.sticker_count)}</span>
        <span class="likes">
          ${icon('heart')}
          <span class="visually-hidden">${t.count('pack.likes', pack.engagement.like)}</span>
          <span aria-hidden="true">${t.number(pack.engagement.like)}</span>
        </span>
      </p>
    </li>
  `;
}

export function packGrid(context: PageContext, packs: PackSummary[], attributes: Record<string, string> = {}): Content {
  return html`<ul class="pack-grid" role="list" ...${attributes}>
    ${packs.map((pack, index) => packCard(context, pack, index < 6))}
  </ul>`;
}

/** The sticker behind its preview: the same path without the parameters that choose a variant and its version. */
function stickerUrl(previewUrl: string): string {
  return previewUrl.split('?')[0] ?? previewUrl;
}

/** The same pack always has the same colour. */
export function tintOf(packKey: string): number {
  return [...packKey].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 65_521, 7) % tints;
}
