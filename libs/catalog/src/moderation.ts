/**
 * What administrators decide about packs and stickers. A decision, its audit entry and its event are one transaction; readers ask for
 * the state itself, so it counts from the next request on, whatever rankings and caches still say.
 */
import type { HashSet } from '@omnizap/imaging';
import { outboxTopic } from '@omnizap/outbox';
import { AppError, readAudit, writeAudit, type AuditRecord, type Transaction, type Wakeups } from '@omnizap/runtime';
import { announce, type AnnounceDeps } from './announce.ts';
import { findAsset, findClassification, type Asset } from './asset-store.ts';
import { createBanMatcher } from './ban-matcher.ts';
import { findActiveBan, shareGuard, slotOfOwner } from './ban-store.ts';
import { packModerated, stickerModerated } from './moderation-events.ts';
import { stateAfter, type Decision, type ModerationTarget } from './moderation-state.ts';
import {
  clearOfBans,
  findCase,
  readQueue,
  setModeration,
  type ModerationCase,
  type QueuedCase,
  type QueuePosition,
  type Verdict,
} from './moderation-store.ts';
import { findPackByKey, type Pack } from './pack-store.ts';
import { closeReports, openReportsOfPack, type Report } from './report-store.ts';

/** Who decides, and why: the owner reads the reason. */
export type Decider = { actor: string; reason: string; requestId?: string | undefined };

/** What an administrator looks at before deciding. */
export type PackFile = {
  ownerId: string;
  moderation: Verdict & { sinceAt: Date | null; banId: string | null };
  /** Open ones, the newest first. */
  reports: Report[];
  /** What administrators did about it, the newest first. */
  actions: AuditRecord[];
};

const reportsShown = 50;
const actionsShown = 20;

export type Moderation = ReturnType<typeof createModeration>;

