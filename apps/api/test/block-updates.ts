/** Holds a process up at a chosen statement, so that a test can kill it there. */
import { rowsOf } from '@omnizap/runtime';
import type { Database } from '@omnizap/runtime';
import { waitFor } from '@omnizap/testkit';

const blockSeconds = 60;

/**
 * Makes the statement that changes (or adds) a row of `table` sleep when `condition` holds for the new row. Returns how to wait until
 * somebody sleeps there, or `count` do, and how to end it: sleepers lose their connection, and nothing of what they wanted is written.
 */
export async function blockUpdates(
  { knex, kind }: Database,
  table: string,
  event: 'INSERT' | 'UPDATE',
  condition: string,
): Promise<{ reached: (count?: number) => Promise<void>; end: () => Promise<void> }> {
  if (kind === 'postgres') {
    await knex.raw(
      `CREATE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(${blockSeconds}); RETURN NEW; END $$`,
    );
    await knex.raw(
      `CREATE TRIGGER hold_up BEFORE ${event} ON ${table} FOR EACH ROW WHEN (${condition}) EXECUTE FUNCTION hold_up()`,
    );
  } else {
    await knex.raw(
      `CREATE TRIGGER hold_up BEFORE ${event} ON ${table} FOR EACH ROW BEGIN IF ${condition} THEN DO SLEEP(${blockSeconds}); END IF; END`,
    );
  }
  const sleepers = async (): Promise<number[]> =>
    rowsOf<{ id: number }>(
      await knex.raw(
        kind === 'postgres'
          ? `SELECT pid AS id FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()`
          : `SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND state = 'User sleep'`,
      ),
    ).map(({ id }) => id);

  return {
    async reached(count = 1) {
      await waitFor(async () => (await sleepers()).length >= count, { description: `a statement on ${table}` });
    },
    async end() {
      for (const id of await sleepers())
        await knex.raw(kind === 'postgres' ? `SELECT pg_terminate_backend(${id})` : `KILL ${id}`);
      await waitFor(async () => (await sleepers()).length === 0);
      await knex.raw(kind === 'postgres' ? `DROP TRIGGER hold_up ON ${table}` : 'DROP TRIGGER hold_up');
      if (kind === 'postgres') await knex.raw('DROP FUNCTION hold_up()');
    },
  };
}
