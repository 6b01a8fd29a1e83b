/**
 * SQL of the counters that all API processes share: one statement counts a request and tells how many there were.
 *
 * The library's own stores were tried first: on MySQL they take a transaction of four statements, on both they pass by the pool's
 * measurement, and a row's end depends on which process wrote it first.
 */
import { rowsOf, type Database } from './database.ts';
import { sqlNow } from './sql-time.ts';

export type RateLimitStore = ReturnType<typeof createRateLimitStore>;

export function createRateLimitStore({ knex, kind }: Database) {
  const now = sqlNow(kind);

  return {
    /**
     * Adds `points` to what `key` has in that window, a number that only ever grows, and returns the sum. A process whose clock is
     * behind counts into the newer window that it finds: it must not begin the older one again.
     */
    async count(key: string, windowNumber: number, points: number): Promise<number> {
      if (kind === 'postgres') {
        const result: unknown = await knex.raw(
          `INSERT INTO rate_limit AS r (limit_key, window_number, points) VALUES (?, ?, ?)
           ON CONFLICT (limit_key) DO UPDATE
              SET points = EXCLUDED.points + CASE WHEN r.window_number >= EXCLUDED.window_number THEN r.points ELSE 0 END,
                  window_number = GREATEST(r.window_number, EXCLUDED.window_number), seen_at = ${now}
           RETURNING r.points`,
          [key, windowNumber, points],
        );
        return rowsOf<{ points: number }>(result)[0]?.points ?? points;
      }
      // MySQL has no RETURNING, but hands back LAST_INSERT_ID(expression) with the result. It sets columns from left to right.
      const [header] = (await knex.raw(
        `INSERT INTO rate_limit (limit_key, window_number, points) VALUES (?, ?, ?)
         ON DUPLICATE KEY UPDATE
            points = LAST_INSERT_ID(VALUES(points) + IF(window_number >= VALUES(window_number), points, 0)),
            window_number = GREATEST(window_number, VALUES(window_number)), seen_at = ${now}`,
        [key, windowNumber, points],
      )) as [{ affectedRows: number; insertId: number }];
      return header.affectedRows === 1 ? points : header.insertId;
    },
  };
}
