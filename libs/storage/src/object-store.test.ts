import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { signatureOf } from '../test/signature-v4.ts';
import type { ObjectStorageSettings } from './object-storage-settings.ts';
import { createObjectStore, type ObjectStore } from './object-store.ts';

// The keys of AWS's own examples.
const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const accessKeyId = 'AKIAIOSFODNN7EXAMPLE';
const settings: ObjectStorageSettings = {
  ...{ bucket: 'examplebucket', region: 'us-east-1', endpoint: null, accessKeyId, secretAccessKey },
  ...{ forcePathStyle: false, keyPrefix: 'stickers', mode: 'redirect', cdnBaseUrl: null, signedUrlTtlSeconds: 300 },
};
const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');
const bytes = Buffer.from('Welcome to Amazon S3.');

describe('the second opinion of these tests', () => {
  const example = { date: '20130524T000000Z', region: 'us-east-1', secretAccessKey };
  const host = 'examplebucket.s3.amazonaws.com';

  it("agrees with AWS's published examples: GET with headers, PUT, and a signed address", () => {
    const empty = sha256('');
    const get = signatureOf({
      ...{ ...example, method: 'GET', url: new URL(`https://${host}/test.txt`), payloadSha256: empty },
      headers: { host, range: 'bytes=0-9', 'x-amz-content-sha256': empty, 'x-amz-date': example.date },
    });
    const put = signatureOf({
      ...{ ...example, method: 'PUT', url: new URL(`https://${host}/test$file.text`), payloadSha256: sha256(bytes) },
      headers: {
        ...{ date: 'Fri, 24 May 2013 00:00:00 GMT', host, 'x-amz-content-sha256': sha256(bytes) },
        ...{ 'x-amz-date': example.date, 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
      },
    });
    const scope = 'AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request';
    const signed = signatureOf({
      ...{ ...example, method: 'GET', headers: { host }, payloadSha256: 'UNSIGNED-PAYLOAD' },
      url: new URL(
        `https://${host}/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${scope}&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host`,
      ),
    });

    expect(get).toBe('f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41');
    expect(put).toBe('98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd');
    expect(signed).toBe('aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404');
  });
});

describe('signedUrl', () => {
  const at = new Date('2026-11-28T00:05:00Z');
  const content = 'ab'.repeat(32);

  it.each([
    { title: 'AWS', given: {}, origin: 'https://examplebucket.s3.us-east-1.amazonaws.com', path: '' },
    {
      title: 'another service',
      given: { endpoint: 'https://s3.example.org:9000', forcePathStyle: true, region: 'eu-west-3' },
      origin: 'https://s3.example.org:9000',
      path: '/examplebucket',
    },
  ])('is what AWS describes, for $title', async ({ given, origin, path }) => {
    const store = createObjectStore({ ...settings, ...given });

    const url = new URL(await store.signedUrl('sticker', content, at));

    expect(url.origin).toBe(origin);
    expect(url.pathname).toBe(`${path}/stickers/sticker/ab/${content}.webp`);
    expect(url.searchParams.get('X-Amz-Date')).toBe('20261128T000500Z');
    expect(url.searchParams.get('X-Amz-Expires')).toBe('300');
    expect(url.searchParams.get('response-content-type')).toBe('image/webp');
    const region = { ...settings, ...given }.region;
    expect(url.searchParams.get('X-Amz-SignedHeaders')).toBe('host');
    expect(url.searchParams.get('X-Amz-Signature')).toBe(
      signatureOf({
        ...{ method: 'GET', url, headers: { host: url.host }, payloadSha256: 'UNSIGNED-PAYLOAD' },
        ...{ date: '20261128T000500Z', region, secretAccessKey },
      }),
    );
    expect(await store.signedUrl('sticker', content, at)).toBe(url.href);
    expect(url.href).not.toContain(secretAccessKey);
    store.close();
  });

  it('is unsigned where everybody may read', () => {
    const store = createObjectStore({ ...settings, cdnBaseUrl: 'https://cdn.example.org/s' });
    expect(store.publicUrl('original', content)).toBe(`https://cdn.example.org/s/stickers/original/ab/${content}`);
    expect(createObjectStore(settings).publicUrl('original', content)).toBeNull();
  });
});

describe('requests', () => {
  let server: Server;
  let store: ObjectStore;
  let seen: { request: IncomingMessage; body: Buffer }[];
  let answer: (request: IncomingMessage) => { status?: number; headers?: Record<string, string>; body?: Buffer };

  beforeEach(async () => {
    seen = [];
    answer = () => ({});
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        seen.push({ request, body: Buffer.concat(chunks) });
        const { status = 200, headers = {}, body } = answer(request);
        response.writeHead(status, headers).end(body);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    store = createObjectStore({ ...settings, endpoint, forcePathStyle: true }, { attempts: 1, timeoutMs: 2_000 });
  });
  afterEach(() => {
    store.close();
    server.close();
    server.closeAllConnections();
  });

  it('sign the bytes that they carry, and add no checksums of their own', async () => {
    await store.put('sticker', sha256(bytes), bytes);

    const [{ request, body } = { request: undefined, body: undefined }] = seen;
    expect(body?.equals(bytes)).toBe(true);
    const authorization = request?.headers.authorization ?? '';
    const [, signedNames = ''] = /SignedHeaders=([^,]+)/.exec(authorization) ?? [];
    const headers = Object.fromEntries(signedNames.split(';').map((name) => [name, String(request?.headers[name])]));
    expect(headers['x-amz-content-sha256']).toBe(sha256(bytes));
    expect(Object.keys(request?.headers ?? {}).filter((name) => name.includes('checksum'))).toEqual([]);
    expect(request?.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(/Signature=([0-9a-f]+)/.exec(authorization)?.[1]).toBe(
      signatureOf({
        ...{ method: 'PUT', url: new URL(request?.url ?? '', 'http://127.0.0.1'), headers, region: settings.region },
        ...{ payloadSha256: sha256(bytes), date: String(request?.headers['x-amz-date']), secretAccessKey },
      }),
    );
  });

  it.each([
    { title: 'other bytes of the same length', body: Buffer.from('welcome to Amazon S3.') },
    { title: 'fewer bytes', body: bytes.subarray(0, 10) },
    { title: 'more bytes', body: Buffer.concat([bytes, bytes]) },
    { title: 'nothing', body: Buffer.alloc(0) },
  ])('refuse $title than the name says', async ({ body }) => {
    answer = () => ({ body });
    await expect(store.read('sticker', sha256(bytes), bytes.length)).rejects.toMatchObject({ code: 'object-corrupt' });
    answer = () => ({ body: bytes });
    expect((await store.read('sticker', sha256(bytes), bytes.length)).equals(bytes)).toBe(true);
  });

  it('read bytes back where the service has an ETag that is no MD5, and believe an MD5', async () => {
    const length = String(bytes.length);
    const md5 = createHash('md5').update(bytes).digest('hex');
    answer = () => ({ headers: { ETag: `"${md5}"`, 'Content-Length': length } });
    expect(await store.holds('sticker', sha256(bytes), bytes)).toBe(true);
    expect(seen.map(({ request }) => request.method)).toEqual(['HEAD']);

    answer = (request) =>
      request.method === 'HEAD' ? { headers: { ETag: '"x-1"', 'Content-Length': length } } : { body: bytes };
    expect(await store.holds('sticker', sha256(bytes), bytes)).toBe(true);
    expect(seen.map(({ request }) => request.method)).toEqual(['HEAD', 'HEAD', 'GET']);

    answer = (request) =>
      request.method === 'HEAD'
        ? { headers: { ETag: '"x-1"', 'Content-Length': length } }
        : { body: Buffer.alloc(bytes.length) };
    expect(await store.holds('sticker', sha256(bytes), bytes)).toBe(false);
    answer = () => ({ status: 404 });
    expect(await store.holds('sticker', sha256(bytes), bytes)).toBe(false);
  });

  it('know which keys of a listing are theirs', async () => {
    const content = sha256(bytes);
    const keys = [
      store.key('original', content),
      store.key('preview', content),
      `stickers/sticker/00/${content}.webp`,
      `stickers/sticker/${content.slice(0, 2)}/${content}`,
      'stickers/..%2f..%2fetc/passwd',
      `stickers/other/${content.slice(0, 2)}/${content}.webp`,
      'stickers/',
    ];
    const entries = keys.map((key) => `<Contents><Key>${key}</Key><Size>21</Size><ETag>"e"</ETag></Contents>`);
    const xml = `<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated>${entries.join('')}</ListBucketResult>`;
    answer = () => ({ headers: { 'Content-Type': 'application/xml' }, body: Buffer.from(xml) });

    const found = [];
    for await (const object of store.list()) found.push(object.content);

    expect(found).toEqual([
      { kind: 'original', sha256: content },
      { kind: 'preview', sha256: content },
      ...Array.from({ length: 5 }, () => null),
    ]);
  });
});
