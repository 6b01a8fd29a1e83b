/** What a crowd of viewers can do to a pack's counters through two API processes, and what its owner is told about it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ask, createCatalogueClient, drawPng, startFleet, testDatabaseKinds } from '@omnizap/testkit';
import type { Answer, CatalogueClient, Fleet } from '@omnizap/testkit';

type Counts = { open: number; like: number; dislike: number; download: number };
type Analytics = {
  totals: Counts;
  last_7_days: Counts;
  last_30_days: Counts;
  rating_score: number;
  days: ({ day: string } & Counts)[];
};

describe.each(testDatabaseKinds())('engagement through two API processes on %s', (kind) => {
  let fleet: Fleet;
  let own: CatalogueClient;
  let packKey: string;

  beforeAll(async () => {
    fleet = await startFleet(kind, {
      processes: ['api', 'api'],
      env: { TRUST_PROXY_HOPS: '1', LOG_LEVEL: 'debug' },
    });
    own = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
  }, 120_000);
  beforeEach(async () => {
    packKey = await own.createPack({ name: 'Crowded' });
    await own.addStickers(packKey, [{ bytes: drawPng(1), emojis: ['🙂'] }]);
    await own.publish(packKey);
  });
  afterAll(async () => await fleet?.stop(), 60_000);

  /** Sent to one process and the other in turn. */
  async function send(index: number, interaction: string, viewer: string, address: string): Promise<Answer> {
    const { url } = fleet.all()[index % 2]?.process ?? { url: '' };
    return await ask(`${url}/api/sticker-packs/${packKey}/${interaction}`, {
      method: 'POST',
      headers: { 'X-Viewer-Key': viewer, 'X-Forwarded-For': address },
    });
  }
  const sendMany = async (count: number, one: (index: number) => Promise<Answer>): Promise<void> => {
    const answers = await Promise.all(Array.from({ length: count }, (_, index) => one(index)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  };
  const counts = async (): Promise<Counts> => (await own.pack(packKey)).engagement;
  const analytics = async (query = ''): Promise<Answer> =>
    await own.get(`/api/sticker-packs/${packKey}/analytics${query}`);

  it('counts 200 likes of one viewer that arrive at once as one', async () => {
    await sendMany(200, (index) => send(index, 'like', 'eager', `198.51.100.${index}`));

    expect(await counts()).toEqual({ open: 0, like: 1, dislike: 0, download: 0 });
  }, 60_000);

  it('counts twenty of fifty made-up viewers behind one address, also when they change their keys and their minds', async () => {
    await sendMany(50, (index) => send(index, 'like', `made-up-${index}`, '203.0.113.9'));
    expect(await counts()).toMatchObject({ like: 20, dislike: 0 });

    await sendMany(50, (index) => send(index, 'dislike', `made-up-${index}`, '203.0.113.9'));
    await sendMany(50, (index) => send(index, 'like', `another-${index}`, '203.0.113.9'));
    expect(await counts()).toMatchObject({ like: 0, dislike: 20 });

    await send(0, 'like', 'elsewhere', '203.0.113.10');
    expect(await counts()).toMatchObject({ like: 1, dislike: 20 });
  }, 60_000);

  it('writes neither keys nor addresses into a log', async () => {
    await send(0, 'open', 'a-telling-key', '203.0.113.77');
    expect((await send(1, 'open', `too-long-${'x'.repeat(128)}`, '203.0.113.77')).status).toBe(400);

    const written = fleet.all().map(({ process }) => process.output());
    expect(written.join('')).toContain('request answered');
    for (const secret of ['a-telling-key', 'too-long-x', '203.0.113.77'])
      expect(written.join('')).not.toContain(secret);
  });

  it('tells the owner what was counted, day by day with the empty ones, and keeps it out of caches', async () => {
    await send(0, 'open', 'one', '203.0.113.1');
    await send(1, 'open', 'two', '203.0.113.2');
    await send(0, 'like', 'one', '203.0.113.1');
    const today = new Date().toISOString().slice(0, 10);

    const answer = await analytics('?days=3');

    const total = { open: 2, like: 1, dislike: 0, download: 0 };
    const { data } = answer.json<{ data: Analytics }>();
    expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'private, no-store']);
    expect(data).toMatchObject({ totals: total, last_7_days: total, last_30_days: total });
    // One like of one rating, z = 1.96: 1 / (1 + 1.96^2).
    expect(data.rating_score).toBeCloseTo(1 / (1 + 1.96 ** 2), 5);
    expect(data.days).toHaveLength(3);
    expect(data.days.at(-1)).toEqual({ day: today, ...total });
    expect(data.days.slice(0, 2)).toEqual(
      [2, 1].map((days) => ({
        day: new Date(Date.parse(today) - days * 86_400_000).toISOString().slice(0, 10),
        ...{ open: 0, like: 0, dislike: 0, download: 0 },
      })),
    );
    expect((await analytics()).json<{ data: Analytics }>().data.days).toHaveLength(30);
    for (const wrong of ['?days=0', '?days=91', '?days=x', '?viewer=1'])
      expect((await analytics(wrong)).status).toBe(400);
  });

  it('tells nobody else, and of a draft not even that it is there', async () => {
    const stranger = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
    const admin = createCatalogueClient(fleet.apiUrl, fleet.adminToken);
    const draft = await own.createPack({ name: 'Draft' });
    const statusOf = async (client: CatalogueClient, key: string): Promise<number> =>
      (await client.get(`/api/sticker-packs/${key}/analytics`)).status;

    expect(await statusOf(createCatalogueClient(fleet.apiUrl), packKey)).toBe(401);
    expect([await statusOf(stranger, packKey), await statusOf(stranger, draft)]).toEqual([403, 404]);
    expect([await statusOf(admin, packKey), await statusOf(own, draft)]).toEqual([200, 200]);
  });
});
