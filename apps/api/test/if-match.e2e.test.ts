/** Changes of a pack that are only wanted of the one that their author has seen. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createCatalogueClient, drawPng, startFleet } from '@omnizap/testkit';
import type { Answer, CatalogueClient, Fleet } from '@omnizap/testkit';

describe('If-Match', () => {
  let fleet: Fleet;
  let own: CatalogueClient;

  beforeAll(async () => {
    fleet = await startFleet('postgres', { processes: ['api'] });
    own = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
  }, 120_000);
  afterAll(async () => await fleet?.stop(), 60_000);

  const send = async (method: string, path: string, etag?: string): Promise<Answer> =>
    await own.call(method, path, { headers: etag === undefined ? {} : { 'If-Match': etag } });

  it('takes the ETag of any owner’s answer, and refuses a change of what has changed since with 412', async () => {
    const created = await own.call('POST', '/api/sticker-packs', { body: { name: 'Versioned' } });
    const path = String(created.headers.location);
    const first = String(created.headers.etag);
    expect((await own.get(path)).headers.etag).toBe(first);
    await own.addStickers(path.split('/').at(-1) ?? '', [{ bytes: drawPng(1, 16) }]);

    const stale = await send('POST', `${path}/publish`, first);
    expect([stale.status, stale.json<{ code: string }>().code]).toEqual([412, 'precondition-failed']);
    for (const never of [`W/${first}`, '"something else"'])
      expect([never, (await send('DELETE', path, never)).status]).toEqual([never, 412]);

    const published = await send('POST', `${path}/publish`, String((await own.get(path)).headers.etag));
    expect(published.status).toBe(200);
    const latest = String(published.headers.etag);
    expect(new Set([first, latest]).size).toBe(2);
    expect((await send('DELETE', path, first)).status).toBe(412);
    expect((await send('DELETE', path, latest)).status).toBe(204);
  });

  it('may be absent, or *: then the change goes through', async () => {
    const [one, other] = [await own.createPack({ name: 'One' }), await own.createPack({ name: 'Other' })];

    expect((await send('DELETE', `/api/sticker-packs/${one}`)).status).toBe(204);
    expect((await send('DELETE', `/api/sticker-packs/${other}`, '*')).status).toBe(204);
  });

  it('is an owner’s: nobody else is told the version', async () => {
    const packKey = await own.createPack({ name: 'Seen by others' });
    await own.addStickers(packKey, [{ bytes: drawPng(2, 16) }]);
    await own.publish(packKey);
    const stranger = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);

    expect((await stranger.get(`/api/sticker-packs/${packKey}`)).headers.etag).toBeUndefined();
    expect((await createCatalogueClient(fleet.apiUrl).get(`/api/sticker-packs/${packKey}`)).headers.etag).not.toMatch(
      /^"v\d+"$/,
    );
  });
});
