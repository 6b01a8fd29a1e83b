import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { appendEvents } from '@omnizap/outbox';
import { connectDatabase, migrateUp, type Database } from '@omnizap/runtime';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { v7 as uuidv7 } from 'uuid';
import { addPack, addSticker } from '../test/builders.ts';
import { deleteAsset } from './object-storage/unused-sticker-store.ts';
import { readStory, type Story } from './story-store.ts';

describe.each(testDatabaseKinds())('a story on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let sticker: string;
  let pack: { id: string; packKey: string };

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl);
    await migrateUp(database);
  });
  beforeEach(async () => {
    await database.knex('domain_event_outbox').delete();
    sticker = await addSticker(database);
    pack = await addPack(database, [sticker]);
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  async function append(type: string, aggregateType: string, aggregateId: string, requestId: string): Promise<number> {
    const draft = { type, aggregateType, aggregateId, payload: {}, priority: 50, requestId };
    await database.transaction((trx) => appendEvents(trx, [draft]));
    const [newest] = await database.knex('domain_event_outbox').orderBy('id', 'desc').limit(1).pluck<number[]>('id');
    return newest ?? 0;
  }
  const relay = (ids: number[]): Promise<number> =>
    database
      .knex('domain_event_outbox')
      .whereIn('id', ids)
      .update({ status: 'completed', processed_at: new Date('2026-11-28T05:00:00Z') });
  const idsOf = (story: Story | null): number[] | undefined => story?.events.map(({ id }) => id);
  /** So many copies of a row of the outbox, in one statement. */
  async function copy(id: number, times: number): Promise<void> {
    const columns =
      'event_type, aggregate_type, aggregate_id, payload, status, shard, request_id, created_at, processed_at';
    const numbers =
      kind === 'mysql' ? `SELECT seq FROM seq_1_to_${times}` : `SELECT seq FROM generate_series(1, ${times}) AS seq`;
    await database.knex.raw(
      `INSERT INTO domain_event_outbox (${columns})
       SELECT ${columns} FROM domain_event_outbox AS o CROSS JOIN (${numbers}) AS n WHERE o.id = ?`,
      [id],
    );
  }

  it('of a popular pack counts the likes that are over, and tells those that wait', async () => {
    const updated = await append('PACK_UPDATED', 'sticker_pack', pack.id, 'u-1');
    const liked = await append('ENGAGEMENT_RECORDED', 'sticker_pack', pack.id, 'l-1');
    await relay([updated, liked]);
    await copy(liked, 1_500);
    const waiting = await append('ENGAGEMENT_RECORDED', 'sticker_pack', pack.id, 'l-2');
    const story = await readStory(database, pack.packKey);

    expect(idsOf(story)).toEqual([updated, waiting]);
    expect(story).toMatchObject({ isCut: false, requestIds: ['u-1', 'l-2'] });
    expect(story?.made).toContainEqual({
      what: expect.stringMatching(
        /^1501 of ENGAGEMENT_RECORDED of sticker_pack .* relayed since 20/,
      ) as unknown as string,
      by: 'relay',
      at: new Date('2026-11-28T05:00:00Z'),
    });
    // Of a like it is the story.
    expect((await readStory(database, 'l-2'))?.events).toHaveLength(1);
  });

  it('is cut at a thousand, and never of what waits for what is over', async () => {
    const waiting = await append('PACK_UPDATED', 'sticker_pack', pack.id, 'u-1');
    const updated = await append('PACK_UPDATED', 'sticker_pack', pack.id, 'u-2');
    await relay([updated]);
    await copy(updated, 1_000);
    const newest = await append('PACK_UPDATED', 'sticker_pack', pack.id, 'u-3');
    await relay([newest]);
    const ids = idsOf(await readStory(database, pack.packKey)) ?? [];

    expect(ids).toHaveLength(1_000);
    expect([ids[0], ids.includes(updated), ids.at(-1)]).toEqual([waiting, false, newest]);
    expect(await readStory(database, pack.packKey)).toMatchObject({ isCut: true });
  });

  it('of a sticker that was cleaned up is told as long as anything is known of it', async () => {
    const created = await append('STICKER_ASSET_CREATED', 'sticker_asset', sticker, 'gone-1');
    expect(await readStory(database, sticker)).toMatchObject({ stickerIds: [sticker], goneStickerIds: [] });
    await database.knex('sticker_pack_item').where({ asset_id: sticker }).delete();
    await database.transaction((trx) => deleteAsset(trx, sticker));
    const story = await readStory(database, sticker);

    expect(idsOf(story)).toEqual([created]);
    expect(story).toMatchObject({ subjectIds: [sticker], goneStickerIds: [sticker], requestIds: ['gone-1'] });
    await database.knex('domain_event_outbox').delete();
    expect(await readStory(database, sticker)).toBeNull();
  });

  it('of a request whose id is a new UUID is not taken for that of a sticker', async () => {
    const requestId = uuidv7();
    const event = await append('STICKER_ASSET_CREATED', 'sticker_asset', sticker, requestId);

    const story = await readStory(database, requestId);
    expect(idsOf(story)).toEqual([event]);
    expect(story).toMatchObject({ subjectIds: [], stickerIds: [sticker], requestIds: [requestId] });
  });

  it('of a request that is called like a sticker or a pack is told when it is asked for as one', async () => {
    for (const id of [sticker, pack.packKey]) {
      const event = await append('ENGAGEMENT_RECORDED', 'sticker_pack', (await addPack(database)).id, id);

      expect(idsOf(await readStory(database, id))).toEqual([]);
      expect(idsOf(await readStory(database, id, { isRequest: true }))).toEqual([event]);
    }
  });

  it('goes on past ids and payloads that are none', async () => {
    const poisoned = await append('STICKER_ASSET_CREATED', 'sticker_asset', 'no-uuid', 'poison-1');
    const other = await append('PACK_UPDATED', 'sticker_pack', "'; --", 'poison-1');
    const odd = { webhook_message_ids: 'm-1', action: 7 };
    await database.knex('domain_event_outbox').where({ id: poisoned }).update({ payload: 'null' });
    await database
      .knex('domain_event_outbox')
      .where({ id: other })
      .update({ payload: JSON.stringify(odd) });
    const story = await readStory(database, 'poison-1');

    expect(story?.events.map(({ id, payload }) => [id, payload])).toEqual([
      [poisoned, {}],
      [other, odd],
    ]);
    expect(story).toMatchObject({ stickerIds: [], packIds: [], untakenMessages: [] });
  });

  it('tells work that failed for good from work that is done or due, and when it was given up', async () => {
    const versions = { wanted_version: 3, done_version: 2, failed_version: 3 };
    const work = { task_type: 'derivative', subject_id: sticker };
    const origin = `derivative:${sticker}`;
    const told = async (): Promise<unknown> =>
      (await readStory(database, sticker))?.work
        .filter(({ taskType }) => taskType === 'derivative')
        .map(({ isDue, hasFailed, discardedAt }) => [isDue, hasFailed, discardedAt]);
    await database.knex('work_state').where(work).delete();
    await database.knex('work_state').insert({ ...work, ...versions });

    expect(await told()).toEqual([[false, true, null]]);
    const settledAt = new Date('2026-11-28T05:00:09Z');
    const settlement = { settlement: 'discarded', settled_by: 'somebody', settled_at: settledAt, dead_letter: '{}' };
    await database.knex('dead_letter_history').insert({ source: 'tasks', origin, item_id: uuidv7(), ...settlement });
    expect(await told()).toEqual([[false, true, settledAt]]);
    await database.knex('work_state').where(work).update({ done_version: 3 });
    expect(await told()).toEqual([[false, false, settledAt]]);
    await database.knex('work_state').where(work).update({ wanted_version: 4 });
    expect(await told()).toEqual([[true, false, settledAt]]);
  });
});
