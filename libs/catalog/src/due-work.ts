/** Subjects whose work is wanted and not done. */
import type { Database } from '@omnizap/runtime';
import { taskTypes, type TaskType } from './task-settings.ts';
import { createWorkStateStore } from './work-state-store.ts';

/** Per task type. */
export async function countDueWork(database: Database): Promise<{ taskType: TaskType; subjects: number }[]> {
  const workState = createWorkStateStore(database);
  const counts: { taskType: TaskType; subjects: number }[] = [];
  for (const taskType of taskTypes) counts.push({ taskType, subjects: await workState.countDue(taskType) });
  return counts;
}
