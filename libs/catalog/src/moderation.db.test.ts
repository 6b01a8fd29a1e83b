import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectDatabase, createLogger, createWakeups, migrateUp, type Database } from '@omnizap/runtime';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { addPack, addSticker, flags } from '../test/builders.ts';
import { createCatalogueReader } from './catalogue-reader.ts';
import { createEngagement } from './engagement.ts';
import { createModeration, type Decider, type Moderation } from './moderation.ts';
import type { Decision } from './moderation-state.ts';
import type { QueuePosition } from './moderation-store.ts';
import { createPacks, type Actor, type NewPackInput, type Packs } from './packs.ts';
import { readCandidates } from './curation-store.ts';
import { readPackForScoring } from './score-store.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const owner: Actor = { ownerId: 'owner', isAdmin: false };
const admin: Actor = { ownerId: 'boss', isAdmin: true };
const by: Decider = { actor: 'boss', reason: 'Because.', requestId: 'request-1' };
const input: NewPackInput = { name: 'Mine', publisher: 'Me', description: '', visibility: 'public', tags: [] };

describe.each(testDatabaseKinds())('moderation on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let moderation: Moderation;
  let packs: Packs;
  let holding: Packs;
  let reader: ReturnType<typeof createCatalogueReader>;
  let engagement: ReturnType<typeof createEngagement>;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl);
    await migrateUp(database);
    const wakeups = createWakeups({ queueUrl: test.queueUrl, log });
    const deps = { database, flags, wakeups };
    moderation = createModeration(deps);
    packs = createPacks(deps);
    holding = createPacks({ ...deps, moderationPolicy: 'hold' });
    engagement = createEngagement(deps);
    reader = createCatalogueReader({ database }, { ageDecayDays: 45 });
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  const viewer = { key: 'key:somebody', address: '192.0.2.1' };

  /** Every way to a pack, and to a sticker in it, that somebody without a key has. */
  async function waysTo(pack: { id: string; packKey: string }, stickerId: string): Promise<Record<string, boolean>> {
    const located = {
      ...{ source: 'snapshot' as const, generation: null, at: new Date(), ids: [pack.id] },
      ...{ place: '', isSearched: false, filterDigest: '', next: null },
    };
    const succeeds = (work: Promise<unknown>): Promise<boolean> => work.then(() => true).catch(() => false);
    return {
      list: (await reader.readPage(located)).packs.length > 0,
      stamp: (await reader.stamps([pack.id])) !== '',
      detail: await succeeds(reader.readPack(pack.packKey, null)),
      bytes: await succeeds(reader.findFile(pack.packKey, stickerId, 'sticker', null)),
      counter: await succeeds(engagement.record(pack.packKey, 'open', viewer)),
      ranking: (await readPackForScoring(database.knex, pack.id))?.isPublic === true,
    };
  }

  const every = (value: boolean) =>
    Object.fromEntries(['list', 'stamp', 'detail', 'bytes', 'counter', 'ranking'].map((way) => [way, value]));

  async function publishedPack(theme = 'love'): Promise<{ id: string; packKey: string; stickerId: string }> {
    const stickerId = await addSticker(database, { classification: { themeKey: theme } });
    return { ...(await addPack(database, [stickerId])), stickerId };
  }

  const stateOf = async (packKey: string): Promise<unknown> =>
    (await database.knex('sticker_pack').where({ pack_key: packKey }).pluck<string[]>('moderation'))[0];

  it('closes every public way to a pack that is taken down, and opens them when it is restored', async () => {
    const pack = await publishedPack('theme-a');
    expect(await waysTo(pack, pack.stickerId)).toEqual(every(true));

    await moderation.decidePack(pack.packKey, 'take-down', by);
    expect(await waysTo(pack, pack.stickerId)).toEqual(every(false));
    expect(await readCandidates(database.knex, 'theme-a', 10)).toEqual([]);
    const own = await reader.readPack(pack.packKey, owner);
    expect([own.view.pack.moderation, own.view.pack.moderationReason]).toEqual(['taken_down', 'Because.']);
    expect(await reader.findFile(pack.packKey, pack.stickerId, 'sticker', owner)).toMatchObject({ isPublic: false });

    await moderation.decidePack(pack.packKey, 'restore', by);
    expect(await waysTo(pack, pack.stickerId)).toEqual(every(true));
    expect((await readCandidates(database.knex, 'theme-a', 10)).map(({ assetId }) => assetId)).toEqual([
      pack.stickerId,
    ]);
  });

  it('takes a sticker out of packs that stay, and out of what curation may choose from', async () => {
    const bad = await addSticker(database, { classification: { themeKey: 'theme-b' } });
    const good = await addSticker(database, { classification: { themeKey: 'theme-b' } });
    const pack = await addPack(database, [bad, good]);

    await moderation.decideSticker(bad, 'take-down', by);
    expect((await reader.readPack(pack.packKey, null)).stickers.map(({ stickerId }) => stickerId)).toEqual([good]);
    expect(await waysTo(pack, bad)).toEqual({ ...every(true), bytes: false });
    expect(await waysTo(pack, good)).toEqual(every(true));
    expect((await readPackForScoring(database.knex, pack.id))?.stickers.map(({ assetId }) => assetId)).toEqual([good]);
    expect((await readCandidates(database.knex, 'theme-b', 10)).map(({ assetId }) => assetId)).toEqual([good]);
    const own = (await reader.readPack(pack.packKey, owner)).stickers;
    expect(own.map(({ moderation: state, moderationReason }) => [state, moderationReason])).toEqual([
      ['taken_down', 'Because.'],
      ['approved', null],
    ]);

    await moderation.decideSticker(bad, 'restore', by);
    expect((await reader.readPack(pack.packKey, null)).stickers).toHaveLength(2);
  });

  it('announces a decision and keeps who made it and why, in the transaction that makes it', async () => {
    const pack = await publishedPack('theme-c');
    await moderation.decidePack(pack.packKey, 'take-down', by);
    await moderation.decideSticker(pack.stickerId, 'take-down', by);

    const { knex } = database;
    const audits = await knex('admin_action_audit')
      .whereIn('target_id', [pack.packKey, pack.stickerId])
      .orderBy('id')
      .select('actor', 'action', 'target_type', 'reason', 'request_id');
    const said = { actor: 'boss', reason: 'Because.', request_id: 'request-1' };
    expect(audits).toEqual([
      { ...said, action: 'pack.take-down', target_type: 'sticker_pack' },
      { ...said, action: 'sticker.take-down', target_type: 'sticker_asset' },
    ]);
    const events = await knex('domain_event_outbox')
      .whereIn('aggregate_id', [pack.id, pack.stickerId])
      .orderBy('id')
      .pluck('event_type');
    expect(events).toEqual(['PACK_UPDATED', 'STICKER_MODERATED']);
    const wanted = await knex('work_state')
      .where({ task_type: 'curation', subject_id: 'theme-c' })
      .pluck<number[]>('wanted_version');
    expect(wanted).toEqual([2]);
  });

  it('refuses decisions that do not fit the state, and takes a repeated one for done', async () => {
    const pack = await publishedPack();
    const attempt = (decision: Decision): Promise<string> =>
      moderation.decidePack(pack.packKey, decision, by).then(
        ({ state }) => state,
        (error: { code: string }) => error.code,
      );
    const seen: string[] = [];
    for (const decision of ['reject', 'approve', 'take-down', 'take-down', 'approve', 'reject', 'restore'] as const)
      seen.push(await attempt(decision));

    expect(seen).toEqual([
      ...['moderation-conflict', 'approved', 'taken_down', 'taken_down'],
      ...['moderation-conflict', 'moderation-conflict', 'approved'],
    ]);
    const audits = await database.knex('admin_action_audit').where({ target_id: pack.packKey }).orderBy('id');
    expect(audits.map(({ action }: { action: string }) => action)).toEqual(['pack.take-down', 'pack.restore']);
    await expect(moderation.decidePack('no-such-pack', 'approve', by)).rejects.toMatchObject({
      code: 'pack-not-found',
    });
  });

  it('lets of many deciders at once only the first change anything', async () => {
    const pack = await publishedPack();
    await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        moderation.decidePack(pack.packKey, 'take-down', { actor: `boss-${index}`, reason: `Reason ${index}` }),
      ),
    );

    const audits = await database.knex('admin_action_audit').where({ target_id: pack.packKey });
    expect(audits).toHaveLength(1);
    const reasons = await database.knex('sticker_pack').where({ id: pack.id }).pluck<string[]>('moderation_reason');
    expect(reasons).toEqual([(audits[0] as { reason: string }).reason]);
  });

  it('shows at once what is published, and where the policy is hold only what was approved', async () => {
    const draft = async (through: Packs, actor = owner): Promise<string> => {
      const { pack } = await through.create(actor, input);
      await database.knex('sticker_pack_item').insert({
        ...{ pack_id: pack.id, asset_id: await addSticker(database), position: 0, emojis: '[]' },
      });
      await through.publish(actor, pack.packKey);
      return pack.packKey;
    };

    expect(await stateOf(await draft(packs))).toBe('approved');
    expect(await stateOf(await draft(holding, admin))).toBe('approved');
    const held = await draft(holding);
    expect(await stateOf(held)).toBe('held');
    await expect(reader.readPack(held, null)).rejects.toMatchObject({ code: 'pack-not-found' });
    expect((await reader.readPack(held, owner)).view.pack.moderationReason).toMatch(/waiting for review/i);

    await moderation.decidePack(held, 'reject', by);
    await holding.publish(owner, held);
    expect(await stateOf(held)).toBe('rejected');
    await moderation.decidePack(held, 'approve', by);
    expect((await reader.readPack(held, null)).view.pack.moderationReason).toBeNull();
  });

  it('lists what waits, oldest first, each once, also when some of it is decided meanwhile', async () => {
    await database.knex('moderation_case').delete();
    await database.knex('sticker_pack').update({ moderation: 'approved' });
    const keys: string[] = [];
    for (let index = 0; index < 7; index += 1) {
      const { id, packKey } = await publishedPack();
      await database.knex('sticker_pack').where({ id }).update({ moderation: 'held' });
      // Two by two at the same instant: the id decides between them.
      const since_at = new Date(Date.UTC(2026, 0, 1 + Math.floor(index / 2)));
      await database.knex('moderation_case').insert({ target_type: 'pack', target_id: id, state: 'held', since_at });
      keys.push(packKey);
    }

    const seen: string[] = [];
    let after: QueuePosition | null = null;
    do {
      const page: Awaited<ReturnType<Moderation['queue']>> = await moderation.queue({ after, limit: 2 });
      seen.push(...page.cases.flatMap(({ packKeys }) => packKeys));
      if (after === null) await moderation.decidePack(keys[0] as string, 'approve', by);
      after = page.next;
    } while (after !== null);

    expect(seen).toEqual(keys);
    expect((await moderation.queue({ target: 'sticker', after: null, limit: 5 })).cases).toEqual([]);
  });
});
