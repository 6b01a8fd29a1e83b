/**
 * SQL of daily counts: how many interactions of a pack were counted on each UTC day. They move in the transaction that counts, under
 * the lock of the pack's row, so no two transactions meet at one of these rows. The day is that of the row in the event log: what
 * changes there later (a dislike in place of a like) changes the day on which it was counted, even after midnight.
 */
import type { Knex } from 'knex';
import { affectedRows, rowsOf, sqlDayOf, sqlNow, type DatabaseKind } from '@omnizap/runtime';
import type { Interaction, InteractionRow } from './engagement-store.ts';

/** `row` is in the event log, new or in the place of `former`. */
export async function countOnDay(
  trx: Knex.Transaction,
  kind: DatabaseKind,
  row: InteractionRow,
  former: Interaction | null,
): Promise<void> {
  const day = `SELECT ${sqlDayOf(kind, 'created_at')} FROM sticker_pack_interaction_event
                WHERE pack_id = ? AND interaction = ? AND viewer_hash = ? AND window_number = ?`;
  const key = [row.packId, row.interaction, row.viewerHash, row.windowNumber];
  const move = async (interaction: Interaction, by: 1 | -1): Promise<boolean> => {
    // A release before this table counted its likes without it: there may be none to take one from.
    const result: unknown = await trx.raw(
      `UPDATE sticker_pack_interaction_day SET count = count + ?
        WHERE pack_id = ? AND interaction = ? AND day = (${day}) AND count + ? >= 0`,
      [by, row.packId, interaction, ...key, by],
    );
    return affectedRows(result) === 1;
  };
  if (!(await move(row.interaction, 1)))
    await trx.raw(
      `INSERT INTO sticker_pack_interaction_day (pack_id, interaction, day, count) SELECT ?, ?, (${day}), 1`,
      [row.packId, row.interaction, ...key],
    );
  if (former !== null) await move(former, -1);
}

export type DayCount = { day: string; interaction: Interaction; count: number };

/** Today and what was counted on it and the `days - 1` days before, in no order; days as `2026-11-27`. */
export async function readDayCounts(
  db: Knex,
  kind: DatabaseKind,
  packId: string,
  days: number,
): Promise<{ today: string; counts: DayCount[] }> {
  const text = (column: string): string =>
    kind === 'postgres' ? `to_char(${column}, 'YYYY-MM-DD')` : `DATE_FORMAT(${column}, '%Y-%m-%d')`;
  const first = kind === 'postgres' ? 't.today - ?::integer' : 't.today - INTERVAL ? DAY';
  const result: unknown = await db.raw(
    `SELECT ${text('t.today')} AS today, ${text('d.day')} AS day, d.interaction, d.count
       FROM (SELECT ${sqlDayOf(kind, sqlNow(kind))} AS today) t
       LEFT JOIN sticker_pack_interaction_day d ON d.pack_id = ? AND d.day BETWEEN ${first} AND t.today`,
    [packId, days - 1],
  );
  const rows = rowsOf<{ today: string } & ({ day: null } | DayCount)>(result);
  const counts = rows.flatMap((row) =>
    row.day === null ? [] : [{ day: row.day, interaction: row.interaction, count: row.count }],
  );
  return { today: rows[0]?.today ?? '', counts };
}
