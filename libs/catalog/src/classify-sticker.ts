/**
 * Classification: look at one sticker, decode it, say what it is. An undecodable file is rejected with a reason that its owner can
 * read; it is never taken for safe. Writes nothing that did not change and announces only what changed.
 */
import { isDeepStrictEqual } from 'node:util';
import { analyseImage, probeImage, type ClassifierProvider } from '@omnizap/imaging';
import { inSpan, type Transaction, type Wakeups } from '@omnizap/runtime';
import { outboxTopic } from '@omnizap/outbox';
import type { DiskStore } from '@omnizap/storage';
import type { TaskHandler, TaskOutcome } from '@omnizap/tasks';
import { announce, type AnnounceDeps } from './announce.ts';
import {
  findAsset,
  findClassification,
  readStickerContext,
  setAssetStatus,
  writeClassification,
  type Asset,
  type StoredClassification,
} from './asset-store.ts';
import { applyBan, createBanMatcher } from './ban-matcher.ts';
import { isImageProblem } from './image-problem.ts';
import { stickerModerated } from './moderation-events.ts';
import { packsOfAsset } from './pack-store.ts';
import { markReviewed } from './reprocess-store.ts';
import { themeKeyOf } from './themes.ts';
import { createVersionedHandler, type Look } from './versioned-handler.ts';
import { createWorkStateStore } from './work-state-store.ts';

export type HandlerDeps = AnnounceDeps & { wakeups: Pick<Wakeups, 'notify'>; store: DiskStore };

type Finding = { kind: 'classified'; value: StoredClassification } | { kind: 'rejected'; code: string; reason: string };

export function createClassifySticker(deps: HandlerDeps, provider: ClassifierProvider): TaskHandler {
  const { database, store } = deps;
  const bans = createBanMatcher();

  /** Before anybody can see it: what looks like a banned sticker waits for a person. */
  async function holdWhatIsBanned(trx: Transaction, asset: Asset, picture: StoredClassification): Promise<boolean> {
    const [match] = await bans.matches(trx, asset, picture);
    return match !== undefined && applyBan(trx, database.kind, asset, match);
  }

  async function examine(asset: Asset): Promise<Finding> {
    const path = await store.localPath('original', asset.sha256);
    try {
      const probe = await probeImage(path);
      const analysis = await analyseImage(path, probe);
      const context = await readStickerContext(database.knex, asset.id);
      const result = await provider.classify({
        emojis: [...new Set([...context.emojis, ...(probe.metadata?.emojis ?? [])])],
        packWords: context.packWords,
        accessibilityLabel: context.accessibilityLabel ?? probe.metadata?.accessibilityText ?? null,
        features: analysis.features,
      });
      return {
        kind: 'classified',
        value: {
          provider: result.provider,
          providerVersion: result.version,
          category: result.category,
          themeKey: themeKeyOf(result.category, analysis.features.isAnimated),
          confidence: result.confidence,
          labels: result.labels,
          nsfwLevel: result.nsfwLevel,
          pixelSha256: analysis.pixelSha256,
          hashes: analysis.hashes,
          hashQuality: analysis.hashQuality,
          features: analysis.features,
        },
      };
    } catch (error) {
      if (isImageProblem(error)) return { kind: 'rejected', code: error.code, reason: error.message };
      throw error;
    }
  }

  async function record({ commit, task, version }: Look<Transaction>, finding: Finding): Promise<TaskOutcome> {
    const lock = (trx: Transaction) => findAsset(trx, task.subjectId, database.kind);
    const outcome = await commit(lock, async (trx, asset) => {
      const before = await findClassification(trx, asset.id);
      let isTaken = false;

      if (finding.kind === 'rejected') {
        await markReviewed(trx, database.kind, asset.id);
        if (asset.status === 'rejected' && asset.rejectionCode === finding.code)
          return { status: 'rejected', reason: finding.reason };
        await setAssetStatus(trx, database.kind, asset.id, 'rejected', finding);
      } else {
        const isRevived = asset.status === 'rejected';
        const isHeld = await holdWhatIsBanned(trx, asset, finding.value);
        if (!isRevived && before !== null && isSameClassification(before, finding.value)) {
          await markReviewed(trx, database.kind, asset.id);
          if (!isHeld) return { status: 'skipped', reason: 'nothing changed' };
          await announce(trx, deps, [await stickerModerated(trx, asset.id)], task.requestId);
          return { status: 'done' };
        }
        // Somebody could see it until now.
        isTaken = isHeld && asset.status === 'ready';
        await writeClassification(trx, database.kind, asset.id, version, finding.value);
        if (isRevived) await setAssetStatus(trx, database.kind, asset.id, 'pending', null);
      }

      const after = finding.kind === 'classified' ? finding.value : null;
      // A sticker that cannot be shown yet concerns no theme: the event that makes it ready will tell them.
      const themes = asset.status === 'ready' ? [before?.themeKey, after?.themeKey] : [];
      await announce(
        trx,
        deps,
        [
          {
            type: 'STICKER_CLASSIFIED',
            aggregateType: 'sticker_asset',
            payload: {
              asset_id: asset.id,
              category: after?.category ?? null,
              is_rejected: after === null,
              pack_ids: await packsOfAsset(trx, asset.id),
              theme_keys: [...new Set(themes.filter((theme) => theme !== undefined))],
            },
          },
          ...(isTaken ? [await stickerModerated(trx, asset.id)] : []),
        ],
        task.requestId,
      );
      return finding.kind === 'rejected' ? { status: 'rejected', reason: finding.reason } : { status: 'done' };
    });
    deps.wakeups.notify(outboxTopic);
    return outcome;
  }

  return createVersionedHandler(createWorkStateStore(database), 'classification', async (look) => {
    const asset = await findAsset(database.knex, look.subjectId);
    if (!asset) return look.idle('the sticker is gone');
    return record(look, await inSpan({ name: 'classify sticker', kind: 'internal' }, () => examine(asset)));
  });
}

/** JSON columns may bring numbers back in another spelling; comparing what JSON says is what counts. */
function isSameClassification(a: StoredClassification, b: StoredClassification): boolean {
  return isDeepStrictEqual(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b)));
}
