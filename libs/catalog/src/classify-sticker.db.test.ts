import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createEmojiClassifier, type Classification, type ClassifierProvider } from '@omnizap/imaging';
import { connectDatabase, createLogger, createWakeups, migrateUp, type Database, type Wakeups } from '@omnizap/runtime';
import { createDiskStore, type DiskStore } from '@omnizap/storage';
import type { TaskOutcome } from '@omnizap/tasks';
import { createTestDatabase, drawPng, testDatabaseKinds, waitFor, type TestDatabase } from '@omnizap/testkit';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addPack, addSticker, flags } from '../test/builders.ts';
import { readStickerContext } from './asset-store.ts';
import { createClassifySticker } from './classify-sticker.ts';
import { createDeriveSticker } from './derive-sticker.ts';
import { createWorkStateStore } from './work-state-store.ts';
import type { TaskType } from './task-settings.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });

describe.each(testDatabaseKinds())('looking at a sticker on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let wakeups: Wakeups;
  let store: DiskStore;
  let folder: string;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl);
    await migrateUp(database);
    wakeups = createWakeups({ queueUrl: test.queueUrl, log });
    folder = await mkdtemp(join(tmpdir(), 'classify-'));
    store = createDiskStore(folder);
    await store.prepare();
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
    await rm(folder, { recursive: true, force: true });
  });

  const want = (assetId: string, taskType: TaskType = 'classification'): Promise<void> =>
    createWorkStateStore(database).want([{ taskType, subjectId: assetId }]);

  /** A sticker that was just uploaded, with its bytes, in a pack; its look is wanted. */
  async function upload(bytes: Buffer): Promise<{ assetId: string; packId: string }> {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await store.put('original', sha256, bytes);
    const assetId = await addSticker(database, { sha256, status: 'pending', classification: null });
    const pack = await addPack(database, [assetId]);
    await want(assetId);
    return { assetId, packId: pack.id };
  }

  const task = (subjectId: string) => ({
    id: 'task',
    taskType: 'classification',
    subjectId,
    attempt: 1,
    requestId: 'request-1',
    eventId: undefined,
  });
  const context = { signal: new AbortController().signal, log, lookedAt: () => undefined };

  const classify = async (
    assetId: string,
    provider: ClassifierProvider = createEmojiClassifier(),
  ): Promise<TaskOutcome> =>
    createClassifySticker({ database, flags, wakeups, store }, provider)(task(assetId), context);
  const derive = async (assetId: string): Promise<TaskOutcome> =>
    createDeriveSticker({ database, flags, wakeups, store })(task(assetId), context);

  /** Everything in the database that a look at this sticker may change. */
  async function traces(assetId: string): Promise<unknown> {
    const { knex } = database;
    return {
      asset: await knex('sticker_asset').where({ id: assetId }),
      classification: await knex('sticker_asset_classification').where({ asset_id: assetId }),
      derivatives: await knex('sticker_asset_derivative').where({ asset_id: assetId }).orderBy('variant'),
      events: await knex('domain_event_outbox').where({ aggregate_id: assetId }).orderBy('id'),
    };
  }

  const eventsOf = async (assetId: string): Promise<{ event_type: string; payload: unknown }[]> =>
    (
      await database
        .knex('domain_event_outbox')
        .where({ aggregate_id: assetId })
        .orderBy('id')
        .select('event_type', 'payload')
    ).map((row: { event_type: string; payload: unknown }) => ({
      event_type: row.event_type,
      payload: typeof row.payload === 'string' ? (JSON.parse(row.payload) as unknown) : row.payload,
    }));

  it('says what it is, and wants its files and its packs looked at in the same transaction', async () => {
    const { assetId, packId } = await upload(drawPng(1));

    expect(await classify(assetId)).toEqual({ status: 'done' });

    expect(
      await database.knex('sticker_asset_classification').where({ asset_id: assetId }).select('category', 'theme_key'),
    ).toEqual([{ category: 'love', theme_key: 'love' }]);
    expect(await eventsOf(assetId)).toEqual([
      {
        event_type: 'STICKER_CLASSIFIED',
        payload: { asset_id: assetId, category: 'love', is_rejected: false, pack_ids: [packId], theme_keys: [] },
      },
    ]);
    const workState = createWorkStateStore(database);
    expect(await workState.read('classification', assetId)).toEqual({ wantedVersion: 1, doneVersion: 1 });
    expect(await workState.read('derivative', assetId)).toEqual({ wantedVersion: 1, doneVersion: 0 });
    expect(await workState.read('rebuild', packId)).toEqual({ wantedVersion: 1, doneVersion: 0 });
  });

  it('writes and announces nothing when a second look finds the same', async () => {
    const { assetId } = await upload(drawPng(2));
    await classify(assetId);
    const before = await traces(assetId);

    await want(assetId);
    const again = await classify(assetId);
    const unasked = await classify(assetId);

    expect([again.status, unasked.status]).toEqual(['skipped', 'skipped']);
    expect(await traces(assetId)).toEqual(before);
    expect(await createWorkStateStore(database).read('classification', assetId)).toEqual({
      wantedVersion: 2,
      doneVersion: 2,
    });
  });

  it('never lets an older look that comes late overwrite a newer one', async () => {
    const { assetId } = await upload(drawPng(3));
    const mayFinish = Promise.withResolvers<void>();
    const finding = (category: string): Classification => ({
      category,
      confidence: 0.9,
      labels: [],
      nsfwLevel: 'safe',
      provider: 'test',
      version: '1',
    });
    let isSlowStarted = false;
    const slow: ClassifierProvider = {
      name: 'test',
      version: '1',
      async classify() {
        isSlowStarted = true;
        await mayFinish.promise;
        return finding('sad');
      },
    };
    const fast: ClassifierProvider = { name: 'test', version: '1', classify: async () => finding('happy') };

    const older = classify(assetId, slow);
    await waitFor(() => isSlowStarted);
    await want(assetId);
    const newer = await classify(assetId, fast);
    const before = await traces(assetId);
    mayFinish.resolve();

    expect(newer).toEqual({ status: 'done' });
    expect((await older).status).toBe('skipped');
    expect(await traces(assetId)).toEqual(before);
    expect(await database.knex('sticker_asset_classification').where({ asset_id: assetId }).pluck('category')).toEqual([
      'happy',
    ]);
  });

  it('rejects what is no picture with a reason for its owner, once', async () => {
    const { assetId, packId } = await upload(drawPng(4).subarray(0, 300));

    const first = await classify(assetId);
    const before = await traces(assetId);
    await want(assetId);
    const second = await classify(assetId);

    const [asset] = await database
      .knex('sticker_asset')
      .where({ id: assetId })
      .select<{ status: string; rejection_code: string; rejection_reason: string }[]>(
        'status',
        'rejection_code',
        'rejection_reason',
      );
    expect([first.status, second.status]).toEqual(['rejected', 'rejected']);
    expect(asset).toMatchObject({ status: 'rejected', rejection_code: 'image-corrupt' });
    expect(asset?.rejection_reason.length).toBeGreaterThan(10);
    expect(await traces(assetId)).toEqual(before);
    expect(await eventsOf(assetId)).toEqual([
      {
        event_type: 'STICKER_CLASSIFIED',
        payload: { asset_id: assetId, category: null, is_rejected: true, pack_ids: [packId], theme_keys: [] },
      },
    ]);
    // Never taken for safe, and nothing is made of it.
    expect(await database.knex('sticker_asset_classification').where({ asset_id: assetId })).toEqual([]);
    expect(await createWorkStateStore(database).read('derivative', assetId)).toBeNull();
  });

  it('does not blame the sticker when its file cannot be read: that is tried again', async () => {
    const { assetId } = await upload(drawPng(5));
    const [sha256] = await database.knex('sticker_asset').where({ id: assetId }).pluck<string[]>('sha256');
    await rm(store.path('original', sha256 ?? ''));

    await expect(classify(assetId)).rejects.toMatchObject({ code: 'ENOENT' });

    expect(await database.knex('sticker_asset').where({ id: assetId }).pluck('status')).toEqual(['pending']);
    expect(await createWorkStateStore(database).read('classification', assetId)).toMatchObject({ doneVersion: 0 });
  });

  it('has nothing to do for a sticker that is gone, and is not asked again', async () => {
    const gone = '00000000-0000-7000-8000-000000000000';
    await want(gone);

    expect((await classify(gone)).status).toBe('skipped');
    const due = await createWorkStateStore(database).due('classification', { olderThanMs: 0, after: null, limit: 100 });
    expect(due.map(({ subjectId }) => subjectId)).not.toContain(gone);
  });

  it('listens to public packs alone once there is one: nothing of a private one may show', async () => {
    const assetId = await addSticker(database);
    await addPack(database, [assetId], { name: 'My secret', tags: ['hidden'], visibility: 'private' });
    const alone = await readStickerContext(database.knex, assetId);
    const open = await addPack(database, [assetId], { name: 'For all', tags: ['seen'], publisher: 'Me' });

    const together = await readStickerContext(database.knex, assetId);

    expect([alone.packWords, alone.pack]).toEqual([['My secret', 'hidden'], null]);
    expect([together.packWords, together.pack]).toEqual([
      ['For all', 'seen'],
      { key: open.packKey, name: 'For all', publisher: 'Me' },
    ]);
  });

  it('makes the files, and the sticker ready, once', async () => {
    const { assetId, packId } = await upload(drawPng(6));
    await classify(assetId);

    expect(await derive(assetId)).toEqual({ status: 'done' });
    const before = await traces(assetId);
    await want(assetId, 'derivative');
    expect((await derive(assetId)).status).toBe('skipped');

    expect(await traces(assetId)).toEqual(before);
    expect(await database.knex('sticker_asset').where({ id: assetId }).pluck('status')).toEqual(['ready']);
    expect((await eventsOf(assetId)).at(-1)).toEqual({
      event_type: 'STICKER_READY',
      payload: { asset_id: assetId, pack_ids: [packId], theme_keys: ['love'] },
    });
    const files = await database
      .knex('sticker_asset_derivative')
      .where({ asset_id: assetId })
      .select<{ variant: 'sticker' | 'preview'; sha256: string; size_bytes: number }[]>();
    for (const file of files) {
      const bytes = await store.read(file.variant, file.sha256);
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(file.sha256);
      expect([bytes.length, bytes.toString('latin1', 8, 12)]).toEqual([file.size_bytes, 'WEBP']);
    }
    expect(files.map((file) => file.variant).toSorted()).toEqual(['preview', 'sticker']);
  });
});
