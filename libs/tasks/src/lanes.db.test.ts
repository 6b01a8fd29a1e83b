import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '@omnizap/runtime';
import { createTestDatabase, type TestDatabase } from '@omnizap/testkit';
import pg from 'pg';
import { installTaskQueues } from './install-task-queues.ts';
import type { LaneShares } from './lanes.ts';
import { createTaskQueues, type TaskQueues } from './task-queues.ts';
import { lanes, type Lane, type TaskSettings } from './task-types.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const limits = { retryLimit: 2, timeoutSeconds: 30, coalesceSeconds: 0 };
const settings: TaskSettings[] = [
  { type: 'colour', ...limits },
  { type: 'shape', ...limits },
];

describe('tasks of lanes', () => {
  let test: TestDatabase;
  let database: pg.Pool;
  let queues: TaskQueues;
  let shares: LaneShares;

  beforeAll(async () => {
    test = await createTestDatabase('postgres');
    database = new pg.Pool({ connectionString: test.queueUrl, max: 2 });
    await installTaskQueues(settings, { queueUrl: test.queueUrl, log });
    queues = createTaskQueues(settings, {
      ...{ queueUrl: test.queueUrl, log, processId: 'worker' },
      // A subject is called by its buckets: "30/70".
      lanes: {
        shares: () => shares,
        bucketsOf: (subject) => {
          const [dedicated = 0, canary = 0] = subject.split('/').map(Number);
          return { dedicated, canary };
        },
      },
    });
    await queues.start();
  });
  beforeEach(() => share(100, 0));
  afterEach(() => database.query('DELETE FROM pgboss.job'));
  afterAll(async () => {
    await queues.stop();
    await database.end();
    await test.drop();
  });

  function share(dedicatedPercent: number, canaryPercent: number, served: Lane[] = [...lanes], paused?: string): void {
    shares = {
      ...{ dedicatedPercent, canaryPercent },
      isServed: (_type, lane) => served.includes(lane),
      isPaused: (taskType) => taskType === paused,
    };
  }
  const hint = (...subjects: string[]) => subjects.map((subjectId) => ({ taskType: 'colour', subjectId }));
  const where = async (): Promise<Record<string, string[]>> => {
    const { rows } = await database.query<{ name: string; subjects: string[] }>(
      `SELECT name, array_agg(data->>'subject_id' ORDER BY data->>'subject_id') AS subjects FROM pgboss.job
        WHERE state <> 'completed' GROUP BY name ORDER BY name`,
    );
    return Object.fromEntries(rows.map((row) => [row.name, row.subjects]));
  };
  const fetched = async (lane: Lane): Promise<string[]> =>
    (await queues.fetch('colour', lane, 10)).map((task) => task.data.subject_id).sort();

  it('are put where their subject belongs', async () => {
    share(50, 10);
    await queues.enqueue(hint('51/1', '50/10', '50/11'));

    expect(await where()).toEqual({
      'colour.canary': ['50/10'],
      'colour.inline': ['51/1'],
      'colour.stable': ['50/11'],
    });
    expect(await fetched('canary')).toEqual(['50/10']);
    expect(await fetched('inline')).toEqual(['51/1']);
    expect(await fetched('stable')).toEqual(['50/11']);
  });

  it("are handed on by a worker that finds another lane's in its queue, at no attempt's cost", async () => {
    await queues.enqueue(hint('20/5', '80/90'));
    share(50, 10);

    expect(await fetched('stable')).toEqual([]);
    expect(await where()).toEqual({ 'colour.canary': ['20/5'], 'colour.inline': ['80/90'] });
    const [task] = await queues.fetch('colour', 'canary', 1);
    expect(task).toMatchObject({ attempt: 1, data: { subject_id: '20/5', dedicated_bucket: 20, canary_bucket: 5 } });
  });

  it('wait where their lane is after a flip, in each direction', async () => {
    const subjects = ['10/10', '10/90', '60/10', '60/90', '99/99'];
    await queues.enqueue(hint(...subjects));
    for (const [dedicated, canary] of [
      [50, 50],
      [0, 0],
      [10, 100],
      [100, 0],
    ] as const) {
      share(dedicated, canary);
      await queues.keepLanes();
      expect(await queues.keepLanes()).toBe(0);
      for (const [queue, found] of Object.entries(await where()))
        for (const subject of found) {
          const [own = 0, ofCanary = 0] = subject.split('/').map(Number);
          const lane = own > dedicated ? 'inline' : ofCanary <= canary ? 'canary' : 'stable';
          expect([subject, queue]).toEqual([subject, `colour.${lane}`]);
        }
    }
    expect(await where()).toEqual({ 'colour.stable': subjects });
  });

  it('are merged on the way when their subject waits at the other end', async () => {
    await queues.enqueue(hint('80/1', '90/1'));
    await queues.enqueue(hint('80/1'), 'inline');
    share(50, 0);

    expect(await queues.keepLanes()).toBe(2);
    expect(await where()).toEqual({ 'colour.inline': ['80/1', '90/1'] });
  });

  it('are not taken from who has started them', async () => {
    await queues.enqueue(hint('80/1', '90/1'));
    const [task] = await queues.fetch('colour', 'stable', 1);
    share(0, 0);
    await queues.keepLanes();

    expect(Object.values(await where()).map((subjects) => subjects.length)).toEqual([1, 1]);
    await queues.complete(task ? [task] : []);
    expect(Object.keys(await where())).toEqual(['colour.inline']);
  });

  it('that wait for a retry go along', async () => {
    await queues.enqueue(hint('80/1'));
    const [task] = await queues.fetch('colour', 'stable', 1);
    if (task) await queues.retry(task, 'failed');
    share(50, 0);
    await queues.keepLanes();

    expect(await where()).toEqual({ 'colour.inline': ['80/1'] });
  });

  it('go to the inline poller when nobody works their lane, and back when somebody does again', async () => {
    await queues.enqueue(hint('10/90', '20/90'));
    share(100, 0, ['inline']);
    await queues.keepLanes();
    await queues.enqueue(hint('30/90'));

    expect(await where()).toEqual({ 'colour.inline': ['10/90', '20/90', '30/90'] });
    expect(await fetched('inline')).toEqual(['10/90', '20/90', '30/90']);
    await queues.enqueue(hint('40/90'));
    share(100, 0);
    await queues.keepLanes();
    expect((await where())['colour.stable']).toEqual(['40/90']);
    expect(await fetched('inline')).toEqual([]);
  });

  it('of a dead canary go to the stable workers', async () => {
    share(100, 50);
    await queues.enqueue(hint('10/10'));
    share(100, 50, ['inline', 'stable']);
    await queues.keepLanes();

    expect(await fetched('stable')).toEqual(['10/10']);
  });

  it('of a lane without a share are not claimed, nor those of a paused kind', async () => {
    await queues.enqueue(hint('10/90'), 'canary');
    expect(await fetched('canary')).toEqual([]);
    await queues.keepLanes();
    share(100, 0, [...lanes], 'colour');
    expect(await fetched('stable')).toEqual([]);
    share(100, 0);
    expect(await fetched('stable')).toEqual(['10/90']);
  });

  it('are moved by the ten thousand', async () => {
    await database.query(
      `INSERT INTO pgboss.job (name, data, singleton_key, policy)
       SELECT 'colour.stable', jsonb_build_object('subject_id', n || '/90', 'dedicated_bucket', 1 + n % 100, 'canary_bucket', 90), n || '/90', 'short'
         FROM generate_series(1, 20000) AS n`,
    );
    share(50, 0);

    expect(await queues.keepLanes()).toBe(10_000);
    expect((await where())['colour.inline']).toHaveLength(10_000);
  });
});
