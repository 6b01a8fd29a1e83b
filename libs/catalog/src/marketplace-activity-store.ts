/** SQL of what happened in the catalogue lately. Private and unlisted packs do not count: nobody but their owners knows of them. */
import { rowsOf, sqlDayOf, sqlNow, type Database } from '@omnizap/runtime';
import type { Interaction } from './engagement-store.ts';

export type DayActivity = { day: string; published: number } & Record<Interaction, number>;

/** The last `days` UTC days, the oldest first, those without anything included; days as `2026-11-27`. */
export async function readActivity({ knex, kind }: Database, days: number): Promise<DayActivity[]> {
  const text = (column: string): string =>
    kind === 'postgres' ? `to_char(${column}, 'YYYY-MM-DD')` : `DATE_FORMAT(${column}, '%Y-%m-%d')`;
  const today = sqlDayOf(kind, sqlNow(kind));
  const first = kind === 'postgres' ? `(${today} - ?::integer)` : `(${today} - INTERVAL ? DAY)`;
  const counted = rowsOf<{ day: string; interaction: Interaction; total: number }>(
    await knex.raw(
      `SELECT ${text('d.day')} AS day, d.interaction, SUM(d.count) AS total
         FROM sticker_pack_interaction_day d JOIN sticker_pack_score_snapshot s ON s.pack_id = d.pack_id
        WHERE d.day >= ${first} AND s.is_listed = 1 GROUP BY d.day, d.interaction`,
      [days - 1],
    ),
  );
  const published = rowsOf<{ day: string; total: number }>(
    await knex.raw(
      `SELECT ${text(sqlDayOf(kind, 'p.published_at'))} AS day, COUNT(*) AS total
         FROM sticker_pack p JOIN sticker_pack_score_snapshot s ON s.pack_id = p.id
        WHERE p.published_at >= ${first} AND s.is_listed = 1 GROUP BY ${text(sqlDayOf(kind, 'p.published_at'))}`,
      [days - 1],
    ),
  );
  const [{ day: last = '' } = {}] = rowsOf<{ day: string }>(await knex.raw(`SELECT ${text(today)} AS day`));
  return Array.from({ length: days }, (_, index) => {
    const day = new Date(Date.parse(last) - (days - 1 - index) * 86_400_000).toISOString().slice(0, 10);
    const of = (interaction: Interaction): number =>
      Number(counted.find((row) => row.day === day && row.interaction === interaction)?.total ?? 0);
    return {
      day,
      published: Number(published.find((row) => row.day === day)?.total ?? 0),
      ...{ open: of('open'), like: of('like'), dislike: of('dislike'), download: of('download') },
    };
  });
}

/** Stickers that are in no pack, whoever's and in whatever state. */
export async function countStickersWithoutPack({ knex }: Database): Promise<number> {
  const found: unknown = await knex.raw(
    `SELECT COUNT(*) AS total FROM sticker_asset a
      WHERE NOT EXISTS (SELECT 1 FROM sticker_pack_item i WHERE i.asset_id = a.id)`,
  );
  return Number(rowsOf<{ total: number }>(found)[0]?.total ?? 0);
}
