/** The stickers of an owner's pack in their order, each with what moves it. */
import { html, type Content } from '../html.ts';
import type { PageContext } from '../page.ts';
import type { Sticker } from '../parts/sticker-grid.ts';

const previewSide = 160;

export function ownedStickers(context: PageContext, stickers: Sticker[]): Content {
  const { t } = context;
  return html`
    <section aria-labelledby="order">
      <h2 id="order">${t('owner.order')}</h2>
      <p class="fine">${t('owner.order-hint')}</p>
      <ol
        class="owned-stickers"
        role="list"
        data-stickers
        data-moved=${t('owner.moved')}
        data-saved=${t('owner.order-saved')}
        data-removed=${t('owner.removed')}
      >
        ${stickers.map((sticker, index) => ownedSticker(context, sticker, index, stickers.length))}
      </ol>
      <p class="notice" data-no-stickers hidden=${stickers.length > 0}>${t('owner.no-stickers')}</p>
    </section>
  `;
}

function ownedSticker({ t }: PageContext, sticker: Sticker, index: number, count: number): Content {
  const said = sticker.accessibility_label ?? sticker.emojis.join(' ');
  const name = said === '' ? t('pack.sticker', { position: index + 1 }) : said;
  const problem = sticker.rejection_reason ?? sticker.moderation?.reason ?? null;
  const moves = [
    { step: -1, label: t('owner.move-up'), sign: '←', isLast: index === 0 },
    { step: 1, label: t('owner.move-down'), sign: '→', isLast: index === count - 1 },
  ];
  return html`
    <li
      class="owned-sticker"
      key=${sticker.sticker_id}
      data-sticker=${sticker.sticker_id}
      data-status=${sticker.status}
      data-state=${[sticker.status, sticker.preview_url, problem].join(' ')}
    >
      <div class="owned-picture" data-drag="mouse">
        ${
          sticker.preview_url === null
            ? html`<span class="cover-missing"></span>`
            : html`<img
                src=${sticker.preview_url}
                width=${previewSide}
                height=${previewSide}
                alt=${name}
                draggable="false"
                decoding="async"
              />`
        }
      </div>
      ${sticker.status === 'pending' ? html`<p class="fine">${t('owner.pending')}</p>` : null}
      ${problem === null ? null : html`<p class="refusal">${problem}</p>`}
      <div class="owned-buttons" role="group" aria-label=${name}>
        <span class="grip" data-drag="any" aria-hidden="true">⠿</span>
        ${moves.map(
          ({ step, label, sign, isLast }) =>
            html`<button
              type="button"
              data-move=${step}
              aria-label=${label}
              aria-disabled=${isLast ? 'true' : undefined}
            >
              ${sign}
            </button>`,
        )}
        <button type="button" data-remove aria-label=${t('owner.remove')}>✕</button>
      </div>
    </li>
  `;
}
