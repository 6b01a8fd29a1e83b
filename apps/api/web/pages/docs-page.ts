/** The API for people: every operation of the OpenAPI document, drawn from it alone. */
import { z } from 'zod';
import { describeApi, type ApiDescription } from '../docs/api-description.ts';
import { operationView } from '../docs/operation-view.ts';
import { schemaView } from '../docs/schema-view.ts';
import { html, type Content } from '../html.ts';
import { page, type Page, type PageContext } from '../page.ts';
import { linkTo, shell } from '../page-shell.ts';
import { stampOf } from '../web-deps.ts';

const cacheControl = 'public, max-age=60, stale-while-revalidate=600';

export function docsPage(document: object): Page {
  const api = describeApi(document);
  const stamp = stampOf(document);
  return page({
    method: 'get',
    path: '/docs',
    routeGroup: 'other',
    query: z.object({}),
    cacheControl,
    handle: ({ context }) =>
      Promise.resolve({
        kind: 'shared',
        key: 'docs',
        stamp,
        build: async () => Promise.resolve(docsDocument(context, api)),
      }),
  });
}

function docsDocument(context: PageContext, { tags, schemas }: ApiDescription): string {
  const { t } = context;
  const errorsPath = linkTo(context, '/docs/errors');
  return shell({
    context,
    title: t('docs.title'),
    description: t('docs.description'),
    styles: ['docs.css'],
    scripts: ['docs.js'],
    content: html`
      <div class="docs" lang="en">
        <nav class="docs-menu" aria-label="Operations">
          <label class="docs-search" hidden data-docs-search>Find <input type="search" autocomplete="off" /></label>
          ${tags.map(
            ({ name, operations }) => html`
              <h2><a href=${`#tag-${name}`}>${name}</a></h2>
              <ul>
                ${operations.map(
                  ({ id, method, path, summary }) =>
                    html`<li data-operation=${`${id} ${method} ${path} ${summary}`.toLowerCase()}>
                      <a href=${`#${id}`}>${id}</a>
                    </li>`,
                )}
              </ul>
            `,
          )}
          <h2><a href="#schemas">Shared types</a></h2>
        </nav>
        <div class="docs-body">
          <h1>${t('docs.title')}</h1>
          ${introduction(errorsPath)}
          ${tags.map(
            ({ name, description, operations }) => html`
              <section aria-labelledby=${`tag-${name}`}>
                <h2 id=${`tag-${name}`}>${name}</h2>
                <p>${description}</p>
                ${operations.map((operation) => operationView(operation, errorsPath))}
              </section>
            `,
          )}
          <section aria-labelledby="schemas">
            <h2 id="schemas">Shared types</h2>
            ${schemas.map(
              ([name, schema]) =>
                html`<article id=${`schema-${name}`}>
                  <h3>${name}</h3>
                  ${schemaView(schema)}
                </article>`,
            )}
          </section>
        </div>
      </div>
    `,
  });
}

function introduction(errorsPath: string): Content {
  return html`
    <p>
      JSON over HTTP. The machine-readable description is <a href="/openapi.json">OpenAPI 3.1</a>; every example on this
      page is run by a test. In the examples, <code>API</code> is this address and <code>KEY</code> an API key, sent as
      <code>Authorization: Bearer</code>.
    </p>
    <p>
      Whatever is refused is a problem document (RFC 9457) whose <code>code</code> is explained on the page of
      <a href=${errorsPath}>problem codes</a>. Every answer carries <code>X-Request-Id</code>: name it when you report
      something.
    </p>
  `;
}
