/**
 * Bans of owners and of stickers. A ban counts from its own transaction on: the owner writes nothing more, the bytes come in no
 * more, and near-duplicates are held as they are classified. What is there already is taken in small transactions after it, here
 * while the administrator waits, and what takes longer by the leading maintenance process: nothing is lost by a kill. The end of a
 * ban gives back what that ban took, and nothing else.
 */
import { v7 as uuidv7 } from 'uuid';
import { isNearDuplicate } from '@omnizap/imaging';
import { outboxTopic } from '@omnizap/outbox';
import { AppError, writeAudit, type Transaction, type Wakeups } from '@omnizap/runtime';
import { announce, type AnnounceDeps } from './announce.ts';
import { findAsset, findClassification, type Asset } from './asset-store.ts';
import { applyBan, createBanMatcher } from './ban-matcher.ts';
import {
  assetsOfContent,
  findActiveBan,
  findBan,
  insertBan,
  markRevoked,
  markSettled,
  packsToTake,
  pageOfBans,
  pictureOfContent,
  picturesAfter,
  raiseGuard,
  shareGuard,
  slotOfOwner,
  stickerSlot,
  unsettledBans,
  writePicture,
  writeSearched,
  type Ban,
} from './ban-store.ts';
import { curatorOwnerId } from './curate-theme.ts';
import { packModerated, stickerModerated } from './moderation-events.ts';
import { casesOfBan, countCasesOfBan, findCase, setModeration, type Verdict } from './moderation-store.ts';
import { findPackById } from './pack-store.ts';
import type { Decider } from './moderation.ts';

/** Wake-up topic: a ban has more to take, or to give back, than its request had time for. */
export const bansTopic = 'bans';

/** An administrator waits so long at most. */
const requestBudgetMs = 3_000;
/** Of one pass of the maintenance process. */
const passBudgetMs = 1_000;
const targetsPerBatch = 100;
/** Pictures compared per query: about 1 MB of hashes. */
const picturesPerBatch = 2_000;
const bansPerPass = 20;
/** Copies of the very bytes that go in the ban's own transaction; the search finds the others. */
const copiesAtOnce = 100;

export type NewBan =
  { kind: 'owner'; ownerId: string } | { kind: 'sticker'; stickerId: string } | { kind: 'sticker'; sha256: string };

/** `affected`: packs or stickers that the ban has in its hands now. */
export type ShownBan = Ban & { affected: number };
type BansDeps = AnnounceDeps & {
  wakeups: Pick<Wakeups, 'notify'>;
  /** Owners that are part of the system, beside the curator. */
  reservedOwners?: string[];
};
type Settling = 'settled' | 'more' | 'later';

export type Bans = ReturnType<typeof createBans>;

