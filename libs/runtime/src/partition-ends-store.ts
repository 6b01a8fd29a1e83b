/** Until when each table that is partitioned by UTC day (partition-store.ts) has room for new rows. */
import { rowsOf, type Database } from './database.ts';
import { addDays } from './partition-store.ts';

export type PartitionEnd = { table: string; endsAt: Date };

/** One per table that has such partitions. `today`: `2026-11-25`. */
export async function readPartitionEnds(database: Database, today: string): Promise<PartitionEnd[]> {
  const { knex, kind } = database;
  const answer: unknown = await knex.raw(
    kind === 'postgres'
      ? `SELECT parent.relname AS parent, right(child.relname, 8) AS day
           FROM pg_inherits i JOIN pg_class parent ON parent.oid = i.inhparent JOIN pg_class child ON child.oid = i.inhrelid
          WHERE parent.relkind = 'p' AND parent.relnamespace = current_schema()::regnamespace
            AND child.relname ~ ('^' || parent.relname || '_p[0-9]{8}$')`
      : `SELECT table_name AS parent, RIGHT(partition_name, 8) AS day FROM information_schema.partitions
          WHERE table_schema = DATABASE() AND partition_name REGEXP '^p[0-9]{8}$'`,
  );
  const byTable = Map.groupBy(rowsOf<{ parent: string; day: string }>(answer), ({ parent }) => parent);
  return [...byTable].map(([table, rows]) => {
    const days = new Set(rows.map(({ day }) => `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`));
    // MariaDB and MySQL put what has no day of its own into the next one that is there; PostgreSQL refuses it.
    let end = today;
    if (kind === 'mysql') end = [...days].reduce((last, day) => (addDays(day, 1) > last ? addDays(day, 1) : last), '');
    else while (days.has(end)) end = addDays(end, 1);
    return { table, endsAt: new Date(`${end}T00:00:00Z`) };
  });
}