export function createModeration(deps: AnnounceDeps & { wakeups: Pick<Wakeups, 'notify'> }) {
  const { database, wakeups } = deps;
  const { knex, kind } = database;
  const matcher = createBanMatcher();

  async function audit(
    trx: Transaction,
    target: { type: string; name: string; id: string },
    decision: Decision,
    before: Verdict,
    after: Verdict,
    by: Decider,
  ): Promise<void> {
    await writeAudit(trx, {
      ...{ actor: by.actor, action: `${target.name}.${decision}`, targetType: target.type, targetId: target.id },
      ...{ reason: by.reason, before, after, requestId: by.requestId },
    });
  }

  async function refuseOfBannedOwner(trx: Transaction, pack: Pack): Promise<void> {
    await shareGuard(trx, slotOfOwner(pack.ownerId));
    const ban = await findActiveBan(trx, { owner_id: pack.ownerId });
    if (ban)
      throw new AppError(
        'moderation-conflict',
        `The owner of pack "${pack.packKey}" is banned: revoke ban "${ban.id}" first.`,
      );
  }

  /** Near-duplicates are cleared of the bans that they look like. @throws AppError `moderation-conflict` for the banned bytes */
  async function clear(trx: Transaction, asset: Asset, picture: HashSet | null): Promise<void> {
    const matches = await matcher.matches(trx, asset, picture);
    const same = matches.find(({ isSame }) => isSame);
    if (same)
      throw new AppError(
        'moderation-conflict',
        `The bytes of sticker "${asset.id}" are banned: revoke ban "${same.ban.id}" first.`,
      );
    await clearOfBans(
      trx,
      asset.id,
      matches.map(({ ban }) => ban.id),
    );
  }

  return {
    /**
     * Decides about a pack; again: without effect. Its open reports are closed with it.
     * @throws AppError `pack-not-found`, `moderation-conflict`
     */
    async decidePack(packKey: string, decision: Decision, by: Decider): Promise<Verdict> {
      const verdict = await database.transaction(async (trx) => {
        const pack = await findPackByKey(trx, packKey, kind);
        if (!pack) throw new AppError('pack-not-found', `There is no pack "${packKey}".`);
        const before: Verdict = { state: pack.moderation, reason: pack.moderationReason };
        const state = stateAfter(decision, pack.moderation, `Pack "${packKey}"`);
        if (state === 'approved' && pack.moderation !== 'approved') await refuseOfBannedOwner(trx, pack);
        const found = await findCase(trx, 'pack', pack.id, pack.moderationReason);
        if (state === pack.moderation && !isOfBan(found)) return before;
        const after: Verdict = { state, reason: state === 'approved' ? null : by.reason };
        await setModeration(trx, kind, 'pack', pack.id, after);
        const outcome = state === 'approved' ? 'dismissed' : 'upheld';
        await closeReports(trx, kind, { pack_id: pack.id }, outcome, by.actor);
        await audit(trx, { type: 'sticker_pack', name: 'pack', id: packKey }, decision, before, after, by);
        await announce(trx, deps, [await packModerated(trx, pack.id)], by.requestId);
        return after;
      });
      wakeups.notify(outboxTopic);
      return verdict;
    },

    /**
     * Decides about a sticker, wherever it is. A near-duplicate that is approved is not held again for the same ban.
     * @throws AppError `sticker-not-found`, `moderation-conflict`
     */
    async decideSticker(stickerId: string, decision: Exclude<Decision, 'reject'>, by: Decider): Promise<Verdict> {
      const verdict = await database.transaction(async (trx) => {
        const asset = await findAsset(trx, stickerId, kind);
        if (!asset) throw new AppError('sticker-not-found', `There is no sticker "${stickerId}".`);
        const before: Verdict = { state: asset.moderation, reason: asset.moderationReason };
        const state = stateAfter(decision, asset.moderation, `Sticker "${stickerId}"`);
        const found = await findCase(trx, 'sticker', asset.id, asset.moderationReason);
        if (state === asset.moderation && !isOfBan(found)) return before;
        if (state === 'approved') await clear(trx, asset, await findClassification(trx, asset.id));
        const after: Verdict = { state, reason: state === 'approved' ? null : by.reason };
        await setModeration(trx, kind, 'sticker', asset.id, after);
        const outcome = state === 'approved' ? 'dismissed' : 'upheld';
        await closeReports(trx, kind, { asset_id: asset.id }, outcome, by.actor);
        await audit(trx, { type: 'sticker_asset', name: 'sticker', id: asset.id }, decision, before, after, by);
        await announce(trx, deps, [await stickerModerated(trx, asset.id)], by.requestId);
        return after;
      });
      wakeups.notify(outboxTopic);
      return verdict;
    },

    /** What waits for a decision, the longest waiting first. */
    async queue(options: {
      target?: ModerationTarget | undefined;
      after: QueuePosition | null;
      limit: number;
    }): Promise<{ cases: QueuedCase[]; next: QueuePosition | null }> {
      const found = await readQueue(knex, { ...options, limit: options.limit + 1 });
      const cases = found.slice(0, options.limit);
      const last = cases.at(-1);
      return { cases, next: found.length > options.limit && last ? { sinceAt: last.sinceAt, id: last.id } : null };
    },

    /** @throws AppError `pack-not-found` */
    async packFile(packKey: string): Promise<PackFile> {
      const pack = await findPackByKey(knex, packKey);
      if (!pack) throw new AppError('pack-not-found', `There is no pack "${packKey}".`);
      const found = await findCase(knex, 'pack', pack.id, pack.moderationReason);
      return {
        ownerId: pack.ownerId,
        moderation: {
          ...{ state: pack.moderation, reason: pack.moderationReason },
          ...{ sinceAt: found?.sinceAt ?? null, banId: found?.banId ?? null },
        },
        reports: await openReportsOfPack(knex, pack.id, reportsShown),
        actions: await readAudit(database, { targetType: 'sticker_pack', targetId: packKey, limit: actionsShown }),
      };
    },
  };
}

/** An administrator who decides the same makes it his own decision: the end of the ban no longer changes it. */
function isOfBan(found: ModerationCase | null): boolean {
  return found !== null && found.banId !== null;
}
