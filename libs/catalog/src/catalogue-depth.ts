/** How much the catalogue waits for, for the queue gauges. */
import type { Database } from '@omnizap/runtime';
import { countDeadTasks } from './dead-task-store.ts';
import { createReprocessStore } from './reprocess-store.ts';
import { ownTaskTypes, taskTypes, type TaskType } from './task-settings.ts';
import { createWorkStateStore } from './work-state-store.ts';

/** Subjects whose work is wanted and not done, per task type. */
export async function countDueWork(database: Database): Promise<{ taskType: TaskType; subjects: number }[]> {
  const workState = createWorkStateStore(database);
  const counts: { taskType: TaskType; subjects: number }[] = [];
  for (const taskType of taskTypes) counts.push({ taskType, subjects: await workState.countDue(taskType) });
  return counts;
}

export function createCatalogueDepth(database: Database, provider: { name: string; version: string }) {
  const workState = createWorkStateStore(database);
  const reprocess = createReprocessStore(database, provider);
  return async (): Promise<{ deadTasks: number; reprocessPending: number; scorePending: number }> => ({
    deadTasks: await countDeadTasks(database.knex, ownTaskTypes),
    reprocessPending: await reprocess.count(),
    scorePending: await workState.countDue('rebuild'),
  });
}
