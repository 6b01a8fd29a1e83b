/**
 * One change of one pack: its row is locked first, its version rises once, and it is announced in the same transaction. What would
 * change nothing is not written and not announced.
 */
import type { Transaction } from '@omnizap/runtime';
import { outboxTopic } from '@omnizap/outbox';
import { announce } from './announce.ts';
import { assertOwnerMayWrite } from './ban-store.ts';
import { lockAssets } from './asset-store.ts';
import type { DomainEvent } from './events.ts';
import { packUpdated, requireOwnPack, type Actor, type PackDeps } from './packs.ts';
import { findPackByKey, touchPack, type Pack } from './pack-store.ts';
import { requireVersion } from './pack-version.ts';
import { reviewChange } from './review-change.ts';

export type ChangeOptions = {
  requestId?: string | undefined;
  /** The version that the caller has seen: a pack that has moved on is left alone. */
  expectedVersion?: number | undefined;
};

export type Change = {
  /** What happened, for whoever reads the event. */
  action: string;
  columns?: Record<string, unknown>;
  /** Themes whose automatic packs may look different now. */
  themes?: string[];
  /** People would see something else in it, or more people would: see `reviewChange`. */
  isShown?: boolean;
  /** Beside the pack's own. */
  events?: DomainEvent[];
};

export function createPackChange(deps: PackDeps) {
  const { database, wakeups } = deps;

  /**
   * `write` returns null when there is nothing to change; `answer` reads what the caller is told, in the same transaction.
   * @throws AppError `pack-not-found`, `forbidden`, `owner-banned`, `pack-not-editable`, `precondition-failed`
   */
  return async function changePack<T>(
    actor: Actor,
    packKey: string,
    options: ChangeOptions,
    write: (trx: Transaction, pack: Pack) => Promise<Change | null>,
    answer: (trx: Transaction, pack: Pack) => Promise<T>,
  ): Promise<T> {
    const { isChanged, answered } = await database.transaction(async (trx) => {
      const pack = requireOwnPack(await findPackByKey(trx, packKey, database.kind), actor, packKey);
      await assertOwnerMayWrite(trx, actor.ownerId);
      requireVersion(pack, options.expectedVersion);
      const change = await write(trx, pack);
      if (change) {
        await touchPack(trx, database.kind, pack.id, change.columns);
        if (change.isShown === true)
          await reviewChange(trx, database.kind, pack, { kind: 'edited', actor, policy: deps.moderationPolicy });
        const events = [...(change.events ?? []), packUpdated(pack.id, change.action, change.themes ?? [])];
        await announce(trx, deps, events, options.requestId);
      }
      return { isChanged: change !== null, answered: await answer(trx, pack) };
    });
    if (isChanged) wakeups.notify(outboxTopic);
    return answered;
  };
}

/** What is in it may be shown to everybody, and so be curated. */
export function isPublic(pack: Pick<Pack, 'visibility' | 'status'>): boolean {
  return pack.visibility === 'public' && pack.status === 'published';
}

/**
 * Events that have stickers looked at again because what describes them changed; their rows are locked. With `inFile` those that
 * have a file get it anew, if its text changed. A rejected one is left alone: words do not make it readable.
 */
export async function describedAnew(
  trx: Transaction,
  deps: Pick<PackDeps, 'database'>,
  assetIds: string[],
  options: { inFile: boolean },
): Promise<DomainEvent[]> {
  if (assetIds.length === 0) return [];
  const assets = await lockAssets(trx, deps.database.kind, assetIds);
  return assets
    .filter((asset) => asset.status !== 'rejected')
    .map((asset) => ({
      type: 'STICKER_ASSET_UPDATED',
      aggregateType: 'sticker_asset',
      payload: { asset_id: asset.id, ...(options.inFile && asset.status === 'ready' ? { in_file: true } : {}) },
    }));
}
