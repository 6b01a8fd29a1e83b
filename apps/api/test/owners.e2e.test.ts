/** What owners do with their packs over HTTP, and what everybody sees of it once the workers have looked. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  buildMultipart,
  createCatalogueClient,
  drawPng,
  startFleet,
  testDatabaseKinds,
  waitFor,
} from '@omnizap/testkit';
import type { Answer, CatalogueClient, Fleet, PackSummaryJson } from '@omnizap/testkit';
import { exifOf } from './pictures.ts';
import { waitUntilQuiet } from './quiet.ts';

const patience = { timeoutMs: 45_000, intervalMs: 50 };
type Summary = PackSummaryJson & { description: string; tags: string[] };
const dataOf = <T = Summary>(answer: Answer): T => answer.json<{ data: T }>().data;

describe.each(testDatabaseKinds())('owners over HTTP on %s', (kind) => {
  let fleet: Fleet;
  let own: CatalogueClient;
  let stranger: CatalogueClient;
  let anybody: CatalogueClient;
  let admin: CatalogueClient;

  beforeAll(async () => {
    fleet = await startFleet(kind, { env: { STICKER_PACK_MAX_PER_OWNER: '8' } });
    own = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
    stranger = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
    anybody = createCatalogueClient(fleet.apiUrl);
    admin = createCatalogueClient(fleet.apiUrl, fleet.adminToken);
  }, 180_000);
  afterAll(async () => await fleet?.stop(), 60_000);

  async function publish(seeds: number[], pack: Parameters<CatalogueClient['createPack']>[0] = { name: 'Cats' }) {
    const packKey = await own.createPack(pack);
    const ids = await own.addStickers(
      packKey,
      seeds.map((seed) => ({ bytes: drawPng(seed), emojis: ['🐱'], label: `Cat ${seed}` })),
    );
    expect((await own.publish(packKey)).status).toBe(200);
    await waitUntilQuiet(fleet.database);
    return { packKey, ids, path: `/api/sticker-packs/${packKey}` };
  }
  const idsOf = async (packKey: string): Promise<string[]> =>
    (await anybody.pack(packKey)).stickers.map((sticker) => sticker.sticker_id);

  it('change texts and visibility, and the files of the stickers say so', async () => {
    const { packKey, path } = await publish([1, 2, 3]);

    const changed = await own.call('PATCH', path, { body: { name: 'Cats of mine', tags: ['cat'] } });
    const again = await own.call('PATCH', path, { body: { name: 'Cats of mine' } });

    expect(changed.status).toBe(200);
    expect(dataOf(changed)).toMatchObject({ name: 'Cats of mine', visibility: 'public', pack_key: packKey });
    expect([again.status, dataOf(again).updated_at]).toEqual([200, dataOf(changed).updated_at]);
    await waitUntilQuiet(fleet.database);
    const [sticker] = (await anybody.pack(packKey)).stickers;
    const file = await anybody.get(sticker?.asset_url ?? '');
    expect((await exifOf(file.bytes))['sticker-pack-name']).toBe('Cats of mine');
    expect((await own.call('PATCH', path, { body: { visibility: 'private' } })).status).toBe(200);
    expect((await anybody.get(path)).status).toBe(404);
    expect((await stranger.call('PATCH', path, { body: {} })).json()).toMatchObject({ code: 'pack-not-found' });
    expect((await admin.call('PATCH', path, { body: { visibility: 'unlisted' } })).status).toBe(200);
    const wrong = await own.call('PATCH', path, { body: { name: '', colour: 'red' } });
    expect([wrong.status, wrong.json<{ code: string }>().code]).toEqual([422, 'validation-failed']);
  });

  it('choose the cover and the order, and everybody sees them', async () => {
    const { packKey, ids, path } = await publish([11, 12, 13]);
    const [a = '', b = '', c = ''] = ids;

    expect((await own.call('PUT', `${path}/cover`, { body: { sticker_id: c.toUpperCase() } })).status).toBe(200);
    await waitFor(async () => (await anybody.pack(packKey)).cover_url?.includes(c), {
      ...patience,
      description: 'the chosen cover',
    });
    for (const wanted of [
      [c, a, b],
      [b, c, a],
    ]) {
      expect((await own.call('PUT', `${path}/order`, { body: { sticker_ids: wanted } })).status).toBe(200);
      expect(await idsOf(packKey)).toEqual(wanted);
      expect((await anybody.pack(packKey)).stickers.map((sticker) => sticker.position)).toEqual([0, 1, 2]);
    }
    const incomplete = await own.call('PUT', `${path}/order`, { body: { sticker_ids: [a, b] } });
    expect([incomplete.status, incomplete.json()]).toMatchObject([
      422,
      { code: 'validation-failed', errors: [{ pointer: '/sticker_ids', detail: `${c} is missing` }] },
    ]);
  });

  it('say other things of a sticker, replace it and take it out', async () => {
    const { packKey, ids, path } = await publish([21, 22, 23]);
    const [a = '', b = '', c = ''] = ids;

    const edited = await own.call('PATCH', `${path}/stickers/${b}`, { body: { emojis: ['😺', '😺'] } });
    expect([edited.status, dataOf(edited)]).toMatchObject([
      200,
      { sticker_id: b, emojis: ['😺'], accessibility_label: 'Cat 22', position: 1 },
    ]);
    const form = buildMultipart([{ name: 'file', content: drawPng(24), filename: 'x', contentType: 'image/png' }]);
    const send = async (id: string): Promise<Answer> =>
      await own.call('POST', `${path}/stickers/${id}/replace`, {
        body: form.body,
        headers: { 'Content-Type': form.contentType },
      });
    const replaced = await send(b);
    const { sticker_id: next } = dataOf<{ sticker_id: string }>(replaced);
    expect([replaced.status, (await send(next)).status, (await send(a)).json<{ code: string }>().code]).toEqual([
      202,
      200,
      'sticker-duplicate',
    ]);
    await waitFor(async () => (await idsOf(packKey)).includes(next), { ...patience, description: 'the new picture' });
    expect((await anybody.pack(packKey)).stickers[1]).toMatchObject({
      ...{ sticker_id: next, emojis: ['😺'], accessibility_label: 'Cat 22' },
    });

    for (const id of [a, c, next]) expect((await own.call('DELETE', `${path}/stickers/${id}`)).status).toBe(204);
    expect((await own.call('DELETE', `${path}/stickers/${a}`)).status).toBe(404);
    expect(await idsOf(packKey)).toEqual([]);
    // They left their pack, and nobody else learns of it.
    await waitUntilQuiet(fleet.database);
    const orphans = async (client: CatalogueClient): Promise<string[]> =>
      dataOf<{ sticker_id: string }[]>(await client.get('/api/sticker-packs/orphan-stickers?limit=60')).map(
        (orphan) => orphan.sticker_id,
      );
    expect(await orphans(own)).toEqual(expect.arrayContaining([a, b, c, next]));
    expect(await orphans(stranger)).toEqual([]);
    expect(await orphans(admin)).toEqual(expect.arrayContaining([a, b, c, next]));
    expect((await anybody.get('/api/sticker-packs/orphan-stickers')).status).toBe(401);
  });

  it('clone what they can see into a private draft of theirs, and list all that is theirs', async () => {
    const { path } = await publish([31, 32]);

    const cloned = await stranger.call('POST', `${path}/clone`, { body: { name: 'A copy' } });
    const copy = dataOf(cloned);

    expect([cloned.status, copy]).toMatchObject([
      201,
      { name: 'A copy', visibility: 'private', status: 'draft', sticker_count: 2 },
    ]);
    expect(cloned.headers.location).toBe(`/api/sticker-packs/${copy.pack_key}`);
    expect((await own.get(`/api/sticker-packs/${copy.pack_key}`)).status).toBe(404);
    await waitFor(async () => (await stranger.pack(copy.pack_key)).stickers.every(({ status }) => status === 'ready'), {
      ...patience,
      description: 'the copies',
    });
    const list = (await stranger.get('/api/me/sticker-packs')).json<{ data: Summary[]; pagination: object }>();
    expect(list.data.map((pack) => pack.pack_key)).toEqual([copy.pack_key]);
    expect(list.pagination).toEqual({ limit: 24, next_cursor: null, has_more: false });
    expect(cloned.bytes.toString('utf8')).not.toMatch(/owner-/);
    expect((await stranger.get('/api/me/sticker-packs?limit=61')).status).toBe(400);
    expect((await anybody.get('/api/me/sticker-packs')).status).toBe(401);
  });

  it('have as many packs as the server allows, and no more', async () => {
    const busy = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);

    const answers = await Promise.all(
      Array.from({ length: 12 }, () => busy.call('POST', '/api/sticker-packs', { body: { name: 'One of many' } })),
    );

    const refused = answers.filter((answer) => answer.status !== 201);
    expect(refused.map((answer) => [answer.status, answer.json<{ code: string }>().code])).toEqual(
      Array(4).fill([409, 'pack-limit-reached']),
    );
  });
});
