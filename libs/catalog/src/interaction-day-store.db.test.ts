import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  connectDatabase,
  createLogger,
  createRetention,
  createWakeups,
  migrateUp,
  type Database,
} from '@omnizap/runtime';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { down, up } from '../../../db/migrations/20261127000600_interaction_days.ts';
import { addPack, addSticker, digestOf, flags } from '../test/builders.ts';
import { catalogRetention } from './catalog-retention.ts';
import { createEngagement } from './engagement.ts';
import type { Interaction } from './engagement-store.ts';
import { readDayCounts, type DayCount } from './interaction-day-store.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const dayMs = 86_400_000;
const daysAgo = (days: number): Date => new Date(Date.now() - days * dayMs);
const dayOf = (at: Date): string => at.toISOString().slice(0, 10);

describe.each(testDatabaseKinds())('daily counts on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let pack: { id: string; packKey: string };

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl);
    await migrateUp(database);
  });
  beforeEach(async () => {
    await database.knex('sticker_pack_interaction_event').delete();
    await database.knex('sticker_pack_interaction_day').delete();
    pack = await addPack(database, [await addSticker(database)]);
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  const record = (interaction: Interaction, key: string) =>
    createEngagement({ database, flags, wakeups: createWakeups({ queueUrl: test.queueUrl, log }) }).record(
      pack.packKey,
      interaction,
      { key, address: `address of ${key}` },
    );
  const counts = async (packId = pack.id, days = 90): Promise<DayCount[]> =>
    (await readDayCounts(database.knex, kind, packId, days)).counts
      .filter(({ count }) => count > 0)
      .toSorted((a, b) => (`${a.day} ${a.interaction}` < `${b.day} ${b.interaction}` ? -1 : 1));
  let serial = 0;
  const insertEvent = async (interaction: Interaction, at: Date, packId = pack.id): Promise<void> => {
    serial += 1;
    await database.knex('sticker_pack_interaction_event').insert({
      pack_id: packId,
      interaction,
      viewer_hash: digestOf(`viewer ${serial}`),
      address_hash: digestOf(`address ${serial}`),
      window_number: serial,
      created_at: at,
    });
  };

  it('rise with what is counted, and with nothing else', async () => {
    for (const interaction of ['open', 'open', 'like', 'download'] as const) await record(interaction, 'one');
    await record('open', 'another');

    const { today } = await readDayCounts(database.knex, kind, pack.id, 1);
    expect([dayOf(daysAgo(0)), dayOf(new Date(Date.now() - 60_000))]).toContain(today);
    expect((await counts()).map(({ interaction, count }) => [interaction, count])).toEqual([
      ['download', 1],
      ['like', 1],
      ['open', 2],
    ]);
  });

  it('move with a rating on the day on which it was counted, also after midnight', async () => {
    await record('like', 'undecided');
    await database.knex('sticker_pack_interaction_event').update({ created_at: daysAgo(1) });
    await database.knex('sticker_pack_interaction_day').update({ day: dayOf(daysAgo(1)) });

    await record('dislike', 'undecided');

    expect(await counts()).toEqual([{ day: dayOf(daysAgo(1)), interaction: 'dislike', count: 1 }]);
  });

  it('never fall below nothing for a like that a release before them counted', async () => {
    await record('like', 'undecided');
    await database.knex('sticker_pack_interaction_day').delete();

    expect(await record('dislike', 'undecided')).toMatchObject({ like: 0, dislike: 1 });

    expect(await counts()).toEqual([{ day: expect.any(String), interaction: 'dislike', count: 1 }]);
  });

  it('begin with what the event log holds, however often the migration runs', async () => {
    const other = await addPack(database, [await addSticker(database)]);
    const lastMoment = new Date(`${dayOf(daysAgo(3))}T23:59:59.999Z`);
    for (const at of [daysAgo(2), daysAgo(2), lastMoment]) await insertEvent('open', at);
    await insertEvent('like', daysAgo(2));
    await insertEvent('open', daysAgo(2), other.id);

    await down(database.knex);
    await down(database.knex);
    await up(database.knex);
    await up(database.knex);

    expect(await counts()).toEqual([
      { day: dayOf(daysAgo(3)), interaction: 'open', count: 1 },
      { day: dayOf(daysAgo(2)), interaction: 'like', count: 1 },
      { day: dayOf(daysAgo(2)), interaction: 'open', count: 2 },
    ]);
    expect(await counts(other.id)).toEqual([{ day: dayOf(daysAgo(2)), interaction: 'open', count: 1 }]);
    // Retention walks along the ids and stops at the first young row.
    const days = await database.knex('sticker_pack_interaction_day').orderBy('id').pluck<unknown[]>('day');
    expect(days.map(String)).toEqual(days.toSorted((a, b) => Number(a) - Number(b)).map(String));
    await record('open', 'after');
    expect((await counts()).reduce((sum, { count }) => sum + count, 0)).toBe(5);
  });

  it('are read for as many days as asked, today included', async () => {
    for (const days of [0, 6, 7]) await insertEvent('open', daysAgo(days));
    await up(database.knex);

    expect((await counts(pack.id, 7)).map(({ day }) => day)).toEqual([dayOf(daysAgo(6)), dayOf(daysAgo(0))]);
    expect((await counts(pack.id, 8)).map(({ day }) => day)).toHaveLength(3);
    expect(await counts(pack.id, 1)).toHaveLength(1);
  });

  it('go after 400 days and not before', async () => {
    for (const days of [402, 398]) await insertEvent('open', daysAgo(days));
    await up(database.knex);

    const retention = createRetention({ database, log }, { policies: catalogRetention(kind), archiveDir: '/nowhere' });
    expect(await retention.run('interaction-days')).toMatchObject([{ removed: 1, archives: [], isFinished: true }]);

    expect((await counts(pack.id, 500)).map(({ day }) => day)).toEqual([dayOf(daysAgo(398))]);
    expect((await retention.status()).find(({ policy }) => policy === 'interaction-days')).toMatchObject({
      due: { rows: 0 },
    });
  });
});
