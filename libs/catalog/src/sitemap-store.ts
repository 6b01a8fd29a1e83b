/** Packs for search engines, in an order that new ones only add to. */
import type { Knex } from 'knex';
import { packOfRow, type Pack } from './pack-store.ts';

const listed = { visibility: 'public', status: 'published' } as const;

/** At least as many as are reachable; exact enough to divide them into parts. */
export async function countListedRows(db: Knex): Promise<number> {
  const row = await db('sticker_pack').where(listed).whereNull('deleted_at').count({ count: '*' }).first();
  return Number(row?.count ?? 0);
}

/** By id, which is by time of creation; from `offset` on, or behind an id. Whoever shows them still asks `isReachable`. */
export async function readListedRows(
  db: Knex,
  start: { offset: number } | { afterId: string },
  limit: number,
): Promise<Pack[]> {
  const query = db('sticker_pack').where(listed).whereNull('deleted_at').orderBy('id').limit(limit);
  if ('afterId' in start) query.where('id', '>', start.afterId);
  else query.offset(start.offset);
  return ((await query.select('*')) as Parameters<typeof packOfRow>[0][]).map(packOfRow);
}
