import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createCatalogueClient, drawPng, startFleet, testDatabaseKinds, waitFor } from '@omnizap/testkit';
import type { Answer, CatalogueClient, Fleet, Owner } from '@omnizap/testkit';

type Moderated = { moderation?: { state: string; reason: string | null } };
type Page<T> = { data: T[]; pagination: { next_cursor: string | null; has_more: boolean } };
const reason = 'Somebody looked at it';

describe.each(testDatabaseKinds())('moderation over HTTP on %s', (kind) => {
  let fleet: Fleet;
  let admin: CatalogueClient;
  let anybody: CatalogueClient;
  let seeds = 100;

  beforeAll(async () => {
    fleet = await startFleet(kind, { env: { STICKER_REPORTS_HOLD_AT: '2', TRUST_PROXY_HOPS: '1' } });
    admin = createCatalogueClient(fleet.apiUrl, fleet.adminToken);
    anybody = createCatalogueClient(fleet.apiUrl);
  }, 180_000);
  afterAll(async () => await fleet?.stop(), 60_000);

  const post = (client: CatalogueClient, path: string, body: object = { reason }): Promise<Answer> =>
    client.call('POST', path, { body });
  const dataOf = <T>(answer: Answer): T => answer.json<{ data: T }>().data;
  const codeOf = (answer: Answer): [number, string] => [answer.status, answer.json<{ code: string }>().code];

  type Shown = { owner: Owner; own: CatalogueClient; packKey: string; stickerIds: string[] };

  /** A published pack of these pictures, or of two new ones, that everybody finds in the list. */
  async function showPack(pictures = [drawPng((seeds += 1)), drawPng((seeds += 1))], by?: Owner): Promise<Shown> {
    const owner = by ?? (await fleet.createOwner());
    const own = createCatalogueClient(fleet.apiUrl, owner.key);
    const packKey = await own.createPack({ name: 'Shown', publisher: 'Somebody' });
    const stickerIds = await own.addStickers(
      packKey,
      pictures.map((bytes) => ({ bytes, emojis: ['🙂'] })),
    );
    expect((await own.publish(packKey)).status).toBe(200);
    await waitFor(async () => (await isListed(packKey)) === true, { timeoutMs: 45_000, description: 'a listed pack' });
    await waitFor(async () => (await anybody.pack(packKey)).stickers.length === pictures.length, {
      timeoutMs: 45_000,
      description: 'ready stickers',
    });
    return { owner, own, packKey, stickerIds };
  }

  const isListed = async (packKey: string): Promise<boolean> =>
    (await anybody.list('?sort=recent&limit=60')).data.some((pack) => pack.pack_key === packKey);

  /** What anybody gets on every public way to the pack; `stickerId` is one of its stickers. */
  async function publicAnswers(packKey: string, stickerId: string): Promise<unknown[]> {
    const pack = `/api/sticker-packs/${packKey}`;
    return [
      await isListed(packKey),
      (await anybody.get(pack)).status,
      (await anybody.get(`${pack}/stickers/${stickerId}.webp`)).status,
      (await anybody.get(`${pack}/stickers/${stickerId}.webp?variant=preview`)).status,
      (await anybody.interact(packKey, 'open', 'viewer')).status,
      (await post(anybody, `${pack}/report`, { reason: 'other' })).status,
    ];
  }
  const open = [true, 200, 200, 200, 200, 202];
  const closed = [false, 404, 404, 404, 404, 404];

  it('takes a pack away from everybody with the next request, tells its owner why, and brings it back', async () => {
    const { own, packKey, stickerIds } = await showPack();
    const [stickerId = ''] = stickerIds;
    expect(await publicAnswers(packKey, stickerId)).toEqual(open);
    expect(await anybody.pack(packKey)).not.toHaveProperty('moderation');

    const down = await post(admin, `/api/admin/packs/${packKey}/take-down`);
    expect([down.status, dataOf(down)]).toEqual([200, { moderation: { state: 'taken_down', reason } }]);
    expect(await publicAnswers(packKey, stickerId)).toEqual(closed);
    expect(((await own.pack(packKey)) as Moderated).moderation).toEqual({ state: 'taken_down', reason });
    const stranger = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
    expect((await stranger.get(`/api/sticker-packs/${packKey}`)).status).toBe(404);

    const file = dataOf<{ owner_id: string; actions: { action: string; actor: string; reason: string }[] }>(
      await admin.get(`/api/admin/packs/${packKey}`),
    );
    expect(file.actions.map(({ action, actor, reason: why }) => [action, actor, why])).toEqual([
      ['pack.take-down', 'admin', reason],
    ]);
    expect(codeOf(await post(admin, `/api/admin/packs/${packKey}/approve`))).toEqual([409, 'moderation-conflict']);

    expect((await post(admin, `/api/admin/packs/${packKey}/restore`)).status).toBe(200);
    expect(await publicAnswers(packKey, stickerId)).toEqual(open);
  }, 120_000);

  it('takes a sticker out of a pack that stays, and out of its count', async () => {
    const { own, packKey, stickerIds } = await showPack();
    const [bad = '', good = ''] = stickerIds;
    const bytes = (id: string): Promise<Answer> => anybody.get(`/api/sticker-packs/${packKey}/stickers/${id}.webp`);

    expect((await post(admin, `/api/admin/stickers/${bad}/take-down`)).status).toBe(200);
    expect((await anybody.pack(packKey)).stickers.map((sticker) => sticker.sticker_id)).toEqual([good]);
    expect([(await bytes(bad)).status, (await bytes(good)).status]).toEqual([404, 200]);
    const seen = (await own.pack(packKey)).stickers as Moderated[];
    expect(seen.map(({ moderation }) => moderation?.state)).toEqual(['taken_down', 'approved']);
    await waitFor(async () => (await anybody.pack(packKey)).sticker_count === 1, {
      timeoutMs: 30_000,
      description: 'the count without it',
    });
  }, 120_000);

  it('is closed to owners, and to administrators without a reason', async () => {
    const { own, packKey } = await showPack();
    const path = `/api/admin/packs/${packKey}/take-down`;

    expect(codeOf(await post(own, path))).toEqual([403, 'forbidden']);
    expect(codeOf(await post(anybody, path))).toEqual([401, 'unauthorized']);
    for (const body of [{}, { reason: '  ' }, { reason: 'x'.repeat(501) }])
      expect(codeOf(await post(admin, path, body))).toEqual([422, 'validation-failed']);
    expect(codeOf(await post(admin, '/api/admin/stickers/none/take-down'))).toEqual([404, 'sticker-not-found']);
    expect(await isListed(packKey)).toBe(true);
  }, 120_000);

  it('shuts a banned owner out with all their packs, and lets both back in', async () => {
    const { owner, own, packKey, stickerIds } = await showPack();
    const [stickerId = ''] = stickerIds;
    const banned = await post(admin, '/api/admin/bans', { kind: 'owner', owner_id: owner.ownerId, reason });
    expect([banned.status, dataOf<{ affected: number }>(banned).affected]).toEqual([201, 1]);

    expect(await publicAnswers(packKey, stickerId)).toEqual(closed);
    const writes = [
      await own.call('POST', '/api/sticker-packs', { body: { name: 'Another' } }),
      await own.addSticker(packKey, { bytes: drawPng((seeds += 1)) }),
      await own.publish(packKey),
      await own.remove(packKey),
    ];
    expect(writes.map(codeOf)).toEqual(writes.map(() => [403, 'owner-banned']));
    expect((await own.get(`/api/sticker-packs/${packKey}`)).status).toBe(200);

    const { ban_id: banId } = dataOf<{ ban_id: string }>(banned);
    expect((await post(admin, `/api/admin/bans/${banId}/revoke`)).status).toBe(200);
    expect(await publicAnswers(packKey, stickerId)).toEqual(open);
    expect((await own.call('POST', '/api/sticker-packs', { body: { name: 'Another' } })).status).toBe(201);
  }, 120_000);

  it('keeps a banned sticker out: its bytes are refused, and what looks like it waits in the queue', async () => {
    const seed = (seeds += 1);
    const { packKey, stickerIds } = await showPack([drawPng(seed, 128), drawPng((seeds += 1))]);
    const [bad = ''] = stickerIds;
    const banned = await post(admin, '/api/admin/bans', { kind: 'sticker', sticker_id: bad, reason });
    expect([banned.status, (await anybody.pack(packKey)).stickers.length]).toEqual([201, 1]);

    const other = await showPack();
    expect(codeOf(await other.own.addSticker(other.packKey, { bytes: drawPng(seed, 128) }))).toEqual([
      422,
      'sticker-banned',
    ]);
    const [near = ''] = await other.own.addStickers(other.packKey, [{ bytes: drawPng(seed, 160) }]);
    const queued = await waitFor(
      async () => {
        const page = (await admin.get('/api/admin/moderation/queue?type=sticker')).json<
          Page<{ sticker_id: string; pack_keys: string[]; moderation: { ban_id: string } }>
        >();
        return page.data.find((entry) => entry.sticker_id === near);
      },
      { timeoutMs: 30_000, description: 'the near-duplicate in the queue' },
    );
    expect(queued.pack_keys).toEqual([other.packKey]);
    expect(queued.moderation.ban_id).toBe(dataOf<{ ban_id: string }>(banned).ban_id);
    await waitFor(async () => (await other.own.pack(other.packKey)).stickers[2]?.status === 'ready', {
      timeoutMs: 30_000,
    });
    expect((await anybody.pack(other.packKey)).stickers).toHaveLength(2);

    expect((await post(admin, `/api/admin/stickers/${near}/approve`)).status).toBe(200);
    expect((await anybody.pack(other.packKey)).stickers).toHaveLength(3);
  }, 180_000);

  it('answers every report alike, and holds a pack that two addresses have reported', async () => {
    const { packKey, stickerIds } = await showPack();
    const path = `/api/sticker-packs/${packKey}/report`;
    const report = (address: string, body: object): Promise<Answer> =>
      anybody.call('POST', path, { body, headers: { 'X-Forwarded-For': address } });
    const body = { reason: 'hate', sticker_id: stickerIds[0], details: 'The first one.' };

    const answers = [
      await report('198.51.100.1', body),
      await report('198.51.100.1', body),
      await report('198.51.100.1', { reason: 'spam' }),
    ];
    for (const answer of answers)
      expect([answer.status, dataOf(answer)]).toEqual([202, { pack_key: packKey, status: 'received' }]);
    expect(codeOf(await report('198.51.100.1', { reason: 'ugly' }))).toEqual([422, 'validation-failed']);
    expect(await isListed(packKey)).toBe(true);
    await report('198.51.100.2', body);
    expect([await isListed(packKey), (await anybody.get(`/api/sticker-packs/${packKey}`)).status]).toEqual([
      false,
      404,
    ]);

    const groups = (await admin.get('/api/admin/reports')).json<
      Page<{ pack_key: string; sticker_id: string | null; open_reports: number; reports: { report_id: number }[] }>
    >().data;
    const mine = groups.filter((group) => group.pack_key === packKey);
    expect(mine.map((group) => [group.sticker_id, group.open_reports])).toEqual([
      [stickerIds[0], 2],
      [null, 1],
    ]);
    const id = mine[1]?.reports[0]?.report_id;
    expect((await post(admin, `/api/admin/reports/${id}/dismiss`)).status).toBe(200);
    expect((await post(admin, `/api/admin/packs/${packKey}/approve`)).status).toBe(200);
    expect(await isListed(packKey)).toBe(true);
  }, 120_000);

  it('logs every decision, page by page', async () => {
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '' : `&cursor=${cursor}`;
      const page: Page<{ action: string }> = (
        await admin.get(`/api/admin/audit-log?actor=admin&limit=3${query}`)
      ).json();
      seen.push(...page.data.map(({ action }) => action));
      cursor = page.pagination.next_cursor;
    } while (cursor !== null);

    const { knex } = fleet.database;
    const all = await knex('admin_action_audit')
      .where({ actor: 'admin' })
      .orderBy('id', 'desc')
      .pluck<string[]>('action');
    expect(seen).toEqual(all);
    expect(new Set(seen)).toEqual(
      new Set([
        ...['api-key.create', 'pack.take-down', 'pack.restore', 'pack.approve', 'sticker.take-down'],
        ...['sticker.approve', 'ban.create', 'ban.revoke', 'report.dismiss'],
      ]),
    );
    expect(codeOf(await admin.get('/api/admin/audit-log?cursor=bm9uZQ'))).toEqual([400, 'invalid-cursor']);
  });
});

