import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { connectDatabase, createLogger, type Database } from '@omnizap/runtime';
import { createTestDatabase, type TestDatabase } from '@omnizap/testkit';
import { installTaskQueues } from './install-task-queues.ts';
import { readTaskHistory } from './task-history-store.ts';
import { createTaskQueues, type TaskQueues } from './task-queues.ts';
import type { TaskHint, TaskSettings } from './task-types.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const settings: TaskSettings[] = [{ type: 'told', retryLimit: 2, timeoutSeconds: 30, coalesceSeconds: 0 }];
const nobody: Record<'subjectIds' | 'relatedIds' | 'requestIds', string[]> = {
  subjectIds: [],
  relatedIds: [],
  requestIds: [],
};

describe('the history of tasks', () => {
  let test: TestDatabase;
  let database: Database;
  let queues: TaskQueues;

  beforeAll(async () => {
    test = await createTestDatabase('postgres');
    await installTaskQueues(settings, { queueUrl: test.queueUrl, log });
    queues = createTaskQueues(settings, { queueUrl: test.queueUrl, log });
    await queues.start();
    database = connectDatabase(test.queueUrl);
  });
  beforeEach(() => database.knex.raw('DELETE FROM pgboss.job'));
  afterAll(async () => {
    await queues.stop();
    await database.close();
    await test.drop();
  });

  const enqueue = (subjectId: string, requestId?: string): Promise<void> =>
    queues.enqueue([
      { taskType: 'told', subjectId, ...(requestId === undefined ? {} : { requestId }) } satisfies TaskHint,
    ]);
  const told = async (about: Partial<typeof nobody>): Promise<[string, string][]> =>
    (await readTaskHistory(database, { ...nobody, ...about })).tasks.map(({ subjectId, state }) => [subjectId, state]);

  it('has what waits for a subject whoever asked first, and what is finished only of those asked for', async () => {
    await enqueue('pack', 'first');
    expect(await told({ relatedIds: ['pack'], requestIds: ['second'] })).toEqual([['pack', 'created']]);

    await database.knex.raw("UPDATE pgboss.job SET state = 'completed', completed_on = now()");
    expect(await told({ relatedIds: ['pack'], requestIds: ['second'] })).toEqual([]);
    expect(await told({ requestIds: ['first'] })).toEqual([['pack', 'completed']]);
    expect(await told({ subjectIds: ['pack'] })).toEqual([['pack', 'completed']]);
  });

  it('is cut at a thousand, and never of what waits for what is over', async () => {
    await enqueue('pack');
    // Older than all that was finished after it.
    await database.knex.raw(
      `INSERT INTO pgboss.job (name, data, state, created_on, completed_on)
       SELECT name, data, 'completed', created_on + number * interval '1 second', now()
         FROM pgboss.job, generate_series(1, 1000) AS number`,
    );
    const { tasks, isCut } = await readTaskHistory(database, { ...nobody, subjectIds: ['pack'] });

    expect([tasks.length, isCut, tasks[0]?.state]).toEqual([1_000, true, 'created']);
    const [oldest, newest] = [tasks[1]?.createdAt.getTime() ?? 0, tasks.at(-1)?.createdAt.getTime() ?? 0];
    const waitsSince = tasks[0]?.createdAt.getTime() ?? 0;
    expect([oldest - waitsSince, newest - waitsSince]).toEqual([2_000, 1_000_000]);
  });
});
