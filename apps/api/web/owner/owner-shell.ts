/** The frame of the pages of an owner who is signed in: what their script needs to call the API, and the way out. */
import type { OwnerSession } from '@omnizap/catalog';
import { html, type Content } from '../html.ts';
import type { PageContext } from '../page.ts';
import { linkTo, shell } from '../page-shell.ts';

export function ownerShell(
  context: PageContext,
  session: OwnerSession,
  options: { title: string; back?: Content; content: Content },
): string {
  const { t } = context;
  return shell({
    context,
    title: options.title,
    description: t('owner.packs-text'),
    styles: ['gallery.css', 'owner.css'],
    scripts: ['owner.js'],
    isPrivate: true,
    content: html`
      <div class="owner" data-csrf-token=${session.csrfToken}>
        <div class="owner-bar">
          ${options.back ?? html`<span></span>`}
          <form method="post" action=${linkTo(context, '/user/sign-out')}>
            <input type="hidden" name="csrf_token" value=${session.csrfToken} />
            <button class="button quiet small" type="submit">${t('owner.sign-out')}</button>
          </form>
        </div>
        <noscript><p class="refusal">${t('owner.no-script')}</p></noscript>
        ${options.content}
        <p
          class="owner-status"
          role="status"
          aria-live="polite"
          data-owner-status
          data-signed-out=${t('owner.signed-out')}
          data-failed=${t('owner.failed')}
        ></p>
      </div>
    `,
  });
}
