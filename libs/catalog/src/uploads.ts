/** A sticker comes in: the bytes are durable before the row, and the row and its events are one transaction. */
import { v7 as uuidv7 } from 'uuid';
import { AppError, isUniqueViolation, type Transaction } from '@omnizap/runtime';
import type { ImageProbe } from '@omnizap/imaging';
import { outboxTopic } from '@omnizap/outbox';
import type { DiskStore } from '@omnizap/storage';
import { announce } from './announce.ts';
import { assertContentMayEnter, assertOwnerMayWrite } from './ban-store.ts';
import { findAssetByContent, insertAsset, type StickerStatus } from './asset-store.ts';
import type { DomainEvent } from './events.ts';
import { findPackByKey, insertItems, itemsOfPack, themesOfPack, touchPack, type Pack } from './pack-store.ts';
import { packUpdated, requireOwnPack, type Actor, type PackDeps } from './packs.ts';
import { reviewChange } from './review-change.ts';

export type StickerUpload = {
  /** A file of the disk store's temporary folder: taken over with the sticker, the caller's to remove when that is refused. */
  temporaryPath: string;
  sha256: string;
  probe: ImageProbe;
  emojis: string[];
  accessibilityLabel: string | null;
};

/** `isNew` is false when the pack already had these bytes; then nothing was changed. */
export type AddedSticker = { stickerId: string; sha256: string; status: StickerStatus; isNew: boolean };

export type UploadDeps = PackDeps & { store: DiskStore; maxItems: number };

/** What else changes with the pack when a sticker is added to it. */
type AddOptions = {
  requestId?: string | undefined;
  columns?: Record<string, unknown>;
  themes?: string[];
  events?: DomainEvent[];
};

/** Adds to a pack that `trx` has locked. @throws AppError `pack-full`, `owner-banned`, `sticker-banned` */
export async function addToPack(
  trx: Transaction,
  deps: Pick<UploadDeps, 'database' | 'flags' | 'maxItems' | 'moderationPolicy'>,
  actor: Actor,
  pack: Pack,
  upload: Omit<StickerUpload, 'temporaryPath'>,
  options: AddOptions = {},
): Promise<AddedSticker> {
  await assertOwnerMayWrite(trx, actor.ownerId);
  await assertContentMayEnter(trx, upload.sha256);
  const known = await findAssetByContent(trx, pack.ownerId, upload.sha256);
  const items = await itemsOfPack(trx, pack.id);
  if (known && items.some((item) => item.assetId === known.id)) {
    return { stickerId: known.id, sha256: upload.sha256, status: known.status, isNew: false };
  }
  if (items.length >= deps.maxItems) throw packFull(pack.packKey, deps.maxItems);

  const assetId = known?.id ?? uuidv7();
  if (!known)
    await insertAsset(trx, { id: assetId, ownerId: pack.ownerId, sha256: upload.sha256, probe: upload.probe });
  const position = Math.max(-1, ...items.map((item) => item.position)) + 1;
  await insertItems(trx, pack.id, [
    { assetId, position, emojis: upload.emojis, accessibilityLabel: upload.accessibilityLabel },
  ]);
  await touchPack(trx, deps.database.kind, pack.id, options.columns);
  await reviewChange(trx, deps.database.kind, pack, { kind: 'edited', actor, policy: deps.moderationPolicy });
  // A sticker that is classified already will not be announced again by its classification.
  const themes = known ? await themesOfPack(trx, pack.id) : [];
  const updated = packUpdated(pack.id, 'sticker_added', [...new Set([...(options.themes ?? []), ...themes])]);
  await announce(
    trx,
    deps,
    [...(options.events ?? []), stickerEvent(assetId, known !== null), updated],
    options.requestId,
  );
  return { stickerId: assetId, sha256: upload.sha256, status: known?.status ?? 'pending', isNew: true };
}

/** What to do with a sticker that came into a pack: look at it, or look at it again with more words. */
export function stickerEvent(assetId: string, isKnown: boolean): DomainEvent {
  return {
    type: isKnown ? 'STICKER_ASSET_UPDATED' : 'STICKER_ASSET_CREATED',
    aggregateType: 'sticker_asset',
    payload: { asset_id: assetId },
  };
}

export function createUploads(deps: UploadDeps) {
  const { database, wakeups, store, maxItems } = deps;

  /** Refuses what the transaction would refuse, before a byte is kept. */
  async function checkPack(actor: Actor, packKey: string): Promise<Pack> {
    const pack = requireOwnPack(await findPackByKey(database.knex, packKey), actor, packKey);
    await assertOwnerMayWrite(database.knex, actor.ownerId);
    return pack;
  }

  return {
    checkPack,

    /** @throws AppError `pack-not-found`, `forbidden`, `owner-banned`, `pack-not-editable`, `pack-full`, `sticker-banned` */
    async addSticker(actor: Actor, packKey: string, upload: StickerUpload, requestId?: string): Promise<AddedSticker> {
      const pack = await checkPack(actor, packKey);
      await assertContentMayEnter(database.knex, upload.sha256);
      const items = await itemsOfPack(database.knex, pack.id);
      if (items.length >= maxItems && !items.some((item) => item.sha256 === upload.sha256))
        throw packFull(packKey, maxItems);
      await store.adopt(upload.temporaryPath, 'original', upload.sha256);
      const add = () =>
        database.transaction(async (trx) => {
          const locked = requireOwnPack(await findPackByKey(trx, packKey, database.kind), actor, packKey);
          return addToPack(trx, deps, actor, locked, upload, { requestId });
        });
      // The same bytes may arrive for two packs of one owner at once: the loser of the race finds the winner's row.
      const added = await add().catch((error: unknown) => {
        if (isUniqueViolation(error)) return add();
        throw error;
      });
      if (added.isNew) wakeups.notify(outboxTopic);
      return added;
    },
  };
}

export type Uploads = ReturnType<typeof createUploads>;

function packFull(packKey: string, maxItems: number): AppError {
  return new AppError(
    'pack-full',
    `Pack "${packKey}" already has ${maxItems} stickers, which is the most that a pack can hold.`,
    { details: { max_items: maxItems } },
  );
}
