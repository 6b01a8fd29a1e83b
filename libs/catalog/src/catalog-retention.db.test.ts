import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  connectDatabase,
  createLogger,
  createRetention,
  createWakeups,
  migrateUp,
  rowsOf,
  type Database,
} from '@omnizap/runtime';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { addPack, addSticker, flags } from '../test/builders.ts';
import { catalogRetention } from './catalog-retention.ts';
import { createEngagement } from './engagement.ts';
import { interactions } from './engagement-store.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const dayMs = 86_400_000;

describe.each(testDatabaseKinds())('retention of the catalogue on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let archiveDir: string;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl, { poolMax: 8 });
    await migrateUp(database);
    archiveDir = await mkdtemp(path.join(tmpdir(), 'catalog-retention-'));
  });
  beforeEach(async () => {
    await database.knex('sticker_pack_interaction_event').delete();
    await database.knex('sticker_pack_interaction_total').delete();
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
    await rm(archiveDir, { recursive: true, force: true });
  });

  const retention = () => createRetention({ database, log }, { policies: catalogRetention(kind), archiveDir });
  const engagement = () =>
    createEngagement({ database, flags, wakeups: createWakeups({ queueUrl: test.queueUrl, log }) });

  async function interact(packKey: string, from: number, to: number): Promise<void> {
    const counting = engagement();
    await Promise.all(
      Array.from({ length: to - from }, (_, index) =>
        counting.record(packKey, interactions[index % interactions.length] ?? 'open', {
          key: `viewer-${from + index}`,
          address: `10.0.${from}.${index}`,
        }),
      ),
    );
  }

  /** Packs and interactions whose counter is not what totals and event log add up to: one statement, one moment. */
  async function differences(): Promise<unknown[]> {
    const parts = interactions.map(
      (interaction) => `
        SELECT e.pack_id, '${interaction}' AS interaction, e.${interaction}_count AS counted,
               (SELECT COUNT(*) FROM sticker_pack_interaction_event i
                 WHERE i.pack_id = e.pack_id AND i.interaction = '${interaction}') AS logged,
               COALESCE((SELECT t.archived_count FROM sticker_pack_interaction_total t
                          WHERE t.pack_id = e.pack_id AND t.interaction = '${interaction}'), 0) AS archived
          FROM sticker_pack_engagement e`,
    );
    return rowsOf(
      await database.knex.raw(`SELECT * FROM (${parts.join(' UNION ALL ')}) c WHERE counted <> logged + archived`),
    );
  }

  it('keeps counters equal to archived totals plus event log, at every moment and through a restore', async () => {
    const packs = [
      await addPack(database, [await addSticker(database)]),
      await addPack(database, [await addSticker(database)]),
    ];
    for (const [index, pack] of packs.entries()) await interact(pack.packKey, index * 100, index * 100 + 60);
    const total = await database.knex('sticker_pack_interaction_event').orderBy('id').pluck<number[]>('id');
    await database
      .knex('sticker_pack_interaction_event')
      .whereIn('id', total.slice(0, 80))
      .update({ created_at: new Date(Date.now() - 181 * dayMs) });
    const counters = await database.knex('sticker_pack_engagement').orderBy('pack_id');
    const log180 = await database.knex('sticker_pack_interaction_event').orderBy('id');

    let isDone = false;
    const seen: unknown[][] = [];
    const watching = (async () => {
      while (!isDone) seen.push(await differences());
    })();
    const [run] = await retention().run('interactions');
    isDone = true;
    await watching;

    expect(run).toMatchObject({ removed: 80, isFinished: true });
    expect(seen.flat()).toEqual([]);
    expect(await differences()).toEqual([]);
    expect(await database.knex('sticker_pack_interaction_event').pluck('id')).toHaveLength(40);
    expect(
      (await database.knex('sticker_pack_interaction_total').pluck<number[]>('archived_count')).reduce((a, b) => a + b),
    ).toBe(80);
    // Nothing that a client sees has changed.
    expect(await database.knex('sticker_pack_engagement').orderBy('pack_id')).toEqual(counters);

    const manifest = run?.archives[0] ?? '';
    expect(await retention().restore(manifest)).toMatchObject({ inserted: 80, present: 0 });
    expect(await retention().restore(manifest)).toMatchObject({ inserted: 0, present: 80 });
    expect(await differences()).toEqual([]);
    expect(await database.knex('sticker_pack_interaction_event').orderBy('id')).toEqual(log180);

    // What was restored goes again with the next run, and is not counted twice.
    expect(await retention().run('interactions')).toMatchObject([{ removed: 80 }]);
    expect(await differences()).toEqual([]);
  });

  it('restores interactions of a pack that is gone into another table only', async () => {
    const pack = await addPack(database, [await addSticker(database)]);
    await interact(pack.packKey, 0, 3);
    await database.knex('sticker_pack_interaction_event').update({ created_at: new Date(Date.now() - 200 * dayMs) });
    const [run] = await retention().run('interactions');
    const manifest = run?.archives[0] ?? '';
    await database.knex('sticker_pack_item').where({ pack_id: pack.id }).delete();
    await database.knex('sticker_pack').where({ id: pack.id }).delete();

    await expect(retention().restore(manifest)).rejects.toMatchObject({ code: 'archive-invalid' });

    expect(await retention().restore(manifest, { into: 'interactions_again' })).toMatchObject({ inserted: 3 });
    expect(await database.knex('interactions_again').pluck('pack_id')).toEqual([pack.id, pack.id, pack.id]);
  });

  it('keeps audit and dead letters for ever', async () => {
    const list = await retention().status();

    expect(list.map(({ policy, action, keepDays }) => [policy, action, keepDays])).toEqual([
      ['interactions', 'archive', 180],
      ['interaction-days', 'drop', 400],
      ['closed-reports', 'drop', 365],
      ['webhook-messages', 'drop', 30],
      ['owner-sessions', 'drop', 1],
      ['dead-tasks', 'keep', 'for-ever'],
      ['audit', 'keep', 'for-ever'],
    ]);
  });
});
