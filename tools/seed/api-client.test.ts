import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createApiClient } from './api-client.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, attempt: number) => void;

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serve(handler: Handler): Promise<{ baseUrl: string; attempts: () => number }> {
  let attempts = 0;
  const server = createServer((request, response) => {
    attempts += 1;
    const attempt = attempts;
    request.resume().on('end', () => handler(request, response, attempt));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, attempts: () => attempts };
}

function client(baseUrl: string, signal = new AbortController().signal) {
  return createApiClient({ baseUrl, ownerKey: 'oz_key', signal, firstPauseMs: 1 });
}

function json(response: ServerResponse, status: number, body: unknown): void {
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  response.writeHead(status, { 'content-type': type }).end(JSON.stringify({ status, ...(body as object) }));
}

const pack = { name: 'n', publisher: 'p', description: 'd', tags: [] };

describe('createApiClient', () => {
  it('asks again when the API is overloaded or breaks off, with the same idempotency key', async () => {
    const keys: unknown[] = [];
    const { baseUrl } = await serve((request, response, attempt) => {
      keys.push(request.headers['idempotency-key']);
      if (attempt === 1) json(response, 503, {});
      else if (attempt === 2) response.destroy();
      else json(response, 201, { data: { pack_key: 'n-123456' } });
    });
    expect(await client(baseUrl).createPack(pack, 'once')).toBe('n-123456');
    expect(keys).toEqual(['once', 'once', 'once']);
  });

  it('does not repeat what the API refuses, and says why it did', async () => {
    const { baseUrl, attempts } = await serve((_request, response) =>
      json(response, 409, { code: 'pack-full', detail: 'It is full.' }),
    );
    await expect(client(baseUrl).publish('n-123456')).rejects.toThrow(/409 pack-full: It is full\./);
    expect(attempts()).toBe(1);
  });

  it('gives up in one line that names the API when it stays away', async () => {
    const { baseUrl } = await serve(() => undefined);
    await new Promise((resolve) => servers.splice(0)[0]?.close(resolve));
    await expect(client(baseUrl).listPacks()).rejects.toThrow(new RegExp(`${baseUrl} does not answer .*ECONNREFUSED`));
  });

  it('follows the cursor to the end of the list', async () => {
    const summary = (pack_key: string) => ({ pack_key, status: 'published', sticker_count: 1, tags: [] });
    const { baseUrl } = await serve((request, response) => {
      const cursor = new URL(request.url ?? '', 'http://localhost').searchParams.get('cursor');
      json(response, 200, {
        data: [summary(cursor === null ? 'a' : 'b')],
        pagination: { next_cursor: cursor === null ? 'next' : null },
      });
    });
    expect((await client(baseUrl).listPacks()).map(({ pack_key }) => pack_key)).toEqual(['a', 'b']);
  });

  it('answers null for a pack that does not exist', async () => {
    const { baseUrl } = await serve((_request, response) =>
      json(response, 404, { code: 'pack-not-found', detail: '' }),
    );
    expect(await client(baseUrl).getPack('gone')).toBeNull();
  });

  it('stops at once when it is told to', async () => {
    const stop = new AbortController();
    const { baseUrl, attempts } = await serve(() => stop.abort(new Error('told to stop')));
    await expect(client(baseUrl, stop.signal).listPacks()).rejects.toThrow('told to stop');
    expect(attempts()).toBe(1);
  });
});
