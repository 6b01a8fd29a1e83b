/** What `/user` is to whoever is not signed in. */
import { html } from '../html.ts';
import type { PageContext } from '../page.ts';
import { linkTo, shell } from '../page-shell.ts';

/** The key that was refused is not shown again. */
export function signInDocument(context: PageContext, { isRefused }: { isRefused: boolean }): string {
  const { t } = context;
  return shell({
    context,
    title: t('owner.sign-in'),
    description: t('owner.sign-in-text'),
    styles: ['owner.css'],
    isPrivate: true,
    content: html`
      <section class="sign-in">
        <h1>${t('owner.sign-in')}</h1>
        <p>${t('owner.sign-in-text')}</p>
        <form class="panel" method="post" action=${linkTo(context, '/user/sign-in')}>
          <label class="field">
            <span>${t('owner.key')}</span>
            <input
              name="key"
              type="password"
              required
              maxlength="512"
              autocomplete="current-password"
              autocapitalize="none"
              spellcheck="false"
              aria-describedby="key-hint"
              aria-invalid=${isRefused ? 'true' : undefined}
              aria-errormessage=${isRefused ? 'key-refused' : undefined}
            />
          </label>
          ${isRefused ? html`<p class="refusal" id="key-refused" role="alert">${t('owner.key-refused')}</p>` : null}
          <p class="fine" id="key-hint">${t('owner.key-hint')}</p>
          <button class="button" type="submit">${t('owner.sign-in')}</button>
        </form>
      </section>
    `,
  });
}
