/** Webhooks from the request that changes a pack to the receiver that is told of it, through outbox, relay and queue. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createCatalogueClient, drawPng, startFleet, testDatabaseKinds, waitFor } from '@omnizap/testkit';
import type { Answer, CatalogueClient, Fleet } from '@omnizap/testkit';
import { Webhook } from 'standardwebhooks';
import { startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.ts';

type WebhookJson = {
  webhook_id: string;
  url: string;
  events: string[];
  failures_in_row: number;
  last_attempt: { at: string; http_status: number | null; error: string | null } | null;
  disabled: { at: string; reason: string } | null;
};
type Told = { type: string; timestamp: string; data: { pack_key: string; version: number } };

/** Two retries wait for six seconds at most; a busy machine takes its time on top. */
const patience = { timeoutMs: 45_000, description: 'the receiver to be told' };

describe.each(testDatabaseKinds())('webhooks over HTTP on %s', (kind) => {
  let fleet: Fleet;
  let receiver: WebhookReceiver;
  let pictures = 0;

  beforeAll(async () => {
    receiver = await startWebhookReceiver();
    fleet = await startFleet(kind, {
      processes: ['api', 'relay', 'worker-rebuild'],
      env: { STICKER_WEBHOOK_ALLOW_PRIVATE: 'true' },
    });
  }, 120_000);
  afterEach(() => void receiver.received.splice(0));
  afterAll(async () => {
    await fleet?.stop();
    await receiver?.stop();
  }, 60_000);

  const newClient = async (): Promise<CatalogueClient> =>
    createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
  const register = async (client: CatalogueClient, body: object): Promise<Answer> =>
    await client.call('POST', '/api/webhooks', { body });
  async function subscribe(
    client: CatalogueClient,
    path: string,
    events?: string[],
  ): Promise<WebhookJson & { secret: string }> {
    const answer = await register(client, { url: `${receiver.url}${path}`, ...(events ? { events } : {}) });
    expect(answer.status).toBe(201);
    return answer.json<{ data: WebhookJson & { secret: string } }>().data;
  }
  const list = async (client: CatalogueClient): Promise<WebhookJson[]> =>
    (await client.get('/api/webhooks')).json<{ data: WebhookJson[] }>().data;
  async function publishPack(client: CatalogueClient): Promise<string> {
    const packKey = await client.createPack({ name: 'Told' });
    await client.addStickers(packKey, [{ bytes: drawPng((pictures += 1), 32), emojis: ['🎉'] }]);
    expect((await client.publish(packKey)).status).toBe(200);
    return packKey;
  }
  const toldOn = (path: string) => receiver.received.filter((entry) => entry.path === path);
  /** Nothing waits any more: what was told by then is all that is told. */
  const nothingWaits = async (): Promise<unknown> =>
    await waitFor(async () => (await fleet.database.knex('webhook_message').first('id')) === undefined, patience);

  it('tell an owner of a pack’s way, each step once, with a signature that the reference verifier takes', async () => {
    const client = await newClient();
    const { secret, ...made } = await subscribe(client, '/way');
    const packKey = await publishPack(client);
    await client.call('PATCH', `/api/sticker-packs/${packKey}`, { body: { name: 'Told anew' } });
    await client.remove(packKey);
    await waitFor(() => toldOn('/way').length >= 3, patience);
    await nothingWaits();

    const told = toldOn('/way').map(({ body, headers }) => {
      return new Webhook(secret).verify(body, headers as Record<string, string>) as Told;
    });
    expect(told.map(({ type }) => type).toSorted()).toEqual(['pack.deleted', 'pack.published', 'pack.updated']);
    for (const { data } of told) expect(data).toEqual({ pack_key: packKey, version: expect.any(Number) as unknown });
    expect(new Set(toldOn('/way').map(({ id }) => id)).size).toBe(3);
    expect(await list(client)).toEqual([
      { ...made, last_attempt: { at: expect.any(String) as unknown, http_status: 204, error: null } },
    ]);
    expect((await client.get('/api/webhooks')).bytes.toString('utf8')).not.toContain(secret);
  });

  it('tell it again under the same id until the receiver takes it', async () => {
    const client = await newClient();
    await subscribe(client, '/again', ['pack.published']);
    // The second is a redirect, which nobody follows.
    receiver.answerWith(500, 302);
    await publishPack(client);
    await waitFor(() => toldOn('/again').length === 3, patience);
    await nothingWaits();

    const [first, ...others] = toldOn('/again');
    expect(others.map(({ id, body }) => [id, body])).toEqual([1, 2].map(() => [first?.id, first?.body]));
    expect(receiver.received).toHaveLength(3);
    expect(await list(client)).toMatchObject([{ failures_in_row: 0, last_attempt: { http_status: 204 } }]);
  });

  it('end when the receiver says that it is gone', async () => {
    const client = await newClient();
    await subscribe(client, '/gone');
    receiver.answerWith(410);
    const packKey = await publishPack(client);
    const [ended] = await waitFor(async () => {
      const found = await list(client);
      return found[0]?.disabled ? found : null;
    }, patience);
    await client.remove(packKey);
    await nothingWaits();

    expect(ended).toMatchObject({ failures_in_row: 1, last_attempt: { http_status: 410 } });
    expect(ended?.disabled?.reason).toMatch(/410/);
    expect(toldOn('/gone')).toHaveLength(1);
  });

  it('are their owner’s alone, five at most, and are told nothing once they are deleted', async () => {
    const [client, other] = [await newClient(), await newClient()];
    const { webhook_id: id } = await subscribe(client, '/own');
    for (const path of ['/2', '/3', '/4', '/5']) await subscribe(client, path, ['pack.moderated']);

    const sixth = await register(client, { url: `${receiver.url}/6` });
    expect([sixth.status, sixth.json<{ code: string }>().code]).toEqual([409, 'webhook-limit-reached']);
    expect(await list(other)).toEqual([]);
    expect((await other.call('DELETE', `/api/webhooks/${id}`)).status).toBe(404);
    await publishPack(other);
    expect((await client.call('DELETE', `/api/webhooks/${id}`)).status).toBe(204);
    expect((await client.call('DELETE', `/api/webhooks/${id}`)).status).toBe(404);
    await publishPack(client);
    await nothingWaits();
    expect(receiver.received).toEqual([]);
    expect((await createCatalogueClient(fleet.apiUrl).get('/api/webhooks')).status).toBe(401);
  });

  it('go to no private address unless a setting says so, and nowhere when they are turned off', async () => {
    const client = await newClient();
    const strict = await fleet.start('api', { STICKER_WEBHOOK_ALLOW_PRIVATE: 'false' });
    const off = await fleet.start('api', { STICKER_WEBHOOKS_ENABLED: 'false' });
    const { key } = await fleet.createOwner();

    for (const url of [
      `${receiver.url}/x`,
      'https://127.0.0.1/',
      'https://[::ffff:10.0.0.1]/',
      'https://a:b@example.org/',
    ]) {
      const answer = await register(createCatalogueClient(strict.url, key), { url });
      const problem = answer.json<{ code: string; errors: { pointer: string }[] }>();
      expect([url, answer.status, problem.code, problem.errors[0]?.pointer]).toEqual([
        url,
        422,
        'validation-failed',
        '/url',
      ]);
    }
    const refused = await register(createCatalogueClient(off.url, key), { url: 'https://example.org/' });
    expect([refused.status, refused.json<{ code: string }>().code]).toEqual([409, 'webhooks-disabled']);
    expect(await list(client)).toEqual([]);
  });
});
