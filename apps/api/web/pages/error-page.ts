/** What a visitor sees instead of a page: what happened, in their words, and a way on. */
import type { ErrorCode } from '@omnizap/runtime';
import { html } from '../html.ts';
import type { PageContext } from '../page.ts';
import { linkTo, shell } from '../page-shell.ts';
import type { MessageKey } from '../translate.ts';

export function errorDocument(
  context: PageContext,
  { code, status, requestId }: { code: ErrorCode; status: number; requestId: string },
): string {
  const { t, assets } = context;
  const [title, text] = wordsOf(code, status);
  return shell({
    context,
    title: t(title),
    description: t(text),
    isPrivate: true,
    content: html`
      <section class="notice">
        <img src=${assets.url('lost.svg')} width="220" height="180" alt="" />
        <p class="eyebrow">${status}</p>
        <h1>${t(title)}</h1>
        <p>${t(text)}</p>
        <p><a class="button" href=${linkTo(context, '/stickers')}>${t('home.browse')}</a></p>
        ${status >= 500 ? html`<p class="fine">${t('error.request', { id: requestId })}</p>` : null}
      </section>
    `,
  });
}

function wordsOf(code: ErrorCode, status: number): [title: MessageKey, text: MessageKey] {
  if (code === 'snapshot-expired') return ['error.expired', 'error.expired-text'];
  if (status === 429) return ['error.busy', 'error.busy-text'];
  if (status >= 500) return ['error.server', 'error.server-text'];
  if (status === 404) return ['error.not-found', 'error.not-found-text'];
  return ['error.bad-request', 'error.bad-request-text'];
}
