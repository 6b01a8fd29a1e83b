/** Waiting for the work that changes lead to, by the ledger that says what is wanted and what is done. */
import type { Database } from '@omnizap/runtime';
import { waitFor } from '@omnizap/testkit';
import type { CatalogueClient } from '@omnizap/testkit';

/** Returns when everything that was wanted is done. A ranking of it may still be on its way: see `withinOneGeneration`. */
export async function waitUntilQuiet({ knex }: Database): Promise<void> {
  await waitFor(
    async () => {
      const isRelayed = !(await knex('domain_event_outbox').whereNot({ status: 'completed' }).first('id'));
      return isRelayed && !(await knex('work_state').where({ is_due: 1 }).first('subject_id'));
    },
    { timeoutMs: 60_000, intervalMs: 50, description: 'everything wanted to be done' },
  );
}

/** What `look` saw while one and the same ranking was published: it looks again when a new one came out meanwhile. */
export async function withinOneGeneration<T>(client: CatalogueClient, look: () => Promise<T>): Promise<T> {
  const generation = async (): Promise<number | null> => (await client.list('?limit=1')).meta.generation;
  for (;;) {
    const before = await generation();
    const seen = await look();
    if ((await generation()) === before) return seen;
  }
}
