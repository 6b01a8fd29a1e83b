/** The Express application: what every request passes, the operations, and what is left over. */
import express, { type Express, type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { randomUUID } from 'node:crypto';
import helmet from 'helmet';
import { AppError, activeTrace, type Logger } from '@omnizap/runtime';
import type { ApiDeps } from './api-deps.ts';
import { createAuthentication } from './authentication.ts';
import { allowOtherSites, createOptionsAnswer } from './cors.ts';
import { createHttpMetrics } from './http-metrics.ts';
import { createOpenApiDocument } from './openapi.ts';
import { isForOtherSites } from './operation-defaults.ts';
import { createOperationRoute } from './operation-route.ts';
import type { Operation } from './operation.ts';
import { adminOperations } from './operations/admin.ts';
import { analyticsOperations } from './operations/analytics.ts';
import { banOperations } from './operations/bans.ts';
import { deadLetterOperations } from './operations/dead-letters.ts';
import { fleetControlOperations } from './operations/fleet-control.ts';
import { marketplaceOperations } from './operations/marketplace.ts';
import { moderationOperations } from './operations/moderation.ts';
import { opsOperations } from './operations/ops.ts';
import { ownerListOperations } from './operations/owner-lists.ts';
import { ownerOperations } from './operations/owner.ts';
import { packEditOperations } from './operations/pack-edits.ts';
import { packFileOperations } from './operations/pack-files.ts';
import { publicOperations } from './operations/public.ts';
import { reportOperations } from './operations/reports.ts';
import { rolloutOperations } from './operations/rollout.ts';
import { stickerIntakeOperations } from './operations/sticker-intake.ts';
import { webhookOperations } from './operations/webhooks.ts';
import { createPipeliningGuard } from './pipelining-guard.ts';
import { createPreparedAnswers } from './prepared-answers.ts';
import { createErrorHandler } from './problem.ts';
import { createRequestTracing } from './request-tracing.ts';
import { createPageRoutes } from './web/page-routes.ts';
import { webPages } from './web/web-pages.ts';

/** Half a year. Other hosts of the domain are not ours to decide for. */
const hstsSeconds = 15_552_000;
const requestIdPattern = /^[A-Za-z0-9._-]{1,128}$/;

export function createApp(deps: ApiDeps): Express {
  const { config, log } = deps;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', config.TRUST_PROXY_HOPS);
  app.set('query parser', 'simple');

  app.use(createPipeliningGuard());
  app.use(giveRequestId);
  app.use(createRequestTracing());
  app.use(logAnswers(log));
  app.use(createHttpMetrics(deps.metrics, config.HTTP_SLO_TARGET_MS));
  app.use((request, response, next) => {
    if (!deps.health.handle(request, response)) next();
  });
  app.use(
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
      // Stickers are made to be shown elsewhere.
      crossOriginResourcePolicy: { policy: 'cross-origin' },
      // Said over TLS only, where a proxy in front ends it: over plain HTTP it would mean nothing.
      strictTransportSecurity: false,
    }),
  );
  app.use(describeToAgents);

  const { operations, document } = createOperations(deps);
  const { apiKeys, ownerSessions } = deps;
  const authentication = createAuthentication({ apiKeys, ownerSessions, adminToken: config.ADMIN_TOKEN });
  const install = (those: Operation[]): void => {
    for (const operation of those)
      app[operation.method](expressPath(operation.path), createOperationRoute(operation, { ...deps, authentication }));
    for (const [path, ofPath] of byPath(those)) {
      const allow = allowedMethods(ofPath);
      app.options(path, createOptionsAnswer(ofPath, allow));
      app.all(path, refuseMethod(allow, ofPath.some(isForOtherSites)));
    }
  };
  // "x.webp" is the file of sticker x; whatever is possible with a sticker is not possible with a sticker called "x.webp".
  install(operations.filter(({ path }) => isFile(path)));
  install(operations.filter(({ path }) => !isFile(path)));
  const pages = createPageRoutes(deps, webPages(deps, document));
  pages.install(app);

  app.use((request, response) => {
    if (isOfApi(request.path)) allowOtherSites(response);
    throw new AppError('not-found', `There is nothing at ${request.path.slice(0, 200)}.`);
  });
  app.use(createErrorHandler(log, pages.sendError));
  return app;
}

