/** The product as its users see it: what goes in over HTTP, and what comes out of it over HTTP. Nothing is replaced. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import sharp from 'sharp';
import { createCatalogueClient, drawPng, startFleet, testDatabaseKinds, waitFor } from '@omnizap/testkit';
import type { CatalogueClient, Fleet, Owner, PackListJson, PackSummaryJson, StickerJson } from '@omnizap/testkit';
import { exifOf, halfJpeg, pictures, pixelsOf } from './pictures.ts';
import { waitUntilQuiet, withinOneGeneration } from './quiet.ts';

/** Longer than anything takes on a loaded machine: a hang guard. */
const patience = { timeoutMs: 45_000, intervalMs: 50 };
const heart = '❤️';
const packKeys = (list: PackListJson): string[] => list.data.map((pack) => pack.pack_key);
const idsOf = (pack: { stickers: StickerJson[] }): string[] => pack.stickers.map((sticker) => sticker.sticker_id);

describe.each(testDatabaseKinds())('the fleet on %s', (kind) => {
  let fleet: Fleet;
  let owner: Owner;
  let own: CatalogueClient;
  let anybody: CatalogueClient;

  beforeAll(async () => {
    fleet = await startFleet(kind, { env: { LOG_LEVEL: 'debug', STICKER_DEDICATED_WORKER_POLL_INTERVAL_MS: '250' } });
    owner = await fleet.createOwner();
    own = createCatalogueClient(fleet.apiUrl, owner.key);
    anybody = createCatalogueClient(fleet.apiUrl);
  }, 180_000);
  afterAll(async () => await fleet?.stop(), 60_000);

  async function publishPack(
    name: string,
    stickers: Parameters<CatalogueClient['addSticker']>[1][],
    visibility = 'public',
  ) {
    const packKey = await own.createPack({ name, visibility });
    const stickerIds = await own.addStickers(packKey, stickers);
    expect((await own.publish(packKey)).status).toBe(200);
    return { packKey, stickerIds };
  }

  async function settledSticker(packKey: string, stickerId: string): Promise<StickerJson> {
    return await waitFor(
      async () =>
        (await own.pack(packKey)).stickers.find((one) => one.sticker_id === stickerId && one.status !== 'pending'),
      { ...patience, description: `sticker ${stickerId} of ${packKey}` },
    );
  }

  async function listed(packKey: string): Promise<PackSummaryJson> {
    return await waitFor(async () => (await anybody.list('?limit=60')).data.find((pack) => pack.pack_key === packKey), {
      ...patience,
      description: `pack ${packKey} in the list`,
    });
  }

  describe('formats', () => {
    const formats = Object.keys(pictures) as (keyof typeof pictures)[];
    const originals = new Map<string, Buffer>();
    const stickers = new Map<string, StickerJson>();
    let packKey: string;
    let brokenId: string;

    beforeAll(async () => {
      packKey = await own.createPack({ name: 'All formats', publisher: 'Test press' });
      for (const [index, format] of formats.entries()) {
        const bytes = await pictures[format](10 + index * 3);
        originals.set(format, bytes);
        const [id = ''] = await own.addStickers(packKey, [{ bytes, emojis: ['🎲', '🎯'], label: `A ${format}` }]);
        stickers.set(id, { sticker_id: id } as StickerJson);
      }
      [brokenId = ''] = await own.addStickers(packKey, [{ bytes: await halfJpeg(40) }]);
      expect((await own.publish(packKey)).status).toBe(200);
      for (const id of stickers.keys()) stickers.set(id, await settledSticker(packKey, id));
    }, 90_000);

    const stickerOf = (format: string): StickerJson =>
      [...stickers.values()][formats.indexOf(format as never)] as StickerJson;

    it.each(formats)(
      'makes a %s a 512x512 WebP within WhatsApp’s limits that carries the sticker’s emojis',
      async (format) => {
        const sticker = stickerOf(format);
        expect(sticker).toMatchObject({
          status: 'ready',
          rejection_reason: null,
          classification: { category: expect.any(String) },
        });
        const { bytes, headers, status } = await anybody.get(sticker.asset_url ?? '');
        expect([status, headers['content-type']]).toEqual([200, 'image/webp']);

        const isAnimated = ['gif', 'apng', 'animatedWebp'].includes(format);
        const metadata = await sharp(bytes, { animated: true }).metadata();
        expect(metadata).toMatchObject({ format: 'webp', width: 512, ...(isAnimated ? { pageHeight: 512 } : {}) });
        expect([metadata.pages ?? 1, metadata.height]).toEqual(isAnimated ? [2, 1_024] : [1, 512]);
        expect(bytes.length).toBeLessThanOrEqual(isAnimated ? 500_000 : 100_000);
        expect(sticker).toMatchObject({ width: 512, height: 512, size_bytes: bytes.length, is_animated: isAnimated });
        expect(await exifOf(bytes)).toMatchObject({
          'sticker-pack-id': packKey,
          'sticker-pack-name': 'All formats',
          'sticker-pack-publisher': 'Test press',
          emojis: ['🎲', '🎯'],
        });
      },
    );

    it('keeps the pixels of a WebP that already complies', async () => {
      const served = await anybody.get(stickerOf('compliantWebp').asset_url ?? '');
      const original = originals.get('compliantWebp') ?? Buffer.alloc(0);

      expect((await pixelsOf(served.bytes)).equals(await pixelsOf(original))).toBe(true);
    });

    it('serves a small still preview of an animation', async () => {
      const { bytes, headers } = await anybody.get(stickerOf('gif').preview_url ?? '');

      const metadata = await sharp(bytes, { animated: true }).metadata();
      expect([headers['content-type'], metadata.format, metadata.pages ?? 1]).toEqual(['image/webp', 'webp', 1]);
      expect(Math.max(metadata.width, metadata.height)).toBeLessThan(512);
    });

    it('rejects a picture that cannot be decoded, with a reason that only its owner sees', async () => {
      const broken = await settledSticker(packKey, brokenId);
      expect(broken).toMatchObject({ status: 'rejected', asset_url: null, preview_url: null });
      expect(broken.rejection_reason).toMatch(/cannot be read/);

      expect(idsOf(await anybody.pack(packKey))).toEqual([...stickers.keys()]);
      expect((await anybody.get(`/api/sticker-packs/${packKey}/stickers/${brokenId}.webp`)).status).toBe(404);
    });

    it('answers the same bytes again with 200 and the same sticker', async () => {
      const bytes = originals.get('png') ?? Buffer.alloc(0);

      const again = await own.addSticker(packKey, { bytes, emojis: ['🦊'] });

      expect(again.status).toBe(200);
      expect(again.json()).toEqual({
        data: {
          sticker_id: stickerOf('png').sticker_id,
          sha256: createHash('sha256').update(bytes).digest('hex'),
          status: 'ready',
          findings: ['webp-format', 'canvas-size'].map((rule) =>
            expect.objectContaining({ rule, fixed_automatically: true }),
          ),
        },
      });
      expect((await own.pack(packKey)).stickers.filter((one) => one.emojis.includes('🦊'))).toEqual([]);
    });

    it('serves bytes with an ETag, ranges, HEAD and 304', async () => {
      const path = `/api/sticker-packs/${packKey}/stickers/${stickerOf('png').sticker_id}.webp`;
      const whole = await anybody.get(path);
      const etag = `"${createHash('sha256').update(whole.bytes).digest('hex')}"`;
      expect([whole.status, whole.headers.etag]).toEqual([200, etag]);

      const unchanged = await anybody.get(path, { 'If-None-Match': etag });
      expect([unchanged.status, unchanged.bytes.length, unchanged.headers.etag]).toEqual([304, 0, etag]);
      expect((await anybody.get(path, { 'If-None-Match': '"other"' })).status).toBe(200);

      const part = await anybody.get(path, { Range: 'bytes=10-109' });
      expect([part.status, part.headers['content-range']]).toEqual([206, `bytes 10-109/${whole.bytes.length}`]);
      expect(part.bytes.equals(whole.bytes.subarray(10, 110))).toBe(true);
      const stale = await anybody.get(path, { Range: 'bytes=0-9', 'If-Range': '"other"' });
      expect([stale.status, stale.bytes.length]).toEqual([200, whole.bytes.length]);
      expect((await anybody.get(path, { Range: `bytes=${whole.bytes.length}-` })).status).toBe(416);

      const head = await anybody.call('HEAD', path);
      expect([head.status, head.bytes.length, head.headers.etag]).toEqual([200, 0, etag]);
      expect(head.headers['content-length']).toBe(String(whole.bytes.length));
    });

    it('lets caches keep bytes for good only under the version of that very content', async () => {
      const { asset_url: assetUrl, preview_url: previewUrl } = stickerOf('png');
      const [path = ''] = (assetUrl ?? '').split('?');
      const cacheControl = async (url: string): Promise<string | undefined> =>
        (await anybody.get(url)).headers['cache-control'];
      const days30 = 'public, max-age=2592000, stale-while-revalidate=604800';

      expect(await cacheControl(path)).toBe(days30);
      expect(await cacheControl(`${path}?v=0123456789abcdef`)).toBe(days30);
      expect(await cacheControl(`${path}?variant=preview&${(assetUrl ?? '').split('?')[1]}`)).toBe(days30);
      for (const url of [assetUrl, previewUrl])
        expect(await cacheControl(url ?? '')).toBe('public, max-age=31536000, immutable');
      expect((await own.get(assetUrl ?? '')).headers['cache-control']).toBe('private, no-store');
    });
  });

  it('keeps the stickers of a draft or private pack from everybody but their owner', async () => {
    const draft = await own.createPack({ name: 'Not yet' });
    const [stickerId = ''] = await own.addStickers(draft, [{ bytes: drawPng(60) }]);
    const secret = await publishPack('For me', [{ bytes: drawPng(61) }], 'private');
    for (const [packKey, id] of [[draft, stickerId] as const, [secret.packKey, secret.stickerIds[0] ?? ''] as const]) {
      const { asset_url: url } = await settledSticker(packKey, id);
      expect([(await own.get(url ?? '')).status, (await anybody.get(url ?? '')).status]).toEqual([200, 404]);
      expect((await anybody.get(`/api/sticker-packs/${packKey}`)).status).toBe(404);
    }
  });

  it('curates twelve distinct public stickers of one kind into a pack, keeps it up to date and takes back what leaves', async () => {
    const hearts = (seeds: number[], side?: number) =>
      seeds.map((seed) => ({ bytes: drawPng(seed, side), emojis: [heart] }));
    const range = (start: number, count: number): number[] =>
      Array.from({ length: count }, (_, index) => start + index);
    const secret = await publishPack('Hidden', hearts(range(200, 2)), 'private');
    const draft = await own.createPack({ name: 'Unfinished' });
    const draftIds = await own.addStickers(draft, hearts(range(210, 2)));
    const eleven = await publishPack('Eleven', hearts(range(100, 11)));
    // The same picture at another size: another file, no other sticker.
    const twins = await publishPack('Twins', hearts([100, 101], 120));
    for (const id of twins.stickerIds) await settledSticker(twins.packKey, id);
    for (const id of secret.stickerIds) await settledSticker(secret.packKey, id);
    for (const id of draftIds) await settledSticker(draft, id);
    for (const id of eleven.stickerIds) await settledSticker(eleven.packKey, id);
    const isAutomatic = (pack: PackSummaryJson): boolean => pack.publisher === 'OmniZap Auto';
    await waitUntilQuiet(fleet.database);
    expect(await fleet.database.knex('sticker_pack').where({ is_auto_pack: 1 }).select('pack_key')).toEqual([]);

    const twelfth = await publishPack('The twelfth', hearts([111]));
    const automatic = await waitFor(async () => (await anybody.list('?limit=60')).data.find(isAutomatic), {
      ...patience,
      description: 'the automatic pack',
    });
    expect(automatic).toMatchObject({ name: 'Love', visibility: 'public', sticker_count: 12, whatsapp_ready: true });

    const thirteenth = await publishPack('The thirteenth', hearts([112]));
    const [newId = ''] = thirteenth.stickerIds;
    const full = await waitFor(
      async () => {
        const pack = await anybody.pack(automatic.pack_key);
        return idsOf(pack).includes(newId) && pack;
      },
      { ...patience, description: 'the thirteenth sticker' },
    );
    const [first = '', second = '', ...others] = eleven.stickerIds;
    expect(idsOf(full).toSorted()).toHaveLength(13);
    expect(idsOf(full)).toEqual(expect.arrayContaining([...others, ...twelfth.stickerIds, newId]));
    const chosen = (pair: (string | undefined)[]): number => pair.filter((id) => idsOf(full).includes(id ?? '')).length;
    expect([chosen([first, twins.stickerIds[0]]), chosen([second, twins.stickerIds[1]])]).toEqual([1, 1]);
    expect(chosen([...secret.stickerIds, ...draftIds])).toBe(0);

    expect((await own.remove(thirteenth.packKey)).status).toBe(204);
    await waitFor(async () => !idsOf(await anybody.pack(automatic.pack_key)).includes(newId), {
      ...patience,
      description: 'the thirteenth to leave',
    });
    expect(idsOf(await anybody.pack(automatic.pack_key))).toHaveLength(12);

    expect((await own.remove(twelfth.packKey)).status).toBe(204);
    await waitFor(async () => (await anybody.get(`/api/sticker-packs/${automatic.pack_key}`)).status === 404, {
      ...patience,
      description: 'the automatic pack to be retired',
    });
    expect((await anybody.list('?limit=60')).data.filter(isAutomatic)).toEqual([]);
  }, 180_000);

  describe('lists', () => {
    const names = ['Apples', 'Boats', 'Clouds', 'Doors'];
    const packs: string[] = [];
    const [apples, boats, clouds, doors] = [0, 1, 2, 3].map((index) => () => packs[index] ?? '') as [
      () => string,
      () => string,
      () => string,
      () => string,
    ];

    beforeAll(async () => {
      for (const [index, name] of names.entries()) {
        packs.push((await publishPack(name, [{ bytes: drawPng(300 + index), emojis: ['🧩'] }])).packKey);
      }
      for (const packKey of packs) await listed(packKey);
      await waitUntilQuiet(fleet.database);
    }, 90_000);

    it('counts an open or a like once per viewer and window, and says what the counters are', async () => {
      const engagement = async (interaction: 'open' | 'like', viewer?: string) =>
        (await anybody.interact(clouds(), interaction, viewer)).json<{ data: { engagement: object } }>().data
          .engagement;

      expect(await engagement('open', 'viewer-1')).toEqual({ open: 1, like: 0, dislike: 0, download: 0 });
      expect(await engagement('open', 'viewer-1')).toEqual({ open: 1, like: 0, dislike: 0, download: 0 });
      expect(await engagement('open', 'viewer-2')).toEqual({ open: 2, like: 0, dislike: 0, download: 0 });
      expect(await engagement('open')).toEqual({ open: 3, like: 0, dislike: 0, download: 0 });
      expect(await engagement('open')).toEqual({ open: 3, like: 0, dislike: 0, download: 0 });
      await Promise.all(Array.from({ length: 5 }, async () => await engagement('like', 'viewer-1')));
      expect((await anybody.pack(clouds())).engagement).toEqual({ open: 3, like: 1, dislike: 0, download: 0 });

      const events = await fleet.database.knex('domain_event_outbox').where({ event_type: 'ENGAGEMENT_RECORDED' });
      expect(events).toHaveLength(4);
    });

    it('reorders sort=likes in a later generation', async () => {
      const mine = (list: PackListJson): string[] => packKeys(list).filter((key) => packs.includes(key));
      const orderAfter = async (generation: number, expected: string[]): Promise<number> =>
        await waitFor(
          async () => {
            const list = await anybody.list('?sort=likes&limit=60');
            const isThere = mine(list).slice(0, expected.length).join() === expected.join();
            return isThere && (list.meta.generation ?? 0) > generation && list.meta.generation;
          },
          { ...patience, description: `the order ${expected.join()}` },
        );
      const before = (await anybody.list()).meta.generation ?? 0;

      for (const viewer of ['a', 'b', 'c']) await anybody.interact(boats(), 'like', viewer);
      for (const viewer of ['a', 'b']) await anybody.interact(apples(), 'like', viewer);
      const first = await orderAfter(before, [boats(), apples(), clouds()]);

      for (const viewer of ['c', 'd']) await anybody.interact(apples(), 'like', viewer);
      expect(await orderAfter(first, [apples(), boats(), clouds()])).toBeGreaterThan(first);
    });

    it('shows each pack of a generation once to who follows the cursor, whatever happens meanwhile', async () => {
      const [whole, first] = await withinOneGeneration(anybody, async () => [
        await anybody.list('?limit=60'),
        await anybody.list('?limit=1'),
      ]);
      const pages = [first];
      const expected = packKeys(whole);
      expect(expected.length).toBeGreaterThanOrEqual(5);
      const victim = expected.slice(2).find((key) => key === doors()) ?? expected.at(-1) ?? '';

      await anybody.interact(
        expected.at(-1) === victim ? (expected.at(-2) ?? '') : (expected.at(-1) ?? ''),
        'like',
        'walker',
      );
      const late = await publishPack('Too late', [{ bytes: drawPng(320), emojis: ['🧩'] }]);
      await listed(late.packKey);
      const next = async (): Promise<PackListJson | null> => {
        const cursor = pages.at(-1)?.pagination.next_cursor ?? null;
        return cursor === null ? null : await anybody.list(`?limit=1&cursor=${encodeURIComponent(cursor)}`);
      };
      for (let page = await next(); page !== null; page = await next()) {
        pages.push(page);
        if (pages.length === 2) expect((await own.remove(victim)).status).toBe(204);
      }

      expect(pages.flatMap(packKeys)).toEqual(expected.filter((key) => key !== victim));
      expect(new Set(pages.map((page) => page.meta.generation))).toEqual(new Set([whole?.meta.generation]));
      expect(pages.map((page) => page.pagination.has_more)).toEqual([...expected.slice(1).map(() => true), false]);
    });

    it('drops a deleted pack at once, though the ranking still holds it', async () => {
      const gone = await publishPack('Soon gone', [{ bytes: drawPng(321) }]);
      await listed(gone.packKey);
      const sticker = await settledSticker(gone.packKey, gone.stickerIds[0] ?? '');

      expect((await own.remove(gone.packKey)).status).toBe(204);

      expect(packKeys(await anybody.list('?limit=60'))).not.toContain(gone.packKey);
      expect((await anybody.get(`/api/sticker-packs/${gone.packKey}`)).status).toBe(404);
      expect((await anybody.get(sticker.asset_url ?? '')).status).toBe(404);
    });

    it('answers an unchanged list with 304, and the same JSON in every encoding', async () => {
      await waitUntilQuiet(fleet.database);
      const path = '/api/sticker-packs?limit=60';
      const look = async (encoding: string) => {
        const headers = { 'Accept-Encoding': encoding };
        const answer = await anybody.get(path, headers);
        return { answer, again: await anybody.get(path, { ...headers, 'If-None-Match': answer.headers.etag ?? '' }) };
      };
      const unpack = { identity: (bytes: Buffer) => bytes, br: brotliDecompressSync, gzip: gunzipSync };
      const encodings = Object.keys(unpack) as (keyof typeof unpack)[];

      const looks = await withinOneGeneration(anybody, async () => await Promise.all(encodings.map(look)));

      const [plain] = looks;
      const etags = looks.map(({ answer }) => answer.headers.etag ?? '');
      for (const [index, { answer, again }] of looks.entries()) {
        const encoding = encodings[index] ?? 'identity';
        expect([answer.status, answer.headers['content-encoding'] ?? 'identity', answer.headers.vary]).toEqual([
          200,
          encoding,
          'Accept-Encoding',
        ]);
        expect(answer.headers['cache-control']).toMatch(/^public, max-age=\d+, stale-while-revalidate=\d+$/);
        expect(JSON.parse(unpack[encoding](answer.bytes).toString('utf8'))).toEqual(plain?.answer.json());
        expect([again.status, again.bytes.length, again.headers.etag]).toEqual([304, 0, etags[index]]);
      }
      // A strong ETag names one sequence of bytes.
      expect(new Set(etags.map((etag) => /^"[^"]+"$/.exec(etag)?.[0])).size).toBe(encodings.length);

      await anybody.interact(apples(), 'dislike', 'critic');
      const changed = await anybody.get(path, { 'If-None-Match': etags.join(', ') });
      expect([changed.status, etags.includes(changed.headers.etag ?? '')]).toEqual([200, false]);
    });

    it('changes no body with the clock alone', async () => {
      await anybody.interact(clouds(), 'open', 'clock');
      await waitUntilQuiet(fleet.database);
      const detail = async () => await anybody.get(`/api/sticker-packs/${clouds()}`);

      const { before, after } = await withinOneGeneration(anybody, async () => {
        const seen = { list: await anybody.list('?limit=60&sort=trending'), detail: await detail() };
        // Enough for a trend that decays with the clock to change its sixth digit.
        const later = Date.now() + 1_500;
        await waitFor(() => Date.now() > later);
        // Another page size is another entry of the cache: this one is computed now.
        return { before: seen, after: { list: await anybody.list('?limit=59&sort=trending'), detail: await detail() } };
      });

      expect(before.list.data.find((pack) => pack.pack_key === clouds())?.signals.trend_score).toBeGreaterThan(0);
      expect(after.list.data).toEqual(before.list.data);
      expect(after.detail.bytes.equals(before.detail.bytes)).toBe(true);
      expect(after.detail.headers.etag).toBe(before.detail.headers.etag);
    });
  });

  it('carries the request id of an upload through the logs of the api, the relay and every worker', async () => {
    const packKey = await own.createPack({ name: 'Traced' });
    await own.addStickers(packKey, [{ bytes: drawPng(400), emojis: ['🇧🇷'] }]);
    expect((await own.publish(packKey)).status).toBe(200);
    await waitUntilQuiet(fleet.database);
    const requestId = `trace-${Date.now()}`;

    const answer = await own.addSticker(packKey, { bytes: drawPng(401), emojis: ['🇧🇷'], requestId });

    expect([answer.status, answer.headers['x-request-id']]).toEqual([202, requestId]);
    const processes = ['api', 'relay', 'worker-classification', 'worker-curation', 'worker-rebuild'] as const;
    for (const name of processes) {
      const line = await waitFor(
        () => logLines(fleet.process(name).output()).find((entry) => entry.request_id === requestId),
        {
          ...patience,
          description: `${requestId} in the log of ${name}`,
        },
      );
      expect(line.process).toBe(name);
    }
    const other = await anybody.get('/api/sticker-packs', { 'X-Request-Id': 'not a valid id' });
    expect(other.headers['x-request-id']).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  it('tells nobody who owns a pack', async () => {
    const { packKey, stickerIds } = await publishPack('Nobody’s', [{ bytes: drawPng(402), emojis: ['🎈'] }]);
    await settledSticker(packKey, stickerIds[0] ?? '');
    await listed(packKey);
    const paths = [
      ...['popular', 'trending', 'recent', 'likes', 'downloads', 'rating'].map(
        (sort) => `/api/sticker-packs?limit=60&sort=${sort}`,
      ),
      ...packKeys(await anybody.list('?limit=60')).map((key) => `/api/sticker-packs/${key}`),
      '/openapi.json',
      '/api/ops/targets',
      '/api/sticker-packs/none',
      '/metrics',
    ];
    const answers = await Promise.all(paths.map(async (path) => await anybody.get(path)));
    answers.push(await anybody.interact(packKey, 'open', 'curious'), await anybody.publish(packKey));
    const stranger = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
    answers.push(await stranger.remove(packKey), await stranger.get(`/api/sticker-packs/${packKey}`));
    const { bytes } = await anybody.get(`/api/sticker-packs/${packKey}/stickers/${stickerIds[0]}.webp`);

    const said = [
      ...answers.map((answer) => `${JSON.stringify(answer.headers)}${answer.bytes.toString('utf8')}`),
      bytes.toString('latin1'),
    ];
    expect(said.length).toBeGreaterThan(15);
    for (const secret of [owner.ownerId, owner.key, owner.keyId, fleet.adminToken, fleet.dataDir, 'omnizap:curation']) {
      expect(said.filter((text) => text.includes(secret))).toEqual([]);
    }
  });
});

function logLines(output: string): { request_id?: string; process?: string }[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as { request_id?: string; process?: string });
}
