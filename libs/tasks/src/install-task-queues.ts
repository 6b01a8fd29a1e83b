/** What the queues need in their database: pg-boss's schema, a queue per task type and lane, and what we keep beside them. */
import { PgBoss, type Db } from 'pg-boss';
import type { Logger } from '@omnizap/runtime';
import { groupLimitDdl } from './group-limits.ts';
import { activeIndexSql } from './job-sql.ts';
import { lanes, queueName, type TaskSettings } from './task-types.ts';

/** Finished tasks are kept for a day: long enough to look into one, short enough to stay small. */
const keepFinishedSeconds = 86_400;
/** pg-boss copies every job here that failed for good without our doing: one that ran past its time and all attempts. */
export const deadLetterQueue = 'dead-letter';

/** Creates or updates pg-boss's schema, the queues of all lanes and the limits; safe from many processes at once. */
export async function installTaskQueues(
  settings: TaskSettings[],
  options: { queueUrl: string; log: Logger },
): Promise<void> {
  const boss = new PgBoss({
    connectionString: options.queueUrl,
    application_name: 'omnizap migrate',
    max: 2,
    supervise: false,
    schedule: false,
  });
  boss.on('error', (error) => options.log.warn({ err: error }, 'task queue'));
  await boss.start();
  try {
    await boss.createQueue(deadLetterQueue, { retryLimit: 0, deleteAfterSeconds: keepFinishedSeconds });
    for (const entry of settings) {
      for (const lane of lanes) {
        const limits = {
          // For what ran past its time; workers choose their own waits.
          ...{ retryLimit: entry.retryLimit, retryDelay: 1, retryBackoff: true, retryDelayMax: 300 },
          expireInSeconds: entry.timeoutSeconds + 30,
          deleteAfterSeconds: keepFinishedSeconds,
        };
        const name = queueName(entry.type, lane);
        await boss.createQueue(name, { policy: 'short', deadLetter: deadLetterQueue, ...limits });
        // An existing queue keeps what it was made with until it is told otherwise.
        await boss.updateQueue(name, { ...limits, heartbeatSeconds: null });
      }
    }
    for (const statement of [activeIndexSql, ...groupLimitDdl]) await createOnce(boss.getDb(), statement);
  } finally {
    await boss.stop({ graceful: false, close: true });
  }
}

/** Two at once may both find nothing there; the loser's complaint is about what it wanted. */
async function createOnce(db: Db, statement: string): Promise<void> {
  await db.executeSql(statement).catch((error: unknown) => {
    const { code } = error as { code?: string };
    if (code !== '23505' && code !== '42P07' && code !== '42P06') throw error;
  });
}
