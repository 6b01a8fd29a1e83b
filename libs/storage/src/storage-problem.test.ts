/** Errors as the SDK makes them, of what small servers answer: by the words of AWS where a service says anything. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { fork, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { selfSigned } from '../test/self-signed.ts';
import type { Asked, Told } from '../test/asker.ts';
import type { ObjectStorageSettings } from './object-storage-settings.ts';
import type { StorageProblem } from './storage-problem.ts';

const secretAccessKey = 'hidden-word-of-the-secret';
const settings: Omit<ObjectStorageSettings, 'endpoint'> = {
  ...{ bucket: 'stickers-of-all', region: 'us-east-1', accessKeyId: 'AKIDEXAMPLE', secretAccessKey },
  ...{ forcePathStyle: true, keyPrefix: 'stickers', mode: 'proxy', cdnBaseUrl: null, signedUrlTtlSeconds: 300 },
};
const minute = 60_000;
const bytes = Buffer.from('a sticker');
const sha256 = createHash('sha256').update(bytes).digest('hex');

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** In a process of its own: Jest has errors of its own, which the SDK does not take for any. */
let asker: ChildProcess;
beforeAll(() => {
  asker = fork(path.join(import.meta.dirname, '../test/asker.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
});
afterAll(async () => {
  if (!asker.connected) return;
  asker.disconnect();
  await once(asker, 'exit');
});

async function asking(endpoint: string, ask: Asked['ask']): Promise<Told> {
  const question: Asked = { ask, sha256, sizeBytes: bytes.length, settings: { ...settings, endpoint } };
  const answer = once(asker, 'message') as Promise<[Told]>;
  asker.send(question);
  const [said] = await answer;
  return said;
}

async function listen(server: Server, scheme = 'http'): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => undefined)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

type Said = { status: number; body?: string; headers?: Record<string, string> };

const answering = ({ status, body = '', headers = {} }: Said): Promise<string> =>
  listen(
    createHttpServer(({ method }: IncomingMessage, response: ServerResponse) => {
      response.writeHead(status, { 'Content-Type': 'application/xml', ...headers });
      response.end(method === 'HEAD' ? undefined : body);
    }),
  );
/** Speaks no HTTP of its own accord. */
const connecting = (onData: (socket: Socket) => void): Promise<string> =>
  listen(createServer((socket) => void socket.once('data', () => onData(socket))));

/** What an operator is told when this is asked of the service there; null when nothing is wrong. */
async function told(endpoint: string, ask: Asked['ask'] = 'list'): Promise<StorageProblem | null> {
  const { problem } = await asking(endpoint, ask);
  if (problem === null) return null;
  expect(JSON.stringify(problem)).not.toContain(secretAccessKey);
  for (const sentence of [problem.text, problem.remedy]) expect(sentence).toMatch(/^[A-Z].*\.$/);
  return problem;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const xml = (code: string, more = ''): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>In words</Message>${more}<RequestId>4442587FB7D0A2F9</RequestId></Error>`;
const page = '<!doctype html><html><head><title>Hello</title></head><body><p>It works</p></body></html>';
const html = { 'Content-Type': 'text/html' };
const inTwentyMinutes = (): Date => new Date(Date.now() + 20 * minute);

describe('what a service says is wrong', () => {
  it.each<[string, Said, StorageProblem['code']]>([
    ['a signature that is not right', { status: 403, body: xml('SignatureDoesNotMatch') }, 'wrong-secret'],
    ['an unknown key', { status: 403, body: xml('InvalidAccessKeyId') }, 'unknown-key'],
    ['a bucket that is gone', { status: 404, body: xml('NoSuchBucket') }, 'no-bucket'],
    ['a key without the right', { status: 403, body: xml('AccessDenied') }, 'forbidden'],
    ['a closed account', { status: 403, body: xml('AllAccessDisabled') }, 'forbidden'],
    ['403 without a word', { status: 403 }, 'forbidden'],
    ['503 SlowDown', { status: 503, body: xml('SlowDown') }, 'throttled'],
    ['429', { status: 429 }, 'throttled'],
    ['500', { status: 500, body: xml('InternalError') }, 'failing'],
    ['a proxy without a service behind it', { status: 502, body: page, headers: html }, 'failing'],
    ['504 without a word', { status: 504 }, 'failing'],
  ])('%s', async (_what, said, code) => {
    const problem = await told(await answering(said));
    expect(problem?.code).toBe(code);
  });

  it.each<[string, Said, string]>([
    [
      'in a field',
      { status: 400, body: xml('AuthorizationHeaderMalformed', '<Region>eu-west-1</Region>') },
      'eu-west-1',
    ],
    [
      'in a header',
      { status: 301, body: xml('PermanentRedirect'), headers: { 'x-amz-bucket-region': 'eu-central-1' } },
      'eu-central-1',
    ],
    [
      'in the host to ask',
      {
        status: 301,
        body: xml('PermanentRedirect', '<Endpoint>stickers-of-all.s3.sa-east-1.amazonaws.com</Endpoint>'),
      },
      'sa-east-1',
    ],
    [
      'in the words only',
      {
        status: 400,
        body: xml('AuthorizationHeaderMalformed').replace(
          'In words',
          "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'us-west-2'",
        ),
      },
      'us-west-2',
    ],
  ])('another region, and which it is: %s', async (_where, said, region) => {
    const problem = await told(await answering(said));
    expect(problem).toMatchObject({ code: 'wrong-region', region, text: expect.stringContaining(region) });
    expect(problem?.remedy).toContain(`STICKER_OBJECT_STORAGE_REGION=${region}`);
  });

  it('another region, also to HEAD, whose answers have no words', async () => {
    const headers = { 'x-amz-bucket-region': 'eu-central-1' };
    for (const status of [301, 400])
      expect(await told(await answering({ status, headers }), 'head')).toMatchObject({
        code: 'wrong-region',
        region: 'eu-central-1',
      });
    expect(await told(await answering({ status: 301, body: xml('PermanentRedirect') }))).not.toHaveProperty('region');
  });

  it('a clock that is off, by how much, and which way', async () => {
    const at = inTwentyMinutes();
    const fromField = `<ServerTime>${at.toISOString()}</ServerTime>`;
    expect(await told(await answering({ status: 403, body: xml('RequestTimeTooSkewed', fromField) }))).toMatchObject({
      code: 'clock-skew',
      text: "The clock of this host differs from the service's by 20 minutes (ours is behind).",
    });
    const past = new Date(Date.now() - 20 * minute).toUTCString();
    for (const [ask, body] of [['list', xml('RequestTimeTooSkewed')] as const, ['head', ''] as const])
      expect(await told(await answering({ status: 403, body, headers: { Date: past } }), ask)).toMatchObject({
        code: 'clock-skew',
        text: "The clock of this host differs from the service's by 20 minutes (ours is ahead).",
      });
  });

  it('a bucket that is gone is not an object that is gone: nobody takes it for a service that works', async () => {
    const endpoint = await answering({ status: 404, body: xml('NoSuchBucket') });
    for (const ask of ['list', 'head', 'read'] as const) expect((await told(endpoint, ask))?.code).toBe('no-bucket');
    const lost = await answering({ status: 404, body: xml('NoSuchKey') });
    expect((await told(lost, 'read'))?.code).toBe('missing');
    expect([(await asking(endpoint, 'head')).isServiceFailure, (await asking(lost, 'read')).isServiceFailure]).toEqual([
      true,
      false,
    ]);
  });
});

describe('what answers there is no S3 service', () => {
  it.each<[string, Said]>([
    ['a page', { status: 200, body: page, headers: html }],
    ['a page that is not found', { status: 404, body: page, headers: html }],
    ['a page that is not for us', { status: 403, body: page, headers: html }],
    ['JSON', { status: 200, body: '{"status":"ok"}', headers: { 'Content-Type': 'application/json' } }],
    ['JSON that refuses', { status: 404, body: '{"error":1}', headers: { 'Content-Type': 'application/json' } }],
    ['XML of something else', { status: 200, body: '<feed><title>News</title></feed>' }],
    ['nothing at all', { status: 200 }],
    ['a server without listings', { status: 405 }],
  ])('but %s', async (_what, said) => {
    expect((await told(await answering(said)))?.code).toBe('not-s3');
  });

  it('but something that speaks no HTTP', async () => {
    expect((await told(await connecting((socket) => socket.end('SSH-2.0-OpenSSH_9.9\r\n'))))?.code).toBe('not-s3');
  });
});

describe('what becomes of a connection', () => {
  it('is told: refused, a name that does not exist, closed, reset, half an answer', async () => {
    const closed = await listen(createServer());
    await closing.pop()?.();
    const cases: [string, string][] = [
      [closed, 'it refuses connections'],
      ['http://bucket.invalid', 'its name '],
      [await connecting((socket) => socket.end()), 'it closed the connection'],
      [await connecting((socket) => socket.resetAndDestroy()), 'it closed the connection'],
      [
        await connecting((socket) =>
          socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<?xml version="1.0"?>'),
        ),
        'it closed the connection',
      ],
    ];
    for (const [endpoint, text] of cases)
      expect([endpoint, await told(endpoint)]).toEqual([
        endpoint,
        expect.objectContaining({ code: 'unreachable', text: expect.stringContaining(text) }),
      ]);
  });

  it('is told: no answer, and none that ends', async () => {
    const half = 'HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\n\r\n<?xml version="1.0"?><ListBucketResult>';
    for (const onData of [(): void => undefined, (socket: Socket) => void socket.write(half)])
      expect((await told(await connecting(onData)))?.code).toBe('silent');
  });

  it('is told of an object, too: half of it, silence in the middle of it, and other bytes', async () => {
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${bytes.length}\r\n\r\n`;
    const part = bytes.subarray(0, 4).toString();
    const half = await connecting((socket) => socket.end(head + part));
    const slow = await connecting((socket) => void socket.write(head + part));
    const wrong = await connecting((socket) => socket.end(head + 'x'.repeat(bytes.length)));
    expect((await told(half, 'read'))?.code).toBe('unreachable');
    expect((await told(slow, 'read'))?.code).toBe('silent');
    expect((await told(wrong, 'read'))?.code).toBe('corrupt');
  });

  it('is told: TLS to a plain port, plain to a TLS port, and a certificate that nobody vouches for', async () => {
    const plain = await answering({ status: 200 });
    expect(await told(plain.replace('http:', 'https:'))).toMatchObject({ code: 'wrong-protocol' });
    const { key, cert } = selfSigned();
    const secure = await listen(createHttpsServer({ key, cert }), 'https');
    expect(await told(secure)).toMatchObject({ code: 'untrusted', text: expect.stringContaining('SELF_SIGNED') });
    // OpenSSL's alert to what is no TLS record: version 3.1, two bytes, fatal, unexpected message.
    const alert = await connecting((socket) => socket.end(Buffer.from('1503010002020a', 'hex')));
    expect(await told(alert)).toMatchObject({ code: 'wrong-protocol', text: expect.stringContaining('http://') });
  });
});
