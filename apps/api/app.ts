/** The Express application: what every request passes, the operations, and what is left over. */
import express, { type Express, type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { randomUUID } from 'node:crypto';
import helmet from 'helmet';
import type { ZodObject } from 'zod';
import { AppError, type FieldProblem, type Logger } from '@omnizap/runtime';
import type { ApiDeps } from './api-deps.ts';
import { createAuthentication, type Identity } from './authentication.ts';
import { createHttpMetrics, setRouteGroup } from './http-metrics.ts';
import { createOpenApiDocument } from './openapi.ts';
import type { Operation } from './operation.ts';
import { adminOperations } from './operations/admin.ts';
import { analyticsOperations } from './operations/analytics.ts';
import { deadLetterOperations } from './operations/dead-letters.ts';
import { fleetControlOperations } from './operations/fleet-control.ts';
import { marketplaceOperations } from './operations/marketplace.ts';
import { opsOperations } from './operations/ops.ts';
import { ownerListOperations } from './operations/owner-lists.ts';
import { ownerOperations } from './operations/owner.ts';
import { packEditOperations } from './operations/pack-edits.ts';
import { publicOperations } from './operations/public.ts';
import { rolloutOperations } from './operations/rollout.ts';
import { stickerIntakeOperations } from './operations/sticker-intake.ts';
import { createPipeliningGuard } from './pipelining-guard.ts';
import { createPreparedAnswers } from './prepared-answers.ts';
import { createErrorHandler } from './problem.ts';
import { createPageRoutes } from './web/page-routes.ts';
import { webPages } from './web/web-pages.ts';

const maxJsonBytes = 64 * 1_024;
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
    }),
  );

  const { operations, document } = createOperations(deps);
  const authentication = createAuthentication({ apiKeys: deps.apiKeys, adminToken: config.ADMIN_TOKEN });
  const parseJson = express.json({ limit: maxJsonBytes, strict: true, type: 'application/json' });
  for (const operation of operations)
    app[operation.method](expressPath(operation.path), createRoute(operation, authentication, parseJson, deps));
  for (const [path, methods] of methodsByPath(operations)) app.all(path, refuseMethod(methods));
  const pages = createPageRoutes(deps, webPages(deps, document));
  pages.install(app);

  app.use((request) => {
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
    ...ownerOperations(deps),
    ...packEditOperations(deps),
    ...stickerIntakeOperations(deps),
    ...analyticsOperations(deps),
    ...adminOperations(deps),
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
    response.once('close', () => {
      const path = request.path.slice(0, 200);
      log[request.method === 'GET' || request.method === 'HEAD' ? 'debug' : 'info'](
        { request_id: requestId, method: request.method, path, status: response.statusCode },
        'request answered',
      );
    });
    next();
  };
}

function createRoute(
  operation: Operation,
  authentication: ReturnType<typeof createAuthentication>,
  parseJson: RequestHandler,
  deps: ApiDeps,
): RequestHandler {
  return async (request, response) => {
    setRouteGroup(response, operation.routeGroup);
    // Express answers 304 to `If-None-Match: *` whatever the answer is, also where there is no ETag to compare.
    if (!(304 in operation.responses)) delete request.headers['if-none-match'];
    const requestId = response.locals.requestId as string;
    const actor =
      operation.access === 'public'
        ? null
        : operation.access === 'optional'
          ? asReader(await authentication.identify(request))
          : await authentication.require(request, operation.access);
    if (actor) response.set('Cache-Control', 'private, no-store');
    const query = parse(operation.query, request.query, 'invalid-parameter', 'query');
    const body = operation.body
      ? parse(operation.body, await readJson(request, response, parseJson), 'validation-failed', 'body')
      : undefined;
    const answer = await operation.handle({
      request,
      response,
      params: request.params as Record<string, string>,
      query: query as never,
      body: body as never,
      actor,
      requestId,
      log: deps.log.child({ request_id: requestId }),
    });
    if (answer === 'written') return;
    if (answer.headers) response.set(answer.headers);
    if (answer.body === undefined) response.status(answer.status).end();
    else response.status(answer.status).json(answer.body);
  };
}

/** A key that may not write the catalogue is nobody in particular to it: it sees what everybody sees. */
function asReader(identity: Identity | null): Identity | null {
  return identity && (identity.isAdmin || identity.scopes.includes('catalog:write')) ? identity : null;
}

async function readJson(request: Request, response: Response, parseJson: RequestHandler): Promise<unknown> {
  if (request.is('application/json') === false) {
    throw new AppError('unsupported-media-type', 'The body must be JSON: send "Content-Type: application/json".');
  }
  await new Promise<void>((resolve, reject) => {
    void parseJson(request, response, (error?: unknown) => {
      if (error === undefined) resolve();
      else reject(error instanceof Error ? error : new Error('body-parser failed', { cause: error }));
    });
  });
  return (request.body as unknown) ?? {};
}

/** An operation without a schema takes nothing, so that a misspelt parameter is said, not ignored. */
function parse(
  schema: ZodObject | undefined,
  value: unknown,
  code: 'invalid-parameter' | 'validation-failed',
  where: string,
): unknown {
  if (!schema) return undefined;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fields: FieldProblem[] = result.error.issues.slice(0, 20).map((issue) => ({
    pointer: where === 'body' ? `/${issue.path.join('/')}` : issue.path.join('.'),
    detail: issue.message,
  }));
  const first = fields[0];
  throw new AppError(
    code,
    `The ${where} is not valid: ${first ? `${first.pointer === '' || first.pointer === '/' ? '' : `${first.pointer}: `}${first.detail}` : ''}`,
    { fields },
  );
}

function expressPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

function methodsByPath(operations: Operation[]): Map<string, string[]> {
  const methods = new Map<string, string[]>();
  for (const { path, method } of operations) {
    const names = method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()];
    methods.set(expressPath(path), [...(methods.get(expressPath(path)) ?? []), ...names]);
  }
  return methods;
}

function refuseMethod(methods: string[]): RequestHandler {
  const allow = methods.join(', ');
  return (request, response) => {
    response.set('Allow', allow);
    throw new AppError('method-not-allowed', `${request.method} is not possible here; possible: ${allow}.`);
  };
}