export function createBans(deps: BansDeps) {
  const { database, wakeups } = deps;
  const { knex, kind } = database;
  const matcher = createBanMatcher();

  async function audit(trx: Transaction, ban: Ban, action: string, by: Decider): Promise<void> {
    await writeAudit(trx, {
      ...{ actor: by.actor, action, targetType: 'moderation_ban', targetId: ban.id, reason: by.reason },
      after: { kind: ban.kind, owner_id: ban.ownerId, sha256: ban.sha256, is_active: ban.revoked === null },
      requestId: by.requestId,
    });
  }

  async function insert(trx: Transaction, ban: Parameters<typeof insertBan>[1], by: Decider): Promise<Ban> {
    await insertBan(trx, ban);
    const made = (await findBan(trx, ban.id)) as Ban;
    await audit(trx, made, 'ban.create', by);
    return made;
  }

  function banOwner(ownerId: string, by: Decider): Promise<{ ban: Ban; isNew: boolean }> {
    if ([curatorOwnerId, ...(deps.reservedOwners ?? [])].includes(ownerId))
      throw new AppError('moderation-conflict', `Owner "${ownerId}" is part of this system and cannot be banned.`);
    return database.transaction(async (trx) => {
      await raiseGuard(trx, slotOfOwner(ownerId));
      const known = await findActiveBan(trx, { owner_id: ownerId });
      if (known) return { ban: known, isNew: false };
      const ban = await insert(trx, { id: uuidv7(), kind: 'owner', ownerId, ...madeBy(by) }, by);
      return { ban, isNew: true };
    });
  }

  function banSticker(sha256: string, by: Decider): Promise<{ ban: Ban; isNew: boolean }> {
    return database.transaction(async (trx) => {
      const copies: Asset[] = [];
      for (const { id } of (await assetsOfContent(trx, sha256)).slice(0, copiesAtOnce)) {
        const asset = await findAsset(trx, id, kind);
        if (asset) copies.push(asset);
      }
      await raiseGuard(trx, stickerSlot);
      const known = await findActiveBan(trx, { sha256 });
      if (known) return { ban: known, isNew: false };
      const picture = await pictureOfContent(trx, sha256);
      const ban = await insert(trx, { id: uuidv7(), kind: 'sticker', sha256, picture, ...madeBy(by) }, by);
      for (const asset of copies) {
        if (await applyBan(trx, kind, asset, { ban, isSame: true }))
          await announce(trx, deps, [await stickerModerated(trx, asset.id)], by.requestId);
      }
      return { ban, isNew: true };
    });
  }

  async function contentOf(input: { stickerId: string } | { sha256: string }): Promise<string> {
    if ('sha256' in input) return input.sha256;
    const asset = await findAsset(knex, input.stickerId);
    if (!asset) throw new AppError('sticker-not-found', `There is no sticker "${input.stickerId}".`);
    return asset.sha256;
  }

  /** Does what is left to do for a ban until `deadline`; `later`: it waits for a classification. */
  async function settle(ban: Ban, deadline: number): Promise<Settling> {
    const result = await (ban.revoked
      ? giveBack(ban, deadline)
      : ban.kind === 'owner'
        ? takePacks(ban, deadline)
        : takeStickers(ban, deadline));
    if (result === 'settled') await markSettled(knex, kind, ban);
    return result;
  }

  async function takePacks(ban: Ban, deadline: number): Promise<Settling> {
    const ownerId = ban.ownerId as string;
    for (;;) {
      const ids = await packsToTake(knex, ownerId, targetsPerBatch);
      if (ids.length === 0) return 'settled';
      for (const id of ids) {
        if (performance.now() > deadline) return 'more';
        const isOver = await database.transaction(async (trx) => {
          const pack = await findPackById(trx, id, kind);
          await shareGuard(trx, slotOfOwner(ownerId));
          if ((await findBan(trx, ban.id))?.revoked !== null) return true;
          if (!pack || pack.moderation === 'taken_down') return false;
          const since = (await findCase(trx, 'pack', id, pack.moderationReason))?.sinceAt ?? null;
          await setModeration(trx, kind, 'pack', id, {
            ...{ state: 'taken_down', reason: ban.reason },
            ban: { id: ban.id, before: { state: pack.moderation, reason: pack.moderationReason, sinceAt: since } },
          });
          await announce(trx, deps, [await packModerated(trx, id)], undefined);
          return false;
        });
        if (isOver) return 'later';
      }
    }
  }

  /** Compares the ban with every picture there is, from where it stopped. */
  async function takeStickers(start: Ban, deadline: number): Promise<Settling> {
    const ban = start.picture ? start : await lookAtPicture(start);
    if (ban === 'later') return 'later';
    if (!ban.picture) return 'settled';
    for (let after = ban.searchedThrough; ;) {
      if (performance.now() > deadline) return 'more';
      const batch = await picturesAfter(knex, after, picturesPerBatch);
      const { picture } = ban;
      for (const { assetId } of batch.filter((entry) => isNearDuplicate(picture, entry.picture))) {
        if (!(await takeSticker(ban, assetId))) return 'later';
      }
      const last = batch.at(-1);
      if (last) await writeSearched(knex, ban.id, last.assetId);
      if (batch.length < picturesPerBatch) return 'settled';
      after = last?.assetId ?? null;
    }
  }

  /** A sticker can be banned before it was classified: its hashes come with that, and then the search begins. */
  async function lookAtPicture(ban: Ban): Promise<Ban | 'later'> {
    const sha256 = ban.sha256 as string;
    const picture = await pictureOfContent(knex, sha256);
    if (!picture) {
      const copies = await assetsOfContent(knex, sha256);
      return copies.some(({ status }) => status === 'pending') ? 'later' : ban;
    }
    await database.transaction(async (trx) => {
      await raiseGuard(trx, stickerSlot);
      await writePicture(trx, ban.id, picture);
    });
    return { ...ban, picture };
  }

  /** False when the ban is over. */
  function takeSticker(ban: Ban, assetId: string): Promise<boolean> {
    return database.transaction(async (trx) => {
      const asset = await findAsset(trx, assetId, kind);
      const picture = asset && (await findClassification(trx, assetId));
      await shareGuard(trx, stickerSlot);
      if ((await findBan(trx, ban.id))?.revoked !== null) return false;
      const matches = asset ? await matcher.matches(trx, asset, picture) : [];
      const match = matches.find((entry) => entry.ban.id === ban.id);
      if (asset && match && (await applyBan(trx, kind, asset, match)))
        await announce(trx, deps, [await stickerModerated(trx, assetId)], undefined);
      return true;
    });
  }

  async function giveBack(ban: Ban, deadline: number): Promise<Settling> {
    for (;;) {
      const targets = await casesOfBan(knex, ban.id, targetsPerBatch);
      if (targets.length === 0) return 'settled';
      for (const { target, id } of targets) {
        if (performance.now() > deadline) return 'more';
        await database.transaction((trx) =>
          target === 'pack' ? returnPack(trx, ban, id) : returnSticker(trx, ban, id),
        );
      }
    }
  }

  async function returnPack(trx: Transaction, ban: Ban, id: string): Promise<void> {
    const pack = await findPackById(trx, id, kind);
    const taken = await findCase(trx, 'pack', id, null);
    if (taken?.banId !== ban.id) return;
    await setModeration(trx, kind, 'pack', id, taken.before ?? approved);
    if (pack) await announce(trx, deps, [await packModerated(trx, id)], undefined);
  }

  /** Another ban may mean the same picture: then the sticker stays with that one. */
  async function returnSticker(trx: Transaction, ban: Ban, id: string): Promise<void> {
    const asset = await findAsset(trx, id, kind);
    const taken = await findCase(trx, 'sticker', id, null);
    if (taken?.banId !== ban.id) return;
    const before: Verdict = taken.before ?? approved;
    await setModeration(trx, kind, 'sticker', id, before);
    if (!asset) return;
    const [other] = await matcher.matches(trx, asset, await findClassification(trx, id));
    if (other) await applyBan(trx, kind, { id, moderation: before.state, moderationReason: before.reason }, other);
    await announce(trx, deps, [await stickerModerated(trx, id)], undefined);
  }

  async function show(bans: Ban[]): Promise<ShownBan[]> {
    const counts = await countCasesOfBan(
      knex,
      bans.map((ban) => ban.id),
    );
    return bans.map((ban) => ({ ...ban, affected: counts.get(ban.id) ?? 0 }));
  }

  /** Does what there is time for, and says what then stands in the table. */
  async function settleNow(ban: Ban): Promise<ShownBan> {
    wakeups.notify(outboxTopic);
    if ((await settle(ban, performance.now() + requestBudgetMs)) !== 'settled') wakeups.notify(bansTopic);
    wakeups.notify(outboxTopic);
    const [shown] = await show([(await findBan(knex, ban.id)) ?? ban]);
    return shown as ShownBan;
  }

  return {
    /**
     * Bans, and takes what is there. The same ban again is the one there is.
     * @throws AppError `sticker-not-found`, `moderation-conflict` for an owner that the system itself is
     */
    async make(input: NewBan, by: Decider): Promise<{ ban: ShownBan; isNew: boolean }> {
      const { ban, isNew } = await (input.kind === 'owner'
        ? banOwner(input.ownerId, by)
        : banSticker(await contentOf(input), by));
      return { ban: await settleNow(ban), isNew };
    },

    /** Ends a ban and gives back what it took. Again: without effect. @throws AppError `not-found` */
    async revoke(banId: string, by: Decider): Promise<ShownBan> {
      const ban = await database.transaction(async (trx) => {
        const known = await findBan(trx, banId);
        if (!known) throw new AppError('not-found', `There is no ban "${banId}".`);
        await raiseGuard(trx, known.ownerId === null ? stickerSlot : slotOfOwner(known.ownerId));
        if (!(await markRevoked(trx, kind, banId, by))) return known;
        const revoked = (await findBan(trx, banId)) as Ban;
        await audit(trx, revoked, 'ban.revoke', by);
        return revoked;
      });
      return settleNow(ban);
    },

    /** The ban in force of an owner or of a sticker's bytes, whatever it has taken. */
    inForce(subject: { ownerId: string } | { sha256: string }): Promise<Ban | null> {
      return findActiveBan(knex, 'sha256' in subject ? { sha256: subject.sha256 } : { owner_id: subject.ownerId });
    },

    /** A page, the newest first. */
    async list(options: {
      limit: number;
      beforeId: string | null;
      onlyActive: boolean;
    }): Promise<{ bans: ShownBan[]; nextId: string | null }> {
      const found = await pageOfBans(knex, { ...options, limit: options.limit + 1 });
      const bans = await show(found.slice(0, options.limit));
      return { bans, nextId: found.length > options.limit ? (bans.at(-1)?.id ?? null) : null };
    },

    /** A bounded piece of what bans have still to do. True: there is more at once. */
    async pass(): Promise<boolean> {
      const deadline = performance.now() + passBudgetMs;
      let hasMore = false;
      for (const ban of await unsettledBans(knex, bansPerPass)) {
        const result = await settle(ban, deadline);
        if (result === 'more') hasMore = true;
        if (result !== 'later') wakeups.notify(outboxTopic);
      }
      return hasMore;
    },
  };
}

const approved: Verdict = { state: 'approved', reason: null };

function madeBy(by: Decider): { reason: string; madeBy: string } {
  return { reason: by.reason, madeBy: by.actor };
}
