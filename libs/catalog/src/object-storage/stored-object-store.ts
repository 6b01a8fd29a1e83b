/** SQL on what the bucket has, and on which stickers need it there. */
import type { Knex } from 'knex';
import { sqlNow, type DatabaseKind } from '@omnizap/runtime';
import type { BlobKind } from '@omnizap/storage';

export type ContentId = { kind: BlobKind; sha256: string };
export type Content = ContentId & { sizeBytes: number };

/** The bytes that belong to a sticker: as uploaded, and what is made from them. */
export async function contentsOfAsset(db: Knex, assetId: string): Promise<Content[]> {
  const originals = db('sticker_asset')
    .where({ id: assetId })
    .select(db.raw("'original' AS kind"), 'sha256', 'size_bytes');
  const derivatives = db('sticker_asset_derivative')
    .where({ asset_id: assetId })
    .select({ kind: 'variant' }, 'sha256', 'size_bytes');
  const [own, made] = await Promise.all([originals, derivatives]);
  return [...(own as ContentRow[]), ...(made as ContentRow[])].map(contentOfRow);
}

type ContentRow = { kind: BlobKind; sha256: string; size_bytes: number };
const contentOfRow = (row: ContentRow): Content => ({
  kind: row.kind,
  sha256: row.sha256,
  sizeBytes: Number(row.size_bytes),
});

/**
 * Narrows a query of `sticker_asset AS a` to those whose bytes belong into the bucket: ready and approved, in a pack that is there and
 * approved. What no pack has is handed out under no address.
 */
export function onlyWanted(query: Knex.QueryBuilder): void {
  void query.where({ 'a.status': 'ready', 'a.moderation': 'approved' }).whereRaw(
    `EXISTS (SELECT 1 FROM sticker_pack_item i JOIN sticker_pack p ON p.id = i.pack_id
              WHERE i.asset_id = a.id AND p.deleted_at IS NULL AND p.moderation = 'approved')`,
  );
}

/** Stickers, as `sticker_asset AS a`, that have these bytes: of several owners, perhaps. */
export function havingContent(db: Knex, { kind, sha256 }: ContentId): Knex.QueryBuilder {
  if (kind === 'original') return db('sticker_asset as a').where({ 'a.sha256': sha256 });
  return db('sticker_asset_derivative as d')
    .join('sticker_asset as a', 'a.id', 'd.asset_id')
    .where({ 'd.sha256': sha256, 'd.variant': kind });
}

/** A sticker that needs these bytes in the bucket, if there is one. */
export async function stickerWanting(db: Knex, content: ContentId): Promise<string | null> {
  const row = await havingContent(db, content)
    .modify(onlyWanted)
    .orderBy('a.id')
    .first<{ id: string } | undefined>('a.id');
  return row?.id ?? null;
}

export async function isWanted(db: Knex, content: ContentId): Promise<boolean> {
  return (await stickerWanting(db, content)) !== null;
}

export async function isStickerWanted(db: Knex, assetId: string): Promise<boolean> {
  return (await db('sticker_asset as a').where({ 'a.id': assetId }).modify(onlyWanted).first('a.id')) !== undefined;
}

/** Whether the bucket has, or may have, any of these. */
export async function areAnyStored(db: Knex, contents: ContentId[]): Promise<boolean> {
  const pairs = contents.map(({ kind, sha256 }) => [kind, sha256]);
  return (await db('stored_object').whereIn(['kind', 'sha256'], pairs).first('sha256')) !== undefined;
}

type BucketState = 'unknown' | 'unverified' | 'verified' | 'removing';

/**
 * Says that somebody is about to put it there, unless somebody is about to remove it: then `removing`. `unknown`: nobody has said so
 * before.
 */
export async function claimObject(db: Knex, { kind, sha256, sizeBytes }: Content): Promise<BucketState> {
  const state = await bucketState(db, { kind, sha256 });
  if (state !== 'unknown') return state;
  await db('stored_object').insert({ kind, sha256, size_bytes: sizeBytes }).onConflict(['kind', 'sha256']).ignore();
  // Somebody may have been faster, whoever is removing it included.
  const after = await bucketState(db, { kind, sha256 });
  return after === 'unverified' ? 'unknown' : after;
}

async function bucketState(db: Knex, { kind, sha256 }: ContentId): Promise<BucketState> {
  const row = await db('stored_object')
    .where({ kind, sha256 })
    .first<{ object_verified_at: Date | null; removing_since: Date | null } | undefined>(
      'object_verified_at',
      'removing_since',
    );
  if (row === undefined) return 'unknown';
  if (row.removing_since !== null) return 'removing';
  return row.object_verified_at === null ? 'unverified' : 'verified';
}

/** False when it is being removed: what was put there may be gone again. */
export async function markVerified(db: Knex, kind: DatabaseKind, content: ContentId): Promise<boolean> {
  const updated = await db('stored_object')
    .where({ kind: content.kind, sha256: content.sha256 })
    .whereNull('removing_since')
    .update({ object_verified_at: db.raw(sqlNow(kind)) });
  return updated === 1;
}

/** It is not in the bucket as it should be: from here on nobody is sent to it. False when that was known already. */
export async function markUnverified(db: Knex, { kind, sha256 }: ContentId): Promise<boolean> {
  const updated = await db('stored_object')
    .where({ kind, sha256 })
    .whereNotNull('object_verified_at')
    .update({ object_verified_at: null });
  return updated === 1;
}

/** From here on nobody is sent to it, and nobody puts it there, if the bucket has it. */
export async function markRemoving(db: Knex, kind: DatabaseKind, content: ContentId): Promise<void> {
  await db('stored_object')
    .where({ kind: content.kind, sha256: content.sha256 })
    .update({ object_verified_at: null, removing_since: db.raw(`COALESCE(removing_since, ${sqlNow(kind)})`) });
}

/** As `markRemoving`, also where nobody has said that the bucket has it: somebody may be about to put it there. */
export async function claimRemoval(db: Knex, kind: DatabaseKind, content: ContentId): Promise<void> {
  await db('stored_object')
    .insert({ kind: content.kind, sha256: content.sha256, size_bytes: 0, removing_since: db.raw(sqlNow(kind)) })
    .onConflict(['kind', 'sha256'])
    .merge({
      object_verified_at: null,
      removing_since: db.raw(`COALESCE(stored_object.removing_since, ${sqlNow(kind)})`),
    });
}

/** What was being removed is not there any more, or is to be put there anew. */
export async function forgetObject(db: Knex, { kind, sha256 }: ContentId): Promise<void> {
  await db('stored_object').where({ kind, sha256 }).whereNotNull('removing_since').delete();
}
