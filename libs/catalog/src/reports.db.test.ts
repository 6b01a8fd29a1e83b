import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectDatabase, createLogger, createWakeups, migrateUp, type Database, type Wakeups } from '@omnizap/runtime';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { addPack, addSticker, flags } from '../test/builders.ts';
import { createModeration, type Decider } from './moderation.ts';
import { createReports, type ReportInput, type Reports } from './reports.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const by: Decider = { actor: 'boss', reason: 'Because.' };
const ofPack: ReportInput = { reason: 'hate', stickerId: null, details: 'Look at the third one.' };

describe.each(testDatabaseKinds())('reports on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let wakeups: Wakeups;
  let reports: Reports;
  let addresses = 0;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl, { poolMax: 8 });
    await migrateUp(database);
    wakeups = createWakeups({ queueUrl: test.queueUrl, log });
    reports = createReports({ database, flags, wakeups, holdAt: 0 });
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  const newAddress = (): string => `192.0.2.${(addresses += 1)}`;
  const viewer = (key: string, address = newAddress()) => ({ key: `key:${key}`, address });
  const rows = (packId: string): Promise<Record<string, unknown>[]> =>
    database.knex('sticker_report').where({ pack_id: packId }).orderBy('id').select<Record<string, unknown>[]>();

  it('keep one per viewer and subject, and of the viewer only hashes', async () => {
    const sticker = await addSticker(database);
    const pack = await addPack(database, [sticker]);
    const somebody = viewer('somebody');
    for (let time = 0; time < 3; time += 1) await reports.report(pack.packKey, ofPack, somebody);
    await reports.report(pack.packKey, { ...ofPack, stickerId: sticker }, somebody);

    const kept = await rows(pack.id);
    expect(kept.map(({ asset_id }) => asset_id)).toEqual([null, sticker]);
    expect(JSON.stringify(kept)).not.toMatch(/somebody|192\.0\.2/);
  });

  it('count of one address only so many in a day, also when they come all at once', async () => {
    const packs = [await addPack(database), await addPack(database), await addPack(database)];
    const address = newAddress();
    for (let round = 0; round < 5; round += 1) {
      await Promise.all(
        packs.flatMap(({ packKey }) =>
          Array.from({ length: 5 }, (_, index) =>
            reports.report(packKey, ofPack, viewer(`made up ${round} ${index}`, address)),
          ),
        ),
      );
    }

    const kept = (await Promise.all(packs.map(({ id }) => rows(id)))).flat();
    expect(kept).toHaveLength(20);
  });

  it('are refused about what the visitor cannot see', async () => {
    const sticker = await addSticker(database);
    const hidden = await addPack(database, [sticker], { visibility: 'private' });
    const pack = await addPack(database);

    await expect(reports.report(hidden.packKey, ofPack, viewer('a'))).rejects.toMatchObject({ code: 'pack-not-found' });
    await expect(reports.report(pack.packKey, { ...ofPack, stickerId: sticker }, viewer('b'))).rejects.toMatchObject({
      code: 'sticker-not-found',
    });
  });

  it('hold a pack when so many addresses agree, and an approval starts the count anew', async () => {
    const strict = createReports({ database, flags, wakeups, holdAt: 3 });
    const moderation = createModeration({ database, flags, wakeups });
    const pack = await addPack(database);
    const stateOf = async (): Promise<unknown> =>
      (await database.knex('sticker_pack').where({ id: pack.id }).pluck<string[]>('moderation'))[0];

    const crowd = newAddress();
    for (const key of ['a', 'b', 'c', 'd']) await strict.report(pack.packKey, ofPack, viewer(key, crowd));
    await strict.report(pack.packKey, ofPack, viewer('e'));
    expect(await stateOf()).toBe('approved');
    await strict.report(pack.packKey, ofPack, viewer('f'));
    expect(await stateOf()).toBe('held');
    const [queued] = (await moderation.queue({ after: null, limit: 5 })).cases;
    expect(queued).toMatchObject({ packKeys: [pack.packKey], openReports: 6 });

    await moderation.decidePack(pack.packKey, 'approve', by);
    await strict.report(pack.packKey, ofPack, viewer('g'));
    expect(await stateOf()).toBe('approved');
    expect((await rows(pack.id)).map(({ state }) => state)).toEqual([...Array<string>(6).fill('dismissed'), 'open']);
  });

  it('are listed by what they are about, oldest first, each once, and closed one by one', async () => {
    await database.knex('sticker_report').update({ state: 'dismissed' });
    const sticker = await addSticker(database);
    const packs = [await addPack(database, [sticker]), await addPack(database), await addPack(database)];
    for (const { packKey } of packs) await reports.report(packKey, ofPack, viewer(packKey));
    const [first] = packs as [{ id: string; packKey: string }];
    await reports.report(first.packKey, { reason: 'spam', stickerId: sticker, details: null }, viewer('z'));
    await reports.report(first.packKey, ofPack, viewer('y'));

    const page = await reports.groups({ afterId: 0, limit: 3 });
    const rest = await reports.groups({ afterId: page.nextId ?? 0, limit: 3 });
    const groups = [...page.groups, ...rest.groups];
    expect(groups.map(({ packKey, stickerId, openReports }) => [packKey, stickerId, openReports])).toEqual([
      [first.packKey, null, 2],
      [packs[1]?.packKey, null, 1],
      [packs[2]?.packKey, null, 1],
      [first.packKey, sticker, 1],
    ]);
    expect(rest.nextId).toBeNull();
    expect(groups[0]?.reports.map(({ reason, details }) => [reason, details])).toEqual([
      ['hate', 'Look at the third one.'],
      ['hate', 'Look at the third one.'],
    ]);

    const id = groups[3]?.reports[0]?.id ?? 0;
    for (let time = 0; time < 2; time += 1) expect((await reports.dismiss(id, by)).state).toBe('dismissed');
    expect(await database.knex('admin_action_audit').where({ action: 'report.dismiss' })).toHaveLength(1);
    expect((await reports.groups({ afterId: 0, limit: 9 })).groups).toHaveLength(3);
    await expect(reports.dismiss(999_999_999, by)).rejects.toMatchObject({ code: 'not-found' });
  });
});
