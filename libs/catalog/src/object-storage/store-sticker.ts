/**
 * Brings the bucket up to date with one sticker: its original, what is shown and its preview are put there once it may be seen, and
 * taken out, with every copy that a CDN keeps, once it may not. Never waited for by a request.
 */
import { AppError, type Database } from '@omnizap/runtime';
import type { PurgeCdn } from '@omnizap/storage';
import type { TaskHandler } from '@omnizap/tasks';
import { findAsset } from '../asset-store.ts';
import { packKeysOfAsset } from '../pack-store.ts';
import type { StickerObjects } from './sticker-objects.ts';
import {
  areAnyStored,
  contentsOfAsset,
  isStickerWanted,
  isWanted,
  type Content,
  type ContentId,
} from './stored-object-store.ts';
import { longestWaitMs } from '../task-settings.ts';
import { createVersionedHandler } from '../versioned-handler.ts';
import { createWorkStateStore, postponeSweeps } from '../work-state-store.ts';

/** Until whoever is removing an object is done with it. */
const removalMs = 5_000;

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
    const contents = await contentsOfAsset(knex, subjectId);
    if (contents.length === 0) return look.idle('the sticker is gone');
    if (stickerObjects === null && (purge === undefined || (await areAnyStored(knex, contents))))
      throw new AppError(
        'storage-not-configured',
        'This process has no bucket, and others have: give all processes the same STICKER_OBJECT_STORAGE_ settings.',
      );

    const failures: unknown[] = [];
    /** What cannot be done now must not keep the rest from being done. */
    const attempt = async (work: () => Promise<unknown>): Promise<void> => {
      await work().catch((error: unknown) => failures.push(error));
    };
    const unwanted: Content[] = [];
    const wanted: Content[] = [];
    for (const content of contents) ((await isWanted(knex, content)) ? wanted : unwanted).push(content);
    let isWaiting = false;
    // What must not be seen goes first.
    for (const content of unwanted) await attempt(async () => stickerObjects?.takeOut(content, signal));
    if (!(await isStickerWanted(knex, subjectId))) await attempt(() => forgetCopies(subjectId, unwanted, signal));
    for (const content of wanted)
      await attempt(async () => {
        if ((await stickerObjects?.bringIn(content, signal)) === 'being-removed') isWaiting = true;
      });
    if (failures.length > 0) {
      const waitMs = longestWaitMs('storage', task.attempt);
      await database.transaction((trx) => postponeSweeps(trx, kind, { taskType: 'storage', subjectId }, waitMs));
      throw failures[0];
    }
    if (isWaiting) return { status: 'retryAfter', milliseconds: removalMs, reason: 'an object is being removed' };
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
