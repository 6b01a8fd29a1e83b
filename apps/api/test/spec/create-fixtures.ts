/** A small catalogue as the demo has it, and what examples name of it: see apps/api/example-fixtures.ts. */
import { loadPlans } from '@omnizap/rollout';
import { buildZip, createCatalogueClient, drawPng, waitFor } from '@omnizap/testkit';
import type { CatalogueClient, Fleet } from '@omnizap/testkit';
import { createHash, randomUUID } from 'node:crypto';
import type { ExampleFixture } from '../../example-fixtures.ts';

/** A picture or a pack file: a form sends it as a file. */
export type Picture = { bytes: Buffer };
export type Fixtures = {
  keys: { owner: string; admin: string; metrics: string; stranger: string; revoked: string };
  ownerIds: string[];
  /** The value of a fixture; one that may be lost is made anew each time. @throws Error for a name that nobody makes */
  take: (name: string) => Promise<unknown>;
  isThrowaway: (name: string) => boolean;
};

const patience = { timeoutMs: 60_000, description: 'a ready sticker' };

export async function createFixtures(fleet: Fleet): Promise<Fixtures> {
  const [owner, stranger, metrics, revoked] = await Promise.all([
    fleet.createOwner(),
    fleet.createOwner(),
    fleet.createOwner(['metrics']),
    fleet.createOwner(),
  ]);
  const own = createCatalogueClient(fleet.apiUrl, owner.key);
  const other = createCatalogueClient(fleet.apiUrl, stranger.key);
  const admin = createCatalogueClient(fleet.apiUrl, fleet.adminToken);
  await admin.call('DELETE', `/api/admin/api-keys/${revoked.keyId}`);

  let seed = 0;
  async function makePack(client: CatalogueClient, name: string, stickers: number): Promise<[string, string[]]> {
    const packKey = await client.createPack({ name, publisher: 'Ana', tags: ['cats'] });
    const pictures = Array.from({ length: stickers }, () => ({ bytes: drawPng((seed += 1), 64), emojis: ['😀'] }));
    return [packKey, await client.addStickers(packKey, pictures)];
  }
  const waitUntilReady = async (client: CatalogueClient, packKey: string): Promise<unknown> =>
    await waitFor(
      async () => (await client.pack(packKey)).stickers.every(({ status }) => status === 'ready'),
      patience,
    );

  const [ownPackKey, ownStickers] = await makePack(own, 'Happy cats', 3);
  const [draftPackKey] = await makePack(own, 'New cats', 1);
  const [publicPackKey] = await makePack(other, 'Party dogs', 3);
  await waitUntilReady(own, ownPackKey);
  await waitUntilReady(own, draftPackKey);
  await waitUntilReady(other, publicPackKey);
  await own.publish(ownPackKey);
  await other.publish(publicPackKey);

  const { knex } = fleet.database;
  async function makeDeadLetter(): Promise<number> {
    const aggregate = randomUUID();
    const event = {
      event_type: 'PACK_UPDATED',
      aggregate_type: 'sticker_pack',
      aggregate_id: aggregate,
      payload: JSON.stringify({ pack_id: aggregate }),
      attempts: 5,
      created_at: new Date(),
    };
    const lost = { ...event, outbox_event_id: Date.now() * 1_000 + (seed += 1), last_error: 'Error: made for a test' };
    await knex('domain_event_outbox_dlq').insert(lost);
    return (await idIn('domain_event_outbox_dlq', { aggregate_id: aggregate })).id;
  }
  const idIn = async (table: string, where: object): Promise<{ id: number }> =>
    await knex(table).where(where).first<{ id: number }>('id');
  async function makeRolloutRun(): Promise<number> {
    const [plan] = [...loadPlans().values()];
    const run = {
      plan_name: 'as-released',
      plan: JSON.stringify(plan),
      state: 'stopped',
      detail: '{}',
      baselines: '{}',
    };
    const finished = { ...run, started_by: 'admin', reason: 'made for a test', finished_at: new Date() };
    await knex('rollout_run').insert(finished);
    return (await idIn('rollout_run', { plan_name: 'as-released' })).id;
  }
  async function makeThrowawayPack(): Promise<[string, string[]]> {
    const [packKey, stickers] = await makePack(own, 'Old cats', 2);
    return [packKey, stickers];
  }

  const constants: Record<string, unknown> = {
    ownPackKey,
    draftPackKey,
    publicPackKey,
    stickerId: ownStickers[0],
    secondStickerId: ownStickers[1],
    stickerIds: ownStickers,
    viewerKey: 'visitor-42',
    outboxDeadLetterId: await makeDeadLetter(),
    rolloutRunId: await makeRolloutRun(),
  } satisfies Partial<Record<ExampleFixture, unknown>>;

  /** The pack of the sticker that was taken last: an example names both. */
  let lastThrowaway: [string, string[]] | undefined;
  const makers: Record<string, () => Promise<unknown>> = {
    async throwawayPackKey() {
      lastThrowaway = await makeThrowawayPack();
      return lastThrowaway[0];
    },
    async throwawayStickerId() {
      lastThrowaway ??= await makeThrowawayPack();
      return lastThrowaway[1][0];
    },
    async heldPackKey() {
      const [packKey] = await makeThrowawayPack();
      const { id } = await idIn('sticker_pack', { pack_key: packKey });
      await knex('sticker_pack').where({ id }).update({ moderation: 'held', moderation_reason: 'made for a test' });
      await knex('moderation_case').insert({ target_type: 'pack', target_id: id, state: 'held' });
      return packKey;
    },
    async throwawayBanId() {
      const body = { kind: 'owner', owner_id: `spammer-${randomUUID()}`, reason: 'made for a test' };
      const answer = await admin.call('POST', '/api/admin/bans', { body });
      return answer.json<{ data: { ban_id: string } }>().data.ban_id;
    },
    async throwawayReportId() {
      const [packKey] = await makeThrowawayPack();
      const { id } = await idIn('sticker_pack', { pack_key: packKey });
      // Not sent: an address has twenty a day, and what is fuzzed before may have used them up.
      const [viewer, address] = [randomUUID(), randomUUID()].map((text) =>
        createHash('sha256').update(text).digest('hex'),
      );
      const place = { viewer_hash: viewer, address_hash: address, day_number: 1, day_slot: 1 };
      await knex('sticker_report').insert({ pack_id: id, subject_id: id, reason: 'other', ...place });
      return (await idIn('sticker_report', { pack_id: id })).id;
    },
    async throwawayWebhookId() {
      const id = randomUUID();
      // An owner has five at most, and an example makes one.
      await knex('webhook').where({ owner_id: owner.ownerId }).delete();
      const receiver = { url: 'https://receiver.example/hook', events: '["pack.published"]', secret: 'whsec_AAAA' };
      await knex('webhook').insert({ id, owner_id: owner.ownerId, ...receiver });
      return id;
    },
    throwawayKeyId: async () => (await fleet.createOwner()).keyId,
    throwawayDeadLetterId: makeDeadLetter,
    newOwnerId: async () => await Promise.resolve(`bot-${randomUUID()}`),
    newPicture: async () => await Promise.resolve<Picture>({ bytes: drawPng((seed += 1), 64) }),
    newPackFile: async () =>
      await Promise.resolve<Picture>({
        bytes: buildZip([
          { name: 'title.txt', bytes: 'Cats' },
          { name: 'author.txt', bytes: 'Ana' },
          ...[1, 2, 3].map((number) => ({ name: `${number}.webp`, bytes: drawPng((seed += 1), 64) })),
        ]),
      }),
    async rolloutRequestId() {
      const body = { action: 'hold', reason: 'made for a test' };
      const answer = await admin.call('POST', '/api/admin/rollout/requests', { body });
      return answer.json<{ data: { rollout_request_id: number } }>().data.rollout_request_id;
    },
  } satisfies Partial<Record<ExampleFixture, () => Promise<unknown>>>;

  return {
    keys: {
      owner: owner.key,
      admin: fleet.adminToken,
      metrics: metrics.key,
      stranger: stranger.key,
      revoked: revoked.key,
    },
    ownerIds: [owner.ownerId, stranger.ownerId, metrics.ownerId, revoked.ownerId],
    isThrowaway: (name) => name in makers,
    async take(name) {
      if (name in constants) return constants[name];
      const make = makers[name];
      if (!make) throw new Error(`Nobody makes the fixture {${name}}: add it to create-fixtures.ts`);
      return await make();
    },
  };
}
