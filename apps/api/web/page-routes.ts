/**
 * Express routes of the pages: parameters checked, the language chosen, a strict content policy, answers prepared once per language,
 * and errors of pages as pages. Scripts and styles come from our own assets only; nothing may be inline.
 */
import type { Express, NextFunction, Request, RequestHandler, Response } from 'express';
import { z } from 'zod';
import { AppError, type ErrorCode } from '@omnizap/runtime';
import type { ApiDeps } from '../api-deps.ts';
import { setRouteGroup } from '../http-metrics.ts';
import { createPreparedAnswers } from '../prepared-answers.ts';
import { sendAsset } from './asset-answers.ts';
import { requireOwnPage } from './own-form.ts';
import { languageOf, languages } from './languages.ts';
import type { Page, PageContext } from './page.ts';
import { errorDocument } from './pages/error-page.ts';
import { createTranslate } from './translate.ts';
import { assetsPath } from './web-assets.ts';

/**
 * Pages name each host that they may talk to: this one, and those that stickers are redirected to. `data:` is for small pictures
 * within our styles.
 */
const contentPolicy = (imageOrigins: readonly string[]): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    ["img-src 'self' data:", ...imageOrigins].join(' '),
    "connect-src 'self'",
    "form-action 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
const pageCacheControl = 'public, max-age=10, stale-while-revalidate=60';
const htmlType = 'text/html; charset=utf-8';
const languageQuery = z.object({ lang: z.enum(languages).optional() });
/** A name or an address, with a port; whatever else a client calls us is not repeated in links. */
const hostPattern = /^(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

export function createPageRoutes(deps: ApiDeps, pages: Page[]) {
  const prepared = createPreparedAnswers(deps.metrics, 'web_pages');
  const policy = contentPolicy(deps.imageOrigins);

  function contextOf(request: Request, chosen: PageContext['language'] | undefined, path: string): PageContext {
    const language = chosen ?? languageOf(request);
    const host = request.get('host') ?? '';
    return {
      language,
      isLanguageChosen: chosen !== undefined,
      t: createTranslate(language),
      assets: deps.webAssets,
      origin: hostPattern.test(host) ? `${request.protocol}://${host.toLowerCase()}` : '',
      path,
    };
  }

  function route(page: Page): RequestHandler {
    return async (request, response) => {
      beginPage(response, policy, page.routeGroup);
      const { lang } = check(languageQuery, request.query) as z.output<typeof languageQuery>;
      const query = check(page.query, request.query) as Record<string, unknown>;
      if (page.method === 'post') requireOwnPage(request);
      await deps.rateLimiter.take(request, response, page.limit?.(query) ?? 'none', null);
      const context = contextOf(request, lang, canonicalPath(request.path, page, query));
      const params = request.params as Record<string, string>;
      const answer = await page.handle({ request, response, params, query, context });
      if (answer.kind === 'redirect') response.set('Cache-Control', 'no-store').redirect(303, answer.location);
      else if (answer.kind === 'own') {
        response.set({ 'Cache-Control': 'private, no-store', Vary: 'Accept-Language', ...answer.headers });
        response.type(htmlType).send(answer.document);
      } else {
        await prepared.answer(request, response, {
          key: `${context.origin} ${context.language} ${context.isLanguageChosen} ${answer.key}`,
          stamp: answer.stamp,
          cacheControl: page.cacheControl ?? pageCacheControl,
          contentType: answer.contentType ?? htmlType,
          vary: 'Accept-Language',
          build: answer.build,
        });
      }
    };
  }

  return {
    install(app: Express): void {
      app.get(`${assetsPath}:name`, (request, response) => {
        setRouteGroup(response, 'catalog_web');
        sendAsset(request, response, deps.webAssets, deps.config);
      });
      app.all(`${assetsPath}:name`, refuseMethod(['GET', 'HEAD'], policy));
      const methods = new Map<string, string[]>();
      for (const page of pages) {
        app[page.method](page.path, route(page));
        const names = page.method === 'get' ? ['GET', 'HEAD'] : ['POST'];
        methods.set(page.path, [...(methods.get(page.path) ?? []), ...names]);
      }
      for (const [path, names] of methods) app.all(path, refuseMethod(names, policy));
    },

    /** The error as a page, for whoever would rather read one than JSON; false when this request is not of that kind. */
    sendError(request: Request, response: Response, error: { code: ErrorCode; status: number; requestId: string }) {
      if (!wantsPage(request, response)) return false;
      const lang = languageQuery.safeParse(request.query).data?.lang;
      beginPage(response, policy, response.locals.routeGroup as Page['routeGroup'] | undefined);
      response.removeHeader('ETag');
      response.set({ 'Cache-Control': 'no-store', Vary: 'Accept, Accept-Language' });
      response
        .status(error.status)
        .type(htmlType)
        .send(errorDocument(contextOf(request, lang, '/stickers'), error));
      return true;
    },
  };
}

function beginPage(response: Response, policy: string, group: Page['routeGroup'] | undefined): void {
  if (group) setRouteGroup(response, group);
  response.locals.isPage = true;
  // Within this site a referrer tells nobody anything, and without one older browsers do not say where a form is from.
  response.set({ 'Content-Security-Policy': policy, 'Referrer-Policy': 'same-origin' });
}

/** The API answers in JSON, also in a browser. Elsewhere a program has to ask for JSON at a page, and for HTML where nothing is. */
function wantsPage(request: Request, response: Response): boolean {
  if (request.path.startsWith('/api/')) return false;
  const types = response.locals.isPage === true ? ['text/html', 'application/json'] : ['application/json', 'text/html'];
  return request.accepts(types) === 'text/html';
}

function check(schema: z.ZodObject, query: Request['query']): unknown {
  const result = schema.safeParse(query);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new AppError('invalid-parameter', `The query is not valid: ${issue?.path.join('.')}: ${issue?.message}`);
}

function canonicalPath(path: string, page: Page, query: Record<string, unknown>): string {
  const chosen = page.canonical?.(query).toString() ?? '';
  return chosen === '' ? path : `${path}?${chosen}`;
}

function refuseMethod(methods: string[], policy: string): RequestHandler {
  const allow = methods.join(', ');
  return (request: Request, response: Response, _next: NextFunction) => {
    beginPage(response, policy, 'catalog_web');
    response.set('Allow', allow);
    throw new AppError('method-not-allowed', `${request.method} is not possible here; possible: ${allow}.`);
  };
}
