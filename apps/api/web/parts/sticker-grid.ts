/** The stickers of a pack. An animated one is a still until it is pointed at; without scripts it is a link to its moving file. */
import type { z } from 'zod';
import type { stickerSchema } from '../../schemas.ts';
import { html, type Content } from '../html.ts';
import type { PageContext } from '../page.ts';

export type Sticker = z.output<typeof stickerSchema>;

/** Pixels of a preview and of a sticker, and how large they are shown. */
const previewSide = 160;
const stickerSide = 512;
const sizes = '(max-width: 600px) 28vw, 150px';
const firstScreen = 8;

export function stickerGrid(context: PageContext, stickers: Sticker[]): Content {
  const { t } = context;
  if (stickers.length === 0) return html`<p class="notice">${t('pack.none')}</p>`;
  return html`
    <section aria-labelledby="stickers">
      <h2 id="stickers" class="visually-hidden">${t('pack.grid')}</h2>
      <ul class="sticker-grid" role="list">
        ${stickers.map((sticker, index) => stickerTile(context, sticker, index < firstScreen))}
      </ul>
    </section>
  `;
}

function stickerTile({ t }: PageContext, sticker: Sticker, isFirst: boolean): Content {
  const { asset_url: assetUrl, preview_url: previewUrl, emojis, is_animated: isAnimated } = sticker;
  const label = sticker.accessibility_label ?? emojis.join(' ');
  const picture = html`<img
    src=${previewUrl ?? assetUrl}
    srcset=${isAnimated || previewUrl === null || assetUrl === null ? undefined : `${previewUrl} ${previewSide}w, ${assetUrl} ${stickerSide}w`}
    sizes=${isAnimated ? undefined : sizes}
    width=${previewSide}
    height=${previewSide}
    alt=${label === '' ? t('pack.sticker', { position: sticker.position + 1 }) : label}
    loading=${isFirst ? 'eager' : 'lazy'}
    decoding="async"
    data-animated-src=${isAnimated ? assetUrl : undefined}
  />`;
  return html`
    <li class="sticker">
      ${isAnimated ? html`<a href=${assetUrl} data-play="">${picture}</a>` : picture}
      ${emojis.length === 0 ? null : html`<span class="sticker-emojis" aria-hidden="true">${emojis.join('')}</span>`}
    </li>
  `;
}
