/** Instants in SQL, always by the database's clock: processes on several hosts must agree on who is late. */
import type { DatabaseKind } from './database.ts';

/** SQL for the current instant (start of the statement on both families, never start of the transaction). */
export function sqlNow(kind: DatabaseKind): string {
  return kind === 'postgres' ? 'clock_timestamp()' : 'CURRENT_TIMESTAMP(3)';
}

/** SQL for the UTC day of the instant that `column` has. */
export function sqlDayOf(kind: DatabaseKind, column: string): string {
  // A session of ours has UTC as its time zone; a date must not depend on that.
  return kind === 'postgres' ? `CAST(${column} AT TIME ZONE 'UTC' AS date)` : `CAST(${column} AS date)`;
}

/** SQL for the seconds, with fractions, since the instant that `column` has; NULL where it has none. */
export function sqlSecondsSince(kind: DatabaseKind, column: string): string {
  return kind === 'postgres'
    ? `EXTRACT(EPOCH FROM (${sqlNow(kind)} - ${column}))::float8`
    : `TIMESTAMPDIFF(MICROSECOND, ${column}, ${sqlNow(kind)}) / 1000000`;
}

/** SQL for the current instant plus (or, when negative, minus) whole milliseconds. */
export function sqlNowPlus(kind: DatabaseKind, milliseconds: number): string {
  if (!Number.isSafeInteger(milliseconds))
    throw new RangeError(`sqlNowPlus needs whole milliseconds, not ${milliseconds}`);
  return kind === 'postgres'
    ? `(clock_timestamp() + interval '${milliseconds} milliseconds')`
    : `(CURRENT_TIMESTAMP(3) + INTERVAL ${milliseconds * 1_000} MICROSECOND)`;
}
