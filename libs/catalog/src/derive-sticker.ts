/**
 * Derivatives: the WhatsApp-ready WebP and the preview of one sticker. Bytes are on disk before their rows; a file that cannot be
 * made to fit is rejected with the reason. The sticker becomes `ready` here.
 */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { makeDerivatives, probeImage } from '@omnizap/imaging';
import { outboxTopic } from '@omnizap/outbox';
import { inSpan, type Transaction } from '@omnizap/runtime';
import type { TaskHandler, TaskOutcome } from '@omnizap/tasks';
import { announce } from './announce.ts';
import {
  findAsset,
  findClassification,
  findDerivatives,
  readStickerContext,
  setAssetStatus,
  writeDerivatives,
  type Asset,
  type StoredDerivative,
} from './asset-store.ts';
import type { HandlerDeps } from './classify-sticker.ts';
import type { DomainEvent } from './events.ts';
import { isImageProblem } from './image-problem.ts';
import { packsOfAsset } from './pack-store.ts';
import { isWanted, markRemoving } from './object-storage/stored-object-store.ts';
import { createVersionedHandler, type Look } from './versioned-handler.ts';
import { createWorkStateStore } from './work-state-store.ts';

type Made = { kind: 'made'; derivatives: StoredDerivative[] } | { kind: 'rejected'; code: string; reason: string };

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

export function createDeriveSticker(deps: HandlerDeps): TaskHandler {
  const { database, store } = deps;

  async function make(asset: Asset): Promise<Made> {
    const path = await store.localPath('original', asset.sha256);
    const context = await readStickerContext(database.knex, asset.id);
    try {
      const { sticker, preview } = await makeDerivatives(path, await probeImage(path), {
        packId: context.pack?.key ?? asset.id,
        packName: context.pack?.name ?? '',
        publisher: context.pack?.publisher ?? '',
        emojis: context.emojis,
        accessibilityText: context.accessibilityLabel ?? undefined,
      });
      const derivatives: StoredDerivative[] = [
        {
          variant: 'preview',
          sha256: sha256(preview.bytes),
          width: preview.width,
          height: preview.height,
          frameCount: 1,
          sizeBytes: preview.bytes.length,
        },
        {
          variant: 'sticker',
          sha256: sha256(sticker.bytes),
          width: sticker.width,
          height: sticker.height,
          frameCount: sticker.frameCount,
          sizeBytes: sticker.bytes.length,
        },
      ];
      await store.put('preview', sha256(preview.bytes), preview.bytes);
      await store.put('sticker', sha256(sticker.bytes), sticker.bytes);
      return { kind: 'made', derivatives };
    } catch (error) {
      if (isImageProblem(error)) return { kind: 'rejected', code: error.code, reason: error.message };
      throw error;
    }
  }

  /** What nobody shows any more is taken out of the bucket by maintenance, with the addresses that it was handed out under. */
  async function letGo(trx: Transaction, before: StoredDerivative[]): Promise<void> {
    for (const { variant, sha256: hash } of before) {
      const content = { kind: variant, sha256: hash };
      if (!(await isWanted(trx, content))) await markRemoving(trx, database.kind, content);
    }
  }

  async function record({ commit, task, version }: Look<Transaction>, made: Made): Promise<TaskOutcome> {
    const lock = (trx: Transaction) => findAsset(trx, task.subjectId, database.kind);
    const outcome = await commit(lock, async (trx, asset) => {
      const affected = async () => ({
        pack_ids: await packsOfAsset(trx, asset.id),
        theme_keys: [(await findClassification(trx, asset.id))?.themeKey].filter((theme) => theme !== undefined),
      });
      let event: DomainEvent;
      if (made.kind === 'rejected') {
        if (asset.status === 'rejected') return { status: 'rejected', reason: made.reason };
        await setAssetStatus(trx, database.kind, asset.id, 'rejected', made);
        const payload = { asset_id: asset.id, category: null, is_rejected: true, ...(await affected()) };
        event = { type: 'STICKER_CLASSIFIED', aggregateType: 'sticker_asset', payload };
      } else {
        const before = await findDerivatives(trx, asset.id);
        const isSame = isDeepStrictEqual(before, made.derivatives);
        if (isSame && asset.status === 'ready') return { status: 'skipped', reason: 'nothing changed' };
        await writeDerivatives(trx, asset.id, version, made.derivatives);
        await letGo(trx, before);
        await setAssetStatus(trx, database.kind, asset.id, 'ready', null);
        event = {
          type: 'STICKER_READY',
          aggregateType: 'sticker_asset',
          payload: { asset_id: asset.id, ...(await affected()) },
        };
      }
      await announce(trx, deps, [event], task.requestId);
      return made.kind === 'rejected' ? { status: 'rejected', reason: made.reason } : { status: 'done' };
    });
    deps.wakeups.notify(outboxTopic);
    return outcome;
  }

  return createVersionedHandler(createWorkStateStore(database), 'derivative', async (look) => {
    const asset = await findAsset(database.knex, look.subjectId);
    if (!asset) return look.idle('the sticker is gone');
    if (asset.status === 'rejected') return look.idle('the sticker is rejected');
    return record(look, await inSpan({ name: 'derive sticker', kind: 'internal' }, () => make(asset)));
  });
}