describe('moderation before publication', () => {
  it('shows a pack when it was approved, hides it again when its owner adds a sticker', async () => {
    const fleet = await startFleet('postgres', { env: { STICKER_MODERATION_POLICY: 'hold' } });
    try {
      const admin = createCatalogueClient(fleet.apiUrl, fleet.adminToken);
      const anybody = createCatalogueClient(fleet.apiUrl);
      const own = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
      const packKey = await own.createPack({ name: 'Held' });
      await own.addStickers(packKey, [{ bytes: drawPng(1), emojis: ['🙂'] }]);
      const statusOf = async (): Promise<number> => (await anybody.get(`/api/sticker-packs/${packKey}`)).status;

      const published = (await own.publish(packKey)).json<{ data: Moderated }>().data;
      expect([published.moderation?.state, await statusOf()]).toEqual(['held', 404]);
      expect((await post(`/api/admin/packs/${packKey}/approve`)).status).toBe(200);
      expect(await statusOf()).toBe(200);
      await waitFor(async () => (await anybody.list()).data.length === 1, { timeoutMs: 45_000 });

      await own.addStickers(packKey, [{ bytes: drawPng(2), emojis: ['🙂'] }]);
      expect([await statusOf(), (await anybody.list()).data]).toEqual([404, []]);
      const queue = (await admin.get('/api/admin/moderation/queue')).json<Page<{ pack_keys: string[] }>>();
      expect(queue.data.map(({ pack_keys: keys }) => keys)).toEqual([[packKey]]);

      expect((await post(`/api/admin/packs/${packKey}/reject`)).status).toBe(200);
      expect([await statusOf(), ((await own.pack(packKey)) as Moderated).moderation]).toEqual([
        404,
        { state: 'rejected', reason },
      ]);

      function post(path: string): Promise<Answer> {
        return admin.call('POST', path, { body: { reason } });
      }
    } finally {
      await fleet.stop();
    }
  }, 240_000);
});
