/** An owner's packs of every status, and the form that makes another. */
import type { OwnerSession } from '@omnizap/catalog';
import { html, type Content } from '../html.ts';
import type { PackSummary } from '../list-page-data.ts';
import type { PageContext } from '../page.ts';
import { linkTo } from '../page-shell.ts';
import { coverSide, tintOf } from '../parts/pack-card.ts';
import { ownerShell } from './owner-shell.ts';
import { packFields } from './pack-fields.ts';
import { packStates } from './pack-states.ts';

type Shown = { packs: PackSummary[]; nextCursor: string | null };

export function ownedPacksDocument(context: PageContext, session: OwnerSession, shown: Shown): string {
  const { t } = context;
  const { packs, nextCursor } = shown;
  return ownerShell(context, session, {
    title: t('owner.packs'),
    content: html`
      <h1>${t('owner.packs')}</h1>
      <p class="lead">${t('owner.packs-text')}</p>
      <details class="panel" open=${packs.length === 0}>
        <summary>${t('owner.new-pack')}</summary>
        <form data-new-pack=${linkTo(context, '/user/packs/{packKey}')}>
          <fieldset class="fields" disabled>
            ${packFields(context, null)}
            <button class="button" type="submit">${t('owner.make-pack')}</button>
          </fieldset>
        </form>
      </details>
      ${
        packs.length === 0
          ? html`<p class="notice">${t('owner.no-packs')}</p>`
          : html`<ul class="pack-grid owned-packs" role="list" aria-label=${t('owner.packs')}>
              ${packs.map((pack) => ownedPackCard(context, pack))}
            </ul>`
      }
      ${
        nextCursor === null
          ? null
          : html`<p class="pager">
              <a
                class="button quiet"
                rel="next"
                href=${linkTo(context, `/user?cursor=${encodeURIComponent(nextCursor)}`)}
                >${t('list.next')}</a
              >
            </p>`
      }
    `,
  });
}

function ownedPackCard(context: PageContext, pack: PackSummary): Content {
  const { t } = context;
  return html`
    <li class=${`card tint-${tintOf(pack.pack_key)}`} data-pack=${pack.pack_key}>
      <a class="card-link" href=${linkTo(context, `/user/packs/${pack.pack_key}`)}>
        <span class="card-cover">
          ${
            pack.cover_url === null
              ? html`<span class="cover-missing"></span>`
              : html`<img src=${pack.cover_url} width=${coverSide} height=${coverSide} alt="" decoding="async" />`
          }
        </span>
        <span class="card-name">${pack.name}</span>
      </a>
      <p class="card-counts">${t.count('pack.stickers', pack.sticker_count)}</p>
      ${packStates(context, pack)}
    </li>
  `;
}
