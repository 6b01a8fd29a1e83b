import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLogger, createMetrics } from '@omnizap/runtime';
import { createTestDatabase, waitFor, type TestDatabase } from '@omnizap/testkit';
import pg from 'pg';
import { installTaskQueues } from './install-task-queues.ts';
import { measuredClient, watchWaiting } from './measured-client.ts';
import { createTaskQueues, type TaskQueues } from './task-queues.ts';

describe('the metrics of the task queues’ database', () => {
  const metrics = createMetrics({ version: '0', release: 'stable', process: 'test' });
  const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
  const settings = [{ type: 'measured', retryLimit: 2, timeoutSeconds: 30, coalesceSeconds: 0 }];
  const valueOf = async (series: string): Promise<number> =>
    Number(
      (await metrics.registry.metrics())
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.split(' ')[1],
    );
  const queries = (): Promise<number> => valueOf('omnizap_database_query_duration_seconds_count{database="queue"}');
  const errors = (): Promise<number> => valueOf('omnizap_database_query_errors_total{database="queue"}');
  const connections = (state: string): Promise<number> =>
    valueOf(`omnizap_database_pool_connections{database="queue",state="${state}"}`);
  let test: TestDatabase;
  let queues: TaskQueues;

  beforeAll(async () => {
    test = await createTestDatabase('postgres');
    await installTaskQueues(settings, { queueUrl: test.queueUrl, log });
    queues = createTaskQueues(settings, {
      queueUrl: test.queueUrl,
      log,
      observer: metrics.ofDatabase('queue'),
    });
    await queues.start();
  });
  afterAll(async () => {
    await queues.stop();
    await test.drop();
  });

  it('count every statement, those of transactions too', async () => {
    const before = await queries();
    await queues.ping();
    expect(await queries()).toBe(before + 1);

    await queues.enqueue([{ taskType: 'measured', subjectId: 'one' }]);
    const sent = await queries();
    await queues.fetch('measured', 'stable', 1);

    // Is there anything; then a transaction with at least the fetching and the claimer.
    expect((await queries()) - sent).toBeGreaterThanOrEqual(5);
    expect(await errors()).toBe(0);
  });

  it('count what failed', async () => {
    await expect(queues.limitGroup('measured', 'a', { concurrency: -1 })).rejects.toThrow();

    expect(await errors()).toBe(1);
  });

  it('do not count duplicates: they are how somebody asks who was first', async () => {
    const [before, asked] = [await errors(), await queries()];
    const twice = `CREATE TEMPORARY TABLE once (id int PRIMARY KEY) ON COMMIT DROP; INSERT INTO once VALUES (1), (1)`;
    const client = new (measuredClient(metrics.ofDatabase('queue')))({ connectionString: test.queueUrl });
    await client.connect();
    await expect(client.query(twice)).rejects.toMatchObject({ code: '23505' });
    await client.end();

    expect([await errors(), await queries()]).toEqual([before, asked + 1]);
  });

  it('count a caller once that waited in vain for a connection, or could not open one', async () => {
    const observer = metrics.ofDatabase('queue');
    const timed = { max: 1, connectionTimeoutMillis: 50 };
    const full = new pg.Pool({ ...timed, connectionString: test.queueUrl, Client: measuredClient(observer) });
    const away = new pg.Pool({ ...timed, host: '127.0.0.1', port: 1, Client: measuredClient(observer) });
    for (const pool of [full, away]) watchWaiting(pool, observer);
    const before = await errors();
    const held = await full.connect();
    await expect(full.query('SELECT 1')).rejects.toThrow('timeout');
    expect(await errors()).toBe(before + 1);
    await expect(full.connect()).rejects.toThrow('timeout');
    expect(await errors()).toBe(before + 2);
    await expect(away.query('SELECT 1')).rejects.toThrow('ECONNREFUSED');
    expect(await errors()).toBe(before + 3);

    held.release();
    await Promise.all([full.end(), away.end()]);
  });

  it('tell connections in use and callers that wait for one', async () => {
    expect([await connections('used'), await valueOf('omnizap_database_pool_limit{database="queue"}')]).toEqual([0, 3]);
    const asked = Promise.all(Array.from({ length: 8 }, () => queues.ping()));
    expect([await connections('used'), await connections('waiting')]).toEqual([3, 5]);
    await asked;

    await waitFor(async () => (await connections('used')) === 0);
    expect(await connections('free')).toBeGreaterThan(0);
  });

  it('count a caller of the queues that waited in vain while all connections were in use', async () => {
    const before = await errors();
    const locking = new pg.Client({ connectionString: test.queueUrl });
    await locking.connect();
    await locking.query('BEGIN; LOCK TABLE pgboss.job');
    const holding = Promise.all(
      ['two', 'three', 'four'].map((subjectId) => queues.enqueue([{ taskType: 'measured', subjectId }])),
    );
    await waitFor(async () => (await connections('used')) === 3);
    await expect(queues.ping()).rejects.toThrow('timeout');
    expect(await errors()).toBe(before + 1);

    await locking.end();
    await holding;
    expect(await errors()).toBe(before + 1);
  }, 20_000);
});
