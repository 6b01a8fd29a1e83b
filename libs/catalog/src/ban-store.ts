/**
 * SQL of bans. Whoever writes what a ban might concern holds its slot of `moderation_guard` shared to the end of the transaction,
 * and whoever makes or ends a ban holds it alone: what was written under no ban is there to be found when the ban takes effect, and
 * whatever comes later sees the ban. Order of locks: pack or asset first, then the slot.
 */
import { createHash } from 'node:crypto';
import type { Knex } from 'knex';
import type { HashSet } from '@omnizap/imaging';
import { AppError, sqlNow, type DatabaseKind } from '@omnizap/runtime';

/** Slot of the sticker bans; owners share the others. */
export const stickerSlot = 0;
const ownerSlots = 16;

export function slotOfOwner(ownerId: string): number {
  return 1 + ((createHash('sha256').update(ownerId).digest()[0] as number) % ownerSlots);
}

export type Ban = {
  id: string;
  kind: 'owner' | 'sticker';
  ownerId: string | null;
  sha256: string | null;
  /** Null until the picture was classified: then only the very bytes are known. */
  picture: HashSet | null;
  reason: string;
  madeBy: string;
  createdAt: Date;
  revoked: { at: Date; by: string; reason: string } | null;
  searchedThrough: string | null;
  settledAt: Date | null;
};

type BanRow = {
  id: string;
  kind: 'owner' | 'sticker';
  owner_id: string | null;
  sha256: string | null;
  pixel_sha256: string | null;
  hash_first: string | null;
  hash_middle: string | null;
  hash_last: string | null;
  hash_mask: string | null;
  hash_quality: number | null;
  reason: string;
  made_by: string;
  created_at: Date;
  revoked_at: Date | null;
  revoked_by: string | null;
  revoke_reason: string | null;
  searched_through: string | null;
  settled_at: Date | null;
};

type HashRow = Pick<BanRow, 'hash_middle' | 'hash_last' | 'hash_mask'> & {
  pixel_sha256: string;
  hash_first: string;
  hash_quality: number;
};

function pictureOfRow(row: HashRow): HashSet {
  const { hash_first: first, hash_middle: middle, hash_last: last, hash_mask: mask } = row;
  return { pixelSha256: row.pixel_sha256, hashes: { first, middle, last, mask }, hashQuality: row.hash_quality };
}

function columnsOfPicture(picture: HashSet): HashRow {
  const { first, middle, last, mask } = picture.hashes;
  return {
    ...{ pixel_sha256: picture.pixelSha256, hash_quality: picture.hashQuality },
    ...{ hash_first: first, hash_middle: middle, hash_last: last, hash_mask: mask },
  };
}

function banOfRow(row: BanRow): Ban {
  return {
    id: row.id,
    kind: row.kind,
    ownerId: row.owner_id,
    sha256: row.sha256,
    picture: row.pixel_sha256 === null ? null : pictureOfRow(row as HashRow),
    reason: row.reason,
    madeBy: row.made_by,
    createdAt: row.created_at,
    revoked:
      row.revoked_at === null
        ? null
        : { at: row.revoked_at, by: row.revoked_by ?? '', reason: row.revoke_reason ?? '' },
    searchedThrough: row.searched_through,
    settledAt: row.settled_at,
  };
}

/** Keeps bans of the slot from coming and going until the transaction ends. Returns the number of their changes so far. */
export async function shareGuard(db: Knex, slot: number): Promise<number> {
  const row = await db('moderation_guard').where({ slot }).forShare().first<{ epoch: number } | undefined>('epoch');
  if (!row) throw new Error(`moderation_guard has no slot ${slot}: run npm run db:migrate`);
  return row.epoch;
}

/** Waits for everybody who shares the slot; from then on the bans of it are the caller's to change. */
export async function raiseGuard(trx: Knex.Transaction, slot: number): Promise<void> {
  await trx('moderation_guard')
    .where({ slot })
    .update({ epoch: trx.raw('epoch + 1') });
}

/** @throws AppError `owner-banned`. In a transaction the owner stays as free as that to its end. */
export async function assertOwnerMayWrite(db: Knex, ownerId: string): Promise<void> {
  await shareGuard(db, slotOfOwner(ownerId));
  const ban = await findActiveBan(db, { owner_id: ownerId });
  if (ban)
    throw new AppError(
      'owner-banned',
      'This owner is banned and cannot change anything: ask the operator of this API.',
    );
}

/** @throws AppError `sticker-banned` for the very bytes of a banned sticker */
export async function assertContentMayEnter(db: Knex, sha256: string): Promise<void> {
  if (await findActiveBan(db, { sha256 }))
    throw new AppError('sticker-banned', 'This sticker is banned here: leave it out, or ask the operator of this API.');
}

export async function findActiveBan(db: Knex, what: { owner_id: string } | { sha256: string }): Promise<Ban | null> {
  const row = await db('moderation_ban').where(what).whereNull('revoked_at').first<BanRow | undefined>();
  return row ? banOfRow(row) : null;
}

