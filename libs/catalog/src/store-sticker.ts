/**
 * Brings the bucket up to date with one sticker: its original, what is shown and its preview are put there once it may be seen, and
 * taken out, with every copy that a CDN keeps, once it may not. Never waited for by a request.
 */
import type { Database } from '@omnizap/runtime';
import type { PurgeCdn } from '@omnizap/storage';
import { retryDelayMs, type TaskHandler } from '@omnizap/tasks';
import { findAsset } from './asset-store.ts';
import { packKeysOfAsset } from './pack-store.ts';
import type { StickerObjects } from './sticker-objects.ts';
import { contentsOfAsset, isWanted, type ContentId } from './stored-object-store.ts';
import { taskSettings } from './task-settings.ts';
import { createVersionedHandler } from './versioned-handler.ts';
import { createWorkStateStore, postponeSweeps } from './work-state-store.ts';

/** Until whoever is removing an object is done with it. */
const removalMs = 5_000;
/** The wait that the queue chooses may be this much longer than its ceiling: a worker has to be free. */
const sweepMarginMs = 60_000;

type Deps = {
  database: Database;
  /** Null: this process knows no bucket. */
  stickerObjects: StickerObjects | null;
  purge: PurgeCdn | undefined;
};

export function createStoreSticker({ database, stickerObjects, purge }: Deps): TaskHandler {
  const { knex, kind } = database;

  return createVersionedHandler(createWorkStateStore(database), 'storage', async (look) => {
    const { subjectId, signal, task } = look;
    if (stickerObjects === null && purge === undefined) return look.idle('neither a bucket nor a CDN is configured');
    const contents = await contentsOfAsset(knex, subjectId);
    if (contents.length === 0) return look.idle('the sticker is gone');
    try {
      const unwanted = [];
      for (const content of contents) {
        if (!(await isWanted(knex, content))) unwanted.push(content);
        else if ((await stickerObjects?.bringIn(content, signal)) === 'being-removed')
          return { status: 'retryAfter', milliseconds: removalMs, reason: 'an object is being removed' };
      }
      for (const content of unwanted) await stickerObjects?.takeOut(content, signal);
      if (unwanted.length > 0) await forgetCopies(subjectId, unwanted, signal);
    } catch (error) {
      const settings = taskSettings.find(({ type }) => type === 'storage');
      const longestMs = (settings ? retryDelayMs(settings, task.attempt, () => 1) : 0) + sweepMarginMs;
      await database.transaction((trx) => postponeSweeps(trx, kind, { taskType: 'storage', subjectId }, longestMs));
      throw error;
    }
    return look.commit(
      (trx) => findAsset(trx, subjectId, kind),
      () => Promise.resolve({ status: 'done' }),
    );
  });

  /** At whatever addresses they were handed out. */
  async function forgetCopies(assetId: string, contents: ContentId[], signal: AbortSignal): Promise<void> {
    const keys = await packKeysOfAsset(knex, assetId);
    await purge?.(
      {
        urls: stickerObjects?.publicUrls(contents) ?? [],
        paths: keys.map((key) => `/api/sticker-packs/${key}/stickers/${assetId}.webp`),
      },
      signal,
    );
  }
}
