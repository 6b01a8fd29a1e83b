import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { taskSettings } from '@omnizap/catalog';
import { connectDatabase, createLogger, migrateUp } from '@omnizap/runtime';
import type { Database } from '@omnizap/runtime';
import { installTaskQueues } from '@omnizap/tasks';
import { createTestDatabase, testDatabaseKinds } from '@omnizap/testkit';
import type { TestDatabase } from '@omnizap/testkit';
import { readFinalTables, readRecordedHistory } from './final-tables.ts';
import { installCatalogueHistory, installQueueHistory } from './history-triggers.ts';
import { waitForRest } from './quiescence.ts';
import { connectSql } from './sql.ts';
import type { Sql } from './sql.ts';

describe.each(testDatabaseKinds())('the history of a chaos run on %s', (kind) => {
  let test: TestDatabase;
  /** As the product connects. */
  let product: Database;
  let catalogue: Sql;
  let queue: Sql;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    product = connectDatabase(test.databaseUrl, { poolMax: 2 });
    await migrateUp(product);
    const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
    await installTaskQueues(taskSettings, { queueUrl: test.queueUrl, log });
    catalogue = connectSql(test.databaseUrl);
    queue = connectSql(test.queueUrl);
    await installCatalogueHistory(catalogue);
    await installQueueHistory(queue);
  });
  afterAll(async () => {
    await catalogue.close();
    await queue.close();
    await product.close();
    await test.drop();
  });

  const work = { task_type: 'rebuild', subject_id: 'pack-1' };

  it('keeps each version that was written, and who wrote it', async () => {
    await product.knex('work_state').insert(work);
    await product.knex('work_state').where(work).update({ done_version: 3 });
    await product.knex('work_state').where(work).update({ wanted_version: 5 });
    await catalogue.query("UPDATE work_state SET done_version = 2 WHERE subject_id = 'pack-1'");
    await product
      .transaction(async (trx) => {
        await trx('work_state').where(work).update({ done_version: 9 });
        throw new Error('rolled back');
      })
      .catch(() => undefined);

    const { effects } = await readRecordedHistory(catalogue, queue);

    expect(effects.map(({ actor, table, subject, version }) => [actor, table, subject, version])).toEqual([
      ['product', 'work_state', 'rebuild:pack-1', 0],
      ['product', 'work_state', 'rebuild:pack-1', 3],
      ['harness', 'work_state', 'rebuild:pack-1', 2],
    ]);
  });

  it('keeps what becomes of an event, statement by statement', async () => {
    const event = {
      event_type: 'PACK_UPDATED',
      aggregate_type: 'sticker_pack',
      aggregate_id: 'p',
      shard: 1,
      request_id: 'r1',
    };
    await product.knex('domain_event_outbox').insert([1, 2].map(() => ({ ...event, payload: '{"action":"created"}' })));
    await product.knex('domain_event_outbox').update({ status: 'processing' });
    await product
      .knex('domain_event_outbox')
      .update({ status: 'completed', processed_at: new Date(1_800_000_000_123) });
    await catalogue.query("DELETE FROM domain_event_outbox WHERE status = 'completed'");

    const { events } = await readRecordedHistory(catalogue, queue);

    expect(events).toHaveLength(8);
    expect(events[0]).toMatchObject({
      operation: 'insert',
      actor: 'product',
      aggregate: 'sticker_pack:p',
      action: 'created',
      requestId: 'r1',
      oldStatus: null,
      newStatus: 'pending',
    });
    expect(Math.abs((events[0]?.atMs ?? 0) - Date.now())).toBeLessThan(60_000);
    const completions = events.filter(({ newStatus }) => newStatus === 'completed');
    expect(new Set(completions.map(({ batch }) => batch)).size).toBe(1);
    expect(events.slice(6).map(({ operation, actor, oldStatus }) => [operation, actor, oldStatus])).toEqual([
      ['delete', 'harness', 'completed'],
      ['delete', 'harness', 'completed'],
    ]);
  });

  it('keeps who claimed a task, by the port of the connection', async () => {
    await queue.query("INSERT INTO pgboss.job (name, singleton_key) VALUES ('rebuild.stable', 'pack-1')");
    await queue.query("UPDATE pgboss.job SET state = 'active', started_on = now()");
    await queue.query('UPDATE pgboss.job SET heartbeat_on = now()');

    const { jobs } = await readRecordedHistory(catalogue, queue);

    expect(jobs.map(({ operation, state }) => [operation, state])).toEqual([
      ['insert', 'created'],
      ['update', 'active'],
    ]);
    expect(jobs[1]).toMatchObject({ queue: 'rebuild.stable', subject: 'pack-1', actor: 'harness' });
    expect(jobs[1]?.port).toBeGreaterThan(0);
  });

  it('lists what is stuck when there is no rest, and reads the tables that it leaves', async () => {
    const rest = await waitForRest(catalogue, queue, {
      damaged: [],
      timeoutMs: 0,
      signal: new AbortController().signal,
    });
    const tables = await readFinalTables(catalogue, queue);

    expect(rest.isQuiet).toBe(false);
    expect(rest.stuck.join('\n')).toMatch(/rebuild of pack-1 wants version 5, has 2[\s\S]*task .*active/);
    expect(tables.workStates).toEqual([{ taskType: 'rebuild', subjectId: 'pack-1', wanted: 5, done: 2, failed: 0 }]);
    expect(tables.openJobs.map(({ state }) => state)).toEqual(['active']);
  });
});
