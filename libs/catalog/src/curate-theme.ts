/**
 * Curation: brings the automatic packs of one theme in line with the stickers that are there now. Each pack changes in one
 * transaction, so it never blinks out of the catalogue; a pack that is already right is not touched.
 */
import { isDeepStrictEqual } from 'node:util';
import { v7 as uuidv7 } from 'uuid';
import { outboxTopic } from '@omnizap/outbox';
import { inSpan, type Transaction } from '@omnizap/runtime';
import type { TaskHandler } from '@omnizap/tasks';
import { announce } from './announce.ts';
import type { HandlerDeps } from './classify-sticker.ts';
import { maxCandidates, planVolumes } from './curation-plan.ts';
import {
  autoPacksOfTheme,
  lockTheme,
  readCandidates,
  readItems,
  replaceItems,
  setDeleted,
  type AutoPack,
  type Candidate,
} from './curation-store.ts';
import { createPackKey } from './pack-key.ts';
import { insertPack, lockPack, touchPack, type PackItem } from './pack-store.ts';
import { packUpdated } from './packs.ts';
import { isCuratedTheme, themeTitle } from './themes.ts';
import { createVersionedHandler } from './versioned-handler.ts';
import { createWorkStateStore, markDone, markSeen } from './work-state-store.ts';

/** Owner of the automatic packs; no key is ever made for it. */
export const curatorOwnerId = 'omnizap:curation';
const curatorPublisher = 'OmniZap Auto';

/** A newer look at the theme was recorded while this one was reading. */
class Overtaken extends Error {}

export function createCurateTheme(deps: Omit<HandlerDeps, 'store'>): TaskHandler {
  const { database } = deps;

  // A theme's packs change one by one: each transaction checks the guard for itself, and the last one marks the version as done. The
  // first one shuts older looks out before anything is read, or one of them could write between our reading and our last word.
  return createVersionedHandler(createWorkStateStore(database), 'curation', async (look) => {
    const { subjectId: themeKey, version, task, signal } = look;
    const subject = { taskType: 'curation' as const, subjectId: themeKey };
    const inTheme = <T>(work: (trx: Transaction) => Promise<T>): Promise<T> =>
      inSpan({ name: 'record curation', kind: 'internal' }, () =>
        database.transaction(async (trx) => {
          signal.throwIfAborted();
          const { doneVersion, seenVersion } = await lockTheme(trx, themeKey);
          if (doneVersion >= version || seenVersion > version) throw new Overtaken();
          return work(trx);
        }),
      );
    let changes = 0;
    try {
      await inTheme((trx) => markSeen(trx, subject, version));
      const volumes = isCuratedTheme(themeKey)
        ? planVolumes(await readCandidates(database.knex, themeKey, maxCandidates))
        : [];
      const existing = await autoPacksOfTheme(database.knex, themeKey);
      for (const [index, candidates] of volumes.entries()) {
        const pack = existing.find((entry) => entry.volume === index + 1);
        if (await inTheme((trx) => writeVolume(trx, themeKey, index + 1, pack, candidates))) changes += 1;
      }
      for (const pack of existing.filter((entry) => entry.volume > volumes.length && !entry.isDeleted)) {
        await inTheme((trx) => retire(trx, pack));
        changes += 1;
      }
      await inTheme((trx) => markDone(trx, subject, version));
    } catch (error) {
      if (error instanceof Overtaken) return { status: 'skipped', reason: 'a newer look was recorded meanwhile' };
      throw error;
    } finally {
      if (changes > 0) deps.wakeups.notify(outboxTopic);
    }
    return changes > 0 ? { status: 'done' } : { status: 'skipped', reason: 'nothing changed' };

    async function writeVolume(
      trx: Transaction,
      theme: string,
      volume: number,
      pack: AutoPack | undefined,
      candidates: Candidate[],
    ): Promise<boolean> {
      const items: PackItem[] = candidates.map((candidate, position) => ({
        assetId: candidate.assetId,
        position,
        emojis: candidate.emojis,
        accessibilityLabel: candidate.accessibilityLabel,
      }));
      if (!pack) {
        const id = uuidv7();
        const name = themeTitle(theme, volume);
        await insertPack(trx, {
          id,
          packKey: createPackKey(name),
          ownerId: curatorOwnerId,
          name,
          publisher: curatorPublisher,
          description: `[auto-theme:${theme}]`,
          visibility: 'public',
          tags: [theme],
          status: 'published',
          isAutoPack: true,
          themeKey: theme,
          themeVolume: volume,
        });
        await replaceItems(trx, id, items);
        await announce(trx, deps, [packUpdated(id, 'created', [])], task.requestId);
        return true;
      }
      await lockPack(trx, pack.id);
      if (!pack.isDeleted && isDeepStrictEqual(await readItems(trx, pack.id), items)) return false;
      await replaceItems(trx, pack.id, items);
      if (pack.isDeleted) await setDeleted(trx, database.kind, pack.id, false);
      await touchPack(trx, database.kind, pack.id);
      await announce(trx, deps, [packUpdated(pack.id, 'curated', [])], task.requestId);
      return true;
    }

    async function retire(trx: Transaction, pack: AutoPack): Promise<void> {
      await lockPack(trx, pack.id);
      await setDeleted(trx, database.kind, pack.id, true);
      await touchPack(trx, database.kind, pack.id);
      await announce(trx, deps, [packUpdated(pack.id, 'retired', [])], task.requestId);
    }
  });
}
