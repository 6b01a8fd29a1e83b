/** Limits hold over all API processes together, say what is left, and never stand in the way of an answer by failing themselves. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ask, drawPng, createCatalogueClient, startFleet, testDatabaseKinds, waitFor } from '@omnizap/testkit';
import type { Answer, Fleet } from '@omnizap/testkit';

const packs = '/api/sticker-packs';
const writes = 10;
const counts = 3;
const reads = 5;

/** Windows are minutes of the clock: none of a test's requests may fall into the next one. */
const earlyInAMinute = async (): Promise<unknown> =>
  await waitFor(() => Date.now() % 60_000 < 40_000, { timeoutMs: 60_000, description: 'the next minute to begin' });

describe.each(testDatabaseKinds())('limits of two API processes on %s', (kind) => {
  let fleet: Fleet;
  let urls: string[];

  beforeAll(async () => {
    fleet = await startFleet(kind, {
      processes: ['api', 'api'],
      env: {
        STICKER_RATE_LIMIT_WRITES_PER_MINUTE: String(writes),
        STICKER_RATE_LIMIT_COUNTS_PER_MINUTE: String(counts),
        STICKER_RATE_LIMIT_READS_PER_MINUTE: String(reads),
        TRUST_PROXY_HOPS: '1',
      },
    });
    urls = fleet.all().map(({ process }) => process.url);
    expect(new Set(urls).size).toBe(2);
  }, 180_000);
  afterAll(async () => await fleet?.stop(), 60_000);

  /** The process that answers alternates. */
  const create = async (key: string, turn: number): Promise<Answer> =>
    await ask(`${urls[turn % 2]}${packs}`, { method: 'POST', key, body: { name: `Pack ${turn}` } });
  const rowOf = async (keyId: string) =>
    await fleet.database
      .knex('rate_limit')
      .where({ limit_key: `write:key:${keyId}` })
      .first<{ points: number }>('points');

  it('are shared: what one has counted the other one knows', async () => {
    const { key, keyId } = await fleet.createOwner();
    await earlyInAMinute();

    const answers: Answer[] = [];
    for (let turn = 0; turn < writes; turn += 1) answers.push(await create(key, turn));
    const refused = [await create(key, 0), await create(key, 1)];

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    expect(new Set(answers.map(({ headers }) => headers['ratelimit-policy']))).toEqual(new Set(['"write";q=10;w=60']));
    expect(answers.map(({ headers }) => /^"write";r=(\d+);t=\d+$/.exec(String(headers.ratelimit))?.[1])).toEqual(
      answers.map((_, index) => String(writes - 1 - index)),
    );
    for (const { status, headers, json } of refused) {
      expect([status, json<{ code: string }>().code]).toEqual([429, 'rate-limited']);
      expect(headers.ratelimit).toMatch(/^"write";r=0;t=\d+$/);
      const retryAfter = Number(headers['retry-after']);
      expect(retryAfter).toBeGreaterThanOrEqual(1);
      expect(retryAfter).toBeLessThanOrEqual(60);
    }

    // Who is over the limit is refused from memory: each process has written once more at the most.
    for (let turn = 0; turn < 20; turn += 1) expect((await create(key, turn)).status).toBe(429);
    expect((await rowOf(keyId))?.points).toBeLessThanOrEqual(writes + urls.length);
  });

  it('are kept apart by key, and by network where no key is needed', async () => {
    const [one, other] = [await fleet.createOwner(), await fleet.createOwner()];
    await earlyInAMinute();
    for (let turn = 0; turn <= writes; turn += 1) await create(one.key, turn);
    expect((await create(one.key, 0)).status).toBe(429);
    const created = await create(other.key, 0);
    expect(created.status).toBe(201);

    const packKey = created.json<{ data: { pack_key: string } }>().data.pack_key;
    const own = createCatalogueClient(urls[0] ?? '', other.key);
    await own.addStickers(packKey, [{ bytes: drawPng(1, 16) }]);
    expect((await own.publish(packKey)).status).toBe(200);
    const like = async (address: string): Promise<number> =>
      (
        await ask(`${urls[0]}${packs}/${packKey}/like`, {
          method: 'POST',
          headers: { 'X-Forwarded-For': address, 'X-Viewer-Key': address },
        })
      ).status;
    await earlyInAMinute();
    const sameNetwork = [];
    for (const host of ['1', '2', 'ffff:1', '4']) sameNetwork.push(await like(`2001:db8:7:7::${host}`));

    expect(sameNetwork).toEqual([200, 200, 200, 429]);
    expect(await like('2001:db8:7:100::1')).toBe(200);
    expect(await like('192.0.2.7')).toBe(200);
  });

  it('leave reads alone that nobody in particular makes', async () => {
    const rows = async () => await fleet.database.knex('rate_limit').orderBy('limit_key').pluck<string[]>('limit_key');
    const before = await rows();

    for (const path of [packs, `${packs}/none`, '/openapi.json'])
      expect((await ask(`${urls[0]}${path}`)).headers.ratelimit).toBeUndefined();

    expect(await rows()).toEqual(before);
  });

  it('count searches, of the API and of the pages together', async () => {
    await earlyInAMinute();
    const search = async (path: string): Promise<number> =>
      (await ask(`${urls[0]}${path}?q=cat`, { headers: { 'X-Forwarded-For': '192.0.2.77' } })).status;

    const statuses = [];
    for (let turn = 0; turn <= reads; turn += 1) statuses.push(await search(turn % 2 === 0 ? packs : '/stickers'));

    expect(statuses).toEqual([...Array.from({ length: reads }, () => 200), 429]);
    expect(await search(packs)).toBe(429);
    expect((await ask(`${urls[0]}${packs}`, { headers: { 'X-Forwarded-For': '192.0.2.77' } })).status).toBe(200);
  });

  it('keep nobody waiting for a count that does not come', async () => {
    const { key, keyId } = await fleet.createOwner();
    expect((await create(key, 0)).status).toBe(201);

    await fleet.database.knex.transaction(async (trx) => {
      await trx('rate_limit')
        .where({ limit_key: `write:key:${keyId}` })
        .forUpdate()
        .first('points');
      // It waits for this very transaction, which in turn waits for the answer.
      const answer = await create(key, 0);
      expect([answer.status, answer.headers['ratelimit-policy']]).toEqual([201, '"write";q=10;w=60']);
    });
  });

  it('go on in memory when the database cannot count', async () => {
    const { key } = await fleet.createOwner();
    const { knex } = fleet.database;
    await earlyInAMinute();
    await knex.schema.renameTable('rate_limit', 'rate_limit_away');
    try {
      const statuses: number[] = [];
      // One process: each counts for itself now.
      for (let turn = 0; turn < writes + 2; turn += 1) statuses.push((await create(key, 0)).status);

      expect(statuses).toEqual([...Array.from({ length: writes }, () => 201), 429, 429]);
    } finally {
      await knex.schema.renameTable('rate_limit_away', 'rate_limit');
    }
  });
});
