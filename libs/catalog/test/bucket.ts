/** Stickers with real bytes on a disk, beside a real bucket and on a private database. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectDatabase, migrateUp } from '@omnizap/runtime';
import { createDiskStore, openStickerStorage, type BlobKind } from '@omnizap/storage';
import { createTestDatabase, startObjectStorage, type TestDatabaseKind } from '@omnizap/testkit';
import { createStickerObjects } from '../src/object-storage/sticker-objects.ts';
import { contentsOfAsset, type Content } from '../src/object-storage/stored-object-store.ts';
import { addPack, addSticker } from './builders.ts';

export const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
export const daysAgo = (days: number): Date => new Date(Date.now() - days * 86_400_000);

export type Bucket = Awaited<ReturnType<typeof openBucket>>;

export async function openBucket(kind: TestDatabaseKind) {
  const [test, server, root] = await Promise.all([
    createTestDatabase(kind),
    startObjectStorage(),
    mkdtemp(join(tmpdir(), 'bucket-')),
  ]);
  const database = connectDatabase(test.databaseUrl, { poolMax: 8 });
  await migrateUp(database);
  const environment = {
    STICKER_DATA_DIR: root,
    STICKER_OBJECT_STORAGE_BUCKET: server.bucket,
    STICKER_OBJECT_STORAGE_REGION: server.region,
    STICKER_OBJECT_STORAGE_ENDPOINT: server.endpoint,
    STICKER_OBJECT_STORAGE_ACCESS_KEY_ID: server.accessKeyId,
    STICKER_OBJECT_STORAGE_SECRET_ACCESS_KEY: server.secretAccessKey,
    STICKER_OBJECT_STORAGE_CDN_BASE_URL: 'https://cdn.example',
    STICKER_OBJECT_STORAGE_KEY_PREFIX: 'stickers',
    STICKER_OBJECT_STORAGE_MODE: 'proxy' as const,
    STICKER_OBJECT_STORAGE_SIGNED_URL_TTL_SECONDS: 900,
  };
  const { objects } = await openStickerStorage(environment, { attempts: 1, timeoutMs: 5_000 });
  if (objects === null) throw new Error('a bucket is configured');
  // Without an origin: what it lacks, it lacks.
  const store = createDiskStore(join(root, 'stickers'));
  const stickerObjects = createStickerObjects({ database, store, objects });

  async function putOnDisk(blob: BlobKind, sizeBytes: number, at: Date): Promise<Content> {
    const bytes = randomBytes(sizeBytes);
    const sha256 = sha256Of(bytes);
    await store.put(blob, sha256, bytes);
    await utimes(store.path(blob, sha256), at, at);
    return { kind: blob, sha256, sizeBytes };
  }

  return {
    ...{ database, server, store, objects, stickerObjects, putOnDisk },

    /** Ready, in a pack of its own, last changed a day ago, its three contents on the disk. */
    async addStored(): Promise<{ id: string; contents: Content[] }> {
      const { knex } = database;
      const at = daysAgo(40);
      const original = await putOnDisk('original', 3_000, at);
      const id = await addSticker(database, { sha256: original.sha256 });
      await knex('sticker_asset')
        .where({ id })
        .update({ size_bytes: original.sizeBytes, updated_at: daysAgo(1) });
      for (const variant of ['preview', 'sticker'] as const) {
        const { sha256, sizeBytes } = await putOnDisk(variant, 1_500, at);
        await knex('sticker_asset_derivative')
          .where({ asset_id: id, variant })
          .update({ sha256, size_bytes: sizeBytes });
      }
      await addPack(database, [id]);
      return { id, contents: await contentsOfAsset(knex, id) };
    },

    /** Keys in the bucket, in their order. */
    async keys(): Promise<string[]> {
      const keys = [];
      for await (const { key } of objects.list()) keys.push(key);
      return keys;
    },

    keyOf: ({ kind: blob, sha256 }: Pick<Content, 'kind' | 'sha256'>) => objects.key(blob, sha256),

    async clear(): Promise<void> {
      for (const table of ['sticker_pack_item', 'sticker_asset', 'sticker_pack', 'stored_object'])
        await database.knex(table).delete();
      for await (const { key } of objects.list()) await objects.remove(key);
      await rm(join(root, 'stickers'), { recursive: true, force: true });
    },

    async close(): Promise<void> {
      objects.close();
      await database.close();
      await Promise.all([test.drop(), server.stop(), rm(root, { recursive: true, force: true })]);
    },
  };
}
