/**
 * Stickers that no pack has any more are kept for the grace period and then go: from the tables first, then from the bucket, from
 * CDNs and from this disk. A kill in between leaves objects whose rows say that they are being removed, which the next pass goes on
 * with, and files that `storage gc` finds. What moderation may need as evidence stays.
 */
import type { Database, Logger } from '@omnizap/runtime';
import type { DiskStore, PurgeCdn } from '@omnizap/storage';
import type { StickerObjects } from './sticker-objects.ts';
import { isUsed } from './stored-content-store.ts';
import { contentsOfAsset, isWanted, markRemoving, type ContentId } from './stored-object-store.ts';
import {
  assetsOfPack,
  deleteAsset,
  deleteItems,
  lockRemovable,
  longDeletedPacks,
  markUnused,
  removableAssets,
  unfinishedRemovals,
} from './unused-sticker-store.ts';

/** Of one pass, for each of its parts: every other duty of maintenance waits for it. */
const partBudgetMs = 1_000;
const walkStep = 1_000;
const removalsPerPass = 200;
/** A removal takes seconds; one that is older has nobody any more. */
const unfinishedMs = 600_000;

type Deps = {
  database: Database;
  store: Pick<DiskStore, 'removeUnlessTouched'>;
  /** Null: this process knows no bucket. What was in one is left to a process that does, or to `storage gc`. */
  stickerObjects: StickerObjects | null;
  purge: PurgeCdn | undefined;
  log: Logger;
};

export function createUnusedStickers(deps: Deps, { graceDays }: { graceDays: number }) {
  const { database, store, stickerObjects, purge, log } = deps;
  const { knex, kind } = database;
  /** Where each walk goes on; null: from the beginning. */
  let packsAfter: string | null = null;
  let stickersAfter: string | null = null;

  /** From the bucket, and, before its row is gone, from CDNs. */
  async function takeOut(content: ContentId, signal: AbortSignal): Promise<void> {
    const urls = stickerObjects?.publicUrls([content]) ?? [];
    await stickerObjects?.takeOut(content, signal, async () => {
      if (urls.length > 0) await purge?.({ urls, paths: [] }, signal);
    });
  }

  async function goOn(signal: AbortSignal): Promise<void> {
    if (stickerObjects === null) return;
    for (const content of await unfinishedRemovals(knex, kind, unfinishedMs, removalsPerPass)) {
      if (signal.aborted) return;
      await takeOut(content, signal).catch((error: unknown) =>
        log.warn({ err: error, sha256: content.sha256 }, 'an object that nothing needs stays for now; trying again'),
      );
    }
  }

  /** A pack that was deleted long ago lets go of its stickers. */
  async function emptyPacks(signal: AbortSignal): Promise<void> {
    await walk(signal, async () => {
      const { packs, next } = await longDeletedPacks(knex, kind, graceDays, packsAfter, walkStep);
      for (const { id, packKey } of packs) {
        const paths = (await assetsOfPack(knex, id)).map(
          (asset) => `/api/sticker-packs/${packKey}/stickers/${asset}.webp`,
        );
        // Before it: afterwards nobody knows under which addresses copies were made.
        await purge?.({ urls: [], paths }, signal);
        await deleteItems(knex, id);
      }
      return (packsAfter = next) !== null;
    });
  }

  async function mark(signal: AbortSignal): Promise<void> {
    await walk(signal, async () => {
      stickersAfter = await markUnused(knex, kind, stickersAfter, walkStep);
      return stickersAfter !== null;
    });
  }

  async function remove(signal: AbortSignal): Promise<number> {
    const deadline = performance.now() + partBudgetMs;
    let removed = 0;
    for (const assetId of await removableAssets(knex, kind, graceDays, removalsPerPass)) {
      if (signal.aborted || performance.now() > deadline) break;
      if (await removeOne(assetId, signal)) removed += 1;
    }
    return removed;
  }

  /** False when a pack has it again, or somebody else was faster. */
  async function removeOne(assetId: string, signal: AbortSignal): Promise<boolean> {
    const contents = await database.transaction(async (trx) => {
      if (!(await lockRemovable(trx, kind, assetId, graceDays))) return null;
      const own = await contentsOfAsset(trx, assetId);
      await deleteAsset(trx, assetId);
      // From here on it is written down what has to go, whatever happens to us.
      for (const content of own) if (!(await isWanted(trx, content))) await markRemoving(trx, kind, content);
      return own;
    });
    if (contents === null) return false;
    for (const content of contents) {
      await takeOut(content, signal).catch((error: unknown) =>
        log.warn({ err: error, sha256: content.sha256 }, 'an object of a removed sticker stays for now; trying again'),
      );
      if (!(await isUsed(knex, content))) await store.removeUnlessTouched(content.kind, content.sha256);
    }
    return true;
  }

  return {
    /** A bounded piece of all of it. @throws what failed last, after the other parts had their turn */
    async pass(signal: AbortSignal): Promise<void> {
      const failures: unknown[] = [];
      const attempt = async (part: () => Promise<void>): Promise<void> => {
        if (!signal.aborted) await part().catch((error: unknown) => failures.push(error));
      };
      await attempt(() => goOn(signal));
      await attempt(() => emptyPacks(signal));
      await attempt(() => mark(signal));
      await attempt(async () => {
        const removed = await remove(signal);
        if (removed > 0) log.info({ stickers: removed }, 'removed stickers that no pack had any more');
      });
      if (failures.length > 0) throw failures.at(-1);
    },
  };
}

/** Steps until there is none, or the time of a pass is over. */
async function walk(signal: AbortSignal, step: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + partBudgetMs;
  while (!signal.aborted && performance.now() < deadline) if (!(await step())) return;
}
