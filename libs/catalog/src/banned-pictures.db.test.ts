import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createEmojiClassifier, probeImage } from '@omnizap/imaging';
import { connectDatabase, createLogger, createWakeups, migrateUp, type Database, type Wakeups } from '@omnizap/runtime';
import { createDiskStore, type DiskStore } from '@omnizap/storage';
import { createTestDatabase, drawPng, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addPack, flags } from '../test/builders.ts';
import { createBans, type Bans } from './bans.ts';
import { createCatalogueReader } from './catalogue-reader.ts';
import { createClassifySticker } from './classify-sticker.ts';
import { createDeriveSticker } from './derive-sticker.ts';
import { createModeration, type Decider } from './moderation.ts';
import { createUploads, type Uploads } from './uploads.ts';
import { createWorkStateStore } from './work-state-store.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const by: Decider = { actor: 'boss', reason: 'Because.' };
const owner = { ownerId: 'owner', isAdmin: false };

describe.each(testDatabaseKinds())('pictures that look like banned ones on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let wakeups: Wakeups;
  let store: DiskStore;
  let folder: string;
  let bans: Bans;
  let uploads: Uploads;
  let packKey: string;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl);
    await migrateUp(database);
    wakeups = createWakeups({ queueUrl: test.queueUrl, log });
    folder = await mkdtemp(join(tmpdir(), 'banned-'));
    store = createDiskStore(folder);
    await store.prepare();
    bans = createBans({ database, flags, wakeups });
    uploads = createUploads({ database, flags, wakeups, store, maxItems: 30 });
    ({ packKey } = await addPack(database));
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
    await rm(folder, { recursive: true, force: true });
  });

  async function upload(bytes: Buffer): Promise<string> {
    const temporaryPath = store.temporaryPath();
    await writeFile(temporaryPath, bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const probe = await probeImage(temporaryPath);
    const sticker = { temporaryPath, sha256, probe, emojis: [], accessibilityLabel: null };
    return (await uploads.addSticker(owner, packKey, sticker)).stickerId;
  }

  /** What both steps of the classification process do with it. */
  async function work(subjectId: string): Promise<string[]> {
    const task = { id: 'task', taskType: 'x', subjectId, attempt: 1, requestId: undefined, eventId: undefined };
    const context = { signal: new AbortController().signal, log, lookedAt: () => undefined };
    const deps = { database, flags, wakeups, store };
    const looked = await createClassifySticker(deps, createEmojiClassifier())(task, context);
    return [looked.status, (await createDeriveSticker(deps)(task, context)).status];
  }

  const stateOf = async (id: string): Promise<unknown> =>
    database.knex('sticker_asset').where({ id }).first('status', 'moderation');
  const shown = async (): Promise<string[]> =>
    (await createCatalogueReader({ database }, { ageDecayDays: 45 }).readPack(packKey, null)).stickers.map(
      ({ stickerId }) => stickerId,
    );

  it('are held before anybody sees them, and stay approved once an administrator has looked', async () => {
    const banned = await upload(drawPng(7, 128));
    await work(banned);
    expect(await shown()).toEqual([banned]);
    await bans.make({ kind: 'sticker', stickerId: banned }, by);
    expect(await shown()).toEqual([]);

    const other = await upload(drawPng(8, 128));
    const near = await upload(drawPng(7, 160));
    expect(await work(other)).toEqual(['done', 'done']);
    expect(await work(near)).toEqual(['done', 'done']);
    expect(await stateOf(near)).toEqual({ status: 'ready', moderation: 'held' });
    expect(await shown()).toEqual([other]);

    const moderation = createModeration({ database, flags, wakeups });
    await moderation.decideSticker(near, 'approve', by);
    expect(await shown()).toEqual([other, near]);
    await createWorkStateStore(database).want([{ taskType: 'classification', subjectId: near }]);
    await work(near);
    expect(await shown()).toEqual([other, near]);
  });

  it('are refused as an upload when the very bytes are banned, and leave no file behind', async () => {
    const bytes = drawPng(9, 128);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const { ban } = await bans.make({ kind: 'sticker', sha256 }, by);
    const filesBefore = await readdir(folder, { recursive: true });

    await expect(upload(bytes)).rejects.toMatchObject({ code: 'sticker-banned' });
    const files = await readdir(folder, { recursive: true });
    expect(files.filter((name) => name.includes(sha256))).toEqual([]);
    expect(files.length).toBe(filesBefore.length + 1);

    await bans.revoke(ban.id, by);
    await upload(bytes);
  });

  it('are found as well when the banned one was not classified yet', async () => {
    const banned = await upload(drawPng(11, 128));
    const near = await upload(drawPng(11, 160));
    await work(near);
    const { ban } = await bans.make({ kind: 'sticker', stickerId: banned }, by);
    expect([ban.picture, ban.settledAt]).toEqual([null, null]);
    expect(await stateOf(near)).toMatchObject({ moderation: 'approved' });

    await work(banned);
    while (await bans.pass());
    expect(await stateOf(near)).toMatchObject({ moderation: 'held' });
    expect(await stateOf(banned)).toMatchObject({ moderation: 'taken_down' });
  });
});
