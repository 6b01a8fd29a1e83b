/**
 * Load from a fixed number of connections, each asking again as soon as it has its answer. It writes the same bytes each time and
 * reads no more of an answer than its length, because a client that costs as much as the server would hide the server.
 */
import { connect } from 'node:net';

const headerEnd = Buffer.from('\r\n\r\n');

export type LoopOptions = {
  /** `http://host:port`; plain HTTP/1.1. */
  baseUrl: string;
  path: string;
  headers: Record<string, string>;
  connections: number;
  seconds: number;
  /** Any other status ends the loop with an error. */
  expectedStatus: number;
  signal: AbortSignal;
};

/** Answers per second. Rejects when a connection breaks, an answer has another status, or the signal is aborted. */
export async function runClosedLoop(options: LoopOptions): Promise<number> {
  const { host, hostname, port } = new URL(options.baseUrl);
  const lines = Object.entries({ host, ...options.headers }).map(([name, value]) => `${name}: ${value}`);
  const request = Buffer.from([`GET ${options.path} HTTP/1.1`, ...lines, '', ''].join('\r\n'));
  const startedAt = performance.now();
  const endsAt = startedAt + options.seconds * 1_000;
  const one = async (): Promise<number> => await askUntil(endsAt, request, { hostname, port: Number(port) }, options);
  const counts = await Promise.all(Array.from({ length: options.connections }, one));
  return counts.reduce((sum, count) => sum + count, 0) / ((performance.now() - startedAt) / 1_000);
}

async function askUntil(
  endsAt: number,
  request: Buffer,
  address: { hostname: string; port: number },
  { expectedStatus, signal }: LoopOptions,
): Promise<number> {
  return await new Promise((resolve, reject) => {
    const socket = connect(address.port, address.hostname);
    const abort = (): void => void socket.destroy(new Error('interrupted'));
    signal.addEventListener('abort', abort, { once: true });
    let answers = 0;
    let received = Buffer.alloc(0);
    socket.setNoDelay(true);
    socket.on('connect', () => socket.write(request));
    socket.on('error', reject);
    socket.on('close', () => {
      signal.removeEventListener('abort', abort);
      reject(new Error('The server closed the connection'));
    });
    socket.on('data', (chunk) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const head = received.indexOf(headerEnd);
      if (head < 0) return;
      const { status, bodyBytes } = readHead(received.toString('latin1', 0, head));
      if (received.length < head + headerEnd.length + bodyBytes) return;
      received = Buffer.alloc(0);
      if (status !== expectedStatus) {
        reject(new Error(`Answered with ${status}, expected ${expectedStatus}`));
        socket.destroy();
        return;
      }
      answers += 1;
      if (performance.now() < endsAt) socket.write(request);
      else {
        resolve(answers);
        socket.destroy();
      }
    });
  });
}

function readHead(head: string): { status: number; bodyBytes: number } {
  const status = Number(head.slice(9, 12));
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined && status !== 304) throw new Error('An answer without Content-Length cannot be followed');
  return { status, bodyBytes: status === 304 ? 0 : Number(length) };
}
