/** From a request to the handler of its operation and back: what every operation has without saying so. */
import express, { type Request, type RequestHandler, type Response } from 'express';
import Negotiator from 'negotiator';
import type { ZodObject } from 'zod';
import { AppError, type FieldProblem } from '@omnizap/runtime';
import type { ApiDeps } from './api-deps.ts';
import type { createAuthentication, Identity } from './authentication.ts';
import { allowOtherSites, refuseOtherSites } from './cors.ts';
import { setRouteGroup } from './http-metrics.ts';
import { idempotencyKeyOf } from './idempotency.ts';
import { sendJson } from './json-answers.ts';
import { isForOtherSites, limitOf, mediaTypesOf } from './operation-defaults.ts';
import type { Answer, Call, Operation } from './operation.ts';

const maxJsonBytes = 64 * 1_024;
const parseJson = express.json({ limit: maxJsonBytes, strict: true, type: 'application/json' });

type RouteDeps = Pick<ApiDeps, 'idempotency' | 'rateLimiter' | 'log'> & {
  authentication: ReturnType<typeof createAuthentication>;
};

export function createOperationRoute(operation: Operation, deps: RouteDeps): RequestHandler {
  const { authentication, idempotency, rateLimiter } = deps;
  const mediaTypes = mediaTypesOf(operation);

  return async (request, response) => {
    setRouteGroup(response, operation.routeGroup);
    if (isForOtherSites(operation)) allowOtherSites(response);
    requireAcceptable(request, mediaTypes);
    const requestId = response.locals.requestId as string;
    const actor =
      operation.access === 'public'
        ? null
        : operation.access === 'optional'
          ? asReader(await authentication.identify(request))
          : await authentication.require(request, operation.access);
    if (actor) refuseOtherSites(response);
    // Its owner sees another answer at the same address: a cache in front must not give one to the other.
    if (operation.access === 'optional') response.vary('Authorization');
    response.set('Cache-Control', actor ? 'private, no-store' : 'no-store');
    await rateLimiter.take(request, response, limitOf(operation, actor !== null, request.query), actor);
    const query = parse(operation.query, request.query, 'invalid-parameter', 'query');
    const body = operation.body
      ? parse(operation.body, await readJson(request, response), 'validation-failed', 'body')
      : undefined;
    const call: Call = {
      request,
      response,
      params: request.params as Record<string, string>,
      query: query as never,
      body: body as never,
      actor,
      requestId,
      log: deps.log.child({ request_id: requestId }),
    };
    const key = idempotencyKeyOf({ operation, call });
    const handle = (): Promise<Answer> => operation.handle(call);
    const answer =
      key === undefined
        ? await handle()
        : await idempotency.carryOut({ operation, call, key, body: request.body }, handle);
    if (answer === 'written') return;
    if (answer.headers) response.set(answer.headers);
    response.status(answer.status);
    if (answer.body === undefined) response.end();
    else await sendJson(request, response, answer.body, { isSecret: operation.hasSecretAnswer === true });
  };
}

/** A key that may not write the catalogue is nobody in particular to it: it sees what everybody sees. */
function asReader(identity: Identity | null): Identity | null {
  return identity && (identity.isAdmin || identity.scopes.includes('catalog:write')) ? identity : null;
}

/** Before the work is done: nobody is told afterwards that he cannot have the answer. Problems are sent whatever is accepted. */
function requireAcceptable(request: Request, mediaTypes: string[]): void {
  if (mediaTypes.length === 0 || request.headers.accept === undefined) return;
  if (new Negotiator(request).mediaType(mediaTypes) !== undefined) return;
  throw new AppError(
    'not-acceptable',
    `This is answered as ${mediaTypes.join(' or ')}, which the Accept header leaves out.`,
  );
}

async function readJson(request: Request, response: Response): Promise<unknown> {
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
