/**
 * A worker process for tests. Arguments: queue URL, process id. The subject "killer" takes the process with it; every other one
 * takes a moment and is written down.
 */
import { createLogger, createMetrics, createWakeups } from '@omnizap/runtime';
import pg from 'pg';
import { createTaskQueues, createWorker } from '../src/index.ts';
import { deadlySettings } from './deadly-settings.ts';

const [queueUrl = '', processId = ''] = process.argv.slice(2);
const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const wakeups = createWakeups({ queueUrl, log });
const queues = createTaskQueues([deadlySettings], { queueUrl, log, wakeups, processId });
const database = new pg.Pool({ connectionString: queueUrl, max: 2 });
await wakeups.start();
await queues.start();
const worker = createWorker(
  {
    ...{ queues, wakeups, log },
    metrics: createMetrics({ version: '0', release: 'stable', process: 'worker' }),
  },
  {
    lane: 'stable',
    concurrency: 4,
    pollIntervalMs: 100,
    onDead: () => Promise.resolve(),
    definitions: [
      {
        settings: deadlySettings,
        async handle(task) {
          await database.query('SELECT pg_sleep(0.02)');
          if (task.subjectId === 'killer') process.kill(process.pid, 'SIGKILL');
          await database.query('INSERT INTO worked (subject_id, attempt) VALUES ($1, $2)', [
            task.subjectId,
            task.attempt,
          ]);
          return { status: 'done' };
        },
      },
    ],
  },
);
process.on('SIGTERM', () => {
  void worker.stop().then(() => process.exit(0));
});
await worker.start();
process.send?.({ type: 'ready' });
