/**
 * The hot queries on a catalogue with five million finished events, on PostgreSQL and, where one can be had, MariaDB: how many rows
 * the server reads for each and how long it takes. The plans.db.test.ts beside it asserts the same on a smaller one.
 */
import path from 'node:path';
import { locateMariadb, startEmbeddedPostgres, startMariadb } from '@omnizap/embedded';
import { connectDatabase, migrateUp, type Database } from '@omnizap/runtime';
import type { Bench, BenchContext, Measurement } from './bench-types.ts';
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
const bufferPoolBytes = 2 ** 30;

export const plansBench: Bench = {
  name: 'plans',
  summary: `Rows read and time of the hot queries at ${sizes.finishedEvents} finished events, on both databases.`,
  rounds: 1,
  isOnRequest: true,
  async prepare(context) {
    const postgres = await startEmbeddedPostgres({
      dataDir: path.join(context.folder, 'postgres'),
      durable: false,
      signal: context.signal,
    });
    context.cleanUp(() => postgres.stop({ hurry: true }));
    const mariadb = await startServerOfMysql(context);

    return async (round) => {
      const name = `plans_${round}`;
      const system = connectDatabase(postgres.url, { poolMax: 1 });
      await system.knex.raw(`CREATE DATABASE ${name}`);
      await system.close();
      const measurements = await measure(context, 'PostgreSQL', new URL(`/${name}`, postgres.url).href, postgres.url);
      if (mariadb === null) return measurements;
      return [...measurements, ...(await measure(context, 'MariaDB', await mariadb(name), postgres.url))];
    };
  },
};

/** Makes a database of that name and returns its URL. Null: there is no MariaDB here. */
async function startServerOfMysql(context: BenchContext): Promise<((name: string) => Promise<string>) | null> {
  const installation = await locateMariadb({
    cacheDir: path.join(context.root, '.cache', 'mariadb'),
    log: (line) => context.say(`MariaDB: ${line}`),
  });
  if (installation === null) return null;
  const server = await startMariadb({
    installation,
    dataDir: path.join(context.folder, 'mariadb'),
    signal: context.signal,
  });
  context.cleanUp(() => server.stop({ hurry: true }));
  return async (name) => {
    const system = connectDatabase(new URL('/mysql', server.url).href, { poolMax: 1 });
    // That of a test server would make the filling, not what is measured, take an hour.
    await system.knex.raw(`SET GLOBAL innodb_buffer_pool_size = ${bufferPoolBytes}`);
    await system.knex.raw(`CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
    await system.close();
    return new URL(`/${name}`, server.url).href;
  };
}

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
