/** What owners do with packs. Every change locks the pack's row first and announces itself in the same transaction. */
import { v7 as uuidv7 } from 'uuid';
import { AppError, sqlNow, type Transaction, type Wakeups } from '@omnizap/runtime';
import { outboxTopic } from '@omnizap/outbox';
import { announce, type AnnounceDeps } from './announce.ts';
import { assertOwnerMayWrite } from './ban-store.ts';
import { readPackViews, type PackView } from './catalogue-store.ts';
import { createOwnerTurns, requireRoomForPack, type OwnerTurns } from './owner-turns.ts';
import { createPackKey } from './pack-key.ts';
import {
  findPackByKey,
  insertPack,
  isReachable,
  itemsOfPack,
  themesOfPack,
  touchPack,
  type Pack,
  type Visibility,
} from './pack-store.ts';
import { requireVersion } from './pack-version.ts';
import { reviewChange, type ModerationPolicy } from './review-change.ts';

export { isReachable } from './pack-store.ts';

/** Whom ADMIN_TOKEN acts for: owner of what it makes. */
export const adminOwnerId = 'admin';

/** Who is asking: an owner, or an administrator who may do what any owner may. */
export type Actor = { ownerId: string; isAdmin: boolean };

export type NewPackInput = {
  name: string;
  publisher: string;
  description: string;
  visibility: Visibility;
  tags: string[];
};

export type Packs = ReturnType<typeof createPacks>;

export type PackDeps = AnnounceDeps & { wakeups: Pick<Wakeups, 'notify'>; moderationPolicy?: ModerationPolicy };

/** `maxPerOwner` 0: as many as they like. */
export function createPacks(
  deps: PackDeps & { turns?: OwnerTurns },
  options: { maxPerOwner: number } = { maxPerOwner: 0 },
) {
  const { database, wakeups } = deps;
  const turns = deps.turns ?? createOwnerTurns(database);

  return {
    /**
     * Answers the pack as this change left it: whoever deletes it a moment later must not make the change look refused.
     * @throws AppError `pack-limit-reached`
     */
    async create(actor: Actor, input: NewPackInput, requestId?: string): Promise<PackView> {
      const view = await turns.run(actor.ownerId, async (trx) => {
        await requireRoomForPack(trx, actor.ownerId, options.maxPerOwner);
        const pack = { id: uuidv7(), packKey: createPackKey(input.name), ownerId: actor.ownerId, ...input };
        await assertOwnerMayWrite(trx, actor.ownerId);
        await insertPack(trx, pack);
        await announce(trx, deps, [packUpdated(pack.id, 'created', [])], requestId);
        return readPackView(trx, pack.id);
      });
      wakeups.notify(outboxTopic);
      return view;
    },

    /**
     * Makes the pack visible as its visibility says, where the policy is `hold` after a review. Idempotent.
     * @throws AppError `pack-empty` without a usable sticker, `precondition-failed` when it has another version than expected
     */
    async publish(actor: Actor, packKey: string, requestId?: string, expectedVersion?: number): Promise<PackView> {
      const view = await database.transaction(async (trx) => {
        const pack = requireOwnPack(await findPackByKey(trx, packKey, database.kind), actor, packKey);
        requireVersion(pack, expectedVersion);
        await assertOwnerMayWrite(trx, actor.ownerId);
        if (pack.status === 'published') return readPackView(trx, pack.id);
        const items = await itemsOfPack(trx, pack.id);
        if (items.every((item) => item.status === 'rejected')) {
          throw new AppError(
            'pack-empty',
            `Pack "${packKey}" has no usable sticker: add at least one that is not rejected, then publish.`,
          );
        }
        await touchPack(trx, database.kind, pack.id, {
          status: 'published',
          published_at: trx.raw(sqlNow(database.kind)),
        });
        await reviewChange(trx, database.kind, pack, { kind: 'published', actor, policy: deps.moderationPolicy });
        await announce(trx, deps, [packUpdated(pack.id, 'published', await themesOfPack(trx, pack.id))], requestId);
        return readPackView(trx, pack.id);
      });
      wakeups.notify(outboxTopic);
      return view;
    },

    /**
     * Takes the pack out of the catalogue for good; its stickers leave the automatic packs that no other pack justifies.
     * @throws AppError `precondition-failed` when it has another version than expected
     */
    async remove(actor: Actor, packKey: string, requestId?: string, expectedVersion?: number): Promise<void> {
      await database.transaction(async (trx) => {
        const pack = requireOwnPack(await findPackByKey(trx, packKey, database.kind), actor, packKey);
        requireVersion(pack, expectedVersion);
        await assertOwnerMayWrite(trx, actor.ownerId);
        const themes = await themesOfPack(trx, pack.id);
        await touchPack(trx, database.kind, pack.id, { deleted_at: trx.raw(sqlNow(database.kind)) });
        await announce(trx, deps, [packUpdated(pack.id, 'deleted', themes)], requestId);
      });
      wakeups.notify(outboxTopic);
    },
  };
}

/** The pack as `trx` has left it so far. */
export async function readPackView(trx: Transaction, packId: string): Promise<PackView> {
  const [view] = await readPackViews(trx, [packId]);
  if (!view) throw new Error(`Pack ${packId} is gone within the transaction that changed it`);
  return view;
}

export function packUpdated(packId: string, action: string, themeKeys: string[]) {
  return {
    type: 'PACK_UPDATED' as const,
    aggregateType: 'sticker_pack' as const,
    payload: { pack_id: packId, action, theme_keys: themeKeys },
  };
}

/**
 * The pack if `actor` may change it. A pack that the actor may not even see is "not found": its existence is nobody's business.
 */
export function requireOwnPack(pack: Pack | null, actor: Actor, packKey: string): Pack {
  const isOwn = pack !== null && (actor.isAdmin || pack.ownerId === actor.ownerId);
  if (pack === null || (!isOwn && !isReachable(pack)))
    throw new AppError('pack-not-found', `There is no pack "${packKey}".`);
  if (!isOwn) throw new AppError('forbidden', `Pack "${packKey}" belongs to another owner.`);
  // A collector pack is its owner's like any other.
  if (pack.themeKey !== null)
    throw new AppError(
      'pack-not-editable',
      `Pack "${packKey}" is curated automatically and cannot be changed by hand.`,
    );
  return pack;
}
