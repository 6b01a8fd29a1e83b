import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { connectDatabase, createLogger, createWakeups, migrateUp, type Database, type Wakeups } from '@omnizap/runtime';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { addPack, addSticker, flags } from '../test/builders.ts';
import { createEngagement, type Viewer } from './engagement.ts';
import type { Interaction } from './engagement-store.ts';
import { createPacks } from './packs.ts';
import { createWorkStateStore } from './work-state-store.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const dayMs = 86_400_000;
const viewer = (key: string, address = '10.0.0.1'): Viewer => ({ key, address });

describe.each(testDatabaseKinds())('engagement on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let wakeups: Wakeups;
  let pack: { id: string; packKey: string };

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl);
    await migrateUp(database);
    wakeups = createWakeups({ queueUrl: test.queueUrl, log });
  });
  beforeEach(async () => {
    pack = await addPack(database, [await addSticker(database)]);
  });
  afterEach(() => void jest.restoreAllMocks());
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  /** Every call with a memory of its own, as if from another process. */
  const record = (interaction: Interaction, from: Viewer, packKey = pack.packKey) =>
    createEngagement({ database, flags, wakeups }).record(packKey, interaction, from);

  const eventCount = async (): Promise<number> =>
    (
      await database
        .knex('domain_event_outbox')
        .where({ aggregate_id: pack.id, event_type: 'ENGAGEMENT_RECORDED' })
        .pluck('id')
    ).length;

  const standing = (): Promise<string[]> =>
    database
      .knex('sticker_pack_interaction_event')
      .where({ pack_id: pack.id })
      .orderBy('interaction')
      .pluck<string[]>('interaction');

  const versionOf = async (): Promise<number | undefined> =>
    (await database.knex('sticker_pack_engagement').where({ pack_id: pack.id }).pluck<number[]>('version'))[0];

  it('counts a viewer once per window, however often and however simultaneously it is told', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => record('like', viewer('one'))));

    expect(answers.at(-1)).toEqual({ open: 0, like: 1, dislike: 0, download: 0 });
    expect(await record('like', viewer('one', '10.9.9.9'))).toMatchObject({ like: 1 });
    expect(await eventCount()).toBe(1);
    expect(await createWorkStateStore(database).read('rebuild', pack.id)).toEqual({ wantedVersion: 1, doneVersion: 0 });
  });

  it('loses none of twenty viewers who come at once', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => record('open', viewer(`viewer-${index}`, `10.0.1.${index}`))),
    );

    expect(await record('dislike', viewer('somebody'))).toEqual({ open: 20, like: 0, dislike: 1, download: 0 });
    expect(await eventCount()).toBe(21);
  });

  it('counts a download of a viewer once per day and apart from everything else', async () => {
    await record('open', viewer('fetching'));
    await Promise.all(Array.from({ length: 5 }, () => record('download', viewer('fetching'))));

    expect(await record('download', viewer('another'))).toEqual({ open: 1, like: 0, dislike: 0, download: 2 });
    expect(await eventCount()).toBe(3);
  });

  it('counts twenty viewers behind one address and no crowd of made-up ones', async () => {
    const crowd = await Promise.all(
      Array.from({ length: 30 }, (_, index) => record('like', viewer(`made-up-${index}`, '10.0.2.2'))),
    );

    expect(Math.max(...crowd.map((counts) => counts.like))).toBe(20);
    expect(await record('like', viewer('elsewhere', '10.0.2.3'))).toMatchObject({ like: 21 });
    // Another interaction, another pack: counted by themselves.
    expect(await record('open', viewer('made-up-29', '10.0.2.2'))).toMatchObject({ open: 1 });
    const other = await addPack(database, [await addSticker(database)]);
    expect(await record('like', viewer('made-up-29', '10.0.2.2'), other.packKey)).toMatchObject({ like: 1 });
  });

  it('puts a dislike in the place of the like of the same window, and back, and announces each change once', async () => {
    expect(await record('like', viewer('undecided'))).toMatchObject({ like: 1, dislike: 0 });
    expect(await record('dislike', viewer('undecided'))).toMatchObject({ like: 0, dislike: 1 });
    expect(await record('dislike', viewer('undecided'))).toMatchObject({ like: 0, dislike: 1 });
    expect(await record('like', viewer('undecided', '10.9.9.9'))).toMatchObject({ like: 1, dislike: 0 });
    expect(await record('like', viewer('undecided'))).toMatchObject({ like: 1, dislike: 0 });
    expect(await record('open', viewer('undecided'))).toMatchObject({ open: 1, like: 1 });

    expect(await standing()).toEqual(['like', 'open']);
    expect(await eventCount()).toBe(4);
    expect(await versionOf()).toBe(4);
  });

  it('ends with one rating of a viewer who likes and dislikes at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => record(index % 2 === 0 ? 'like' : 'dislike', viewer('both'))),
    );

    for (const { like, dislike } of answers) expect([like, dislike].toSorted()).toEqual([0, 1]);
    expect(await standing()).toHaveLength(1);
    expect(await versionOf()).toBe(await eventCount());
  });

  it('lets viewers change their minds when their address has had its share, and wins it nothing by that', async () => {
    const crowd = Array.from({ length: 20 }, (_, index) => viewer(`first-${index}`, '10.0.3.3'));
    await Promise.all(crowd.map((one) => record('like', one)));
    await Promise.all(crowd.map((one) => record('dislike', one)));
    const second = Array.from({ length: 20 }, (_, index) => viewer(`second-${index}`, '10.0.3.3'));
    await Promise.all(second.map((one, index) => record(index % 2 === 0 ? 'like' : 'dislike', one)));
    // From another address, which has a share of its own: the place is that of the first address all the same.
    await Promise.all(crowd.map((one) => record('like', { ...one, address: '10.0.3.4' })));

    expect(await record('like', viewer('third', '10.0.3.3'))).toMatchObject({ like: 20, dislike: 0 });
    expect(await record('like', viewer('third', '10.0.3.4'))).toMatchObject({ like: 21, dislike: 0 });
  });

  it('leaves the rating of an earlier window as it was', async () => {
    const now = Date.now.bind(Date);
    await record('like', viewer('returning'));
    jest.spyOn(Date, 'now').mockImplementation(() => now() + dayMs);

    expect(await record('dislike', viewer('returning'))).toMatchObject({ like: 1, dislike: 1 });
  });

  it('knows what a viewer did last, the newest first, and nothing of others', async () => {
    const other = await addPack(database, [await addSticker(database)]);
    await record('open', viewer('collector'));
    await record('open', viewer('somebody-else'), other.packKey);
    await record('like', viewer('collector'), other.packKey);
    await record('download', viewer('collector', '10.9.9.9'));

    expect(await createEngagement({ database, flags, wakeups }).affinityOf({ key: 'collector' })).toEqual([
      { packId: pack.id, interaction: 'download' },
      { packId: other.id, interaction: 'like' },
      { packId: pack.id, interaction: 'open' },
    ]);
    expect(await createEngagement({ database, flags, wakeups }).affinityOf({ key: 'stranger' })).toEqual([]);
  });

  it('opens the next window for opens after half an hour, for likes after a day', async () => {
    const now = Date.now.bind(Date);
    let offsetMs = 0;
    jest.spyOn(Date, 'now').mockImplementation(() => now() + offsetMs);
    const counted: [number, number][] = [];
    // A day after the second, which lies in the next day already when this runs late in the evening.
    for (const milliseconds of [0, 30 * 60_000, 30 * 60_000 + dayMs]) {
      offsetMs = milliseconds;
      const { open } = await record('open', viewer('returning'));
      const { like } = await record('like', viewer('returning'));
      counted.push([open, like]);
    }

    expect(counted[0]).toEqual([1, 1]);
    expect(counted[1]?.[0]).toBe(2);
    expect(counted[2]).toEqual([3, (counted[1]?.[1] ?? 0) + 1]);
  });

  it('lets the counters of opens fade with their time constants before the next one is added', async () => {
    await record('open', viewer('first'));
    await database
      .knex('sticker_pack_engagement')
      .where({ pack_id: pack.id })
      .update({ opens_day: 10, opens_week: 20, trend_at: new Date(Date.now() - dayMs) });

    await record('open', viewer('second', '10.0.0.2'));

    const row = await database
      .knex('sticker_pack_engagement')
      .where({ pack_id: pack.id })
      .first<{ opens_day: number; opens_week: number; trend_at: Date }>('opens_day', 'opens_week', 'trend_at');
    expect(row.opens_day).toBeCloseTo(10 / Math.E + 1, 2);
    expect(row.opens_week).toBeCloseTo(20 * Math.exp(-1 / 7) + 1, 2);
    expect(Math.abs(Date.now() - row.trend_at.getTime())).toBeLessThan(60_000);
  });

  it('keeps neither addresses nor the keys of viewers', async () => {
    await record('like', viewer('a-secret-name', '192.0.2.77'));

    const rows = JSON.stringify([
      await database.knex('sticker_pack_interaction_event'),
      await database.knex('domain_event_outbox'),
    ]);

    expect(rows).not.toContain('a-secret-name');
    expect(rows).not.toContain('192.0.2.77');
  });

  it('knows no pack that cannot be reached: private, draft, deleted or never made', async () => {
    const hidden = [
      await addPack(database, [], { visibility: 'private' }),
      await addPack(database, [], { status: 'draft' }),
      await addPack(database),
    ];
    await createPacks({ database, flags, wakeups }).remove(
      { ownerId: 'owner', isAdmin: false },
      hidden[2]?.packKey ?? '',
    );
    const unlisted = await addPack(database, [], { visibility: 'unlisted' });

    for (const packKey of [...hidden.map((entry) => entry.packKey), 'never-made'])
      await expect(record('like', viewer('one'), packKey)).rejects.toMatchObject({ code: 'pack-not-found' });
    expect(await record('like', viewer('one'), unlisted.packKey)).toMatchObject({ like: 1 });
  });
});
