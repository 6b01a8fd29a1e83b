/**
 * Auto-collect: a sticker comes in without a pack, and goes where its owner is collecting now. One post of an owner is decided at
 * a time, so that no two of them open the same next pack; a duplicate says which pack has it.
 */
import { v7 as uuidv7 } from 'uuid';
import { AppError, sqlNow, type Transaction } from '@omnizap/runtime';
import { outboxTopic } from '@omnizap/outbox';
import { announce } from './announce.ts';
import { findAsset } from './asset-store.ts';
import { collectorDescription, collectorPublisher, nextCollectorName, roleOf } from './collector-packs.ts';
import { requireRoomForPack, type OwnerTurns } from './owner-turns.ts';
import { describedAnew, isPublic } from './pack-change.ts';
import { createPackKey } from './pack-key.ts';
import { placesOfContent, readTargetPacks, type TargetPack } from './pack-owner-store.ts';
import { insertPack, itemsOfPack, lockPackById, themesOfPack, type Pack } from './pack-store.ts';
import { packUpdated, type Actor } from './packs.ts';
import { addToPack, type AddedSticker, type StickerUpload, type UploadDeps } from './uploads.ts';

export type CollectedSticker = AddedSticker & { packKey: string; packName: string };

export type AutoCollectOptions = {
  isEnabled: boolean;
  /** Collector packs are called `<base name><N>`. */
  baseName: string;
  /** Packs of one owner at most; 0: as many as they like. */
  maxPerOwner: number;
};

export type AutoCollect = ReturnType<typeof createAutoCollect>;

export function createAutoCollect(deps: UploadDeps & { turns: OwnerTurns }, options: AutoCollectOptions) {
  const { database, wakeups, store, turns, maxItems } = deps;
  const { kind } = database;

  /** @throws AppError `auto-collect-disabled` */
  function requireEnabled(): void {
    if (options.isEnabled) return;
    throw new AppError(
      'auto-collect-disabled',
      'This server does not choose a pack by itself: send the sticker to a pack, POST /api/sticker-packs/{packKey}/stickers.',
    );
  }

  async function collect(
    trx: Transaction,
    actor: Actor,
    upload: StickerUpload,
    senderName: string,
    requestId: string | undefined,
  ): Promise<CollectedSticker> {
    const packs = (await readTargetPacks(trx, actor.ownerId))
      .map((pack) => ({ ...pack, role: roleOf(pack, options.baseName) }))
      .filter((pack) => pack.role !== 'theme');
    const duplicate = await findDuplicate(trx, actor.ownerId, upload.sha256, packs);
    if (duplicate) return duplicate;

    const withRoom = packs.filter((pack) => pack.itemCount < maxItems);
    for (const role of ['own', 'collector'] as const) {
      for (const target of withRoom.filter((pack) => pack.role === role)) {
        const pack = await lockPackById(trx, target.id, kind);
        // Others do not wait for the owner's turn: it may have been deleted or filled meanwhile.
        if (pack && (await itemsOfPack(trx, pack.id)).length < maxItems)
          return add(trx, actor, pack, role, upload, requestId);
      }
    }
    await requireRoomForPack(trx, actor.ownerId, options.maxPerOwner);
    const names = packs.map((pack) => pack.name);
    const opened = await openCollector(trx, actor, names, senderName, requestId);
    return add(trx, actor, opened, 'collector', upload, requestId);
  }

  async function add(
    trx: Transaction,
    actor: Actor,
    pack: Pack,
    role: 'own' | 'collector',
    upload: StickerUpload,
    requestId: string | undefined,
  ): Promise<CollectedSticker> {
    // What collects by itself is not for everybody to see, nor for nobody: whoever gets the link may.
    const isMoved = role === 'collector' && pack.visibility !== 'unlisted';
    const added = await addToPack(trx, deps, actor, pack, upload, {
      requestId,
      ...(isMoved ? { columns: { visibility: 'unlisted' } } : {}),
      themes: isMoved && isPublic(pack) ? await themesOfPack(trx, pack.id) : [],
      // Their files name a public pack, and must not name one that only its link shows.
      events:
        isMoved && pack.visibility === 'public'
          ? await describedAnew(trx, deps, await assetsOf(trx, pack), { inFile: true })
          : [],
    });
    return { ...added, packKey: pack.packKey, packName: pack.name };
  }

  async function openCollector(
    trx: Transaction,
    actor: Actor,
    names: string[],
    senderName: string,
    requestId: string | undefined,
  ): Promise<Pack> {
    const name = nextCollectorName(names, options.baseName);
    const id = uuidv7();
    await insertPack(trx, {
      id,
      packKey: createPackKey(name),
      ownerId: actor.ownerId,
      name,
      publisher: senderName === '' ? collectorPublisher : senderName,
      description: collectorDescription,
      visibility: 'unlisted',
      tags: [],
      // Nobody would come to publish it.
      status: 'published',
      publishedAt: trx.raw(sqlNow(kind)),
      isAutoPack: true,
    });
    await announce(trx, deps, [packUpdated(id, 'created', [])], requestId);
    const pack = await lockPackById(trx, id, kind);
    if (!pack) throw new Error(`Pack ${id} is gone within the transaction that made it`);
    return pack;
  }

  return {
    requireEnabled,

    /** @throws AppError `auto-collect-disabled`, `pack-limit-reached`, `owner-banned`, `sticker-banned` */
    async collect(
      actor: Actor,
      upload: StickerUpload,
      senderName: string,
      requestId?: string,
    ): Promise<CollectedSticker> {
      requireEnabled();
      await store.adopt(upload.temporaryPath, 'original', upload.sha256);
      const collected = await turns.run(actor.ownerId, (trx) => collect(trx, actor, upload, senderName, requestId));
      if (collected.isNew) wakeups.notify(outboxTopic);
      return collected;
    },
  };
}

async function assetsOf(trx: Transaction, pack: Pack): Promise<string[]> {
  return (await itemsOfPack(trx, pack.id)).map((item) => item.assetId);
}

/** The most recently changed pack that has the content; rolled over or not, what is there is not collected again. */
async function findDuplicate(
  trx: Transaction,
  ownerId: string,
  sha256: string,
  packs: TargetPack[],
): Promise<CollectedSticker | null> {
  const places = await placesOfContent(trx, ownerId, sha256);
  const pack = packs.find((entry) => places.some((place) => place.packId === entry.id));
  const place = places.find((entry) => entry.packId === pack?.id);
  const asset = place ? await findAsset(trx, place.assetId) : null;
  if (!pack || !asset) return null;
  return {
    stickerId: asset.id,
    sha256,
    status: asset.status,
    isNew: false,
    packKey: pack.packKey,
    packName: pack.name,
  };
}
