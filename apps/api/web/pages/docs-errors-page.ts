/** Every problem code with what it means and what to do: where the `type` of a problem document leads. */
import { z } from 'zod';
import { errorRegistry } from '@omnizap/runtime';
import { html } from '../html.ts';
import { page, type Page, type PageContext } from '../page.ts';
import { linkTo, shell } from '../page-shell.ts';
import { stampOf } from '../web-deps.ts';

/** By status, for codes whose own `detail` says the rest. */
const remedies: Readonly<Record<number, string>> = {
  400: 'Correct the request: detail names the parameter. A cursor comes from next_cursor of the page before, unchanged.',
  401: 'Send a valid key as "Authorization: Bearer <key>".',
  403: 'Use a key that has the scope, or that belongs to the owner.',
  404: 'Check the path and its keys. What is private, a draft or deleted is not found either.',
  405: 'Use one of the methods in the header Allow.',
  406: 'Accept a type that this path has.',
  408: 'Send the request faster, or in smaller parts.',
  409: 'Look at what is there now, as detail says, and decide again.',
  410: 'Begin the list again without a cursor.',
  412: 'Read it again and send the ETag that it has now.',
  413: 'Send less.',
  415: 'Send the Content-Type, or the kind of file, that the operation takes.',
  416: 'Ask for a range within the size that Content-Range names.',
  422: 'Correct the content: errors names each field with what is wrong with it.',
  428: 'Read it first and send its ETag as If-Match.',
  429: 'Wait for as many seconds as Retry-After says.',
  431: 'Shorten the URL or the headers: together they may have 16 KiB.',
  500: 'Report it with its request_id: it is in the log under that name.',
  503: 'Try again after Retry-After.',
};

export function docsErrorsPage(): Page {
  const stamp = stampOf([errorRegistry, remedies]);
  return page({
    method: 'get',
    path: '/docs/errors',
    routeGroup: 'other',
    query: z.object({}),
    cacheControl: 'public, max-age=60, stale-while-revalidate=600',
    handle: ({ context }) =>
      Promise.resolve({
        kind: 'shared',
        key: 'docs-errors',
        stamp,
        build: async () => Promise.resolve(errorsDocument(context)),
      }),
  });
}

function errorsDocument(context: PageContext): string {
  const { t } = context;
  const codes = Object.entries(errorRegistry).toSorted(([, a], [, b]) => a.status - b.status);
  return shell({
    context,
    title: t('docs.errors-title'),
    description: t('docs.errors-description'),
    styles: ['docs.css'],
    content: html`
      <div class="docs-body" lang="en">
        <h1>${t('docs.errors-title')}</h1>
        <p><a href=${linkTo(context, '/docs')}>All operations</a></p>
        <p>
          A refusal has the content type <code>application/problem+json</code>: <code>code</code> is one of these,
          <code>detail</code> says what happened this time.
        </p>
        ${codes.map(
          ([code, { status, title, retryable }]) => html`
            <section class="operation" aria-labelledby=${code}>
              <h2 id=${code}><code>${code}</code></h2>
              <p><b>${status}</b> ${title}.</p>
              <p>${remedies[status] ?? remedies[500]}</p>
              <p class="fine">
                ${retryable ? 'The same request may succeed later.' : 'The same request will be refused again.'}
              </p>
            </section>
          `,
        )}
      </div>
    `,
  });
}
