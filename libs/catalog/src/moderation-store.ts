/** SQL of what is not approved: the state itself stands with the pack or sticker, what led to it in `moderation_case`. */
import type { Knex } from 'knex';
import { sqlNow, type DatabaseKind } from '@omnizap/runtime';
import type { ModerationState, ModerationTarget } from './moderation-state.ts';

const tableOf: Record<ModerationTarget, string> = { pack: 'sticker_pack', sticker: 'sticker_asset' };

/** A state with what its owner is told. */
export type Verdict = { state: ModerationState; reason: string | null };

export type ModerationCase = Verdict & {
  target: ModerationTarget;
  id: string;
  sinceAt: Date;
  /** The ban that led to it. */
  banId: string | null;
  /** What the end of that ban brings back. */
  before: (Verdict & { sinceAt: Date | null }) | null;
};

type CaseRow = {
  target_type: ModerationTarget;
  target_id: string;
  state: ModerationState;
  since_at: Date;
  ban_id: string | null;
  state_before: ModerationState | null;
  reason_before: string | null;
  since_before: Date | null;
};

function caseOfRow(row: CaseRow, reason: string | null): ModerationCase {
  const before =
    row.state_before === null
      ? null
      : { state: row.state_before, reason: row.reason_before, sinceAt: row.since_before };
  return {
    ...{ target: row.target_type, id: row.target_id, state: row.state, reason },
    ...{ sinceAt: row.since_at, banId: row.ban_id, before },
  };
}

/** Null when it is approved, or was never looked at. `reason` is that of the target's row. */
export async function findCase(
  db: Knex,
  target: ModerationTarget,
  id: string,
  reason: string | null,
): Promise<ModerationCase | null> {
  const row = await db('moderation_case').where({ target_type: target, target_id: id }).first<CaseRow | undefined>();
  return row ? caseOfRow(row, reason) : null;
}

type Change = Verdict & {
  /** Default: nobody but the one who decides. With a ban, what it takes is kept to be given back. */
  ban?: { id: string; before: ModerationCase['before'] };
  /** Default: now. */
  sinceAt?: Date | null;
};

/**
 * Puts a pack or sticker into a state. The caller has its row locked, and announces it. Its version rises, so that answers made of
 * it no longer hold; a pack does not count as fresh for it.
 */
export async function setModeration(
  trx: Knex.Transaction,
  kind: DatabaseKind,
  target: ModerationTarget,
  id: string,
  change: Change,
): Promise<void> {
  const { state, reason, ban } = change;
  await trx(tableOf[target])
    .where({ id })
    .update({ moderation: state, moderation_reason: reason, version: trx.raw('version + 1') });
  if (state === 'approved') {
    await trx('moderation_case').where({ target_type: target, target_id: id }).delete();
    return;
  }
  await trx('moderation_case')
    .insert({
      target_type: target,
      target_id: id,
      state,
      since_at: change.sinceAt ?? trx.raw(sqlNow(kind)),
      ban_id: ban?.id ?? null,
      state_before: ban?.before?.state ?? null,
      reason_before: ban?.before?.reason ?? null,
      since_before: ban?.before?.sinceAt ?? null,
    })
    .onConflict(['target_type', 'target_id'])
    .merge();
}

/** What a ban still has, in batches by id: those that are given back are gone from the next one. */
export async function casesOfBan(
  db: Knex,
  banId: string,
  limit: number,
): Promise<Pick<ModerationCase, 'target' | 'id'>[]> {
  const rows = await db('moderation_case')
    .where({ ban_id: banId })
    .orderBy('target_id')
    .limit(limit)
    .select<CaseRow[]>('target_type', 'target_id');
  return rows.map((row) => ({ target: row.target_type, id: row.target_id }));
}

export async function countCasesOfBan(db: Knex, banIds: string[]): Promise<Map<string, number>> {
  const rows = await db('moderation_case')
    .whereIn('ban_id', banIds)
    .groupBy('ban_id')
    .select<{ ban_id: string; count: number }[]>('ban_id', db.raw('COUNT(*) AS count'));
  return new Map(rows.map((row) => [row.ban_id, row.count]));
}

