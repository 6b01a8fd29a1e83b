/** What keeps bucket, disk and catalogue in step, as an operator runs it: a process without an API beside a real S3 server. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { connectDatabase, migrateUp, type Database } from '@omnizap/runtime';
import { createDiskStore } from '@omnizap/storage';
import {
  createTestDatabase,
  startObjectStorage,
  testDatabaseKinds,
  type ObjectStorage,
  type TestDatabase,
} from '@omnizap/testkit';
import { runOps, type Run } from './run-ops.ts';

type Garbage = { count: number; removed: number; first: string[] };
type GarbageJson = { data: { removing: boolean; grace_days: number; files: Garbage; objects: Garbage } };
type VerifyJson = {
  data: { ok: boolean; compared: number; asked_for: number; findings: { kind: string; count: number }[] };
};

const pictures = 60;
const dayMs = 86_400_000;
const packId = uuidv7();

describe.each(testDatabaseKinds())('npm run ops -- storage on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let server: ObjectStorage;
  let dataDir: string;
  let env: Record<string, string>;

  beforeAll(async () => {
    [test, server, dataDir] = await Promise.all([
      createTestDatabase(kind),
      startObjectStorage(),
      mkdtemp(path.join(tmpdir(), 'storage-cli-')),
    ]);
    database = connectDatabase(test.databaseUrl, { poolMax: 4 });
    await migrateUp(database);
    env = {
      DATABASE_URL: test.databaseUrl,
      QUEUE_DATABASE_URL: test.queueUrl,
      STICKER_DATA_DIR: dataDir,
      STICKER_OBJECT_STORAGE_BUCKET: server.bucket,
      STICKER_OBJECT_STORAGE_REGION: server.region,
      STICKER_OBJECT_STORAGE_ENDPOINT: server.endpoint,
      STICKER_OBJECT_STORAGE_ACCESS_KEY_ID: server.accessKeyId,
      STICKER_OBJECT_STORAGE_SECRET_ACCESS_KEY: server.secretAccessKey,
    };
    const pack = { id: packId, pack_key: 'shown', owner_id: 'owner', name: 'Shown', publisher: '', tags: '[]' };
    await database.knex('sticker_pack').insert(pack);
    for (let number = 0; number < pictures; number += 1) await addSticker(number);
  }, 120_000);
  afterAll(async () => {
    await database?.close();
    await Promise.all([test?.drop(), server?.stop(), rm(dataDir, { recursive: true, force: true })]);
  }, 60_000);

  const store = () => createDiskStore(path.join(dataDir, 'stickers'));
  const ops = (...args: string[]): Promise<Run> => runOps(env, 'storage', ...args);

  /** Its bytes only, as uploaded: nothing was made of it. */
  async function addSticker(position: number): Promise<void> {
    const bytes = randomBytes(1_000);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await store().put('original', sha256, bytes);
    const id = uuidv7();
    await database.knex('sticker_asset').insert({
      ...{ id, owner_id: 'owner', sha256, mimetype: 'image/png', format: 'png', width: 512, height: 512 },
      ...{ frame_count: 1, is_animated: 0, size_bytes: bytes.length, status: 'ready' },
      updated_at: new Date(Date.now() - dayMs),
    });
    const item = { pack_id: packId, asset_id: id, position, emojis: '[]' };
    await database.knex('sticker_pack_item').insert(item);
  }

  it('fills the bucket, says how far it is, and has nothing left to do', async () => {
    const run = await ops('backfill', '--rate', '2000', '--concurrency', '8');

    expect([run.code, run.out]).toEqual([0, expect.stringMatching(/^60 objects brought in and checked in \d+ s/)]);
    expect(run.err).toMatch(/^Backfill: 6 of 60 objects, [\d,]+\/s, \d+ s left$/m);
    expect(run.err).toMatch(/^Backfill: 60 of 60 objects, [\d,]+\/s$/m);

    const again = await ops('backfill', '--json');
    expect([again.code, again.json<{ data: object }>().data]).toEqual([
      0,
      expect.objectContaining({ stored: 0, failed: 0, missing_here: 0, stopped: null }),
    ]);
  });

  it('finds nothing wrong then; and what is wrong with exit code 1, the way to mend it, and a repair', async () => {
    const right = await ops('verify', '--deep');
    expect([right.code, right.out]).toEqual([0, expect.stringContaining('Nothing is wrong.')]);

    const [row] = await database.knex('stored_object').select<{ sha256: string }[]>('sha256').limit(1);
    await database
      .knex('stored_object')
      .where(row ?? {})
      .delete();
    const wrong = await ops('verify');
    expect([wrong.code, wrong.out]).toEqual([1, expect.stringContaining('npm run ops -- storage backfill')]);
    expect(wrong.out).toContain(`${row?.sha256 ?? ''}`);

    const repaired = await ops('verify', '--repair', '--json');
    const { data } = repaired.json<VerifyJson>();
    expect([repaired.code, data.ok, data.compared, data.asked_for]).toEqual([1, false, pictures, 1]);
    expect(data.findings).toContainEqual(expect.objectContaining({ kind: 'not_uploaded', count: 1 }));
    const due = await database.knex('work_state').where({ task_type: 'storage', is_due: 1 });
    expect(due).toHaveLength(1);
  });

  it('lists what nothing needs with the command that removes it, and removes it only then', async () => {
    const bytes = Buffer.from('of nobody');
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await store().put('preview', sha256, bytes);
    const old = new Date(Date.now() - 40 * dayMs);
    await utimes(store().path('preview', sha256), old, old);

    const listed = await ops('gc');
    expect([listed.code, listed.out]).toEqual([
      0,
      expect.stringContaining('Nothing was removed. To remove it: npm run ops -- storage gc --yes'),
    ]);
    expect(listed.out).toContain(store().path('preview', sha256));
    expect(await store().has('preview', sha256)).toBe(true);

    const removed = await ops('gc', '--yes', '--json');
    const { data } = removed.json<GarbageJson>();
    expect([removed.code, data.removing, data.grace_days]).toEqual([0, true, 30]);
    expect([data.files.removed, data.objects.count]).toEqual([1, 0]);
    expect(await store().has('preview', sha256)).toBe(false);
    const kept = [];
    for await (const file of store().list('original')) kept.push(file.sha256);
    expect(kept).toHaveLength(pictures);
  });

  it('refuses to remove more than the catalogue has, unless it is told to', async () => {
    const old = new Date(Date.now() - 40 * dayMs);
    for (let number = 0; number < 100; number += 1) {
      const bytes = Buffer.from(`of nobody ${number}`);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      await store().put('preview', sha256, bytes);
      await utimes(store().path('preview', sha256), old, old);
    }

    const refused = await ops('gc', '--yes');
    expect([refused.code, refused.err]).toEqual([
      1,
      expect.stringMatching(/100 would be removed, and the catalogue has 60/),
    ]);
    const forced = await ops('gc', '--yes', '--force', '--json');
    expect([forced.code, forced.json<GarbageJson>().data.files.removed]).toEqual([0, 100]);
  });

  it.each([
    ['backfill', { STICKER_OBJECT_STORAGE_SECRET_ACCESS_KEY: 'wrong' }, /secret does not belong/],
    ['verify', { STICKER_OBJECT_STORAGE_BUCKET: 'no-such-bucket' }, /The bucket does not exist/],
    ['gc', { STICKER_OBJECT_STORAGE_ENDPOINT: 'http://127.0.0.1:9' }, /cannot be reached/],
  ])('ends %s with exit code 1 when the bucket cannot be used, and says why', async (command, changes, words) => {
    const run = await runOps({ ...env, ...changes }, 'storage', command);
    expect([run.code, run.out, run.err]).toEqual([1, '', expect.stringMatching(words)]);
  });

  it('needs a bucket to fill, and works on the disk alone otherwise', async () => {
    const { DATABASE_URL, QUEUE_DATABASE_URL, STICKER_DATA_DIR } = env;
    const without = { DATABASE_URL, QUEUE_DATABASE_URL, STICKER_DATA_DIR } as Record<string, string>;

    const [backfill, verify, gc] = await Promise.all(
      ['backfill', 'verify', 'gc'].map((command) => runOps(without, 'storage', command)),
    );

    expect([backfill?.code, backfill?.err]).toEqual([2, expect.stringContaining('STICKER_OBJECT_STORAGE_BUCKET')]);
    expect([verify?.code, verify?.out]).toEqual([0, expect.stringContaining('the disk alone')]);
    expect(gc?.code).toBe(0);
  });
});
