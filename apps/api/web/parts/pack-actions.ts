/** What can be done with a pack: like it, share it, take it along in the form that an app understands. */
import { html, type Content } from '../html.ts';
import type { PackSummary } from '../list-page-data.ts';
import type { PageContext } from '../page.ts';
import { linkTo } from '../page-shell.ts';
import type { MessageKey } from '../translate.ts';
import { icon } from './icon.ts';

type Download = { file: string; label: MessageKey; canHold: (pack: PackSummary) => boolean };

/** Telegram and Signal take still pictures only; WhatsApp takes what its rules allow. */
const downloads: Download[] = [
  { file: 'download.wastickers', label: 'pack.download-wastickers', canHold: (pack) => pack.whatsapp_ready },
  { file: 'download.whatsapp.zip', label: 'pack.download-whatsapp', canHold: (pack) => pack.whatsapp_ready },
  { file: 'download.telegram.zip', label: 'pack.download-telegram', canHold: isStill },
  { file: 'download.signal.zip', label: 'pack.download-signal', canHold: isStill },
];

export function packActions(context: PageContext, pack: PackSummary, messageTemplate: string): Content {
  const { t, origin } = context;
  const url = `${origin}/stickers/${pack.pack_key}`;
  const message = `${messageTemplate.replaceAll('{{pack_key}}', pack.pack_key)}\n${url}`;
  const possible = downloads.filter(({ canHold }) => canHold(pack));
  return html`
    <div class="pack-actions">
      <a
        class="button share"
        href=${`https://wa.me/?text=${encodeURIComponent(message)}`}
        target="_blank"
        rel="noopener noreferrer"
        >${icon('share')} ${t('pack.share')}<span class="visually-hidden"> (${t('pack.new-tab')})</span></a
      >
      ${likeButton(context, pack)}
    </div>
    <p class="visually-hidden" role="status" aria-live="polite" data-like-status></p>
    ${
      possible.length === 0
        ? null
        : html`<section class="pack-downloads" aria-labelledby="downloads">
            <h2 id="downloads">${t('pack.download')}</h2>
            <ul role="list">
              ${possible.map(
                ({ file, label }) =>
                  html`<li>
                    <a class="chip" href=${`/api/sticker-packs/${pack.pack_key}/${file}`} download
                      >${icon('download')} ${t(label)}</a
                    >
                  </li>`,
              )}
            </ul>
            ${pack.is_animated ? html`<p class="fine">${t('pack.animated-note')}</p>` : null}
          </section>`
    }
  `;
}

function likeButton(context: PageContext, pack: PackSummary): Content {
  const { t } = context;
  const likes = pack.engagement.like;
  return html`
    <form
      method="post"
      action=${linkTo(context, `/stickers/${pack.pack_key}/like`)}
      data-like=${pack.pack_key}
      data-unliked=${t('pack.like')}
      data-liked=${t('pack.liked')}
      data-thanks=${t('pack.thanks')}
      data-failed=${t('pack.like-failed')}
    >
      <button class="button quiet like" type="submit">
        ${icon('heart')}
        <span data-like-label>${t('pack.like')}</span>
        <span class="like-count" data-like-count data-value=${likes}>${t.number(likes)}</span>
      </button>
    </form>
  `;
}

function isStill(pack: PackSummary): boolean {
  return !pack.is_animated && pack.sticker_count > 0;
}
