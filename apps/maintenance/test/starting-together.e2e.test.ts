/** A new host starts everything at once, on a database where nothing is: nobody may need a second try. */
import { describe, expect, it } from '@jest/globals';
import { ask, fleetProcesses, startFleet, testDatabaseKinds, waitFor } from '@omnizap/testkit';

/** Of each of the six kinds, and as many migrations: twenty-one processes. */
const copies = 3;

describe.each(testDatabaseKinds())('twenty processes on an empty %s', (kind) => {
  it('all come up, apply the schema once, and have one leader', async () => {
    const fleet = await startFleet(kind, {
      processes: fleetProcesses.flatMap((name) => Array<typeof name>(copies).fill(name)),
      migrationsAtOnce: copies,
    });
    try {
      const ready = await Promise.all(fleet.all().map(({ process }) => ask(`${process.url}/readyz`)));
      const applied: string[] = await fleet.database.knex('schema_migration').pluck<string[]>('name');
      const leaders = await waitFor(
        async () =>
          (await fleet.database.knex('held_lease').where({ name: 'maintenance-leader' }).whereNotNull('process_id'))
            .length,
        { timeoutMs: 30_000 },
      );

      expect(ready.map((answer) => answer.status)).toEqual(Array(fleetProcesses.length * copies).fill(200));
      expect(applied.length).toBeGreaterThan(0);
      expect(new Set(applied).size).toBe(applied.length);
      expect(leaders).toBe(1);
    } finally {
      await fleet.stop();
    }
  }, 240_000);
});