export async function findBan(db: Knex, id: string): Promise<Ban | null> {
  const row = await db('moderation_ban').where({ id }).first<BanRow | undefined>();
  return row ? banOfRow(row) : null;
}

export async function activeStickerBans(db: Knex): Promise<Ban[]> {
  const rows = await db('moderation_ban').where({ kind: 'sticker' }).whereNull('revoked_at').select<BanRow[]>('*');
  return rows.map(banOfRow);
}

/** The newest first: their ids grow with time. */
export async function pageOfBans(
  db: Knex,
  options: { beforeId: string | null; limit: number; onlyActive: boolean },
): Promise<Ban[]> {
  const query = db('moderation_ban').orderBy('id', 'desc').limit(options.limit).select<BanRow[]>('*');
  if (options.onlyActive) void query.whereNull('revoked_at');
  if (options.beforeId !== null) void query.where('id', '<', options.beforeId);
  return (await query).map(banOfRow);
}

type NewBan = { id: string; reason: string; madeBy: string } & (
  { kind: 'owner'; ownerId: string } | { kind: 'sticker'; sha256: string; picture: HashSet | null }
);

export async function insertBan(trx: Knex.Transaction, ban: NewBan): Promise<void> {
  await trx('moderation_ban').insert({
    ...{ id: ban.id, kind: ban.kind, reason: ban.reason, made_by: ban.madeBy },
    ...(ban.kind === 'owner'
      ? { owner_id: ban.ownerId }
      : { sha256: ban.sha256, ...(ban.picture ? columnsOfPicture(ban.picture) : {}) }),
  });
}

/** False when somebody else was first. What the ban took is not given back yet. */
export async function markRevoked(
  trx: Knex.Transaction,
  kind: DatabaseKind,
  id: string,
  by: { actor: string; reason: string },
): Promise<boolean> {
  const updated = await trx('moderation_ban')
    .where({ id })
    .whereNull('revoked_at')
    .update({
      revoked_at: trx.raw(sqlNow(kind)),
      revoked_by: by.actor,
      revoke_reason: by.reason,
      settled_at: null,
    });
  return updated === 1;
}

/** A ban whose effects, or the return of what it took, are not all done; the oldest first. */
export async function unsettledBans(db: Knex, limit: number): Promise<Ban[]> {
  const rows = await db('moderation_ban').whereNull('settled_at').orderBy('id').limit(limit).select<BanRow[]>('*');
  return rows.map(banOfRow);
}

/** Everything is done for the ban as `ban` shows it; not when it was revoked meanwhile. */
export async function markSettled(db: Knex, kind: DatabaseKind, ban: Ban): Promise<void> {
  const query = db('moderation_ban').where({ id: ban.id });
  void (ban.revoked ? query.whereNotNull('revoked_at') : query.whereNull('revoked_at'));
  await query.update({ settled_at: db.raw(sqlNow(kind)) });
}

export async function writePicture(trx: Knex.Transaction, id: string, picture: HashSet): Promise<void> {
  await trx('moderation_ban').where({ id }).update(columnsOfPicture(picture));
}

/** Assets with these very bytes, whoever's; index `sticker_asset_sha256_idx`. */
export async function assetsOfContent(db: Knex, sha256: string): Promise<{ id: string; status: string }[]> {
  return db('sticker_asset').where({ sha256 }).orderBy('id').select<{ id: string; status: string }[]>('id', 'status');
}

export async function pictureOfContent(db: Knex, sha256: string): Promise<HashSet | null> {
  const row = await db('sticker_asset as a')
    .join('sticker_asset_classification as c', 'c.asset_id', 'a.id')
    .where('a.sha256', sha256)
    .first<HashRow | undefined>('c.*');
  return row ? pictureOfRow(row) : null;
}

export type SearchedPicture = { assetId: string; picture: HashSet };

/** The pictures behind `after`, by id: one step of a search through all of them. */
export async function picturesAfter(db: Knex, after: string | null, limit: number): Promise<SearchedPicture[]> {
  const query = db('sticker_asset_classification')
    .orderBy('asset_id')
    .limit(limit)
    .select<(HashRow & { asset_id: string })[]>(
      ...['asset_id', 'pixel_sha256', 'hash_first', 'hash_middle', 'hash_last', 'hash_mask', 'hash_quality'],
    );
  const rows = await (after === null ? query : query.where('asset_id', '>', after));
  return rows.map((row) => ({ assetId: row.asset_id, picture: pictureOfRow(row) }));
}

export async function writeSearched(db: Knex, id: string, through: string): Promise<void> {
  await db('moderation_ban').where({ id }).update({ searched_through: through });
}

/** Packs that a ban of their owner has still to take, by id; index `sticker_pack_owner_idx`. */
export async function packsToTake(db: Knex, ownerId: string, limit: number): Promise<string[]> {
  return db('sticker_pack')
    .where({ owner_id: ownerId })
    .whereNull('deleted_at')
    .whereNot('moderation', 'taken_down')
    .orderBy('id')
    .limit(limit)
    .pluck<string[]>('id');
}
