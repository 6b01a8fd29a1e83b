/**
 * Which bans a picture falls under: the few bans are compared in memory, by the one rule of what a near-duplicate is. They are read
 * again only when one has come or gone.
 */
import { isNearDuplicate, type HashSet } from '@omnizap/imaging';
import type { DatabaseKind, Transaction } from '@omnizap/runtime';
import type { Asset } from './asset-store.ts';
import { activeStickerBans, shareGuard, stickerSlot, type Ban } from './ban-store.ts';
import { clearedBans, findCase, setModeration } from './moderation-store.ts';

/** `isSame`: the very bytes. Else a near-duplicate, which a person has to look at. */
export type BanMatch = { ban: Ban; isSame: boolean };

export function createBanMatcher() {
  let known: { epoch: number; bans: Ban[] } | undefined;

  /** Until `trx` ends no ban comes or goes: lock the asset's row before. */
  async function currentBans(trx: Transaction): Promise<Ban[]> {
    const epoch = await shareGuard(trx, stickerSlot);
    if (known?.epoch !== epoch) known = { epoch, bans: await activeStickerBans(trx) };
    return known.bans;
  }

  return {
    /** Those that an administrator has not cleared the asset of; the very bytes first. */
    async matches(trx: Transaction, asset: Pick<Asset, 'id' | 'sha256'>, picture: HashSet | null): Promise<BanMatch[]> {
      const found = (await currentBans(trx))
        .filter((ban) => isMatch(ban, asset.sha256, picture))
        .map((ban) => ({ ban, isSame: ban.sha256 === asset.sha256 }));
      if (found.length === 0) return [];
      const cleared = await clearedBans(trx, asset.id);
      return found
        .filter(({ ban, isSame }) => isSame || !cleared.has(ban.id))
        .toSorted((a, b) => Number(b.isSame) - Number(a.isSame));
    },
  };
}

function isMatch(ban: Ban, sha256: string, picture: HashSet | null): boolean {
  if (ban.sha256 === sha256) return true;
  return ban.picture !== null && picture !== null && isNearDuplicate(ban.picture, picture);
}

/**
 * Takes the very bytes down and holds a near-duplicate. False when the asset, whose row is locked, is already as hidden as that. The
 * caller announces it.
 */
export async function applyBan(
  trx: Transaction,
  kind: DatabaseKind,
  asset: Pick<Asset, 'id' | 'moderation' | 'moderationReason'>,
  { ban, isSame }: BanMatch,
): Promise<boolean> {
  const isHidden = asset.moderation === 'taken_down' || (asset.moderation === 'held' && !isSame);
  if (isHidden) return false;
  const held = await findCase(trx, 'sticker', asset.id, asset.moderationReason);
  const before =
    held === null
      ? { state: asset.moderation, reason: asset.moderationReason, sinceAt: null }
      : (held.before ?? { state: held.state, reason: held.reason, sinceAt: held.sinceAt });
  const reason = isSame ? `Banned: ${ban.reason}` : 'Looks like a sticker that is banned here, and waits for review.';
  await setModeration(trx, kind, 'sticker', asset.id, {
    state: isSame ? 'taken_down' : 'held',
    reason: reason.slice(0, longestReason),
    ban: { id: ban.id, before },
  });
  return true;
}

/** Of the column. */
const longestReason = 500;
