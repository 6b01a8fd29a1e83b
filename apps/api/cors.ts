/**
 * What pages of other sites may do: read what anybody may read, and count. Never with credentials: `*` goes with no cookie, and an
 * answer to a key is for nobody else's page. As `*` is the same for every origin, no answer varies by Origin.
 */
import type { RequestHandler, Response } from 'express';
import { isForOtherSites } from './operation-defaults.ts';
import type { Operation } from './operation.ts';

const exposedHeaders = [
  'ETag',
  'X-Request-Id',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'Location',
  'Content-Range',
].join(', ');
/** Beside those that need no leave. Authorization is not among them: keys do not belong into other sites' pages. */
const allowedHeaders = ['Content-Type', 'If-None-Match', 'If-Range', 'Range', 'X-Request-Id', 'X-Viewer-Key'].join(
  ', ',
);
/** Browsers keep a leave for two hours at most, whatever is said. */
const preflightSeconds = 7_200;

/**
 * Before anything can fail: the error is for the same reader. Whatever credentials came with it: an answer for everybody is kept by
 * caches, and must not lack this because of who asked first.
 */
export function allowOtherSites(response: Response): void {
  response.set({ 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': exposedHeaders });
}

/** Once it is known that the answer is for a key or a session. */
export function refuseOtherSites(response: Response): void {
  response.removeHeader('Access-Control-Allow-Origin');
  response.removeHeader('Access-Control-Expose-Headers');
}

/** Answers OPTIONS for a path with what is possible there; to a browser that asks for a page, with what the page may do. */
export function createOptionsAnswer(operations: Operation[], allow: string): RequestHandler {
  const methods = operations
    .filter(isForOtherSites)
    .flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
  return (request, response) => {
    response.set({ Allow: allow, 'Cache-Control': 'no-store' });
    const asked = request.get('access-control-request-method');
    if (request.get('origin') !== undefined && asked !== undefined && methods.includes(asked))
      response.set({
        'Access-Control-Allow-Origin': '*',
        'Access-Control-Allow-Methods': methods.join(', '),
        'Access-Control-Allow-Headers': allowedHeaders,
        'Access-Control-Max-Age': String(preflightSeconds),
      });
    response.status(204).end();
  };
}
