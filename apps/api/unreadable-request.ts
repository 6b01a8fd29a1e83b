/**
 * What Node cannot read as HTTP never reaches the application: it is answered here, in the form of every other refusal, and the
 * connection ends, because nobody knows where the next request on it would begin.
 */
import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorRegistry, type ErrorCode } from '@omnizap/runtime';
import { problemContentType, problemText } from './problem.ts';

/** Listener of a server's `clientError`. */
export function answerUnreadable(error: Error & { code?: string }, socket: Duplex): void {
  // Behind an answer that has begun, another one would be taken for a part of it: Node itself asks the same.
  const { _httpMessage: answering } = socket as Duplex & { _httpMessage?: { headersSent: boolean } | null };
  if (socket.writable && answering?.headersSent !== true) socket.write(answerTo(error.code));
  socket.destroy(error);
}

function answerTo(errorCode: string | undefined): string {
  const code: ErrorCode =
    errorCode === 'HPE_HEADER_OVERFLOW'
      ? 'headers-too-large'
      : errorCode === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? 'request-timeout'
        : 'bad-request';
  const { status } = errorRegistry[code];
  const requestId = randomUUID();
  const body = problemText({ code, detail: details[code] }, requestId);
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    `Content-Type: ${problemContentType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${requestId}`,
    'Cache-Control: no-store',
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}

const details = {
  'headers-too-large': 'The URL and the headers together are larger than 16 KiB.',
  'request-timeout': 'The request did not come to its end in time.',
  'bad-request': 'This is not HTTP.',
};
