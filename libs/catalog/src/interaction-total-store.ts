/**
 * SQL of what archived interactions had counted. A counter of `sticker_pack_engagement` equals, at every moment, the archived total
 * plus the pack's rows in the event log: rows leave and totals grow in one transaction. `ids` are rows that the caller has locked.
 */
import { rowsOf, type DatabaseKind, type Transaction } from '@omnizap/runtime';

type PackCount = { pack_id: string; interaction: string; count: number };

/** Ordered, so that two transactions lock the totals in the same order. */
async function countByPack(trx: Transaction, ids: number[]): Promise<PackCount[]> {
  const found: unknown = await trx.raw(
    `SELECT pack_id, interaction, COUNT(*) AS count FROM sticker_pack_interaction_event
      WHERE id IN (${ids.map(() => '?').join(', ')}) GROUP BY pack_id, interaction ORDER BY pack_id, interaction`,
    ids,
  );
  return rowsOf<PackCount>(found);
}

export async function addToTotals(trx: Transaction, kind: DatabaseKind, ids: number[]): Promise<void> {
  const counts = await countByPack(trx, ids);
  const onConflict =
    kind === 'mysql'
      ? 'ON DUPLICATE KEY UPDATE archived_count = archived_count + VALUES(archived_count)'
      : `ON CONFLICT (pack_id, interaction)
         DO UPDATE SET archived_count = sticker_pack_interaction_total.archived_count + excluded.archived_count`;
  await trx.raw(
    `INSERT INTO sticker_pack_interaction_total (pack_id, interaction, archived_count)
     VALUES ${counts.map(() => '(?, ?, ?)').join(', ')} ${onConflict}`,
    counts.flatMap(({ pack_id, interaction, count }) => [pack_id, interaction, count]),
  );
}

export async function takeFromTotals(trx: Transaction, ids: number[]): Promise<void> {
  for (const { pack_id, interaction, count } of await countByPack(trx, ids))
    await trx('sticker_pack_interaction_total')
      .where({ pack_id, interaction })
      .update({ archived_count: trx.raw('archived_count - ?', [count]) });
}
