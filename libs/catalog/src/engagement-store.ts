/** SQL of interactions and their counters. */
import { createHmac, randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import { affectedRows, sqlNow, type DatabaseKind } from '@omnizap/runtime';
import { openDecayMs, type EngagementCounts } from './ranking-formulas.ts';

export const interactions = ['open', 'like', 'dislike', 'download'] as const;
export type Interaction = (typeof interactions)[number];

/** What a viewer can have said of a pack in one window: the latest of these stands in place of the others. */
const rivalsOf = (interaction: Interaction): Interaction[] =>
  interaction === 'like' || interaction === 'dislike' ? ['like', 'dislike'] : [interaction];

export type InteractionRow = {
  packId: string;
  interaction: Interaction;
  viewerHash: string;
  addressHash: string;
  windowNumber: number;
};

/** The shared secret `name`, made by whoever needs it first. */
export async function sharedSecret(db: Knex, name: string): Promise<string> {
  await db('app_secret')
    .insert({ name, value: randomBytes(32).toString('hex') })
    .onConflict('name')
    .ignore();
  const row = await db('app_secret').where({ name }).first<{ value: string }>('value');
  return row.value;
}

export function keyedHash(secret: string, ...parts: string[]): string {
  return createHmac('sha256', secret).update(JSON.stringify(parts)).digest('hex');
}

/** False when this viewer's interaction of this window is already there. */
export async function insertInteraction(
  trx: Knex.Transaction,
  kind: DatabaseKind,
  row: InteractionRow,
): Promise<boolean> {
  const [verb, onConflict] =
    kind === 'mysql'
      ? ['INSERT IGNORE', '']
      : ['INSERT', 'ON CONFLICT (pack_id, interaction, viewer_hash, window_number) DO NOTHING'];
  const result: unknown = await trx.raw(
    `${verb} INTO sticker_pack_interaction_event (pack_id, interaction, viewer_hash, address_hash, window_number)
     VALUES (?, ?, ?, ?, ?) ${onConflict}`,
    [row.packId, row.interaction, row.viewerHash, row.addressHash, row.windowNumber],
  );
  return affectedRows(result) === 1;
}

/** What the viewer has said already in this window, rivals included. `lock`: those rows stay until the caller's transaction ends. */
export async function readStanding(db: Knex, row: InteractionRow, lock = false): Promise<Interaction[]> {
  const query = db('sticker_pack_interaction_event')
    .where({ pack_id: row.packId, viewer_hash: row.viewerHash, window_number: row.windowNumber })
    .whereIn('interaction', rivalsOf(row.interaction))
    .pluck<Interaction[]>('interaction');
  return lock ? query.forUpdate() : query;
}

/** Puts the viewer's interaction in the place of `former`: the row stays as old as it is and keeps the address that it came from. */
export async function replaceInteraction(
  trx: Knex.Transaction,
  row: InteractionRow,
  former: Interaction,
): Promise<void> {
  await trx('sticker_pack_interaction_event')
    .where({
      pack_id: row.packId,
      interaction: former,
      viewer_hash: row.viewerHash,
      window_number: row.windowNumber,
    })
    .update({ interaction: row.interaction });
}

/** Rivals share the address's places: else a switch would make room for more. */
export async function countFromAddress(db: Knex, row: InteractionRow): Promise<number> {
  const rows = await db('sticker_pack_interaction_event')
    .where({ pack_id: row.packId, address_hash: row.addressHash, window_number: row.windowNumber })
    .whereIn('interaction', rivalsOf(row.interaction))
    .count<{ count: number }[]>({ count: '*' });
  return rows[0]?.count ?? 0;
}

export type ViewerInteraction = { packId: string; interaction: Interaction };

/** What a viewer did last, the newest first. Read along `sticker_pack_interaction_event_recent_idx`. */
export async function recentInteractionsOfViewer(
  db: Knex,
  viewerHash: string,
  limit: number,
): Promise<ViewerInteraction[]> {
  return db('sticker_pack_interaction_event')
    .where({ viewer_hash: viewerHash })
    .orderBy('id', 'desc')
    .limit(limit)
    .select<ViewerInteraction[]>({ packId: 'pack_id', interaction: 'interaction' });
}

export async function readCounts(db: Knex, packId: string): Promise<EngagementCounts> {
  const row = await db('sticker_pack_engagement')
    .where({ pack_id: packId })
    .first<Record<`${Interaction}_count`, number> | undefined>(
      'open_count',
      'like_count',
      'dislike_count',
      'download_count',
    );
  return {
    open: row?.open_count ?? 0,
    like: row?.like_count ?? 0,
    dislike: row?.dislike_count ?? 0,
    download: row?.download_count ?? 0,
  };
}

/** Adds one to a counter and takes it from `former`'s, if any; an open also feeds the decayed counters, brought forward to now first. */
export async function countInteraction(
  trx: Knex.Transaction,
  kind: DatabaseKind,
  packId: string,
  interaction: Interaction,
  former: Interaction | null,
): Promise<void> {
  const now = sqlNow(kind);
  const elapsedSeconds =
    kind === 'postgres'
      ? `EXTRACT(EPOCH FROM (${now} - trend_at))`
      : `(TIMESTAMPDIFF(MICROSECOND, trend_at, ${now}) / 1000000)`;
  // PostgreSQL refuses EXP below about -745 instead of answering 0.
  const decayed = (column: string, timeConstantMs: number): string =>
    `${column} = ${column} * EXP(-LEAST(700, GREATEST(0, ${elapsedSeconds}) / ${timeConstantMs / 1_000})) + 1`;
  const opens = `, ${decayed('opens_day', openDecayMs.day)}, ${decayed('opens_week', openDecayMs.week)}, trend_at = ${now}`;
  const taken = former === null ? '' : `, ${former}_count = ${former}_count - 1`;
  await trx.raw(
    `UPDATE sticker_pack_engagement
        SET ${interaction}_count = ${interaction}_count + 1, version = version + 1${taken}${interaction === 'open' ? opens : ''}
      WHERE pack_id = ?`,
    [packId],
  );
}
