/** What is sent compressed, and what never is. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import express from 'express';
import { ask } from '@omnizap/testkit';
import { sendJson } from '../json-answers.ts';

const words = (count: number): object => ({ words: Array.from({ length: count }, () => 'sticker') });

describe('JSON that is made for one answer', () => {
  let server: Server;
  let url: string;
  const answer = async (path: string, encoding: string) =>
    await ask(`${url}${path}`, { headers: { 'Accept-Encoding': encoding } });

  beforeAll(async () => {
    const app = express();
    app.get('/large', async (request, response) => await sendJson(request, response, words(500), { isSecret: false }));
    app.get('/small', async (request, response) => await sendJson(request, response, words(5), { isSecret: false }));
    app.get('/secret', async (request, response) => await sendJson(request, response, words(500), { isSecret: true }));
    server = createServer(app);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => await new Promise((resolve) => server.close(resolve)));

  it('is packed as the client prefers when it is large', async () => {
    const plain = await answer('/large', 'identity');
    const [br, gzip] = [await answer('/large', 'gzip;q=0.9, br'), await answer('/large', 'br;q=0, gzip')];

    expect([
      plain.headers['content-encoding'],
      br.headers['content-encoding'],
      gzip.headers['content-encoding'],
    ]).toEqual([undefined, 'br', 'gzip']);
    expect(brotliDecompressSync(br.bytes).equals(plain.bytes)).toBe(true);
    expect(gunzipSync(gzip.bytes).equals(plain.bytes)).toBe(true);
    for (const { headers } of [plain, br, gzip]) expect(headers.vary).toBe('Accept-Encoding');
  });

  it('is sent as it is when it is small', async () => {
    expect((await answer('/small', 'br')).headers['content-encoding']).toBeUndefined();
  });

  it('is sent as it is when it holds a secret, for its length would tell about it', async () => {
    const { headers, bytes } = await answer('/secret', 'br, gzip');
    expect([headers['content-encoding'], headers['content-length']]).toEqual([undefined, String(bytes.length)]);
    expect(bytes.length).toBeGreaterThan(4_000);
  });
});
