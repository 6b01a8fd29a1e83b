/** Errors as RFC 9457 problem documents. */
import type { ErrorRequestHandler, Request, Response } from 'express';
import {
  AppError,
  activeTrace,
  errorRegistry,
  isAppError,
  isDatabaseAway,
  type ErrorCode,
  type FieldProblem,
  type Logger,
} from '@omnizap/runtime';

/** Where the codes are explained; relative, so that it holds on any host. */
const typePrefix = '/docs/errors#';

export const problemContentType = 'application/problem+json; charset=utf-8';

type Problem = { code: ErrorCode; detail: string; fields?: FieldProblem[] };

/** The body of a problem document. */
export function problemText({ code, detail, fields }: Problem, requestId: string): string {
  const { status, title } = errorRegistry[code];
  const traceId = activeTrace()?.trace_id;
  return JSON.stringify({
    type: `${typePrefix}${code}`,
    title,
    status,
    detail,
    code,
    request_id: requestId,
    ...(traceId === undefined ? {} : { trace_id: traceId }),
    ...(fields && fields.length > 0 ? { errors: fields } : {}),
  });
}

function sendProblem(response: Response, requestId: string, problem: Problem): void {
  for (const name of ['ETag', 'Content-Encoding', 'Content-Length', 'Location']) response.removeHeader(name);
  response
    .status(errorRegistry[problem.code].status)
    .set('Content-Type', problemContentType)
    .set('Cache-Control', 'no-store')
    .send(problemText(problem, requestId));
}

/** What body-parser, the router and Node call their errors. */
function fromFramework(error: unknown): AppError | null {
  const { type, status, code } = error as { type?: string; status?: number; code?: string };
  if (type === 'entity.parse.failed')
    return new AppError('malformed-json', 'The body is not valid JSON.', { cause: error });
  if (type === 'entity.too.large')
    return new AppError('payload-too-large', 'The body is larger than this operation takes.', { cause: error });
  if (type === 'encoding.unsupported' || type === 'charset.unsupported') {
    return new AppError('unsupported-media-type', 'The body comes in an encoding that is not supported.', {
      cause: error,
    });
  }
  if (code === 'ERR_INVALID_URL' || error instanceof URIError)
    return new AppError('bad-request', 'The URL cannot be decoded.', { cause: error });
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new AppError('bad-request', 'The request cannot be read.', { cause: error });
  return null;
}

/** Answers an error otherwise where that is wanted; false leaves it to the problem document. */
type SendError = (
  request: Request,
  response: Response,
  error: { code: ErrorCode; status: number; requestId: string },
) => boolean;

export function createErrorHandler(log: Logger, sendOtherwise: SendError): ErrorRequestHandler {
  return (thrown: unknown, request, response, _next) => {
    const requestId = response.locals.requestId as string;
    const error = isAppError(thrown)
      ? thrown
      : (fromFramework(thrown) ??
        (isDatabaseAway(thrown)
          ? new AppError('unavailable', 'The database does not answer; try again in a moment.', { cause: thrown })
          : new AppError('internal-error', 'Something went wrong on our side; the request id finds it in the log.', {
              cause: thrown,
            })));
    const { level, status } = errorRegistry[error.code];
    const path = request.path.slice(0, 200);
    if (status >= 500)
      log[level]({ err: thrown, request_id: requestId, method: request.method, path }, 'a request failed');
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    const isSoonOver = status === 503 || status === 429 || error.code === 'request-in-flight';
    if (isSoonOver && !response.hasHeader('Retry-After')) response.set('Retry-After', '2');
    if (status === 401) response.set('WWW-Authenticate', 'Bearer');
    // A body that was not read to its end would be taken for the next request on this connection.
    if (!request.complete) response.set('Connection', 'close');
    if (!sendOtherwise(request, response, { code: error.code, status, requestId }))
      sendProblem(response, requestId, { code: error.code, detail: error.message, fields: error.fields });
    if (!request.complete) request.resume();
  };
}
