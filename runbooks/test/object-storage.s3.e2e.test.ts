/**
 * object-storage.md, typed as it stands on a host with the real pm2 and a real S3 server, under load of people who look at stickers:
 * from a fleet without a bucket to 100 % and back. Nobody may notice, also when the bucket goes away in between.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ask, drawPng, startLoad, startObjectStorage, waitFor } from '@omnizap/testkit';
import type { Load, ObjectStorage } from '@omnizap/testkit';
import path from 'node:path';
import { stableFolder } from '../../deploy/pm2/test/pm2-host.ts';
import { runCommand } from '../../deploy/pm2/test/run-command.ts';
import { writeHastenedPlans } from './hastened-plans.ts';
import { openOperatedHost, patience, type OperatedHost } from './operated-host.ts';

describe('object-storage.md', () => {
  let operated: OperatedHost;
  let storage: ObjectStorage;

  beforeAll(async () => {
    [operated, storage] = await Promise.all([openOperatedHost('postgres'), startObjectStorage()]);
    const { host } = operated;
    host.env.ROLLOUT_PLANS_DIR = path.join(host.folder, 'plans');
    await writeHastenedPlans(host.env.ROLLOUT_PLANS_DIR);
    const run = (command: 'migrate' | 'pm2', ...args: string[]) => runCommand(stableFolder, command, args, host.env);
    expect(await run('migrate', 'up')).toMatchObject({ code: 0 });
    expect(await run('pm2', 'start', 'deploy/pm2/ecosystem.prod.config.cjs')).toMatchObject({ code: 0 });
    await host.markDaemon();
    const ready = async (): Promise<boolean> => (await ask(`${apiUrl()}/readyz`)).status === 200;
    await waitFor(ready, { ...patience, description: 'the API' });
  }, 240_000);
  afterAll(async () => {
    await operated?.close();
    await storage?.stop();
  }, 60_000);

  const apiUrl = (): string => `http://127.0.0.1:${operated.host.env.PORT}`;
  const count = async (table: string, where: object = {}): Promise<number> =>
    (await operated.database.knex(table).where(where).select('sha256')).length;
  const verified = async (): Promise<number> =>
    (await operated.database.knex('stored_object').whereNotNull('object_verified_at').select('sha256')).length;

  /** Clients that fetch stickers of a published pack, each with all its bytes. */
  async function startVisitors(): Promise<{ load: Load; stickerIds: string[]; packKey: string }> {
    const { owner, packKey } = await operated.client();
    const stickers = Array.from({ length: 12 }, (_, index) => ({ bytes: drawPng(60_000 + index), emojis: ['😀'] }));
    const stickerIds = await owner.addStickers(packKey, stickers);
    await operated.waitUntilReady(stickerIds);
    expect((await owner.publish(packKey)).status).toBe(200);
    const list = `${apiUrl()}/api/sticker-packs`;
    const urls = stickerIds.map((id) => `${list}/${packKey}/stickers/${id}.webp`);
    await waitFor(async () => (await ask(urls[0] ?? '')).status === 200, patience);
    return { load: startLoad([list, ...urls], { kept: 4, fresh: 1, restMs: 20 }), stickerIds, packKey };
  }

  it('is walked under load to 100 % and back, and nobody notices', async () => {
    const { host, open, flags } = operated;
    const page = await open('object-storage', { 'release verify': 'release verify --observe 0' });
    const { load, stickerIds, packKey } = await startVisitors();
    try {
      const objects = 3 * stickerIds.length;
      expect(await verified()).toBe(0);
      const { endpoint, region, bucket, accessKeyId, secretAccessKey } = storage;
      const fill = {
        STICKER_OBJECT_STORAGE_BUCKET: bucket,
        STICKER_OBJECT_STORAGE_ENDPOINT: endpoint,
        STICKER_OBJECT_STORAGE_REGION: region,
        STICKER_OBJECT_STORAGE_ACCESS_KEY_ID: accessKeyId,
        STICKER_OBJECT_STORAGE_SECRET_ACCESS_KEY: secretAccessKey,
      };
      await page.run('Turn it on', { fill });
      Object.assign(host.env, fill);
      expect([await verified(), await count('stored_object')]).toEqual([objects, objects]);
      expect((await flags()).object_storage_delivery).toBe(0);

      await page.run('Raise it');
      expect((await flags()).object_storage_delivery).toBe(100);

      const before = load.counts().answered;
      await storage.kill();
      await waitFor(() => load.counts().answered > before + 200, {
        ...patience,
        description: 'answers without a bucket',
      });
      await storage.restart();
      const { owner } = await operated.client();
      const late = await owner.addStickers(packKey, [{ bytes: drawPng(61_000), emojis: ['😀'] }]);
      await operated.waitUntilReady(late);
      await waitFor(async () => (await verified()) === objects + 3, {
        ...patience,
        description: 'the late one stored',
      });

      await page.run('Back');
      expect((await flags()).object_storage_delivery).toBe(0);
    } finally {
      const { answered, failed } = await load.stop();
      expect([answered > 500, failed]).toEqual([true, {}]);
    }
    expect(page.left()).toEqual([]);
  }, 600_000);
});
