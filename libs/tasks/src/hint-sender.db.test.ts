import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLogger } from '@omnizap/runtime';
import { createTestDatabase, freePort, type TestDatabase } from '@omnizap/testkit';
import pg from 'pg';
import { createHintSender } from './hint-sender.ts';
import { installTaskQueues } from './install-task-queues.ts';
import { createTaskQueues } from './task-queues.ts';
import type { TaskSettings } from './task-types.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const settings: TaskSettings[] = [{ type: 'sent', retryLimit: 2, timeoutSeconds: 30, coalesceSeconds: 0 }];

describe('a hint sender', () => {
  let test: TestDatabase;

  beforeAll(async () => {
    test = await createTestDatabase('postgres');
    await installTaskQueues(settings, { queueUrl: test.queueUrl, log });
  });
  afterAll(() => test.drop());

  it('connects at its first hint, and not before', async () => {
    const observer = new pg.Client({ connectionString: test.queueUrl });
    await observer.connect();
    const connections = async (): Promise<number> => {
      const { rows } = await observer.query<{ count: number }>(
        "SELECT COUNT(*)::int AS count FROM pg_stat_activity WHERE application_name = 'lazy'",
      );
      return rows[0]?.count ?? 0;
    };
    const sender = createHintSender(settings, { queueUrl: test.queueUrl, log, applicationName: 'lazy' });
    const before = await connections();

    await Promise.all(['a', 'b', 'a'].map((subjectId) => sender.enqueue([{ taskType: 'sent', subjectId }])));

    expect([before, (await connections()) > 0]).toEqual([0, true]);
    await sender.stop();
    await observer.end();
    const queues = createTaskQueues(settings, { queueUrl: test.queueUrl, log });
    await queues.start();
    const tasks = await queues.fetch('sent', 'stable', 10);
    await queues.stop();
    expect(tasks.map((task) => task.data.subject_id).toSorted()).toEqual(['a', 'b']);
  });

  it('says that the queues are away instead of waiting for them, each time anew', async () => {
    const queueUrl = new URL(test.queueUrl);
    queueUrl.port = String(await freePort());
    const sender = createHintSender(settings, { queueUrl: queueUrl.href, log });

    for (const subjectId of ['a', 'b'])
      await expect(sender.enqueue([{ taskType: 'sent', subjectId }])).rejects.toMatchObject({ code: 'unavailable' });
    await sender.stop();
  }, 30_000);

  it('stops without ever having been used', async () => {
    await createHintSender(settings, { queueUrl: test.queueUrl, log }).stop();
  });
});
