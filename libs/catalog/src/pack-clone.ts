/**
 * Clone: a draft of the caller's own with the stickers of a pack that the caller can see. It is private whatever the source is:
 * showing it is a decision of its own. The stickers are the caller's assets (ADR 5), looked at anew with the caller's words: files
 * of another owner name another pack inside.
 */
import { v7 as uuidv7 } from 'uuid';
import { AppError, type Transaction } from '@omnizap/runtime';
import { outboxTopic } from '@omnizap/outbox';
import { announce } from './announce.ts';
import { copyAsset, findAssetByContent } from './asset-store.ts';
import { assertOwnerMayWrite } from './ban-store.ts';
import type { PackView } from './catalogue-store.ts';
import { withoutMarkers } from './collector-packs.ts';
import { readItems } from './curation-store.ts';
import type { DomainEvent } from './events.ts';
import { requireRoomForPack, type OwnerTurns } from './owner-turns.ts';
import { createPackKey } from './pack-key.ts';
import { findPackByKey, insertItems, insertPack, itemsOfPack, type Pack, type PackItem } from './pack-store.ts';
import { isReachable, packUpdated, readPackView, type Actor, type PackDeps } from './packs.ts';
import { stickerEvent } from './uploads.ts';

/** What is absent is as in the source. */
export type CloneInput = { name?: string | undefined; publisher?: string | undefined };

export type PackClone = ReturnType<typeof createPackClone>;

export function createPackClone(
  deps: PackDeps & { turns: OwnerTurns; maxItems: number },
  options: { maxPerOwner: number },
) {
  const { database, wakeups, turns, maxItems } = deps;

  /** The caller's sticker with the bytes of `sourceId`, and the event that has it looked at. */
  async function adopt(
    trx: Transaction,
    ownerId: string,
    source: { assetId: string; sha256: string },
  ): Promise<{ assetId: string; event: DomainEvent }> {
    const known = await findAssetByContent(trx, ownerId, source.sha256);
    const assetId = known?.id ?? uuidv7();
    if (!known) await copyAsset(trx, source.assetId, { id: assetId, ownerId });
    return { assetId, event: stickerEvent(assetId, known !== null) };
  }

  async function clone(
    trx: Transaction,
    actor: Actor,
    packKey: string,
    input: CloneInput,
    requestId: string | undefined,
  ): Promise<PackView> {
    await requireRoomForPack(trx, actor.ownerId, options.maxPerOwner);
    // Locked: it is cloned as it is at one moment, and not at all when it was made private before that.
    const source = requireSeen(await findPackByKey(trx, packKey, database.kind), actor, packKey);
    await assertOwnerMayWrite(trx, actor.ownerId);
    const isOwn = actor.isAdmin || source.ownerId === actor.ownerId;
    const stored = await itemsOfPack(trx, source.id);
    // Nobody gets what they could not see: only the source's owner sees what is not ready yet.
    const usable = stored.filter(
      (item) => item.moderation === 'approved' && (item.status === 'ready' || (isOwn && item.status === 'pending')),
    );
    if (usable.length === 0) throw new AppError('pack-empty', `Pack "${packKey}" has no sticker that could be cloned.`);
    const words = new Map((await readItems(trx, source.id)).map((item) => [item.assetId, item]));

    const name = input.name ?? source.name;
    const pack = {
      id: uuidv7(),
      packKey: createPackKey(name),
      ownerId: actor.ownerId,
      name,
      publisher: input.publisher ?? source.publisher,
      description: withoutMarkers(source.description),
      visibility: 'private' as const,
      tags: source.tags,
    };
    await insertPack(trx, pack);
    const items: PackItem[] = [];
    const events = new Map<string, DomainEvent>();
    // In the order of their content, so that two who lock several of these assets do not wait for each other.
    for (const item of usable
      .slice(0, maxItems)
      .toSorted((a, b) => (a.sha256 < b.sha256 ? -1 : a.sha256 > b.sha256 ? 1 : 0))) {
      const { assetId, event } = await adopt(trx, actor.ownerId, item);
      if (events.has(assetId)) continue;
      events.set(assetId, event);
      const { emojis = [], accessibilityLabel = null } = words.get(item.assetId) ?? {};
      items.push({ assetId, position: item.position, emojis, accessibilityLabel });
    }
    items.sort((a, b) => a.position - b.position);
    await insertItems(
      trx,
      pack.id,
      items.map((item, position) => ({ ...item, position })),
    );
    await announce(trx, deps, [...events.values(), packUpdated(pack.id, 'cloned', [])], requestId);
    return readPackView(trx, pack.id);
  }

  return {
    /** @throws AppError `pack-not-found`, `pack-empty`, `pack-limit-reached`, `owner-banned` */
    async clone(actor: Actor, packKey: string, input: CloneInput, requestId?: string): Promise<PackView> {
      const view = await turns.run(actor.ownerId, (trx) => clone(trx, actor, packKey, input, requestId));
      wakeups.notify(outboxTopic);
      return view;
    },
  };
}

/** Automatic packs may be cloned like any other that can be seen. */
function requireSeen(pack: Pack | null, actor: Actor, packKey: string): Pack {
  if (pack !== null && (actor.isAdmin || pack.ownerId === actor.ownerId || isReachable(pack))) return pack;
  throw new AppError('pack-not-found', `There is no pack "${packKey}".`);
}
