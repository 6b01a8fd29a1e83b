import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '@omnizap/runtime';
import type { PurgeCdn } from '@omnizap/storage';
import type { TaskOutcome } from '@omnizap/tasks';
import { testDatabaseKinds } from '@omnizap/testkit';
import { writeFile } from 'node:fs/promises';
import { openBucket, type Bucket } from '../../test/bucket.ts';
import { createStickerObjects } from './sticker-objects.ts';
import { createStoreSticker } from './store-sticker.ts';
import type { Content } from './stored-object-store.ts';
import { createWorkStateStore } from '../work-state-store.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });

describe.each(testDatabaseKinds())('bringing the bucket up to date with a sticker, on %s', (kind) => {
  let bucket: Bucket;
  let told: Parameters<PurgeCdn>[0][];
  const purge: PurgeCdn = (what) => Promise.resolve(void told.push(what));

  beforeAll(async () => {
    bucket = await openBucket(kind);
  }, 60_000);
  afterAll(async () => await bucket?.close());
  beforeEach(async () => {
    told = [];
    await bucket.clear();
  });

  async function work(id: string, deps: Partial<Parameters<typeof createStoreSticker>[0]> = {}): Promise<TaskOutcome> {
    const { database, stickerObjects } = bucket;
    await createWorkStateStore(database).want([{ taskType: 'storage', subjectId: id }]);
    const task = {
      id: 'task',
      taskType: 'storage',
      subjectId: id,
      attempt: 1,
      requestId: undefined,
      eventId: undefined,
    };
    const context = { signal: new AbortController().signal, log, lookedAt: () => undefined };
    return createStoreSticker({ database, stickerObjects, purge, ...deps })(task, context);
  }
  const takeDown = (id: string) =>
    bucket.database.knex('sticker_asset').where({ id }).update({ moderation: 'taken_down' });
  const isDue = async (id: string): Promise<boolean> =>
    (await bucket.database.knex('work_state').where({ task_type: 'storage', subject_id: id, is_due: 1 })).length > 0;
  const keysOf = (contents: Content[]): string[] => contents.map(bucket.keyOf).toSorted();

  it('puts it there, takes it out, and tells CDNs, whatever rows say of the bucket', async () => {
    const { id, contents } = await bucket.addStored();
    expect(await work(id)).toEqual({ status: 'done' });
    expect(await bucket.keys()).toEqual(keysOf(contents));
    expect(told).toEqual([]);

    await takeDown(id);
    // As if an upload of a while ago had not been written down.
    await bucket.database.knex('stored_object').delete();
    expect(await work(id)).toEqual({ status: 'done' });
    expect(await bucket.keys()).toEqual([]);
    expect(await bucket.database.knex('stored_object')).toEqual([]);
    expect(told).toEqual([
      {
        urls: contents.map((content) => `https://cdn.example/${bucket.keyOf(content)}`),
        paths: [expect.stringMatching(new RegExp(`^/api/sticker-packs/[^/]+/stickers/${id}\\.webp$`))],
      },
    ]);
  });

  it('leaves nothing behind of an upload that a decision overtook', async () => {
    const { id, contents } = await bucket.addStored();
    const [content] = contents as [Content];
    const reading = bucket.store.read.bind(bucket.store);
    let isOvertaken = false;
    const overtaken = createStickerObjects({
      ...bucket,
      store: {
        read: async (...of) => {
          // After the claim, before the bytes are sent.
          if (!isOvertaken) await takeDown(id);
          isOvertaken = true;
          return reading(...of);
        },
      },
    });

    expect(await overtaken.bringIn(content)).toBe('being-removed');
    expect(await bucket.keys()).toEqual([]);
    expect(await bucket.database.knex('stored_object')).toEqual([]);
  });

  it('keeps a sound object from a file that has rotted', async () => {
    const { id, contents } = await bucket.addStored();
    await work(id);
    const rotten = contents.find((content) => content.kind === 'sticker') as Content;
    await writeFile(bucket.store.path('sticker', rotten.sha256), Buffer.alloc(rotten.sizeBytes, 1));
    await bucket.stickerObjects.distrust(rotten);

    await expect(work(id)).rejects.toMatchObject({ code: 'object-corrupt' });
    const bytes = await bucket.objects.read('sticker', rotten.sha256, rotten.sizeBytes);
    expect(bytes).toHaveLength(rotten.sizeBytes);
    expect(await isDue(id)).toBe(true);
  });

  it('removes and tells first what must not be seen, also while other things fail', async () => {
    const { id, contents } = await bucket.addStored();
    await work(id);
    await takeDown(id);
    await bucket.server.kill();

    await expect(work(id)).rejects.toMatchObject({ code: 'storage-failed' });
    expect(told).toHaveLength(1);
    expect(await isDue(id)).toBe(true);

    await bucket.server.restart();
    expect(await work(id)).toEqual({ status: 'done' });
    expect([await bucket.keys(), contents.length]).toEqual([[], 3]);
  }, 60_000);

  it('tells CDNs of a sticker whose bytes another one shows', async () => {
    const { id } = await bucket.addStored();
    const other = await bucket.addStored();
    await work(id);
    const { knex } = bucket.database;
    await knex('sticker_asset_derivative').where({ asset_id: other.id }).delete();
    const rows = await knex('sticker_asset_derivative').where({ asset_id: id });
    await knex('sticker_asset_derivative').insert(rows.map((row: object) => ({ ...row, asset_id: other.id })));
    const [{ sha256 }] = (await knex('sticker_asset').where({ id }).select('sha256')) as [{ sha256: string }];
    await knex('sticker_asset').where({ id: other.id }).update({ sha256, owner_id: 'somebody-else' });
    const before = await bucket.keys();

    await takeDown(id);
    expect(await work(id)).toEqual({ status: 'done' });
    expect(await bucket.keys()).toEqual(before);
    expect(told.map(({ urls, paths }) => [urls.length, paths.length])).toEqual([[0, 1]]);
  });

  it('is not called done by a process that has no bucket', async () => {
    const { id } = await bucket.addStored();
    await expect(work(id, { stickerObjects: null, purge: undefined })).rejects.toMatchObject({
      code: 'storage-not-configured',
    });
    expect(await isDue(id)).toBe(true);

    await work(id);
    await takeDown(id);
    await expect(work(id, { stickerObjects: null })).rejects.toMatchObject({ code: 'storage-not-configured' });
    expect(await isDue(id)).toBe(true);
  });

  it('takes out nothing that a pack shows again', async () => {
    const { id, contents } = await bucket.addStored();
    await work(id);
    const { knex } = bucket.database;
    await knex('stored_object').update({ object_verified_at: null, removing_since: new Date() });

    for (const content of contents) expect(await bucket.stickerObjects.takeOut(content)).toBe(false);
    expect(await isDue(id)).toBe(true);
    expect(await work(id)).toEqual({ status: 'done' });
    expect(await bucket.keys()).toEqual(keysOf(contents));
  });
});