/** Every operation in the order of its route, and the document that describes them. */
export function createOperations(deps: ApiDeps): { operations: Operation[]; document: object } {
  const prepared = createPreparedAnswers(deps.metrics, 'api_answers');
  const operations = [
    // Before those of a pack: their names would be taken for its key.
    ...marketplaceOperations(deps, prepared),
    ...ownerListOperations(deps),
    ...publicOperations(deps, prepared),
    ...packFileOperations(deps),
    ...ownerOperations(deps),
    ...packEditOperations(deps),
    ...stickerIntakeOperations(deps),
    ...analyticsOperations(deps),
    ...webhookOperations(deps),
    ...adminOperations(deps),
    ...moderationOperations(deps),
    ...banOperations(deps),
    ...reportOperations(deps),
    ...deadLetterOperations(deps),
    ...fleetControlOperations(deps),
    ...rolloutOperations(deps),
    ...opsOperations(deps, () => document),
  ];
  const document = createOpenApiDocument(operations);
  return { operations, document };
}

function giveRequestId(request: Request, response: Response, next: NextFunction): void {
  const given = request.get('x-request-id');
  const requestId = given !== undefined && requestIdPattern.test(given) ? given : randomUUID();
  response.locals.requestId = requestId;
  response.set('X-Request-Id', requestId);
  next();
}

/** What ties a client's request to the events and tasks that it leads to; reads lead to none and are logged at level debug. */
function logAnswers(log: Logger): RequestHandler {
  if (!log.isLevelEnabled('debug')) return (_request, _response, next) => next();
  return (request, response, next) => {
    const requestId = response.locals.requestId as string;
    // A connection that ends is in no request's trace.
    const traced = activeTrace();
    response.once('close', () => {
      const path = request.path.slice(0, 200);
      log[request.method === 'GET' || request.method === 'HEAD' ? 'debug' : 'info'](
        { request_id: requestId, method: request.method, path, status: response.statusCode, ...traced },
        'request answered',
      );
    });
    next();
  };
}

function expressPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

/** `/{id}.webp`: a parameter with an ending of ours. */
const isFile = (path: string): boolean => /\}\.\w+$/.test(path);

/** Those with fewer places first: what is possible at "import" is not what is possible at a pack's key. */
function byPath(operations: Operation[]): [string, Operation[]][] {
  const places = (path: string): number => path.split(':').length;
  return [...Map.groupBy(operations, ({ path }) => expressPath(path))].sort(([a], [b]) => places(a) - places(b));
}

function allowedMethods(operations: Operation[]): string {
  const methods = operations.flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
  return [...methods, 'OPTIONS'].join(', ');
}

function refuseMethod(allow: string, isOfOtherSites: boolean): RequestHandler {
  return (request, response) => {
    if (isOfOtherSites) allowOtherSites(response);
    response.set('Allow', allow);
    throw new AppError('method-not-allowed', `${request.method} is not possible here; possible: ${allow}.`);
  };
}

function isOfApi(path: string): boolean {
  return path.startsWith('/api/') || path === '/openapi.json';
}

/** For browsers and crawlers: pages are to be found, the API behind them is not; TLS, once there, stays. */
function describeToAgents(request: Request, response: Response, next: NextFunction): void {
  if (isOfApi(request.path)) response.set('X-Robots-Tag', 'noindex, nofollow');
  if (request.secure) response.set('Strict-Transport-Security', `max-age=${hstsSeconds}`);
  next();
}
