/** Requests as a fuzzer needs them: exactly the bytes that were drawn, over connections that are kept. */
import { Agent, request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';

export type WireRequest = {
  method: string;
  /** As it goes out: already percent-encoded. */
  path: string;
  headers: Record<string, string>;
  body?: Buffer;
};
/** `bytes` are decoded from what Content-Encoding says. */
export type WireAnswer = { status: number; headers: IncomingHttpHeaders; bytes: Buffer };

/** A server that says nothing for this long hangs. */
const silenceTimeoutMs = 20_000;

export function createSender(connections: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });

  async function once(baseUrl: string, wire: WireRequest): Promise<WireAnswer | 'connection was closed'> {
    return await new Promise((resolve, reject) => {
      const { hostname, port } = new URL(baseUrl);
      const { method, path, body } = wire;
      const headers = { ...wire.headers, ...(body ? { 'content-length': String(body.length) } : {}) };
      const request = httpRequest({ agent, hostname, port, method, path, headers });
      let isAnswered = false;
      request.setTimeout(silenceTimeoutMs, () => request.destroy(new Error(`no answer within ${silenceTimeoutMs} ms`)));
      request.once('response', (response) => {
        isAnswered = true;
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            bytes: decoded(Buffer.concat(chunks), response.headers['content-encoding']),
          }),
        );
      });
      request.on('error', (error: NodeJS.ErrnoException) => {
        if (isAnswered) return;
        // The server may close a connection that rests just when it is taken again.
        if (request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE'))
          resolve('connection was closed');
        else reject(error);
      });
      request.end(body);
    });
  }

  return {
    /** @throws Error when the server breaks off or says nothing */
    async send(baseUrl: string, wire: WireRequest): Promise<WireAnswer> {
      for (let attempt = 1; ; attempt += 1) {
        const answer = await once(baseUrl, wire);
        if (answer !== 'connection was closed') return answer;
        if (attempt === 5) throw new Error('the server closed every connection that it was asked on');
      }
    },
    close: () => agent.destroy(),
  };
}

function decoded(bytes: Buffer, encoding: string | undefined): Buffer {
  if (bytes.length === 0) return bytes;
  if (encoding === 'br') return brotliDecompressSync(bytes);
  return encoding === 'gzip' ? gunzipSync(bytes) : bytes;
}

/** The request as one line for a shell. Bytes that no shell can carry are given through printf. */
export function curlOf(baseUrl: string, { method, path, headers, body }: WireRequest): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
  const options = [
    ...(method === 'HEAD' ? ['--head'] : ['-X', method]),
    ...Object.entries(headers).flatMap(([name, value]) => [
      '-H',
      quoted(value === '' ? `${name};` : `${name}: ${value}`),
    ]),
  ];
  const target = quoted(`${baseUrl}${path}`);
  if (!body) return `curl -sg --path-as-is ${options.join(' ')} ${target}`;
  const base64 = body.toString('base64');
  return `printf %s ${base64} | base64 -d | curl -sg --path-as-is ${options.join(' ')} --data-binary @- ${target}`;
}
