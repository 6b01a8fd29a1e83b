import { createHash, createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createCatalogueClient, drawPng, startFleet, testDatabaseKinds, waitFor } from '@omnizap/testkit';
import type { Answer, CatalogueClient, Fleet, Owner, PackDetailJson } from '@omnizap/testkit';

const secrets = ['first-secret-of-the-signed-paths-test', 'second-secret-of-the-signed-paths-test'];
const ttlSeconds = 900;
const reason = 'Somebody looked at it';
const refused = { status: 403, code: 'signed-url-invalid' };

describe.each(testDatabaseKinds())('signed addresses of stickers on %s', (kind) => {
  let fleet: Fleet;
  let admin: CatalogueClient;
  let anybody: CatalogueClient;
  let seeds = 700;

  beforeAll(async () => {
    fleet = await startFleet(kind, {
      env: {
        STICKER_SIGNED_URL_SECRET: secrets.join(','),
        STICKER_OBJECT_STORAGE_SIGNED_URL_TTL_SECONDS: String(ttlSeconds),
      },
      processes: ['api', 'relay', 'worker-classification', 'worker-rebuild'],
    });
    admin = createCatalogueClient(fleet.apiUrl, fleet.adminToken);
    anybody = createCatalogueClient(fleet.apiUrl);
  }, 180_000);
  afterAll(async () => await fleet?.stop(), 60_000);

  type Made = { owner: Owner; own: CatalogueClient; pack: PackDetailJson; url: string };

  /** A pack of two ready stickers with a cover, as its owner sees it, and the address of its first sticker. */
  async function makePack(options: { visibility: string; isPublished: boolean }): Promise<Made> {
    const owner = await fleet.createOwner();
    const own = createCatalogueClient(fleet.apiUrl, owner.key);
    const packKey = await own.createPack({ name: 'Mine', visibility: options.visibility });
    await own.addStickers(packKey, [{ bytes: drawPng((seeds += 1)) }, { bytes: drawPng((seeds += 1)) }]);
    if (options.isPublished) expect((await own.publish(packKey)).status).toBe(200);
    const pack = await waitFor(
      async () => {
        const seen = await own.pack(packKey);
        return seen.cover_url !== null && seen.stickers.every(({ status }) => status === 'ready') ? seen : undefined;
      },
      { timeoutMs: 60_000, description: 'ready stickers and a cover' },
    );
    return { owner, own, pack, url: pack.stickers[0]?.asset_url ?? '' };
  }
  const isSigned = (url: string | null | undefined): boolean =>
    /[?&]expires=\d{10}&signature=[A-Za-z0-9_-]{43}$/.test(url ?? '');
  const codeOf = (answer: Answer): { status: number; code: string } => ({
    status: answer.status,
    code: answer.json<{ code: string }>().code,
  });
  /** As anybody who has the secret would sign, by the words of the documentation. */
  function signed(url: string, change: { expires?: number; secret?: string } = {}): string {
    const { pathname, searchParams } = new URL(url, fleet.apiUrl);
    const [, , , packKey = '', , file = ''] = pathname.split('/');
    const expires = change.expires ?? Math.floor(Date.now() / 1_000) + 100;
    const variant = searchParams.get('variant') ?? 'sticker';
    const text = `omnizap-sticker-v1\n${packKey}\n${file.replace('.webp', '')}\n${variant}\n${expires}`;
    const signature = createHmac('sha256', change.secret ?? secrets[0] ?? '')
      .update(text)
      .digest('base64url');
    return `${pathname}?variant=${variant}&expires=${expires}&signature=${signature}`;
  }

  it('are what owners get of drafts and private packs, and open them without the key', async () => {
    const { own, pack } = await makePack({ visibility: 'private', isPublished: true });
    const draft = await makePack({ visibility: 'public', isPublished: false });
    for (const url of [draft.url, draft.pack.cover_url, draft.pack.stickers[1]?.preview_url])
      expect([url, isSigned(url)]).toEqual([url, true]);
    const listed = (await own.get('/api/me/sticker-packs')).json<{ data: { cover_url: string }[] }>().data;
    expect(listed.map(({ cover_url }) => isSigned(cover_url))).toEqual([true]);

    for (const url of [pack.stickers[0]?.asset_url, pack.stickers[0]?.preview_url, listed[0]?.cover_url]) {
      const answer = await anybody.get(url ?? '');
      expect(answer.status).toBe(200);
      expect(`"${createHash('sha256').update(answer.bytes).digest('hex')}"`).toBe(answer.headers.etag);
      const [, seconds] = /^public, max-age=(\d+)$/.exec(answer.headers['cache-control'] ?? '') ?? [];
      expect(Number(seconds)).toBeGreaterThan((ttlSeconds * 2) / 3 - 60);
      expect(Number(seconds)).toBeLessThanOrEqual(ttlSeconds);
      expect(answer.headers['set-cookie']).toBeUndefined();
      expect(answer.headers['access-control-allow-origin']).toBe('*');
      const plain = (url ?? '').replace(/&expires=.*/, '');
      expect(codeOf(await anybody.get(plain))).toEqual({ status: 404, code: 'sticker-not-found' });
      expect((await own.get(plain)).bytes).toEqual(answer.bytes);
      expect((await own.get(url ?? '')).headers['cache-control']).toBe('private, no-store');
    }
  }, 150_000);

  it('keep the manners of the bytes: HEAD, parts, and nothing for whoever has them', async () => {
    const { url } = await makePack({ visibility: 'private', isPublished: true });
    const whole = await anybody.get(url);

    const head = await anybody.call('HEAD', url);
    expect([head.status, head.bytes.length, head.headers.etag]).toEqual([200, 0, whole.headers.etag]);
    expect(head.headers['content-length']).toBe(String(whole.bytes.length));
    const part = await anybody.get(url, { Range: 'bytes=10-19' });
    expect([part.status, part.bytes]).toEqual([206, whole.bytes.subarray(10, 20)]);
    const known = await anybody.get(url, { 'If-None-Match': whole.headers.etag ?? '' });
    expect([known.status, known.bytes.length]).toEqual([304, 0]);
    expect(known.headers['cache-control']).toMatch(/^public, max-age=\d+$/);
  }, 120_000);

  it('are refused when they are tampered with or expired, and hold by either secret until then', async () => {
    const { url } = await makePack({ visibility: 'private', isPublished: true });
    const other = await makePack({ visibility: 'private', isPublished: true });
    const now = Math.floor(Date.now() / 1_000);
    const query = url.slice(url.indexOf('?') + 1);
    expect((await anybody.get(signed(url))).status).toBe(200);
    expect((await anybody.get(signed(url, { secret: secrets[1] ?? '' }))).status).toBe(200);

    const notValid = [
      `${url}A`,
      url.slice(0, -1),
      url.replace(/expires=\d+/, `expires=${now + 10}`),
      url.replace(/expires=\d+&/, ''),
      url.replace(/&signature=.*/, ''),
      url.replace(/signature=.*/, 'signature='),
      url.replace('?', '?variant=preview&'),
      `${url}&signature=${/signature=(.*)/.exec(url)?.[1] ?? ''}`,
      `${url}&expires=${/expires=(\d+)/.exec(url)?.[1] ?? ''}`,
      `${other.url.split('?')[0] ?? ''}?${query}`,
      signed(url, { secret: 'a-secret-that-nobody-has-configured' }),
      signed(url, { expires: now + ttlSeconds + 3_600 }),
    ];
    for (const wrong of notValid) {
      const answer = await anybody.get(wrong);
      expect([wrong, codeOf(answer)]).toEqual([wrong, refused]);
      expect(answer.json<{ detail: string }>().detail).toMatch(/^This signed address is not valid:/);
      expect(answer.headers['cache-control']).toBe('no-store');
    }
    const late = await anybody.get(signed(url, { expires: now - 1 }));
    expect(codeOf(late)).toEqual(refused);
    expect(late.json<{ detail: string }>().detail).toMatch(/^This signed address has expired:/);
  }, 150_000);

  it('are not given where none is needed, and a wrong one is refused there, too', async () => {
    const { own, pack, url } = await makePack({ visibility: 'unlisted', isPublished: true });
    expect([url, pack.cover_url].map(isSigned)).toEqual([false, false]);
    expect((await anybody.get(url)).headers['cache-control']).toMatch(/immutable/);
    expect((await anybody.get(signed(url))).status).toBe(200);
    expect(codeOf(await anybody.get(`${url}&expires=1&signature=x`))).toEqual(refused);
    expect(codeOf(await own.get(`${url}&expires=1&signature=x`))).toEqual(refused);
    expect(isSigned((await admin.pack(pack.pack_key)).stickers[0]?.asset_url)).toBe(false);
  }, 120_000);

  it('open nothing that moderation hides, that is deleted, or of a banned owner', async () => {
    const decide = async (path: string): Promise<void> => {
      expect((await admin.call('POST', `/api/admin/${path}`, { body: { reason } })).status).toBe(200);
    };
    const gone = { status: 404, code: 'sticker-not-found' };
    const { own, owner, pack, url } = await makePack({ visibility: 'private', isPublished: true });
    const [first, second] = pack.stickers;
    const neighbour = second?.asset_url ?? '';

    await decide(`stickers/${first?.sticker_id ?? ''}/take-down`);
    expect([codeOf(await anybody.get(url)), (await anybody.get(neighbour)).status]).toEqual([gone, 200]);
    expect(isSigned((await own.pack(pack.pack_key)).stickers[0]?.asset_url)).toBe(false);
    expect((await own.get(url)).status).toBe(200);
    await decide(`packs/${pack.pack_key}/take-down`);
    expect(codeOf(await anybody.get(neighbour))).toEqual(gone);
    await decide(`packs/${pack.pack_key}/restore`);
    await decide(`stickers/${first?.sticker_id ?? ''}/restore`);
    expect([(await anybody.get(url)).status, (await anybody.get(neighbour)).status]).toEqual([200, 200]);

    const ban = await admin.call('POST', '/api/admin/bans', {
      body: { kind: 'owner', owner_id: owner.ownerId, reason },
    });
    expect(ban.status).toBe(201);
    expect(codeOf(await anybody.get(url))).toEqual(gone);
    await decide(`bans/${ban.json<{ data: { ban_id: string } }>().data.ban_id}/revoke`);
    expect((await anybody.get(url)).status).toBe(200);
    expect((await own.remove(pack.pack_key)).status).toBe(204);
    expect(codeOf(await anybody.get(url))).toEqual(gone);
  }, 150_000);

  it('never show what they are signed with', () => {
    for (const { process } of fleet.all()) for (const secret of secrets) expect(process.output()).not.toContain(secret);
  });
});
