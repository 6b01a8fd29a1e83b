/**
 * Sweeps: find from the tables alone what no event led to, in bounded batches, each task type at its own cadence. Run by the
 * leading maintenance process. A sweep only sends hints again; hints for subjects that wait already merge.
 */
import type { Database, Logger } from '@omnizap/runtime';
import type { TaskQueues } from '@omnizap/tasks';
import { createReprocessStore } from './reprocess-store.ts';
import type { TaskType } from './task-settings.ts';
import { createWorkStateStore, type DueSubject } from './work-state-store.ts';

/** Younger work has its event on the way; who sweeps more often than this wants it sooner. */
const longestGraceMs = 20_000;
const batchSize = 1_000;
/** Below live traffic: catching up must not starve what people wait for. */
const sweepPriority = 10;
const reprocessPerSweep = 300;

type SweeperDeps = { database: Database; queues: TaskQueues; log: Logger };
type SweeperOptions = { cadenceMs: Record<TaskType, number>; provider: { name: string; version: string } };

export function createSweeper(deps: SweeperDeps, options: SweeperOptions) {
  const workState = createWorkStateStore(deps.database);
  const reprocess = createReprocessStore(deps.database, options.provider);
  const sweptAt = new Map<TaskType, number>();
  /** Where the sweep of a type goes on; null at its end. */
  const cursors = new Map<TaskType, DueSubject | null>();

  async function sweep(taskType: TaskType): Promise<void> {
    if (taskType === 'classification' && (cursors.get(taskType) ?? null) === null) {
      const again = await reprocess.pending(reprocessPerSweep);
      if (again.length > 0) {
        await workState.want(again.map((subjectId) => ({ taskType, subjectId })));
        await enqueue(taskType, again);
        deps.log.info({ task_type: taskType, subjects: again.length }, 'asked for another look');
      }
    }
    const after = cursors.get(taskType) ?? null;
    const olderThanMs = Math.min(longestGraceMs, options.cadenceMs[taskType]);
    const due = await workState.due(taskType, { olderThanMs, after, limit: batchSize });
    // A full batch goes on in the next pass: what waits behind many stuck subjects has its turn, too.
    cursors.set(taskType, due.length === batchSize ? (due.at(-1) ?? null) : null);
    if (due.length === 0) return;
    await enqueue(
      taskType,
      due.map((entry) => entry.subjectId),
    );
    deps.log.info({ task_type: taskType, subjects: due.length }, 'a sweep found work');
  }

  async function enqueue(taskType: TaskType, subjects: string[]): Promise<void> {
    await deps.queues.enqueue(subjects.map((subjectId) => ({ taskType, subjectId, priority: sweepPriority })));
  }

  return {
    /** Sweeps every type whose cadence has passed since its last sweep; all of them at the first call. */
    async pass(): Promise<void> {
      for (const [taskType, cadenceMs] of Object.entries(options.cadenceMs) as [TaskType, number][]) {
        const isGoingOn = (cursors.get(taskType) ?? null) !== null;
        if (!isGoingOn && performance.now() - (sweptAt.get(taskType) ?? -Infinity) < cadenceMs) continue;
        if (!isGoingOn) sweptAt.set(taskType, performance.now());
        await sweep(taskType);
      }
    },
  };
}