export type QueuePosition = { sinceAt: Date; id: string };

export type QueuedCase = ModerationCase & {
  ownerId: string;
  /** Of the pack itself, or of the packs that hold the sticker, at most ten. */
  packKeys: string[];
  openReports: number;
};

const packsShown = 10;

/** What waits for a person, the longest waiting first. Index `moderation_case_queue_idx`. */
export async function readQueue(
  db: Knex,
  options: { after: QueuePosition | null; limit: number; target?: ModerationTarget | undefined },
): Promise<QueuedCase[]> {
  const query = db('moderation_case as m')
    .leftJoin('sticker_pack as p', (join) => {
      join.on('p.id', 'm.target_id').andOn('m.target_type', db.raw("'pack'"));
    })
    .leftJoin('sticker_asset as a', (join) => {
      join.on('a.id', 'm.target_id').andOn('m.target_type', db.raw("'sticker'"));
    })
    .where('m.state', 'held')
    // A pack that its owner has deleted needs no decision.
    .whereNull('p.deleted_at')
    .orderBy([{ column: 'm.since_at' }, { column: 'm.target_id' }])
    .limit(options.limit)
    .select<(CaseRow & { pack_key: string | null; owner_id: string; reason: string | null })[]>(
      'm.*',
      'p.pack_key',
      db.raw('COALESCE(p.owner_id, a.owner_id) AS owner_id'),
      db.raw('COALESCE(p.moderation_reason, a.moderation_reason) AS reason'),
    );
  if (options.target !== undefined) void query.where('m.target_type', options.target);
  if (options.after)
    void query.andWhereRaw('(m.since_at, m.target_id) > (?, ?)', [options.after.sinceAt, options.after.id]);
  const rows = await query;
  const ids = rows.map((row) => row.target_id);
  const reports = await countOpenReports(db, ids);
  const packKeys = await packKeysOfAssets(
    db,
    rows.filter((row) => row.target_type === 'sticker').map((row) => row.target_id),
  );
  return rows.map((row) => ({
    ...caseOfRow(row, row.reason),
    ownerId: row.owner_id,
    packKeys: row.pack_key === null ? (packKeys.get(row.target_id) ?? []).slice(0, packsShown) : [row.pack_key],
    openReports: reports.get(row.target_id) ?? 0,
  }));
}

/** Of packs: those of their stickers are counted as well. */
async function countOpenReports(db: Knex, ids: string[]): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  if (ids.length === 0) return counts;
  for (const column of ['pack_id', 'asset_id']) {
    const rows = await db('sticker_report')
      .where({ state: 'open' })
      .whereIn(column, ids)
      .groupBy(column)
      .select<{ id: string; count: number }[]>({ id: column }, db.raw('COUNT(*) AS count'));
    for (const row of rows) counts.set(row.id, (counts.get(row.id) ?? 0) + row.count);
  }
  return counts;
}

async function packKeysOfAssets(db: Knex, assetIds: string[]): Promise<Map<string, string[]>> {
  const keys = new Map<string, string[]>();
  if (assetIds.length === 0) return keys;
  const rows = await db('sticker_pack_item as i')
    .join('sticker_pack as p', 'p.id', 'i.pack_id')
    .whereIn('i.asset_id', assetIds)
    .whereNull('p.deleted_at')
    .orderBy('p.id')
    .select<{ asset_id: string; pack_key: string }[]>('i.asset_id', 'p.pack_key');
  for (const row of rows) keys.set(row.asset_id, [...(keys.get(row.asset_id) ?? []), row.pack_key]);
  return keys;
}

/** An administrator found the sticker to be none of what these bans mean. */
export async function clearOfBans(trx: Knex.Transaction, assetId: string, banIds: string[]): Promise<void> {
  if (banIds.length === 0) return;
  await trx('moderation_clearance')
    .insert(banIds.map((ban_id) => ({ asset_id: assetId, ban_id })))
    .onConflict(['asset_id', 'ban_id'])
    .ignore();
}

export async function clearedBans(db: Knex, assetId: string): Promise<Set<string>> {
  return new Set(await db('moderation_clearance').where({ asset_id: assetId }).pluck<string[]>('ban_id'));
}
