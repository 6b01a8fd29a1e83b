import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { connectDatabase, createLogger, createWakeups, migrateUp, type Database, type Wakeups } from '@omnizap/runtime';
import { createTaskQueues, installTaskQueues, type TaskQueues } from '@omnizap/tasks';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { addPack, addSticker, flags } from '../test/builders.ts';
import { createCatalogueDepth } from './catalogue-depth-store.ts';
import { keepDeadTask } from './dead-tasks.ts';
import { createPacks } from './packs.ts';
import { createReprocessStore, markReviewed } from './reprocess-store.ts';
import { createSweeper } from './sweeper.ts';
import { taskSettings, type TaskType } from './task-settings.ts';
import { createWorkStateStore, markDone, markFailed } from './work-state-store.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const provider = { name: 'emoji', version: '2' };
const cadenceMs = {
  classification: 120_000,
  derivative: 120_000,
  curation: 180_000,
  rebuild: 240_000,
  storage: 240_000,
  webhook: 240_000,
};
const daysAgo = (days: number): Date => new Date(Date.now() - days * 86_400_000);

describe.each(testDatabaseKinds())('sweeps on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let wakeups: Wakeups;
  let queues: TaskQueues;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl);
    await migrateUp(database);
    wakeups = createWakeups({ queueUrl: test.queueUrl, log });
    await installTaskQueues(taskSettings, { queueUrl: test.queueUrl, log });
    queues = createTaskQueues(taskSettings, { queueUrl: test.queueUrl, log });
    await queues.start();
  });
  beforeEach(async () => {
    jest.restoreAllMocks();
    await drain();
    for (const table of [
      'work_state',
      'sticker_asset_classification',
      'domain_event_outbox',
      'sticker_worker_task_dlq',
    ])
      await database.knex(table).delete();
  });
  afterAll(async () => {
    await queues.stop();
    await database.close();
    await test.drop();
  });

  const newSweeper = () => createSweeper({ database, queues, log }, { cadenceMs, provider });

  /** Waiting tasks per type; coalescing ones count although their time has not come. */
  async function waiting(): Promise<Record<string, number>> {
    const rows = (await queues.counts()).filter((row) => row.state === 'created');
    return Object.fromEntries(rows.map((row) => [row.taskType, row.count]));
  }

  async function drain(): Promise<void> {
    // By the queue's own database; a sweep must find what is in no queue.
    const boss = connectDatabase(test.queueUrl);
    await boss.knex.raw('DELETE FROM pgboss.job');
    await boss.close();
  }

  const age = (seconds: number): Promise<number> =>
    database.knex('work_state').update({ wanted_at: new Date(Date.now() - seconds * 1_000) });

  const settled = async (taskType: TaskType, subjectId: string): Promise<void> => {
    await createWorkStateStore(database).want([{ taskType, subjectId }]);
    await database.transaction((trx) => markDone(trx, { taskType, subjectId }, 1));
  };

  it('find work whose events and tasks were all lost', async () => {
    await createPacks({ database, flags, wakeups }).create(
      { ownerId: 'owner', isAdmin: false },
      { name: 'Lost', publisher: '', description: '', visibility: 'public', tags: [] },
    );
    await createWorkStateStore(database).want([
      { taskType: 'classification', subjectId: 'asset' },
      { taskType: 'derivative', subjectId: 'asset' },
      { taskType: 'curation', subjectId: 'love' },
    ]);
    await database.knex('domain_event_outbox').delete();
    await age(60);

    await newSweeper().pass();

    expect(await waiting()).toEqual({ classification: 1, derivative: 1, curation: 1, rebuild: 1 });
    const [task] = await queues.fetch('classification', 'stable', 1);
    expect(task?.data).toMatchObject({ subject_id: 'asset' });
  });

  it('leave alone what is on its way, done, or failed for good', async () => {
    const workState = createWorkStateStore(database);
    await workState.want([{ taskType: 'rebuild', subjectId: 'failed' }]);
    const dead = {
      id: '00000000-0000-4000-8000-000000000001',
      taskType: 'rebuild',
      subjectId: 'failed',
      attempts: 6,
      error: 'no way\n    at a line',
      payload: { subject_id: 'failed' },
    };
    await keepDeadTask(database, dead);
    await keepDeadTask(database, dead);
    await settled('rebuild', 'done');
    await age(60);
    await workState.want([{ taskType: 'rebuild', subjectId: 'young' }]);

    await newSweeper().pass();

    expect(await waiting()).toEqual({});
    expect(await database.knex('sticker_worker_task_dlq').select('subject_id', 'attempts', 'last_error')).toEqual([
      { subject_id: 'failed', attempts: 6, last_error: 'no way\n    at a line' },
    ]);
    // Something newer is wanted: the subject gets its chance again.
    await workState.want([{ taskType: 'rebuild', subjectId: 'failed' }]);
    await age(60);
    await newSweeper().pass();
    expect(await waiting()).toEqual({ rebuild: 2 });
    // A report that comes again, of the same death, says nothing about what is wanted now.
    await keepDeadTask(database, dead);
    expect(await workState.countDue('rebuild')).toBe(2);
  });

  it('go on in the next pass where a full batch ended, without waiting for their next turn', async () => {
    const rows = Array.from({ length: 1_300 }, (_, index) => ({ task_type: 'rebuild', subject_id: `pack-${index}` }));
    await database.knex.batchInsert('work_state', rows, 500);
    await age(60);
    const sweeper = newSweeper();

    await sweeper.pass();
    const first = await waiting();
    await sweeper.pass();

    expect([first, await waiting()]).toEqual([{ rebuild: 1_000 }, { rebuild: 1_300 }]);
  });

  it('come at the cadence of each type, and add nothing to what already waits', async () => {
    const real = performance.now.bind(performance);
    let offsetMs = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => real() + offsetMs);
    const workState = createWorkStateStore(database);
    const sweeper = newSweeper();
    await sweeper.pass();
    await workState.want([
      { taskType: 'classification', subjectId: 'asset' },
      { taskType: 'rebuild', subjectId: 'pack' },
    ]);
    await age(60);
    const seen: Record<string, number>[] = [];
    for (const milliseconds of [60_000, 70_000, 130_000, 250_000]) {
      offsetMs += milliseconds;
      await sweeper.pass();
      seen.push(await waiting());
    }

    expect(seen).toEqual([
      {},
      { classification: 1 },
      { classification: 1, rebuild: 1 },
      { classification: 1, rebuild: 1 },
    ]);
  });

  it('ask again for what an older version of the classifier said, what is doubtful, and what an operator wishes', async () => {
    const three = daysAgo(3);
    const cases: Record<
      string,
      { providerVersion?: string; confidence?: number; row?: Record<string, unknown>; status?: 'rejected' }
    > = {
      older: { providerVersion: '1' },
      current: { providerVersion: '2' },
      newer: { providerVersion: '10' },
      doubtful: { providerVersion: '2', confidence: 0.2, row: { classified_at: three } },
      'doubtful but young': { providerVersion: '2', confidence: 0.2 },
      'doubtful twice': {
        providerVersion: '2',
        confidence: 0.2,
        row: { classified_at: three, reviewed_at: daysAgo(1) },
      },
      wished: { providerVersion: '2', row: { reprocess_requested_at: new Date() } },
      'older and already waiting': { providerVersion: '1' },
      'older and rejected': { providerVersion: '1', status: 'rejected' },
      'older and dead': { providerVersion: '1' },
    };
    const ids: Record<string, string> = {};
    for (const [name, { row, status, ...classification }] of Object.entries(cases)) {
      const id = await addSticker(database, { classification, status: status ?? 'ready' });
      ids[name] = id;
      if (row) await database.knex('sticker_asset_classification').where({ asset_id: id }).update(row);
      const subject = { taskType: 'classification' as const, subjectId: id };
      if (!name.endsWith('waiting') && !name.endsWith('dead')) await settled('classification', id);
      else await createWorkStateStore(database).want([subject]);
      if (name.endsWith('dead')) await database.transaction((trx) => markFailed(trx, subject));
    }
    const reprocess = createReprocessStore(database, provider);
    const names = async (): Promise<string[]> =>
      (await reprocess.pending(100)).map((id) => Object.keys(ids).find((name) => ids[name] === id) ?? id).toSorted();
    const before = await names();
    const depth = await createCatalogueDepth(database, provider)();

    await newSweeper().pass();

    expect(before).toEqual(['doubtful', 'older', 'wished']);
    expect(depth).toMatchObject({ deadTasks: 0, reprocessPending: 5, scorePending: 0 });
    expect(await waiting()).toEqual({ classification: 3 });
    // They wait now, so another sweep would not raise what is wanted once more.
    expect(await names()).toEqual([]);
    expect(await reprocess.pending(1)).toEqual([]);
  });

  it('ask twice about a doubtful sticker and once for an operator, not for ever', async () => {
    const doubtful = await addSticker(database, { classification: { providerVersion: '2', confidence: 0.2 } });
    const wished = await addSticker(database, { classification: { providerVersion: '2' } });
    const untouched = await addSticker(database, { classification: { providerVersion: '2' } });
    for (const id of [doubtful, wished, untouched]) await settled('classification', id);
    const { knex } = database;
    await knex('sticker_asset_classification')
      .where({ asset_id: doubtful })
      .update({ classified_at: daysAgo(3) });
    await knex('sticker_asset_classification')
      .where({ asset_id: wished })
      .update({ reprocess_requested_at: new Date() });
    const reprocess = createReprocessStore(database, provider);
    expect((await reprocess.pending(10)).toSorted()).toEqual([doubtful, wished].toSorted());

    for (const id of [doubtful, wished, untouched]) await database.transaction((trx) => markReviewed(trx, kind, id));

    expect(await reprocess.pending(10)).toEqual([]);
    expect((await createCatalogueDepth(database, provider)()).reprocessPending).toBe(0);
    expect(await knex('sticker_asset_classification').where({ asset_id: untouched }).pluck('reviewed_at')).toEqual([
      null,
    ]);
  });

  it('ask for no more at once than their share', async () => {
    for (let index = 0; index < 5; index += 1)
      await settled('classification', await addSticker(database, { classification: { providerVersion: '1' } }));

    expect(await createReprocessStore(database, provider).pending(2)).toHaveLength(2);
    await addPack(database);
    expect(await createReprocessStore(database, provider).pending(100)).toHaveLength(5);
  });
});
