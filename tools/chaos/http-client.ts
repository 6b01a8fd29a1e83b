/** One HTTP request and what became of it. Nothing is tried again: a retry would hide what the first try did. */
import { Agent, request as httpRequest } from 'node:http';
import type { Outcome } from './requests.ts';

/** Above the 10 s that the API itself waits for a database. */
const timeoutMs = 12_000;

export type HttpResult = { outcome: Outcome; status: number; code?: string; body: unknown };

export type HttpClient = {
  send: (url: string, options: SendOptions) => Promise<HttpResult>;
  close: () => void;
};

export type SendOptions = {
  method: string;
  headers: Record<string, string>;
  body?: Buffer | string;
};

/** Errors that come before anything was sent. */
const neverSent = new Set(['ECONNREFUSED', 'EADDRNOTAVAIL']);

export function createHttpClient(): HttpClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  return {
    send: (url, { method, headers, body }) =>
      new Promise<HttpResult>((resolve) => {
        const fail = (code: string): void =>
          resolve({ outcome: neverSent.has(code) ? 'refused' : 'unknown', status: 0, code, body: null });
        const request = httpRequest(url, { method, headers, agent }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('error', () => fail('response cut short'));
          response.once('end', () => {
            clearTimeout(timer);
            const status = response.statusCode ?? 0;
            const answer = parse(Buffer.concat(chunks).toString('utf8'));
            const code = (answer as { code?: string } | null)?.code;
            const outcome = status >= 500 ? 'unknown' : status >= 400 ? 'refused' : 'ok';
            resolve({ outcome, status, body: answer, ...(code === undefined ? {} : { code }) });
          });
        });
        const timer = setTimeout(() => request.destroy(Object.assign(new Error(), { code: 'timeout' })), timeoutMs);
        request.once('error', (error: NodeJS.ErrnoException) => {
          clearTimeout(timer);
          fail(error.code ?? error.message);
        });
        request.end(body);
      }),
    close: () => agent.destroy(),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
