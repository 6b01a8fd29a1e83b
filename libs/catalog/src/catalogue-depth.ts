/** How much the catalogue waits for, for the queue gauges. */
import type { Database } from '@omnizap/runtime';
import { countDeadTasks } from './dead-task-store.ts';
import { createReprocessStore } from './reprocess-store.ts';
import { createWorkStateStore } from './work-state-store.ts';

export function createCatalogueDepth(database: Database, provider: { name: string; version: string }) {
  const workState = createWorkStateStore(database);
  const reprocess = createReprocessStore(database, provider);
  return async (): Promise<{ deadTasks: number; reprocessPending: number; scorePending: number }> => ({
    deadTasks: await countDeadTasks(database.knex),
    reprocessPending: await reprocess.count(),
    scorePending: await workState.countDue('rebuild'),
  });
}
