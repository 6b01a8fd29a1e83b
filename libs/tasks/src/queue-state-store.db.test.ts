import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectDatabase, createLogger, type Database } from '@omnizap/runtime';
import { createTestDatabase, type TestDatabase } from '@omnizap/testkit';
import { createHintSender } from './hint-sender.ts';
import { installTaskQueues } from './install-task-queues.ts';
import { readQueueState } from './queue-state-store.ts';
import type { TaskSettings } from './task-types.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const settings: TaskSettings[] = [{ type: 'seen', retryLimit: 2, timeoutSeconds: 30, coalesceSeconds: 0 }];

describe('the state of the task queues', () => {
  let test: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    test = await createTestDatabase('postgres');
    database = connectDatabase(test.queueUrl, { poolMax: 1 });
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  it('says what is missing before and after they are installed', async () => {
    const names = ['seen.inline', 'seen.stable', 'seen.canary'];
    expect(await readQueueState(database, settings)).toMatchObject({ schemaVersion: null, missing: names, counts: [] });

    await installTaskQueues(settings, { queueUrl: test.queueUrl, log });

    const state = await readQueueState(database, [...settings, { type: 'new' }]);
    expect(state.schemaVersion).toBe(state.neededSchemaVersion);
    expect(state.missing).toEqual(['new.inline', 'new.stable', 'new.canary']);
  });

  it('tells what waits for a worker from what has its time still to come', async () => {
    const sender = createHintSender(settings, { queueUrl: test.queueUrl, log });
    await sender.enqueue([
      { taskType: 'seen', subjectId: 'now' },
      { taskType: 'seen', subjectId: 'later', startAfterSeconds: 600 },
    ]);
    await sender.stop();

    const { counts, waiting } = await readQueueState(database, settings);
    expect(counts).toMatchObject([{ taskType: 'seen', lane: 'stable', state: 'created', count: 2 }]);
    expect(waiting).toMatchObject([{ taskType: 'seen', lane: 'stable', count: 1 }]);
    expect(waiting[0]?.longestSeconds).toBeGreaterThanOrEqual(0);
  });
});
