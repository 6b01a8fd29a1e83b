import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectDatabase, createLogger, createWakeups, migrateUp, type Database, type Wakeups } from '@omnizap/runtime';
import type { TaskOutcome } from '@omnizap/tasks';
import { createTestDatabase, testDatabaseKinds, waitFor, type TestDatabase } from '@omnizap/testkit';
import { addPack, addSticker, flags } from '../test/builders.ts';
import { createEngagement } from './engagement.ts';
import { createPacks } from './packs.ts';
import { createRebuildPack, scoresTopic } from './rebuild-pack.ts';
import { createWorkStateStore } from './work-state-store.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });

describe.each(testDatabaseKinds())('rebuilding a pack on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let wakeups: Wakeups;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl);
    await migrateUp(database);
    wakeups = createWakeups({ queueUrl: test.queueUrl, log });
    await wakeups.start();
  });
  afterAll(async () => {
    await wakeups.stop();
    await database.close();
    await test.drop();
  });

  const want = (packId: string): Promise<void> =>
    createWorkStateStore(database).want([{ taskType: 'rebuild', subjectId: packId }]);

  const rebuild = (packId: string): Promise<TaskOutcome> =>
    createRebuildPack({ database, wakeups })(
      { id: 'task', taskType: 'rebuild', subjectId: packId, attempt: 1, requestId: undefined, eventId: undefined },
      { signal: new AbortController().signal, log, lookedAt: () => undefined },
    );

  const scoreRow = (packId: string): Promise<Record<string, unknown> | undefined> =>
    database.knex('sticker_pack_score_snapshot').where({ pack_id: packId }).first();

  it('writes the score once, and nothing at all when nothing changed', async () => {
    const stickers = [await addSticker(database), await addSticker(database), await addSticker(database)];
    const pending = await addSticker(database, { status: 'pending', classification: null });
    const pack = await addPack(database, [...stickers, pending]);
    let announced = 0;
    const off = wakeups.on(scoresTopic, () => (announced += 1));

    await want(pack.id);
    expect(await rebuild(pack.id)).toEqual({ status: 'done' });
    const before = await scoreRow(pack.id);
    await waitFor(() => announced === 1);
    await want(pack.id);
    expect((await rebuild(pack.id)).status).toBe('skipped');
    expect((await rebuild(pack.id)).status).toBe('skipped');

    expect(before).toMatchObject({ is_listed: 1, sticker_count: 3, is_whatsapp_ready: 1, cover_asset_id: stickers[0] });
    expect(await scoreRow(pack.id)).toEqual(before);
    expect(await createWorkStateStore(database).read('rebuild', pack.id)).toEqual({ wantedVersion: 2, doneVersion: 2 });
    off();
  });

  it('follows what people do with the pack', async () => {
    const pack = await addPack(database, [await addSticker(database)]);
    await want(pack.id);
    await rebuild(pack.id);
    const before = await scoreRow(pack.id);

    await createEngagement({ database, flags, wakeups }).record(pack.packKey, 'like', {
      key: 'viewer',
      address: '10.0.0.1',
    });
    expect((await rebuild(pack.id)).status).toBe('done');

    const after = await scoreRow(pack.id);
    // One like is 2 of 100; engagement weighs 0.3.
    expect(Number(after?.engagement_score)).toBeCloseTo(0.02, 9);
    expect(Number(after?.pack_score) - Number(before?.pack_score)).toBeCloseTo(0.006, 9);
  });

  it('keeps the row of a pack that left the catalogue, marked so that the ranking drops it', async () => {
    const pack = await addPack(database, [await addSticker(database)]);
    await want(pack.id);
    await rebuild(pack.id);

    await createPacks({ database, flags, wakeups }).remove({ ownerId: 'owner', isAdmin: false }, pack.packKey);
    await rebuild(pack.id);

    expect(await scoreRow(pack.id)).toMatchObject({ is_listed: 0, sticker_count: 1 });
  });

  it('lets no older look write over a newer one', async () => {
    const pack = await addPack(database, [await addSticker(database)]);
    await want(pack.id);
    const isLocked = Promise.withResolvers<void>();
    const mayCommit = Promise.withResolvers<void>();
    // Somebody else records a newer look while the older one, which has read everything, waits for the pack's row.
    const newer = database.transaction(async (trx) => {
      await trx('sticker_pack').where({ id: pack.id }).forUpdate().first('id');
      isLocked.resolve();
      await mayCommit.promise;
      await trx('work_state')
        .where({ task_type: 'rebuild', subject_id: pack.id })
        .update({ wanted_version: 2, done_version: 2 });
    });
    await isLocked.promise;
    let isWaiting = false;
    database.knex.on('query', ({ sql }: { sql: string }) => (isWaiting ||= /for update/i.test(sql)));

    const older = rebuild(pack.id);
    await waitFor(() => isWaiting);
    mayCommit.resolve();
    await newer;

    expect((await older).status).toBe('skipped');
    expect(await scoreRow(pack.id)).toBeUndefined();
  });

  it('has nothing to do for a pack that never was, and is not asked again', async () => {
    const gone = '00000000-0000-7000-8000-000000000000';
    await want(gone);

    expect((await rebuild(gone)).status).toBe('skipped');
    const due = await createWorkStateStore(database).due('rebuild', { olderThanMs: 0, after: null, limit: 100 });
    expect(due.map(({ subjectId }) => subjectId)).not.toContain(gone);
  });
});
