/** Bytes in memory as an answer, with the manners of `sendStoredFile`: Range, HEAD and conditional requests as the headers set before say. */
import type { Request, Response } from 'express';
import { AppError } from '@omnizap/runtime';

/**
 * Settles when the connection is done with it. `load` is asked only when the client is to get bytes; before it has answered nothing
 * is written, so that the caller may still send something else when it throws.
 * @throws AppError `range-not-satisfiable`, `precondition-failed`; whatever `load` throws
 */
export async function sendBytes(
  request: Request,
  response: Response,
  sizeBytes: number,
  load: () => Promise<Buffer>,
): Promise<void> {
  response.set('Accept-Ranges', 'bytes');
  if (isPreconditionFailed(request, response))
    throw new AppError('precondition-failed', 'The file is not the one that If-Match names.');
  if (request.fresh) {
    response.removeHeader('Content-Type');
    response.status(304).end();
    return;
  }
  const range = rangeOf(request, response, sizeBytes);
  const bytes = request.method === 'HEAD' ? null : await load();
  // Whoever asked may have left meanwhile.
  if (response.closed) return;
  response.set('Content-Length', String(range.end - range.start + 1));
  if (range.isPart) {
    response.set('Content-Range', `bytes ${range.start}-${range.end}/${sizeBytes}`);
    response.status(206);
  }
  await new Promise<void>((resolve) => {
    response.once('close', resolve);
    response.end(bytes?.subarray(range.start, range.end + 1));
  });
}

/** A single range; several at once, and what is no range, get everything (RFC 9110, 14.2). */
function rangeOf(request: Request, response: Response, sizeBytes: number) {
  const whole = { start: 0, end: sizeBytes - 1, isPart: false };
  if (!isRangeOfThis(request, response)) return whole;
  const ranges = request.range(sizeBytes, { combine: true });
  if (ranges === -1) {
    response.set('Content-Range', `bytes */${sizeBytes}`);
    throw new AppError('range-not-satisfiable', `The file has ${sizeBytes} bytes.`);
  }
  if (ranges === undefined || ranges === -2 || ranges.type !== 'bytes') return whole;
  const [only, ...others] = ranges;
  return only === undefined || others.length > 0 ? whole : { ...only, isPart: true };
}

/** If-Range: the part is only of use to whoever has the rest of the same bytes. */
function isRangeOfThis(request: Request, response: Response): boolean {
  const condition = request.get('If-Range');
  return condition === undefined || condition === response.get('ETag');
}

function isPreconditionFailed(request: Request, response: Response): boolean {
  const condition = request.get('If-Match');
  if (condition === undefined || condition.trim() === '*') return false;
  const etag = response.get('ETag');
  return !condition.split(',').some((candidate) => candidate.trim() === etag);
}
