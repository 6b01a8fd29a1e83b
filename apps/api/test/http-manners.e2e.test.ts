/** What HTTP clients, caches and browsers expect of every operation, asked of every one that the document lists. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isDeepStrictEqual } from 'node:util';
import { brotliDecompressSync } from 'node:zlib';
import { ask, createCatalogueClient, drawPng, startFleet, waitFor } from '@omnizap/testkit';
import type { Answer, CatalogueClient, Fleet } from '@omnizap/testkit';

type Document = { paths: Record<string, Record<string, { security?: object[] }>> };

/** Differ between two answers to the same question. */
const ofTheMoment = new Set(['date', 'x-request-id', 'ratelimit', 'connection', 'keep-alive']);
const steady = ({ headers }: Answer): object =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !ofTheMoment.has(name)));
/** What `look` made of an answer while the same question still got the same one: work goes on in the background. */
async function whileUnchanged<T>(ask: () => Promise<Answer>, look: (answer: Answer) => Promise<T>): Promise<T> {
  for (;;) {
    const before = await ask();
    const seen = await look(before);
    if (isDeepStrictEqual(steady(before), steady(await ask()))) return seen;
  }
}
const codeOf = (answer: Answer): string => answer.json<{ code: string }>().code;

describe('the API', () => {
  let fleet: Fleet;
  let own: CatalogueClient;
  let anybody: CatalogueClient;
  let packKey: string;
  let assetPath: string;
  let document: Document;

  beforeAll(async () => {
    fleet = await startFleet('postgres', {
      processes: ['api', 'relay', 'worker-classification'],
      env: { TRUST_PROXY_HOPS: '1' },
    });
    own = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
    anybody = createCatalogueClient(fleet.apiUrl);
    packKey = await own.createPack({ name: 'Manners' });
    await own.addStickers(packKey, [{ bytes: drawPng(1) }]);
    await own.publish(packKey);
    assetPath = await waitFor(async () => (await own.pack(packKey)).stickers[0]?.asset_url, {
      timeoutMs: 60_000,
      description: 'the sticker to be ready',
    });
    document = (await anybody.get('/openapi.json')).json<Document>();
  }, 240_000);
  afterAll(async () => await fleet?.stop(), 60_000);

  const real = (path: string): string =>
    path.endsWith('.webp') ? assetPath : path.replace('{packKey}', packKey).replaceAll(/\{\w+\}/g, '1');
  const pathsWith = (method: string): string[] =>
    Object.keys(document.paths).filter((path) => document.paths[path]?.[method] !== undefined);

  it('answers HEAD as it answers GET, without the body, wherever there is a GET', async () => {
    expect(pathsWith('get').length).toBeGreaterThan(8);
    for (const path of pathsWith('get')) {
      for (const key of [undefined, fleet.adminToken]) {
        const url = `${fleet.apiUrl}${real(path)}`;
        const headers = { 'Accept-Encoding': 'br' };
        const { get, head } = await whileUnchanged(
          async () => await ask(url, { key, headers }),
          async (answer) => ({ get: answer, head: await ask(url, { key, headers, method: 'HEAD' }) }),
        );
        expect([path, head.status, head.bytes.length]).toEqual([path, get.status, 0]);
        expect([path, steady(head)]).toEqual([path, steady(get)]);
      }
    }
  });

  it('says at every path what is possible there', async () => {
    for (const [path, methods] of Object.entries(document.paths)) {
      const answer = await anybody.call('OPTIONS', real(path));
      const expected = Object.keys(methods).flatMap((name) =>
        name === 'get' ? ['GET', 'HEAD'] : [name.toUpperCase()],
      );
      expect([path, answer.status, answer.bytes.length]).toEqual([path, 204, 0]);
      const allowed = String(answer.headers.allow).split(', ');
      expect([path, allowed.toSorted()]).toEqual([path, [...expected, 'OPTIONS'].toSorted()]);
    }
  });

  describe('to pages of other sites', () => {
    const origin = { Origin: 'https://example.com' };
    const preflight = async (path: string, method: string): Promise<Answer> =>
      await anybody.call('OPTIONS', path, {
        headers: {
          ...origin,
          'Access-Control-Request-Method': method,
          'Access-Control-Request-Headers': 'x-viewer-key',
        },
      });

    it('gives what anybody may read, errors included, with the headers that say how to go on', async () => {
      for (const path of ['/api/sticker-packs', `/api/sticker-packs/${packKey}`, assetPath, '/openapi.json']) {
        const { status, headers } = await anybody.get(path, origin);
        expect([path, status, headers['access-control-allow-origin']]).toEqual([path, 200, '*']);
        expect(String(headers['access-control-expose-headers']).split(', ')).toEqual(
          expect.arrayContaining(['ETag', 'X-Request-Id', 'RateLimit', 'Retry-After', 'Content-Range']),
        );
        expect(headers['access-control-allow-credentials']).toBeUndefined();
      }
      for (const path of ['/api/sticker-packs?limit=0', '/api/sticker-packs/none', '/api/nothing']) {
        const { status, headers } = await anybody.get(path, origin);
        expect([path, status >= 400, headers['access-control-allow-origin']]).toEqual([path, true, '*']);
      }
      const counted = await anybody.call('POST', `/api/sticker-packs/${packKey}/open`, { headers: origin });
      expect([counted.status, counted.headers['access-control-allow-origin']]).toEqual([200, '*']);
    });

    it('gives nothing that was answered to a key, and nothing that the loopback is trusted for', async () => {
      const answers = [
        await own.get(`/api/sticker-packs/${packKey}`, origin),
        await own.call('POST', '/api/sticker-packs', { headers: origin, body: {} }),
        await anybody.get('/api/ops/targets', origin),
        await anybody.get('/api/admin/feature-flags', origin),
      ];
      for (const { headers } of answers) expect(headers['access-control-allow-origin']).toBeUndefined();
    });

    it('gives what is the same for everybody, whatever key comes with it: caches keep it for those who have none', async () => {
      const { headers } = await own.get('/api/sticker-packs', origin);
      expect([headers['access-control-allow-origin'], headers['access-control-allow-credentials']]).toEqual([
        '*',
        undefined,
      ]);
    });

    it('grants a preflight for what they may do, and for nothing else', async () => {
      const granted = await preflight(`/api/sticker-packs/${packKey}/like`, 'POST');
      expect([granted.status, granted.headers['access-control-allow-origin']]).toEqual([204, '*']);
      expect(granted.headers['access-control-allow-methods']).toBe('POST');
      expect(String(granted.headers['access-control-allow-headers']).toLowerCase()).toContain('x-viewer-key');
      expect(String(granted.headers['access-control-allow-headers']).toLowerCase()).not.toContain('authorization');
      expect(Number(granted.headers['access-control-max-age'])).toBeGreaterThan(0);

      for (const [path, method] of [
        ['/api/sticker-packs', 'POST'],
        [`/api/sticker-packs/${packKey}`, 'DELETE'],
        ['/api/admin/api-keys', 'POST'],
      ] as const)
        expect((await preflight(path, method)).headers['access-control-allow-origin']).toBeUndefined();
    });
  });

  it('refuses with 406 what it cannot answer as, and sends the problem all the same', async () => {
    for (const [path, accept] of [
      ['/api/sticker-packs', 'text/html'],
      ['/api/sticker-packs', 'application/json;q=0, text/html'],
      [assetPath, 'image/png'],
      [assetPath, 'application/json'],
    ] as const) {
      const answer = await anybody.get(path, { Accept: accept });
      expect([path, accept, answer.status, codeOf(answer)]).toEqual([path, accept, 406, 'not-acceptable']);
      expect(answer.headers['content-type']).toContain('application/problem+json');
    }
    for (const [path, accept] of [
      ['/api/sticker-packs', '*/*'],
      ['/api/sticker-packs', 'application/*'],
      ['/api/sticker-packs', 'text/html, application/json;q=0.1'],
      [assetPath, 'image/avif,image/webp,*/*;q=0.8'],
      [assetPath, 'image/*'],
    ] as const)
      expect([path, accept, (await anybody.get(path, { Accept: accept })).status]).toEqual([path, accept, 200]);
    // Refused before anything is done.
    const before = await fleet.database.knex('sticker_pack').count({ count: '*' });
    const write = await own.call('POST', '/api/sticker-packs', {
      headers: { Accept: 'text/html' },
      body: { name: 'x' },
    });
    expect(write.status).toBe(406);
    expect(await fleet.database.knex('sticker_pack').count({ count: '*' })).toEqual(before);
  });

  it('answers whoever has it already with 304 and the headers of the 200', async () => {
    for (const path of ['/api/sticker-packs', `/api/sticker-packs/${packKey}`, '/openapi.json', assetPath]) {
      for (const encoding of ['identity', 'br']) {
        const headers = { 'Accept-Encoding': encoding };
        const known = (etag: string): string[] => [etag, `W/${etag}`, `"other", ${etag}`, '*'];
        const { whole, again } = await whileUnchanged(
          async () => await anybody.get(path, headers),
          async (answer) => ({
            whole: answer,
            again: await Promise.all(
              known(String(answer.headers.etag)).map(
                async (tags) => await anybody.get(path, { ...headers, 'If-None-Match': tags }),
              ),
            ),
          }),
        );
        expect([path, whole.status, whole.headers.etag]).toEqual([path, 200, expect.stringMatching(/^"[^"]+"$/)]);
        expect([path, again.map(({ status, bytes }) => [status, bytes.length])]).toEqual([
          path,
          again.map(() => [304, 0]),
        ]);
        for (const name of ['etag', 'cache-control', 'vary'])
          expect([path, name, again.map((answer) => answer.headers[name])]).toEqual([
            path,
            name,
            again.map(() => whole.headers[name]),
          ]);
        expect((await anybody.get(path, { ...headers, 'If-None-Match': '"other"' })).status).toBe(200);
      }
    }
    const varies = async (path: string): Promise<unknown> => (await anybody.get(path)).headers.vary;
    expect(await varies('/api/sticker-packs')).toBe('Accept-Encoding');
    // Its owner sees another answer at the same address.
    expect(await varies(`/api/sticker-packs/${packKey}`)).toBe('Authorization, Accept-Encoding');
    expect(await varies(assetPath)).toBe('Authorization');
  });

  it('compresses what is large, whoever asks', async () => {
    for (const [path, key] of [
      ['/openapi.json', undefined],
      ['/api/admin/feature-flags', fleet.adminToken],
    ] as const) {
      const plain = await ask(`${fleet.apiUrl}${path}`, { key });
      const packed = await ask(`${fleet.apiUrl}${path}`, { key, headers: { 'Accept-Encoding': 'gzip;q=0.5, br' } });
      expect([path, packed.headers['content-encoding'], packed.bytes.length < plain.bytes.length]).toEqual([
        path,
        'br',
        true,
      ]);
      expect(brotliDecompressSync(packed.bytes).equals(plain.bytes)).toBe(true);
      expect(packed.headers.vary).toContain('Accept-Encoding');
    }
    const picture = await anybody.get(assetPath, { 'Accept-Encoding': 'br, gzip' });
    expect(picture.headers['content-encoding']).toBeUndefined();
  });

  it('tells caches of sticker bytes what the contract says, and those in front of a key’s answers nothing to keep', async () => {
    const plainPath = assetPath.replace(/\?.*/, '');
    const cacheControl = async (client: CatalogueClient, path: string) =>
      (await client.get(path)).headers['cache-control'];

    expect(await cacheControl(anybody, plainPath)).toBe('public, max-age=2592000, stale-while-revalidate=604800');
    expect(await cacheControl(anybody, assetPath)).toBe('public, max-age=31536000, immutable');
    for (const path of [plainPath, assetPath, `/api/sticker-packs/${packKey}`])
      expect([path, await cacheControl(own, path)]).toEqual([path, 'private, no-store']);
  });

  it('gives ranges of bytes one at a time', async () => {
    const { bytes, headers } = await anybody.get(assetPath);
    const range = async (value: string, more: Record<string, string> = {}): Promise<Answer> =>
      await anybody.get(assetPath, { Range: value, ...more });

    for (const [value, start, end] of [
      ['bytes=0-9', 0, 10],
      ['bytes=10-', 10, bytes.length],
      ['bytes=-7', bytes.length - 7, bytes.length],
      ['bytes=5-99999999', 5, bytes.length],
    ] as const) {
      const part = await range(value, { 'If-Range': String(headers.etag) });
      expect([value, part.status, part.headers['content-range']]).toEqual([
        value,
        206,
        `bytes ${start}-${end - 1}/${bytes.length}`,
      ]);
      expect(part.bytes.equals(bytes.subarray(start, end))).toBe(true);
    }
    // Several, of another unit, malformed, or of bytes that have changed: the whole.
    for (const value of ['bytes=0-1,5-6', 'pages=1-2', 'bytes=b-a']) {
      const whole = await range(value);
      expect([value, whole.status, whole.bytes.equals(bytes)]).toEqual([value, 200, true]);
    }
    expect((await range('bytes=0-9', { 'If-Range': '"of before"' })).status).toBe(200);
    const beyond = await range(`bytes=${bytes.length}-`);
    expect([beyond.status, codeOf(beyond), beyond.headers['content-range']]).toEqual([
      416,
      'range-not-satisfiable',
      `bytes */${bytes.length}`,
    ]);
    expect(beyond.headers['cache-control']).toBe('no-store');
  });

  it('is nothing for search engines, sniffing browsers and frames, and speaks of TLS over TLS only', async () => {
    for (const path of ['/api/sticker-packs', assetPath, '/openapi.json', '/api/nothing']) {
      const { headers } = await anybody.get(path);
      expect([path, headers['x-robots-tag']]).toEqual([path, 'noindex, nofollow']);
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['content-security-policy']).toBe("default-src 'none';frame-ancestors 'none'");
      expect(headers['referrer-policy']).toBe('no-referrer');
      expect(headers['strict-transport-security']).toBeUndefined();
    }
    const overTls = await anybody.get('/api/sticker-packs', { 'X-Forwarded-Proto': 'https' });
    expect(overTls.headers['strict-transport-security']).toMatch(/^max-age=\d{7,}$/);
  });

  it('asks the database once for each asset', async () => {
    const asked = async (): Promise<number> => {
      const text = (await anybody.get('/metrics')).bytes.toString('utf8');
      return Number(/^omnizap_database_query_duration_seconds_count\{database="catalogue"\} (\d+)/m.exec(text)?.[1]);
    };
    const requests = 200;
    await anybody.get(assetPath);

    const before = await asked();
    for (let turn = 0; turn < requests; turn += 1) expect((await anybody.get(assetPath)).status).toBe(200);
    const statements = (await asked()) - before;

    // Beside them the process renews its lease and looks for flags: a few in a second.
    expect(statements).toBeGreaterThanOrEqual(requests);
    expect(statements).toBeLessThan(requests * 1.5);
  });
});
