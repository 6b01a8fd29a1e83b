/**
 * The hot queries on a catalogue with five million finished events, on PostgreSQL and, where one can be had, MariaDB: how many rows
 * the server reads for each and how long it takes. The plans.db.test.ts beside it asserts the same on a smaller one.
 */
import path from 'node:path';
import { connectDatabase, migrateUp, type Database } from '@omnizap/runtime';
import type { Bench, BenchContext, Measurement } from './bench-types.ts';
import { startDatabaseServers } from './database-servers.ts';
import { fillTables, type TableSizes } from './fill-tables.ts';
import { createHotQueries } from './hot-queries.ts';
import { countRowsRead } from './rows-read.ts';

const sizes: TableSizes = {
  finishedEvents: 5_000_000,
  dueEvents: 20_000,
  waitingEvents: 20_000,
  failedEvents: 500,
  workStates: 1_000_000,
  dueWorkStates: 1_000,
  interactions: 1_000_000,
};

export const plansBench: Bench = {
  name: 'plans',
  summary: `Rows read and time of the hot queries at ${sizes.finishedEvents} finished events, on both databases.`,
  rounds: 1,
  isOnRequest: true,
  async prepare(context) {
    const { servers, queueUrl } = await startDatabaseServers(context);
    return async (round) => {
      const measurements: Measurement[] = [];
      for (const { name, createDatabase } of servers)
        measurements.push(...(await measure(context, name, await createDatabase(`plans_${round}`), queueUrl)));
      return measurements;
    };
  },
};

async function measure(
  context: BenchContext,
  server: string,
  databaseUrl: string,
  queueUrl: string,
): Promise<Measurement[]> {
  const migrating = connectDatabase(databaseUrl);
  await migrateUp(migrating);
  await migrating.close();
  const database: Database = connectDatabase(databaseUrl, { poolMax: 1, applicationName: 'bench' });
  try {
    context.say(`${server}: filling the tables`);
    const startedAt = performance.now();
    await fillTables(database, sizes, context.signal);
    context.say(`${server}: filled in ${Math.round((performance.now() - startedAt) / 1_000)} s`);
    const measurements: Measurement[] = [];
    for (const { name, atMostRows, run } of await createHotQueries(database, {
      queueUrl,
      archiveDir: path.join(context.folder, 'archives'),
      sizes,
    })) {
      let milliseconds = 0;
      const rows = await countRowsRead(database, async () => {
        const askedAt = performance.now();
        await run();
        milliseconds = performance.now() - askedAt;
      });
      measurements.push(
        { name: `${server}: ${name}`, unit: 'rows read', value: rows, target: { atMost: atMostRows } },
        { name: `${server}: ${name}, time`, unit: 'ms', value: milliseconds },
      );
    }
    return measurements;
  } finally {
    await database.close();
  }
}
