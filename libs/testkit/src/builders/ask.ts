/**
 * One HTTP request, byte for byte: no redirects, no decompression, no cookies, one connection each. What a server answers before
 * it has read the whole body is an answer, not an error.
 */
import { request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';

export type Answer = {
  status: number;
  headers: IncomingHttpHeaders;
  bytes: Buffer;
  /** The body as JSON, taken to be of the type that the test expects. */
  json: <T>() => T;
};

export type AskOptions = {
  method?: string;
  headers?: OutgoingHttpHeaders;
  /** Several pieces are sent in chunks, without a Content-Length; an object goes out as JSON. */
  body?: Buffer | Buffer[] | string | object;
  /** Sent as a bearer token. */
  key?: string | undefined;
};

/** A server that says nothing for this long hangs; the last of two hundred at once waits 30 s where others work as well. */
const silenceTimeoutMs = 50_000;

/** Sends one request to `url` and reads the whole answer. */
export async function ask(url: string, options: AskOptions = {}): Promise<Answer> {
  const { body, key } = options;
  const isJson = body !== undefined && typeof body === 'object' && !Buffer.isBuffer(body) && !Array.isArray(body);
  const headers: OutgoingHttpHeaders = {
    ...(isJson ? { 'Content-Type': 'application/json' } : {}),
    ...(key === undefined ? {} : { Authorization: `Bearer ${key}` }),
    ...options.headers,
  };
  return await new Promise<Answer>((resolve, reject) => {
    const { hostname, port } = new URL(url);
    // The path goes out as it was written: URL would tidy up what a test wants to be untidy.
    const path = url.slice(url.indexOf('/', 'http://'.length));
    const request = httpRequest({ hostname, port, path, method: options.method ?? 'GET', headers, agent: false });
    request.setTimeout(silenceTimeoutMs, () => request.destroy(new Error(`no answer from ${url}`)));
    let isAnswered = false;
    request.once('response', (response) => {
      isAnswered = true;
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        const bytes = Buffer.concat(chunks);
        const json = <T>(): T => JSON.parse(bytes.toString('utf8')) as T;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, json });
      });
    });
    request.on('error', (error) => {
      if (!isAnswered) reject(error);
    });
    if (isJson) request.end(JSON.stringify(body));
    else if (Array.isArray(body)) {
      for (const piece of body as Buffer[]) request.write(piece);
      request.end();
    } else request.end(body);
  });
}
