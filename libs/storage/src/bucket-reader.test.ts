import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLogger, createMetrics, type Metrics } from '@omnizap/runtime';
import { waitFor } from '@omnizap/testkit';
import { createBucketReader, type BucketReader } from './bucket-reader.ts';
import type { ObjectStorageMode } from './object-storage-settings.ts';
import { createObjectStore } from './object-store.ts';

const bytes = Buffer.alloc(20_000, 'sticker');
const sha256 = createHash('sha256').update(bytes).digest('hex');

let server: Server;
let port: number;
let behave: RequestListener;
let asked: string[];
let metrics: Metrics;
let reader: BucketReader;
let isInUse: boolean;
let missing: string[];

const whole: RequestListener = (_request, response) => void response.end(bytes);

async function listen(at = 0): Promise<void> {
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url?.split('?')[0]}`);
    behave(request, response);
  }).listen(at, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
}

async function stopServer(): Promise<void> {
  if (!server.listening) return;
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}

async function open(mode: ObjectStorageMode): Promise<void> {
  const objects = createObjectStore(
    {
      ...{ bucket: 'bucket', region: 'us-east-1', endpoint: `http://127.0.0.1:${port}`, forcePathStyle: true },
      ...{ accessKeyId: 'key', secretAccessKey: 'secret', keyPrefix: 'stickers', mode },
      ...{ cdnBaseUrl: null, signedUrlTtlSeconds: 300 },
    },
    { attempts: 1, timeoutMs: 20_000 },
  );
  metrics = createMetrics({ version: '0', release: 'stable', process: 'test' });
  const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
  reader = createBucketReader(
    { objects, log, metrics },
    { isInUse: () => isInUse, onMissing: ({ sha256: hash }) => Promise.resolve(void missing.push(hash)) },
  );
  await reader.start();
}

beforeEach(async () => {
  behave = whole;
  asked = [];
  isInUse = true;
  missing = [];
  await listen();
});
afterEach(async () => {
  await reader.stop();
  await stopServer();
});

// Longer than a busy machine takes for an answer: only what never comes is waited for shortly.
const read = (timeoutMs = 20_000): Promise<Buffer> => reader.read('sticker', sha256, bytes.length, timeoutMs);
const failures = async (count: number, timeoutMs?: number): Promise<string[]> =>
  (await Promise.allSettled(Array.from({ length: count }, () => read(timeoutMs)))).map((one) =>
    one.status === 'rejected' ? 'failed' : 'read',
  );
const gauge = async (): Promise<number | undefined> =>
  (await metrics.registry.getSingleMetric('omnizap_object_storage_usable')?.get())?.values[0]?.value;

describe('in mode proxy', () => {
  it.each<{ title: string; how: RequestListener }>([
    { title: 'refuses with 403', how: (_request, response) => void response.writeHead(403).end() },
    { title: 'asks to slow down', how: (_request, response) => void response.writeHead(503).end() },
    { title: 'takes requests and never answers', how: () => undefined },
    {
      title: 'stops in the middle of a body',
      how: (_request, response) => {
        response.writeHead(200, { 'Content-Length': bytes.length });
        response.write(bytes.subarray(0, 5_000), () => response.destroy());
      },
    },
    {
      title: 'sends a body that never ends',
      how: (_request, response) => {
        response.writeHead(200, { 'Content-Length': bytes.length });
        response.write(bytes.subarray(0, 5_000));
      },
    },
  ])('leaves a bucket alone that $title, until a look at it shows that it works', async ({ how }) => {
    await open('proxy');
    expect((await read()).equals(bytes)).toBe(true);
    behave = how;

    expect(await failures(5, 300)).not.toContain('read');
    expect(reader.isUsable()).toBe(false);
    expect(await gauge()).toBe(0);
    const before = asked.filter((one) => one.startsWith('GET')).length;
    await expect(read()).rejects.toThrow();
    expect(asked.filter((one) => one.startsWith('GET'))).toHaveLength(before);

    behave = whole;
    await waitFor(() => reader.isUsable(), { description: 'the bucket to be used again' });
    expect((await read()).equals(bytes)).toBe(true);
    expect(await gauge()).toBe(1);
  });

  it('has no room for more reads than it has connections for', async () => {
    await open('proxy');
    const held: (() => void)[] = [];
    behave = (_request, response) => void held.push(() => response.end(bytes));
    const reading: Promise<Buffer>[] = [];
    while (reader.hasRoom()) reading.push(read());
    expect(reading.length).toBeGreaterThan(10);
    await waitFor(() => held.length === reading.length, { description: 'all of them to be asked for' });
    for (const finish of held) finish();
    await Promise.all(reading);
    expect(reader.hasRoom()).toBe(true);
  });

  it('comes back by itself when a dead endpoint does', async () => {
    await open('proxy');
    await stopServer();
    expect(await failures(5)).not.toContain('read');
    expect(reader.isUsable()).toBe(false);

    await listen(port);
    await waitFor(() => reader.isUsable(), { description: 'the bucket to be used again' });
    expect((await read()).equals(bytes)).toBe(true);
  });

  it('does not blame the service for what one object is, and asks nothing while it works', async () => {
    await open('proxy');
    behave = (_request, response) => void response.writeHead(404).end();
    expect(await failures(10)).not.toContain('read');
    behave = (_request, response) => void response.end(Buffer.alloc(bytes.length));
    expect(await failures(10)).not.toContain('read');

    expect(reader.isUsable()).toBe(true);
    expect(asked.every((one) => one.startsWith('GET /bucket/stickers/sticker/'))).toBe(true);
  });
});

describe('in mode redirect', () => {
  it('looks at the bucket, and stops to send people there after the first look that fails', async () => {
    await open('redirect');
    await waitFor(() => asked.includes('HEAD /bucket/'), { description: 'a look at the bucket' });
    expect(reader.isUsable()).toBe(true);

    await stopServer();
    await waitFor(() => !reader.isUsable(), { description: 'the bucket to be left alone' });
    await listen(port);
    await waitFor(() => reader.isUsable(), { description: 'the bucket to be used again' });
  });

  it('looks at what it sent people to: a bucket that is there may be empty, or not for it to read', async () => {
    await open('redirect');
    behave = (request, response) => void response.writeHead(request.url === '/bucket/' ? 200 : 404).end();
    reader.wasHandedOut({ kind: 'sticker', sha256 });
    await waitFor(() => missing.length > 0, { description: 'what is missing' });
    expect([missing, reader.isUsable()]).toEqual([[sha256], true]);

    behave = (request, response) => void response.writeHead(request.url === '/bucket/' ? 200 : 403).end();
    reader.wasHandedOut({ kind: 'sticker', sha256 });
    await waitFor(() => !reader.isUsable(), { description: 'the bucket to be left alone' });
  });

  it('does not look while nobody is sent there', async () => {
    isInUse = false;
    await open('redirect');
    expect((await read()).equals(bytes)).toBe(true);
    expect(asked).toHaveLength(1);
    asked = [];
    isInUse = true;
    await waitFor(() => asked.length > 0, { description: 'a look at the bucket' });
    expect(asked[0]).toBe('HEAD /bucket/');
  });
});
