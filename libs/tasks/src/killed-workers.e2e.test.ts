/** A task that takes its process with it is found, and pays alone: real processes, really killed. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLogger } from '@omnizap/runtime';
import { createTestDatabase, spawnProcess, waitFor, type SpawnedProcess, type TestDatabase } from '@omnizap/testkit';
import pg from 'pg';
import { deadlySettings } from '../test/deadly-settings.ts';
import { installTaskQueues } from './install-task-queues.ts';
import { createTaskQueues, type TaskQueues } from './task-queues.ts';
import type { DeadTask } from './task-types.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const neighbours = 40;

describe('a task that kills its process', () => {
  let test: TestDatabase;
  let database: pg.Pool;
  let queues: TaskQueues;

  beforeAll(async () => {
    test = await createTestDatabase('postgres');
    database = new pg.Pool({ connectionString: test.queueUrl, max: 2 });
    await database.query('CREATE TABLE worked (subject_id text, attempt integer)');
    await installTaskQueues([deadlySettings], { queueUrl: test.queueUrl, log });
    queues = createTaskQueues([deadlySettings], { queueUrl: test.queueUrl, log });
    await queues.start();
  });
  afterAll(async () => {
    await queues.stop();
    await database.end();
    await test.drop();
  });

  it('is a dead letter after three deaths alone, and everything else is done at its first attempt', async () => {
    const subjects = Array.from({ length: neighbours }, (_, index) => `neighbour-${index}`);
    await queues.enqueue(
      [...subjects.slice(0, 10), 'killer', ...subjects.slice(10)].map((subjectId) => ({
        taskType: 'deadly',
        subjectId,
      })),
    );
    const dead: DeadTask[] = [];
    let deaths = 0;
    let isOver = false;
    let running: SpawnedProcess | undefined;

    const leader = waitFor(
      async () => {
        const live = async (): Promise<string[]> => (running ? [`process-${deaths}`] : []);
        await queues.rescue(live, async (task) => void dead.push(task));
        const left = await database.query(
          `SELECT 1 FROM pgboss.job WHERE name = 'deadly.stable' AND state < 'completed'`,
        );
        isOver = left.rowCount === 0;
        return isOver;
      },
      { timeoutMs: 60_000, intervalMs: 50 },
    );
    while (!isOver && deaths < 20) {
      running = await spawnProcess('libs/tasks/test/deadly-worker.ts', [test.queueUrl, `process-${deaths}`]);
      const { signal } = (await Promise.race([running.exited, leader.then(() => ({ signal: null }))])) ?? {};
      if (signal === 'SIGKILL') {
        running = undefined;
        deaths += 1;
      }
    }
    await running?.stop();
    await leader;

    // Once among others, then alone until nobody can doubt it.
    expect(deaths).toBe(4);
    expect(dead).toMatchObject([{ subjectId: 'killer', attempts: 3 }]);
    const { rows } = await database.query<{ subject_id: string; attempt: number }>('SELECT * FROM worked');
    expect(rows.every((row) => row.attempt === 1)).toBe(true);
    expect(new Set(rows.map((row) => row.subject_id))).toEqual(new Set(subjects));
  }, 120_000);
});
