/** A body that nobody wants is not sent: the refusal comes first. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request as httpRequest } from 'node:http';
import { buildMultipart, createCatalogueClient, drawPng, startFleet } from '@omnizap/testkit';
import type { CatalogueClient, Fleet, Owner } from '@omnizap/testkit';

describe('an upload that expects 100 Continue', () => {
  let fleet: Fleet;
  let owner: Owner;
  let own: CatalogueClient;

  beforeAll(async () => {
    fleet = await startFleet('postgres', { processes: ['api'] });
    owner = await fleet.createOwner();
    own = createCatalogueClient(fleet.apiUrl, owner.key);
  }, 120_000);
  afterAll(async () => await fleet?.stop(), 60_000);

  /** Sends the body when it is asked for, and only then. */
  const upload = async (packKey: string, key: string): Promise<{ status: number; wasContinued: boolean }> => {
    const { body, contentType } = buildMultipart([
      { name: 'file', content: drawPng(1), filename: 'a.png', contentType: 'image/png' },
    ]);
    return await new Promise((resolve, reject) => {
      let wasContinued = false;
      const request = httpRequest(`${fleet.apiUrl}/api/sticker-packs/${packKey}/stickers`, {
        method: 'POST',
        agent: false,
        headers: {
          Authorization: `Bearer ${key}`,
          'Content-Type': contentType,
          'Content-Length': body.length,
          Expect: '100-continue',
        },
      });
      request.once('continue', () => {
        wasContinued = true;
        request.end(body);
      });
      request.once('response', (response) => {
        response.resume().once('end', () => {
          resolve({ status: response.statusCode ?? 0, wasContinued });
          request.destroy();
        });
      });
      request.once('error', reject);
      request.flushHeaders();
    });
  };

  it('is welcomed when it is wanted', async () => {
    const packKey = await own.createPack({ name: 'Wanted' });

    expect(await upload(packKey, owner.key)).toEqual({ status: 202, wasContinued: true });
  });

  it('is refused before its body is sent when it is not', async () => {
    const packKey = await own.createPack({ name: 'Unwanted' });
    const stranger = await fleet.createOwner();

    expect(await upload(packKey, 'no-key')).toEqual({ status: 401, wasContinued: false });
    expect(await upload(packKey, stranger.key)).toEqual({ status: 404, wasContinued: false });
    expect(await upload('none', owner.key)).toEqual({ status: 404, wasContinued: false });
  });
});
