/** One pack in its owner's hands: its state, its words, what comes in and in which order it stands. */
import type { OwnerSession } from '@omnizap/catalog';
import { html, type Content } from '../html.ts';
import type { PackSummary } from '../list-page-data.ts';
import type { PageContext } from '../page.ts';
import { linkTo } from '../page-shell.ts';
import type { Sticker } from '../parts/sticker-grid.ts';
import { ownedStickers } from './owned-stickers.ts';
import { ownerShell } from './owner-shell.ts';
import { packFields } from './pack-fields.ts';
import { isShownToVisitors, packStates } from './pack-states.ts';

type Shown = { pack: PackSummary; stickers: Sticker[] };

/** What the API takes: libs/imaging probes the bytes, whatever they are called. */
const acceptedTypes = 'image/webp,image/png,image/jpeg,image/gif,image/apng';

export function ownedPackDocument(context: PageContext, session: OwnerSession, shown: Shown): string {
  const { t } = context;
  const { pack, stickers } = shown;
  return ownerShell(context, session, {
    title: pack.name,
    back: html`<a href=${linkTo(context, '/user')}>${t('owner.all-packs')}</a>`,
    content: html`
      <article class="owned-pack" data-owned-pack=${pack.pack_key}>
        ${packHeader(context, pack)} ${uploadArea(context)} ${ownedStickers(context, stickers)}
        <details class="panel">
          <summary>${t('owner.edit-words')}</summary>
          <form data-edit-pack data-saved=${t('owner.saved')}>
            <fieldset class="fields" disabled>
              ${packFields(context, pack)}
              <button class="button quiet" type="submit">${t('owner.save')}</button>
            </fieldset>
          </form>
        </details>
      </article>
    `,
  });
}

/** The script draws it anew from the page as it is then, when what it says has changed. */
function packHeader(context: PageContext, pack: PackSummary): Content {
  const { t } = context;
  const reason = pack.moderation?.reason ?? null;
  return html`
    <header class="owned-head" data-pack-head tabindex="-1">
      <div>
        <h1>${pack.name}</h1>
        ${packStates(context, pack)}
        ${reason === null ? null : html`<p class="refusal">${t('owner.reason', { reason })}</p>`}
      </div>
      <div class="owned-actions">
        ${
          pack.status === 'draft'
            ? html`<button class="button" type="button" data-publish data-done=${t('owner.publish-done')}>
                ${t('owner.publish')}
              </button>`
            : null
        }
        ${
          isShownToVisitors(pack)
            ? html`<a class="button quiet" href=${linkTo(context, `/stickers/${pack.pack_key}`)}
                >${t('owner.visit')}</a
              >`
            : null
        }
      </div>
    </header>
    <ul class="findings" role="list" data-pack-findings data-mended=${t('owner.mended')}></ul>
  `;
}

/** The label is the button of the file field: it opens by click, by key and by whatever a screen reader has for it. */
function uploadArea({ t }: PageContext): Content {
  return html`
    <section class="uploads" aria-labelledby="uploads">
      <h2 id="uploads">${t('owner.add')}</h2>
      <div class="drop-zone" data-drop-zone>
        <label class="button">
          ${t('owner.choose-files')}
          <input class="visually-hidden" type="file" multiple accept=${acceptedTypes} data-files />
        </label>
        <p>${t('owner.drop-here')}</p>
        <p class="fine">${t('owner.formats')}</p>
      </div>
      <ul
        class="upload-list"
        role="list"
        aria-label=${t('owner.uploads')}
        data-uploads
        data-waiting=${t('owner.upload-waiting')}
        data-sending=${t('owner.upload-sending')}
        data-checking=${t('owner.upload-checking')}
        data-taken=${t('owner.upload-taken')}
        data-known=${t('owner.upload-known')}
        data-refused=${t('owner.upload-refused')}
        data-failed=${t('owner.upload-failed')}
        data-mended=${t('owner.mended')}
        data-summary=${t('owner.upload-summary')}
      ></ul>
    </section>
  `;
}
