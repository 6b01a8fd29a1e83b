import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import express from 'express';
import { once } from 'node:events';
import { writeFile, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ask } from '@omnizap/testkit';
import { AppError } from '@omnizap/runtime';
import { sendBytes } from './send-bytes.ts';
import { sendStoredFile } from './send-stored-file.ts';

const bytes = Buffer.from('0123456789');
const etag = '"tag"';

let folder: string;
let server: Server;
let loads: number;
let url: (path: string) => string;

/** The same bytes from memory and from a file: whoever asks must not be able to tell. */
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'send-bytes-'));
  await writeFile(path.join(folder, 'file'), bytes);
  loads = 0;
  const app = express();
  app.disable('x-powered-by');
  app.use((_request, response, next) => {
    response.set({ ETag: etag, 'Content-Type': 'image/webp', 'Cache-Control': 'private, no-store' });
    next();
  });
  app.get('/memory', (request, response) =>
    sendBytes(request, response, bytes.length, () => {
      loads += 1;
      return Promise.resolve(bytes);
    }),
  );
  app.get('/disk', (request, response) =>
    sendStoredFile(request, response, { root: folder, name: '/file', sizeBytes: bytes.length }),
  );
  app.use((error: unknown, _request: express.Request, response: express.Response, _next: express.NextFunction) => {
    response.status(500).json({ code: error instanceof AppError ? error.code : String(error) });
  });
  server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = (name) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}`;
});
afterEach(async () => {
  server.close();
  server.closeAllConnections();
  await rm(folder, { recursive: true, force: true });
});

const told = ['content-type', 'content-length', 'content-range', 'accept-ranges', 'etag', 'cache-control'];

async function answerOf(name: string, method: string, headers: Record<string, string>) {
  const answer = await ask(url(name), { method, headers });
  const found = Object.fromEntries(told.map((header) => [header, answer.headers[header]]));
  return { status: answer.status, body: Buffer.from(answer.bytes).toString(), headers: found };
}

describe('sendBytes', () => {
  it.each<{ title: string; headers: Record<string, string>; status: number }>([
    { title: 'everything', headers: {}, status: 200 },
    { title: 'a part', headers: { Range: 'bytes=2-5' }, status: 206 },
    { title: 'the end', headers: { Range: 'bytes=-3' }, status: 206 },
    { title: 'from a place on', headers: { Range: 'bytes=7-' }, status: 206 },
    { title: 'more than there is', headers: { Range: 'bytes=5-500' }, status: 206 },
    { title: 'nothing but what is there not', headers: { Range: 'bytes=10-' }, status: 500 },
    { title: 'several parts', headers: { Range: 'bytes=0-1,4-5' }, status: 200 },
    { title: 'another unit', headers: { Range: 'lines=0-1' }, status: 200 },
    { title: 'no range', headers: { Range: 'bytes=b-a' }, status: 200 },
    { title: 'what it has', headers: { 'If-None-Match': etag }, status: 304 },
    { title: 'what it has weakly', headers: { 'If-None-Match': `W/${etag}` }, status: 304 },
    { title: 'what it has not', headers: { 'If-None-Match': '"other"' }, status: 200 },
    { title: 'this one only', headers: { 'If-Match': etag }, status: 200 },
    { title: 'one of two', headers: { 'If-Match': `"other", ${etag}` }, status: 200 },
    { title: 'another one only', headers: { 'If-Match': '"other"' }, status: 500 },
    { title: 'a part of this one', headers: { Range: 'bytes=2-5', 'If-Range': etag }, status: 206 },
    { title: 'a part of another one', headers: { Range: 'bytes=2-5', 'If-Range': '"other"' }, status: 200 },
  ])('answers who asks for $title as a file is answered', async ({ headers, status }) => {
    for (const method of ['GET', 'HEAD']) {
      const answer = await answerOf('memory', method, headers);
      expect(answer).toEqual(await answerOf('disk', method, headers));
      expect(answer.status).toBe(status);
    }
  });

  it('asks for no bytes when none are to be sent', async () => {
    await answerOf('memory', 'HEAD', {});
    await answerOf('memory', 'GET', { 'If-None-Match': etag });
    await answerOf('memory', 'GET', { 'If-Match': '"other"' });
    await answerOf('memory', 'GET', { Range: 'bytes=10-' });
    expect(loads).toBe(0);

    await answerOf('memory', 'GET', { Range: 'bytes=0-0' });
    expect(loads).toBe(1);
  });
});
