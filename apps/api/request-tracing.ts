/**
 * One server span per request, after OpenTelemetry's stable HTTP conventions. A request's own trace goes on here when it names one
 * correctly. What strangers send is kept out of spans: no query (it has search words, viewers' keys and signatures), no address, no
 * user agent.
 */
import type { Request, RequestHandler, Response } from 'express';
import { isTracing, openSpan } from '@omnizap/runtime';

const maxPathCharacters = 200;
const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
/** Asked every few seconds for ever; who answers them is told by metrics. */
const untraced = new Set(['/healthz', '/readyz', '/metrics']);

export function createRequestTracing(): RequestHandler {
  if (!isTracing()) return (_request, _response, next) => next();
  return (request, response, next) => {
    if (untraced.has(request.path)) {
      next();
      return;
    }
    const { traceparent, tracestate } = request.headers;
    const method = knownMethods.has(request.method) ? request.method : '_OTHER';
    const span = openSpan({
      name: method === '_OTHER' ? 'HTTP' : method,
      kind: 'server',
      parent: { traceparent: textOf(traceparent), tracestate: textOf(tracestate) },
    });
    response.once('close', () => {
      if (span.isKept) {
        const route = routeOf(request);
        if (route !== undefined) span.rename(`${method === '_OTHER' ? 'HTTP' : method} ${route}`);
        span.set(attributesOf(request, response, method, route));
        if (!response.writableFinished) span.fail('aborted');
        else if (response.statusCode >= 500) span.fail(String(response.statusCode));
      }
      span.end();
    });
    span.run(next);
  };
}

const textOf = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header.join(',') : header;

/** As it was installed, with its parameters' names; undefined where nothing is. */
function routeOf(request: Request): string | undefined {
  const { route } = request as { route?: { path?: unknown } };
  return typeof route?.path === 'string' ? route.path : undefined;
}

function attributesOf(request: Request, response: Response, method: string, route: string | undefined) {
  return {
    'http.request.method': method,
    ...(method === '_OTHER' ? { 'http.request.method_original': request.method.slice(0, 32) } : {}),
    'url.path': request.path.slice(0, maxPathCharacters),
    // The protocol is the word of whoever set X-Forwarded-Proto, where a proxy is believed.
    'url.scheme': request.secure ? 'https' : 'http',
    'network.protocol.version': request.httpVersion,
    'omnizap.request_id': response.locals.requestId as string,
    ...(route === undefined ? {} : { 'http.route': route }),
    ...(response.headersSent ? { 'http.response.status_code': response.statusCode } : {}),
  };
}
