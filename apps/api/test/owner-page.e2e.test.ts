/** Signing in to `/user`, and what a signed-in browser may be made to do by others: nothing. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { retentionPolicies } from '@omnizap/catalog';
import { createLogger, createRetention } from '@omnizap/runtime';
import { ask, createCatalogueClient, drawPng, startFleet, testDatabaseKinds } from '@omnizap/testkit';
import type { Answer, AskOptions, Fleet, Owner } from '@omnizap/testkit';

const packs = '/api/sticker-packs';
const ownOrigin = { 'Sec-Fetch-Site': 'same-origin' };
const text = (answer: Answer): string => answer.bytes.toString('utf8');
const codeOf = (answer: Answer): string => answer.json<{ code: string }>().code;
const cookiesOf = (answer: Answer): string[] => answer.headers['set-cookie'] ?? [];
const asJson = { Accept: 'application/json' };

describe.each(testDatabaseKinds())("the owner's page on %s", (kind) => {
  let fleet: Fleet;
  let owner: Owner;

  beforeAll(async () => {
    fleet = await startFleet(kind, { processes: ['api'], env: { TRUST_PROXY_HOPS: '1' } });
    owner = await fleet.createOwner();
  }, 180_000);
  afterAll(async () => await fleet?.stop(), 60_000);

  const send = async (method: string, path: string, options: AskOptions = {}): Promise<Answer> =>
    await ask(`${fleet.apiUrl}${path}`, { method, ...options });
  const sendForm = async (path: string, fields: Record<string, string>, headers: object = {}): Promise<Answer> =>
    await send('POST', path, {
      body: new URLSearchParams(fields).toString(),
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...ownOrigin, ...headers },
    });
  const signIn = async (key = owner.key): Promise<{ Cookie: string }> => {
    const [cookie = ''] = cookiesOf(await sendForm('/user/sign-in', { key }));
    return { Cookie: cookie.split(';')[0] ?? '' };
  };
  const csrfOf = async (session: { Cookie: string }): Promise<string> =>
    /data-csrf-token="([\w-]+)"/.exec(text(await send('GET', '/user', { headers: session })))?.[1] ?? '';
  const isSignedIn = async (session: { Cookie: string }): Promise<boolean> =>
    (await send('GET', '/api/me/sticker-packs', { headers: { ...session, ...ownOrigin } })).status === 200;
  const newPack = async (headers: Record<string, string>): Promise<Answer> =>
    await send('POST', packs, { headers, body: { name: 'By the page' } });

  describe('signing in', () => {
    it('sets a cookie that no script, no other site and no other part of this one sees, and leads to the packs', async () => {
      const answer = await sendForm('/user/sign-in', { key: ` ${owner.key} ` });

      expect([answer.status, answer.headers.location, answer.headers['cache-control']]).toEqual([
        303,
        '/user',
        'no-store',
      ]);
      const cookies = cookiesOf(answer).map((cookie) => {
        const [pair = '', ...attributes] = cookie.split('; ');
        return { token: pair.split('=')[1], attributes: attributes.filter((one) => !one.startsWith('Expires=')) };
      });
      expect(cookies.map(({ attributes }) => attributes.toSorted())).toEqual(
        ['/user', '/api'].map((path) => ['HttpOnly', 'Max-Age=43200', `Path=${path}`, 'SameSite=Strict']),
      );
      expect(new Set(cookies.map(({ token }) => token)).size).toBe(1);
      // 256 bits, of which the table has a hash.
      expect(cookies[0]?.token).toMatch(/^[\w-]{43}$/);
      const rows = await fleet.database.knex('owner_session').select<{ token_sha256: string; key_id: string }[]>('*');
      const hash = createHash('sha256')
        .update(cookies[0]?.token ?? '')
        .digest('hex');
      expect(rows.find((row) => row.token_sha256 === hash)).toMatchObject({ key_id: owner.keyId });
      expect(JSON.stringify(rows)).not.toContain(cookies[0]?.token);
    });

    it('marks the cookie Secure when the browser came by TLS', async () => {
      const answer = await sendForm('/user/sign-in', { key: owner.key }, { 'X-Forwarded-Proto': 'https' });

      expect(cookiesOf(answer).map((cookie) => cookie.includes('; Secure'))).toEqual([true, true]);
    });

    it('begins a new session each time and ends the one that the browser had', async () => {
      const first = await signIn();
      const answer = await sendForm('/user/sign-in', { key: owner.key }, first);
      const second = { Cookie: cookiesOf(answer)[0]?.split(';')[0] ?? '' };
      const made = { Cookie: `omnizap_session=${'a'.repeat(43)}` };
      const third = cookiesOf(await sendForm('/user/sign-in', { key: owner.key }, made))[0] ?? '';

      expect(second.Cookie).not.toBe(first.Cookie);
      expect([await isSignedIn(first), await isSignedIn(second)]).toEqual([false, true]);
      expect(third).not.toContain(made.Cookie);
      expect(await isSignedIn(made)).toBe(false);
    });

    it('says of whatever is no key of an owner the same, and never repeats it', async () => {
      const revoked = await fleet.createOwner();
      await send('DELETE', `/api/admin/api-keys/${revoked.keyId}`, { key: fleet.adminToken });
      const reader = await fleet.createOwner(['metrics']);
      const wrongSecret = `oz_${owner.keyId}_${'A'.repeat(43)}`;
      const wrong = [revoked.key, reader.key, wrongSecret, fleet.adminToken, `oz_0_x`, 'x', '"><b>'];
      const answers = await Promise.all(wrong.map((key) => sendForm('/user/sign-in', { key })));

      expect(new Set(answers.map(text)).size).toBe(1);
      for (const answer of answers) {
        expect([answer.status, cookiesOf(answer), answer.headers['cache-control']]).toEqual([
          422,
          [],
          'private, no-store',
        ]);
        expect(text(answer)).toContain('This key is not valid.');
      }
      expect((await sendForm('/user/sign-in', { key: 'x'.repeat(513) })).status).toBe(422);
      expect((await send('POST', '/user/sign-in', { body: { key: owner.key }, headers: ownOrigin })).status).toBe(415);
      const log = fleet.process('api').output();
      for (const secret of [owner.key, ...wrong.slice(0, 4)]) expect(log).not.toContain(secret);
    });

    it('takes no form of another page, so that nobody is signed in as somebody else', async () => {
      const from = async (headers: object): Promise<number> => {
        const answer = await sendForm('/user/sign-in', { key: owner.key }, headers);
        return cookiesOf(answer).length === 0 ? answer.status : 0;
      };
      const host = fleet.apiUrl.replace('http://', '');

      expect(await from({ 'Sec-Fetch-Site': 'cross-site' })).toBe(403);
      expect(await from({ 'Sec-Fetch-Site': 'same-site', Origin: 'http://localhost:1' })).toBe(403);
      expect(await from({ 'Sec-Fetch-Site': 'none' })).toBe(403);
      const withoutMetadata = async (origin: string): Promise<Answer> =>
        await send('POST', '/user/sign-in', {
          body: new URLSearchParams({ key: owner.key }).toString(),
          headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: origin },
        });
      for (const origin of ['https://example.com', 'null', `http://${host}1`])
        expect([origin, (await withoutMetadata(origin)).status]).toEqual([origin, 403]);
      expect((await withoutMetadata(`https://${host}`)).status).toBe(303);
    });
  });

  describe('a signed-in browser', () => {
    it('gets pages that nobody keeps, with the strict content policy and without the key or the token', async () => {
      const session = await signIn();
      const csrf = await csrfOf(session);
      const made = await newPack({ ...session, ...ownOrigin, 'X-CSRF-Token': csrf });
      expect([made.status, made.headers['access-control-allow-origin']]).toEqual([201, undefined]);
      const { pack_key: packKey } = made.json<{ data: { pack_key: string } }>().data;

      for (const path of ['/user', `/user/packs/${packKey}`]) {
        const answer = await send('GET', path, { headers: session });
        expect([path, answer.status, answer.headers['cache-control']]).toEqual([path, 200, 'private, no-store']);
        expect(answer.headers['content-security-policy']).toMatch(
          /^default-src 'none'; script-src 'self'; style-src 'self'/,
        );
        expect(answer.headers['content-security-policy']).not.toMatch(/unsafe/);
        expect(answer.headers['referrer-policy']).toBe('same-origin');
        expect([answer.headers.etag, cookiesOf(answer)]).toEqual([undefined, []]);
        expect(text(answer)).toContain('By the page');
        expect(text(answer)).not.toMatch(/ style=| on\w+=|<style|<script(?! type="module" src=)/);
        for (const secret of [owner.key, owner.ownerId, session.Cookie.split('=')[1]])
          expect(text(answer)).not.toContain(secret);
      }
    });

    it('sees its own packs only, drafts and their stickers included, and no others as its own', async () => {
      const session = await signIn();
      const own = createCatalogueClient(fleet.apiUrl, owner.key);
      const stranger = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
      const draft = await own.createPack({ name: 'A draft of mine' });
      const published = await own.createPack({ name: 'Shown to all' });
      await own.addStickers(published, [{ bytes: drawPng(1) }]);
      expect((await own.publish(published)).status).toBe(200);
      const held = await own.createPack({ name: 'Not for here' });
      await send('POST', `/api/admin/packs/${held}/take-down`, { key: fleet.adminToken, body: { reason: 'Too loud' } });
      const others = await stranger.createPack({ name: 'Of a stranger' });
      await stranger.addStickers(others, [{ bytes: drawPng(2) }]);
      await stranger.publish(others);

      const list = text(await send('GET', '/user', { headers: session }));
      expect(list).toContain(`/user/packs/${draft}"`);
      expect(list).toContain(`/user/packs/${published}"`);
      expect(list).toContain('Taken down');
      expect(list).not.toContain(others);
      expect(text(await send('GET', `/user/packs/${held}`, { headers: session }))).toContain('Too loud');
      expect((await send('GET', `/user/packs/${others}`, { headers: { ...session, ...asJson } })).status).toBe(404);
      expect((await send('GET', `${packs}/${draft}`, { headers: session })).status).toBe(200);
      expect((await send('GET', `${packs}/${draft}`)).status).toBe(404);
      const away = await send('GET', `/user/packs/${draft}`);
      expect([away.status, away.headers.location]).toEqual([303, '/user']);
    });

    it('changes nothing without the CSRF token of its own session', async () => {
      const [session, other] = [await signIn(), await signIn()];
      const [csrf, foreign] = [await csrfOf(session), await csrfOf(other)];
      expect(new Set([csrf, foreign]).size).toBe(2);
      const refusals: Record<string, string>[] = [
        {},
        { 'X-CSRF-Token': '' },
        { 'X-CSRF-Token': foreign },
        { 'X-CSRF-Token': `${csrf.slice(0, -1)}${csrf.endsWith('A') ? 'B' : 'A'}` },
      ];

      for (const headers of refusals) {
        const answer = await newPack({ ...session, ...ownOrigin, ...headers });
        expect([headers, answer.status, codeOf(answer)]).toEqual([headers, 403, 'forbidden']);
      }
      expect((await newPack({ ...session, 'X-CSRF-Token': csrf })).status).toBe(201);
    });

    it('does nothing for a page of another origin, whatever that knows', async () => {
      const session = await signIn();
      const csrf = { 'X-CSRF-Token': await csrfOf(session) };

      const others: Record<string, string>[] = [
        { 'Sec-Fetch-Site': 'cross-site' },
        { 'Sec-Fetch-Site': 'same-site' },
        { Origin: 'https://example.com' },
      ];
      for (const from of others) {
        const changed = await newPack({ ...session, ...csrf, ...from });
        const read = await send('GET', '/api/me/sticker-packs', { headers: { ...session, ...from } });
        expect([from, changed.status, read.status]).toEqual([from, 401, 401]);
        expect(read.headers['access-control-allow-origin']).toBeUndefined();
      }
      const preflight = await send('OPTIONS', packs, {
        headers: {
          Origin: 'https://example.com',
          'Access-Control-Request-Method': 'GET',
          'Access-Control-Request-Headers': 'x-csrf-token',
        },
      });
      expect(preflight.headers['access-control-allow-headers']).not.toMatch(/csrf/i);
      expect(preflight.headers['access-control-allow-credentials']).toBeUndefined();
      const read = await send('GET', packs, { headers: { ...session, Origin: 'https://example.com' } });
      // What everybody gets, and may read without credentials: caches keep it, whoever asked first.
      expect([read.status, read.headers['access-control-allow-origin']]).toEqual([200, '*']);
      expect(read.headers['access-control-allow-credentials']).toBeUndefined();
    });

    it('may change the catalogue and nothing else, though its key be an administrator’s', async () => {
      const admin = await fleet.createOwner(['catalog:write', 'admin']);
      const session = await signIn(admin.key);
      const headers = { ...session, ...ownOrigin };

      expect(await isSignedIn(session)).toBe(true);
      expect((await send('GET', '/api/admin/feature-flags', { key: admin.key })).status).toBe(200);
      expect((await send('GET', '/api/admin/feature-flags', { headers })).status).toBe(403);
    });
  });

  describe('a session', () => {
    it('is over at once when its key is revoked', async () => {
      const leaver = await fleet.createOwner();
      const session = await signIn(leaver.key);
      expect(await isSignedIn(session)).toBe(true);

      await send('DELETE', `/api/admin/api-keys/${leaver.keyId}`, { key: fleet.adminToken });

      expect(await isSignedIn(session)).toBe(false);
      expect(text(await send('GET', '/user', { headers: session }))).toContain('name="key"');
    });

    it('is over twelve hours after it began, however busy it was, and its row goes', async () => {
      const session = await signIn();
      const csrf = await csrfOf(session);
      const hash = createHash('sha256')
        .update(session.Cookie.split('=')[1] ?? '')
        .digest('hex');
      const row = fleet.database.knex('owner_session').where({ token_sha256: hash });
      const { expires_at: expiresAt, created_at: createdAt } = (await row.clone().first()) as Record<string, Date>;
      expect(Math.abs(Number(expiresAt) - Number(createdAt) - 12 * 3_600_000)).toBeLessThan(1_000);

      const twoDaysAgo = new Date(Date.now() - 48 * 3_600_000);
      const still = await signIn();
      await fleet.database.knex('owner_session').update({ created_at: twoDaysAgo });
      await row.clone().update({ expires_at: twoDaysAgo });

      expect(await isSignedIn(session)).toBe(false);
      expect((await newPack({ ...session, ...ownOrigin, 'X-CSRF-Token': csrf })).status).toBe(401);
      const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
      const { database } = fleet;
      const policies = retentionPolicies(database.kind);
      await createRetention({ database, log }, { policies, archiveDir: '/nowhere' }).run('owner-sessions');
      expect(await row.clone()).toEqual([]);
      expect(await isSignedIn(still)).toBe(true);
    });

    it('ends where it is signed out, by its own page only', async () => {
      const session = await signIn();
      const csrf = await csrfOf(session);
      const signOut = async (fields: Record<string, string>, headers = {}): Promise<Answer> =>
        await sendForm('/user/sign-out', fields, { ...session, ...headers });

      expect((await signOut({})).status).toBe(403);
      expect((await signOut({ csrf_token: 'x' })).status).toBe(403);
      expect((await signOut({ csrf_token: csrf }, { 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403);
      expect(await isSignedIn(session)).toBe(true);

      const answer = await signOut({ csrf_token: csrf });
      expect([answer.status, answer.headers.location]).toEqual([303, '/user']);
      expect(
        cookiesOf(answer).map(
          (cookie) => /^omnizap_session=; Path=(\/\w+); Expires=Thu, 01 Jan 1970/.exec(cookie)?.[1],
        ),
      ).toEqual(['/user', '/api']);
      expect(await isSignedIn(session)).toBe(false);
      expect((await signOut({ csrf_token: csrf })).status).toBe(303);
    });
  });
});

describe('attempts to sign in', () => {
  let fleet: Fleet;
  beforeAll(async () => {
    const [kind = 'postgres'] = testDatabaseKinds();
    fleet = await startFleet(kind, { processes: ['api'], env: { STICKER_RATE_LIMIT_SIGN_INS_PER_MINUTE: '3' } });
  }, 120_000);
  afterAll(async () => await fleet?.stop(), 60_000);

  it('are few from one address, right or wrong', async () => {
    const { key } = await fleet.createOwner();
    const attempts: Answer[] = [];
    // Two windows may be met.
    for (let turn = 0; turn < 8; turn += 1)
      attempts.push(
        await ask(`${fleet.apiUrl}/user/sign-in`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...ownOrigin, Accept: 'text/html' },
          body: `key=${turn === 7 ? key : 'wrong'}`,
        }),
      );

    expect(attempts.slice(0, 3).map(({ status }) => status)).toEqual([422, 422, 422]);
    const refused = attempts.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(2);
    expect(refused[0]?.headers['retry-after']).toMatch(/^\d+$/);
    expect(text(refused[0] as Answer)).toContain('Wait a minute');
  });
});
