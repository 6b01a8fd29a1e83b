/** A task that failed for good: kept with its whole error, and its subject marked so that sweeps leave it alone. */
import type { Database } from '@omnizap/runtime';
import type { DeadTask } from '@omnizap/tasks';
import { insertDeadTask } from './dead-task-store.ts';
import type { TaskType } from './task-settings.ts';
import { markFailed } from './work-state-store.ts';

/**
 * Idempotent per task: a second report of it changes nothing, also not the mark that a newer change has outdated, and also not
 * after somebody has settled the first.
 */
export async function keepDeadTask(database: Database, task: DeadTask): Promise<void> {
  await database.transaction(async (trx) => {
    if (!(await insertDeadTask(trx, database.kind, task))) return;
    await markFailed(trx, { taskType: task.taskType as TaskType, subjectId: task.subjectId }, task.version);
  });
}
