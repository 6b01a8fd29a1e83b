import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, freePort, testDatabaseKinds, waitFor, type TestDatabase } from '@omnizap/testkit';
import { connectDatabase, type Database } from './database.ts';
import { createMetrics } from './metrics.ts';

describe.each(testDatabaseKinds())('the metrics of a connection pool on %s', (kind) => {
  const metrics = createMetrics({ version: '0', release: 'stable', process: 'test' });
  const valueOf = async (series: string): Promise<number> =>
    Number(
      (await metrics.registry.metrics())
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.split(' ')[1],
    );
  const connections = async (): Promise<number[]> =>
    Promise.all(
      ['used', 'free', 'waiting'].map((state) =>
        valueOf(`omnizap_database_pool_connections{database="catalogue",state="${state}"}`),
      ),
    );
  let test: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl, { poolMax: 2, observer: metrics.ofDatabase('catalogue') });
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  it('tell connections in use and idle, and callers that wait for one', async () => {
    expect(await connections()).toEqual([0, 0, 0]);
    expect(await valueOf('omnizap_database_pool_limit{database="catalogue"}')).toBe(2);
    const held = await Promise.all([database.knex.transaction(), database.knex.transaction()]);
    const third = database.ping();
    await waitFor(async () => (await connections()).join() === '2,0,1');

    await Promise.all(held.map((transaction) => transaction.rollback()));
    await third;

    expect(await connections()).toEqual([0, 2, 0]);
  });

  it('count what took longer than a second apart, and what failed', async () => {
    const counts = (): Promise<number[]> =>
      Promise.all(
        [
          'omnizap_database_query_duration_seconds_count',
          'omnizap_database_slow_queries_total',
          'omnizap_database_query_errors_total',
        ].map((name) => valueOf(`${name}{database="catalogue"}`)),
      );
    const [before = NaN] = await counts();

    await database.knex.raw(kind === 'postgres' ? 'SELECT pg_sleep(1.05)' : 'SELECT SLEEP(1.05)');
    await database.knex.raw('SELECT * FROM nowhere').catch(() => undefined);

    expect(await counts()).toEqual([before + 2, 1, 1]);
  });

  it('count callers that had to go away without a connection', async () => {
    const url = new URL(test.databaseUrl);
    url.port = String(await freePort());
    const nowhere = connectDatabase(url.href, { poolMax: 1, observer: metrics.ofDatabase('queue') });
    await expect(nowhere.knex.raw('SELECT 1')).rejects.toThrow();
    await nowhere.close();

    expect(await valueOf('omnizap_database_query_errors_total{database="queue"}')).toBe(1);
    expect(await valueOf('omnizap_database_slow_queries_total{database="queue"}')).toBe(0);
  });
});
