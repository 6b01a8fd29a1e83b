/** The pages as clients without a browser see them: headers, languages, refusals, and the files that they name. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { ask, createCatalogueClient, drawPng, startFleet, testDatabaseKinds } from '@omnizap/testkit';
import type { Answer, Fleet } from '@omnizap/testkit';

const browserAccept = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';

describe.each(testDatabaseKinds())('the pages on %s', (kind) => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await startFleet(kind, { processes: ['api'] });
  }, 120_000);
  afterAll(async () => await fleet?.stop(), 60_000);

  const get = async (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
    await ask(`${fleet.apiUrl}${path}`, { headers });
  const text = (answer: Answer): string => answer.bytes.toString('utf8');
  const languageOf = (answer: Answer): string | undefined => /<html lang="([^"]*)"/.exec(text(answer))?.[1];

  it.each([
    [undefined, 'en'],
    ['pt-BR,pt;q=0.9,en;q=0.8', 'pt-BR'],
    ['pt-PT', 'pt-BR'],
    ['de,en-GB;q=0.5', 'en'],
    ['ja', 'en'],
    ['en;q=0.2,pt;q=0.9', 'pt-BR'],
  ])('speak, to whoever accepts %s, the language %s', async (accepted, language) => {
    for (const path of ['/', '/stickers', '/stickers/none']) {
      const answer = await get(path, accepted === undefined ? {} : { 'Accept-Language': accepted });
      expect([path, languageOf(answer)]).toEqual([path, language]);
      expect(answer.headers.vary).toMatch(/\bAccept-Language\b/);
    }
  });

  it('speak the language of ?lang=, keep it in their links, and name the other languages', async () => {
    const answer = await get('/stickers?sort=recent&lang=pt-BR', { 'Accept-Language': 'en' });

    expect([answer.status, languageOf(answer)]).toEqual([200, 'pt-BR']);
    const own = [...text(answer).matchAll(/<a [^>]*href="(\/[^"]*)"/g)].map(([, href = '']) => href);
    expect(own.length).toBeGreaterThan(10);
    expect(own.filter((href) => !/[?&;]lang=(pt-BR|en)$/.test(href))).toEqual([]);
    const alternates = [...text(answer).matchAll(/hreflang="([^"]*)" href="([^"]*)"\/>/g)].map(([, ...pair]) => pair);
    expect(alternates).toEqual([
      ['en', `${fleet.apiUrl}/stickers?sort=recent&amp;lang=en`],
      ['pt-BR', `${fleet.apiUrl}/stickers?sort=recent&amp;lang=pt-BR`],
      ['x-default', `${fleet.apiUrl}/stickers?sort=recent`],
    ]);
  });

  it('are answered with an ETag, 304, HEAD and compression, and may be kept for seconds by anybody', async () => {
    const plain = await get('/stickers', { 'Accept-Encoding': 'identity' });
    expect([plain.status, plain.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(plain.headers['cache-control']).toBe('public, max-age=10, stale-while-revalidate=60');
    expect(plain.headers['set-cookie']).toBeUndefined();
    const unpack = { br: brotliDecompressSync, gzip: gunzipSync };
    for (const encoding of ['br', 'gzip'] as const) {
      const packed = await get('/stickers', { 'Accept-Encoding': encoding });
      expect([packed.headers['content-encoding'], unpack[encoding](packed.bytes)]).toEqual([encoding, plain.bytes]);
      const again = await get('/stickers', {
        'Accept-Encoding': encoding,
        'If-None-Match': String(packed.headers.etag),
      });
      expect([again.status, again.bytes.length]).toEqual([304, 0]);
    }
    const head = await ask(`${fleet.apiUrl}/stickers`, { method: 'HEAD' });
    expect([head.status, head.bytes.length, head.headers.etag]).toEqual([200, 0, plain.headers.etag]);
    expect(head.headers['content-length']).toBe(String(plain.bytes.length));
  });

  it('forbid everything that does not come from here, and anything inline', async () => {
    for (const path of ['/', '/stickers', '/stickers/none', '/stickers?sort=none']) {
      const answer = await get(path);
      expect(String(answer.headers['content-security-policy']).split('; ')).toEqual(
        expect.arrayContaining([
          "default-src 'none'",
          "script-src 'self'",
          "style-src 'self'",
          "frame-ancestors 'none'",
        ]),
      );
      expect(answer.headers['content-security-policy']).not.toMatch(/unsafe|\*|https?:/);
      expect(text(answer)).not.toMatch(/ style=| on\w+=|<style|javascript:/i);
      expect(answer.headers['x-content-type-options']).toBe('nosniff');
    }
  });

  it.each([
    '/?lang=xx',
    '/stickers?sort=best',
    '/stickers?limit=61',
    '/stickers?cursor=made-up',
    '/stickers?category=cars',
  ])('refuse %s with a page that says so', async (path) => {
    const answer = await get(path, { Accept: browserAccept });

    expect([answer.status, answer.headers['content-type']]).toEqual([400, 'text/html; charset=utf-8']);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(text(answer)).toMatch(/<h1>[^<]+<\/h1>/);
    expect(text(answer)).toContain('<meta name="robots" content="noindex"/>');
  });

  it('put up with the parameters that links collect on their way', async () => {
    const answer = await get('/stickers?fbclid=1&utm_source=whatsapp');

    expect(answer.status).toBe(200);
    expect(text(answer)).toContain(`<link rel="canonical" href="${fleet.apiUrl}/stickers"/>`);
  });

  it('answer errors as a page to browsers, and as a problem document to programs and below /api', async () => {
    const kindOf = async (path: string, accept?: string): Promise<[number, string]> => {
      const answer = await get(path, accept === undefined ? {} : { Accept: accept });
      return [answer.status, String(answer.headers['content-type']).split(';')[0] ?? ''];
    };
    const html = 'text/html';
    const problem = 'application/problem+json';

    expect(await kindOf('/stickers/none', browserAccept)).toEqual([404, html]);
    expect(await kindOf('/stickers/none')).toEqual([404, html]);
    expect(await kindOf('/stickers/none', 'application/json')).toEqual([404, problem]);
    expect(await kindOf('/nothing', browserAccept)).toEqual([404, html]);
    expect(await kindOf('/nothing')).toEqual([404, problem]);
    expect(await kindOf('/api/sticker-packs/none', browserAccept)).toEqual([404, problem]);
    expect(await kindOf('/api/nothing', browserAccept)).toEqual([404, problem]);
  });

  it.each([
    ['/', 'GET, HEAD'],
    ['/stickers', 'GET, HEAD'],
    ['/stickers/assets/shell.css', 'GET, HEAD'],
  ])('refuse to be changed: %s allows %s', async (path, allowed) => {
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const answer = await ask(`${fleet.apiUrl}${path}`, { method });
      expect([method, answer.status, answer.headers.allow]).toEqual([method, 405, allowed]);
    }
  });

  it('repeat a host in their links only when it is one', async () => {
    const named = await get('/', { Host: 'Stickers.Example:8443' });
    expect(text(named)).toContain('<link rel="canonical" href="http://stickers.example:8443/"/>');

    const nasty = await get('/', { Host: '"><script>alert(1)</script>' });
    expect(text(nasty)).not.toContain('alert(1)');
  });

  it('name only files that are there, each under the hash of its content and for good', async () => {
    const names = new Set<string>();
    for (const path of ['/', '/stickers', '/stickers/none'])
      for (const [, url = ''] of text(await get(path)).matchAll(/(\/stickers\/assets\/[\w.-]+\?v=[\w-]+)/g))
        names.add(url);
    const scripts: string[] = [];
    for (const url of names) {
      const answer = await get(url);
      expect([url, answer.status]).toEqual([url, 200]);
      expect(answer.headers['cache-control']).toBe('public, max-age=31536000, immutable');
      const hash = createHash('sha256').update(answer.bytes).digest('hex');
      expect(hash.startsWith(/v=(\w+)$/.exec(url)?.[1] ?? 'none')).toBe(true);
      if (answer.headers['content-type'] === 'text/javascript; charset=utf-8') {
        scripts.push(url);
        for (const [, imported = ''] of text(answer).matchAll(/(?:from|import) '([^']+)'/g)) names.add(imported);
      }
    }
    expect(scripts.length).toBeGreaterThan(1);
    expect([...names].filter((url) => url.includes('.css'))).not.toEqual([]);
  });

  it('keep a file asked for without its version, or with another one, for an hour only', async () => {
    for (const path of ['/stickers/assets/shell.css', '/stickers/assets/shell.css?v=0123456789abcdef']) {
      const answer = await get(path, { 'Accept-Encoding': 'br' });
      expect(answer.headers['cache-control']).toBe('public, max-age=3600, stale-while-revalidate=14400');
      expect([answer.headers['content-encoding'], answer.headers.vary]).toEqual(['br', 'Accept-Encoding']);
      const again = await get(path, { 'Accept-Encoding': 'br', 'If-None-Match': String(answer.headers.etag) });
      expect([again.status, again.bytes.length]).toEqual([304, 0]);
    }
    for (const path of ['none.css', 'gallery.ts', '..%2Fscripts%2Fgallery.ts', '__proto__'])
      expect((await get(`/stickers/assets/${path}`)).status).toBe(404);
  });

  describe('of a pack', () => {
    const nasty = `</script><script>alert("&'1")</script>\u2028<!--`;
    const keys = new Map<string, string>();
    beforeAll(async () => {
      const own = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
      for (const [index, visibility] of ['public', 'unlisted', 'private'].entries()) {
        const texts = { name: nasty, publisher: `<b>"Me"</b>`, description: 'One\n\n<img src=x onerror=alert(1)>' };
        const key = await own.createPack({ ...texts, name: texts.name.replace('\u2028', ''), visibility });
        await own.addStickers(key, [{ bytes: drawPng(index), emojis: ['🎉'] }]);
        expect((await own.publish(key)).status).toBe(200);
        keys.set(visibility, key);
      }
    }, 60_000);

    it('say whatever their owner wrote as text, in HTML and in data for search engines', async () => {
      const document = text(await get(`/stickers/${keys.get('public')}`));

      expect(document).not.toMatch(/<script>alert|<b>"|<img src=x/);
      const blocks = [...document.matchAll(/<script type="application\/ld\+json">(.*?)<\/script>/gs)];
      const [gallery] = blocks.map(([, json = '']) => JSON.parse(json) as { name: string; author: { name: string } });
      expect([gallery?.name, gallery?.author.name]).toEqual([nasty.replace('\u2028', ''), '<b>"Me"</b>']);
      expect(document).toContain('&lt;/script>&lt;script>alert(');
    });

    it('are for search engines when they are public, for whoever has the link when they are unlisted, else for nobody', async () => {
      const open = await get(`/stickers/${keys.get('public')}`);
      const unlisted = await get(`/stickers/${keys.get('unlisted')}`);
      const hidden = await get(`/stickers/${keys.get('private')}`);

      expect([open.status, unlisted.status, hidden.status]).toEqual([200, 200, 404]);
      expect([open, unlisted].map((answer) => text(answer).includes('content="noindex"'))).toEqual([false, true]);
      const sitemap = await get('/sitemap.xml');
      expect([sitemap.status, sitemap.headers['content-type']]).toEqual([200, 'application/xml; charset=utf-8']);
      const parts = [...text(sitemap).matchAll(/<loc>([^<]*)<\/loc>/g)].map(([, url = '']) => url);
      expect(parts).toEqual([`${fleet.apiUrl}/sitemap.xml?part=1`]);
      const part = text(await get('/sitemap.xml?part=1'));
      expect([...part.matchAll(/<loc>([^<]*)<\/loc>/g)].map(([, url = '']) => url)).toEqual(
        ['/', '/stickers', `/stickers/${keys.get('public')}`].map((path) => `${fleet.apiUrl}${path}`),
      );
      expect((await get('/sitemap.xml?part=2')).status).toBe(404);
      expect((await get('/sitemap.xml?part=0')).status).toBe(400);
      expect(text(await get('/robots.txt'))).toContain(`Sitemap: ${fleet.apiUrl}/sitemap.xml\n`);
    });

    it('take likes of their own form only, and lead back', async () => {
      const path = `/stickers/${keys.get('public')}/like`;
      const like = async (from: string): Promise<Answer> =>
        await ask(`${fleet.apiUrl}${path}?lang=pt-BR`, { method: 'POST', headers: { 'Sec-Fetch-Site': from } });

      expect((await like('cross-site')).status).toBe(403);
      const taken = await like('same-origin');
      expect([taken.status, taken.headers.location]).toEqual([303, `/stickers/${keys.get('public')}?lang=pt-BR`]);
      const [cookie] = taken.headers['set-cookie'] ?? [];
      expect(cookie).toMatch(/^omnizap_vid=[\w-]{22}; Max-Age=34560000; Path=\/; .*HttpOnly; SameSite=Lax$/);
      expect((await get(path)).headers.allow).toBe('POST');
    });

    it('take reports of their own form only, and lead back to thanks', async () => {
      const pack = `/stickers/${keys.get('public')}`;
      const form = 'application/x-www-form-urlencoded';
      const report = async (body: string, headers: Record<string, string>): Promise<Answer> =>
        await ask(`${fleet.apiUrl}${pack}/report?lang=pt-BR`, {
          method: 'POST',
          headers: { 'Content-Type': form, Accept: browserAccept, ...headers },
          body: Buffer.from(body),
        });
      const own = { 'Sec-Fetch-Site': 'same-origin' };
      const reports = async (): Promise<object[]> =>
        await fleet.database.knex('sticker_report').select('reason', 'details', 'state');

      const refused = [
        await report('reason=spam', { 'Sec-Fetch-Site': 'cross-site' }),
        await report('reason=spam', { 'Sec-Fetch-Site': 'same-site', Origin: fleet.apiUrl }),
        await report('reason=spam', { Origin: 'https://elsewhere.example' }),
        await report('reason=spam', { Origin: 'null' }),
        await report('reason=dull', own),
        await report('', own),
        await report(`reason=spam&details=${'x'.repeat(1_001)}`, own),
        await report(`reason=spam&details=${'x'.repeat(20_000)}`, own),
        await report('{"reason":"spam"}', { ...own, 'Content-Type': 'application/json' }),
      ];
      expect(refused.map(({ status }) => status)).toEqual([403, 403, 403, 403, 422, 422, 422, 413, 415]);
      for (const answer of refused) expect(languageOf(answer)).toBe('pt-BR');
      expect(await reports()).toEqual([]);

      const taken = await report('reason=copyright&details=It+is+mine%0D%0A%E2%9C%8D', { Origin: fleet.apiUrl });
      expect([taken.status, taken.headers.location]).toEqual([303, `${pack}?reported=yes&lang=pt-BR#report`]);
      expect((await report('reason=spam&details=', own)).status).toBe(303);
      expect(await reports()).toEqual([{ reason: 'copyright', details: 'It is mine\r\n✍', state: 'open' }]);
      const thanks = text(await get(`${pack}?reported=yes&lang=pt-BR`));
      expect(thanks).toContain('Obrigado pela denúncia');
      expect(thanks).not.toContain('<form method="post" action="' + pack + '/report');
      expect(text(await get(`${pack}?lang=pt-BR`))).toContain('Denunciar este pacote');
      expect((await get(`${pack}/report`)).headers.allow).toBe('POST');
      expect(
        (
          await ask(`${fleet.apiUrl}/stickers/${keys.get('private')}/report`, {
            method: 'POST',
            headers: { 'Content-Type': form, ...own },
            body: Buffer.from('reason=spam'),
          })
        ).status,
      ).toBe(404);
    });

    it('give no cookie to bots that count by the API', async () => {
      const counted = await createCatalogueClient(fleet.apiUrl).interact(keys.get('public') ?? '', 'open', 'a bot');

      expect([counted.status, counted.headers['set-cookie']]).toEqual([200, undefined]);
    });
  });

  it('are counted as pages', async () => {
    await get('/stickers');
    const metrics = text(await get('/metrics'));

    expect(metrics).toMatch(
      /omnizap_http_requests_total\{route_group="catalog_web",method="GET",status_class="2xx"\} \d/,
    );
  });
});
