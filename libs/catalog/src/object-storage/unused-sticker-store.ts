/** SQL on stickers that no pack has any more, and on the packs that had them. */
import type { Knex } from 'knex';
import { sqlNow, sqlNowPlus, type DatabaseKind } from '@omnizap/runtime';
import type { BlobKind } from '@omnizap/storage';
import { forgetSubjects } from '../work-state-store.ts';

const dayMs = 86_400_000;

/**
 * One step of a walk through all stickers, by id from behind `after` on: marks those that no live pack has, and takes the mark from
 * those that one has again. Returns where the next step goes on; null at the end.
 */
export async function markUnused(
  db: Knex,
  kind: DatabaseKind,
  after: string | null,
  limit: number,
): Promise<string | null> {
  const query = db('sticker_asset').orderBy('id').limit(limit);
  if (after !== null) void query.where('id', '>', after);
  const rows = await query.select<{ id: string; unused_since: Date | null }[]>('id', 'unused_since');
  const ids = rows.map(({ id }) => id);
  const used = new Set(
    await db('sticker_pack_item as i')
      .join('sticker_pack as p', 'p.id', 'i.pack_id')
      .whereIn('i.asset_id', ids)
      .whereNull('p.deleted_at')
      .distinct()
      .pluck<string[]>('i.asset_id'),
  );
  const toMark = rows.filter(({ id, unused_since }) => unused_since === null && !used.has(id)).map(({ id }) => id);
  const toClear = rows.filter(({ id, unused_since }) => unused_since !== null && used.has(id)).map(({ id }) => id);
  if (toMark.length > 0)
    await db('sticker_asset')
      .whereIn('id', toMark)
      .whereNull('unused_since')
      .update({ unused_since: db.raw(sqlNow(kind)) });
  await clearUnused(db, toClear);
  return rows.length < limit ? null : (ids.at(-1) ?? null);
}

/** A pack has them again. */
export async function clearUnused(db: Knex, assetIds: string[]): Promise<void> {
  if (assetIds.length === 0) return;
  await db('sticker_asset').whereIn('id', assetIds).whereNotNull('unused_since').update({ unused_since: null });
}

/**
 * Narrows a query of `sticker_asset AS a` to those that have been unused for the grace period and that nobody needs as evidence: not
 * taken down or held, without an open report, and without a ban that means them.
 */
function onlyRemovable(query: Knex.QueryBuilder, db: Knex, kind: DatabaseKind, graceDays: number): void {
  void query
    .where('a.unused_since', '<=', db.raw(sqlNowPlus(kind, -graceDays * dayMs)))
    .whereIn('a.moderation', ['approved', 'rejected'])
    .whereRaw('NOT EXISTS (SELECT 1 FROM sticker_pack_item i WHERE i.asset_id = a.id)')
    .whereRaw("NOT EXISTS (SELECT 1 FROM sticker_report r WHERE r.state = 'open' AND r.asset_id = a.id)")
    .whereRaw('NOT EXISTS (SELECT 1 FROM moderation_ban b WHERE b.sha256 = a.sha256 AND b.revoked_at IS NULL)')
    .whereRaw(
      `NOT EXISTS (SELECT 1 FROM moderation_case m
                    WHERE m.target_type = 'sticker' AND m.target_id = a.id AND m.ban_id IS NOT NULL)`,
    );
}

/** The longest unused first; index `sticker_asset_unused_idx`. */
export async function removableAssets(
  db: Knex,
  kind: DatabaseKind,
  graceDays: number,
  limit: number,
): Promise<string[]> {
  return db('sticker_asset as a')
    .modify(onlyRemovable, db, kind, graceDays)
    .orderBy([{ column: 'a.unused_since' }, { column: 'a.id' }])
    .limit(limit)
    .pluck<string[]>('a.id');
}

/**
 * Whether it may go, looked at once nobody can put it into a pack any more: on PostgreSQL the lock is the strong one, that waits for
 * those who are just referring to the row.
 */
export async function lockRemovable(
  trx: Knex.Transaction,
  kind: DatabaseKind,
  assetId: string,
  graceDays: number,
): Promise<boolean> {
  await trx('sticker_asset').where({ id: assetId }).forUpdate().first('id');
  const found: unknown = await trx('sticker_asset as a')
    .where({ 'a.id': assetId })
    .modify(onlyRemovable, trx, kind, graceDays)
    .first('a.id');
  return found !== undefined;
}

/** With all that is known of it. Closed reports stay for their own time, and so does what was decided. */
export async function deleteAsset(trx: Knex.Transaction, assetId: string): Promise<void> {
  await trx('moderation_case').where({ target_type: 'sticker', target_id: assetId }).delete();
  await trx('moderation_clearance').where({ asset_id: assetId }).delete();
  for (const taskType of ['classification', 'derivative', 'storage'] as const)
    await forgetSubjects(trx, taskType, [assetId]);
  await trx('sticker_asset').where({ id: assetId }).delete();
}

export type DeletedPack = { id: string; packKey: string };

/**
 * One step of a walk through all packs, by id from behind `after` on: those that were deleted before the grace period and still have
 * stickers, except what a person may have to look at. `next` is null at the end.
 */
export async function longDeletedPacks(
  db: Knex,
  kind: DatabaseKind,
  graceDays: number,
  after: string | null,
  limit: number,
): Promise<{ packs: DeletedPack[]; next: string | null }> {
  const step = db('sticker_pack').orderBy('id').limit(limit);
  if (after !== null) void step.where('id', '>', after);
  const ids = await step.pluck<string[]>('id');
  const [first, last] = [ids.at(0), ids.at(-1)];
  if (first === undefined || last === undefined) return { packs: [], next: null };
  const rows = await db('sticker_pack as p')
    .whereBetween('p.id', [first, last])
    .where('p.deleted_at', '<=', db.raw(sqlNowPlus(kind, -graceDays * dayMs)))
    .whereNot('p.moderation', 'taken_down')
    .whereRaw('EXISTS (SELECT 1 FROM sticker_pack_item i WHERE i.pack_id = p.id)')
    .whereRaw("NOT EXISTS (SELECT 1 FROM sticker_report r WHERE r.state = 'open' AND r.pack_id = p.id)")
    .orderBy('p.id')
    .select<{ id: string; pack_key: string }[]>('p.id', 'p.pack_key');
  return {
    packs: rows.map((row) => ({ id: row.id, packKey: row.pack_key })),
    next: ids.length < limit ? null : last,
  };
}

export async function assetsOfPack(db: Knex, packId: string): Promise<string[]> {
  return db('sticker_pack_item').where({ pack_id: packId }).pluck<string[]>('asset_id');
}

/** Of a pack that is deleted: nobody changes its items any more. */
export async function deleteItems(db: Knex, packId: string): Promise<void> {
  await db('sticker_pack_item').where({ pack_id: packId }).delete();
}

/** Objects whose removal began before `olderThanMs` and did not end; index `stored_object_removing_idx`. */
export async function unfinishedRemovals(
  db: Knex,
  kind: DatabaseKind,
  olderThanMs: number,
  limit: number,
): Promise<{ kind: BlobKind; sha256: string }[]> {
  return db('stored_object')
    .where('removing_since', '<=', db.raw(sqlNowPlus(kind, -olderThanMs)))
    .orderBy('removing_since')
    .limit(limit)
    .select<{ kind: BlobKind; sha256: string }[]>('kind', 'sha256');
}
