/** The worker's histograms, as named by the contract. */
import { Histogram, type Metrics } from '@omnizap/runtime';
import type { FetchedTask } from './task-queues.ts';
import type { Lane } from './task-types.ts';

export function createTaskMetrics(metrics: Metrics, lane: Lane) {
  const duration = new Histogram({
    name: 'omnizap_worker_task_duration_seconds',
    help: 'Time a handler took.',
    labelNames: ['task_type', 'outcome', 'lane'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers: [metrics.registry],
  });
  const wait = new Histogram({
    name: 'omnizap_worker_task_wait_seconds',
    help: 'Time from the commit of the change to the start of its task.',
    labelNames: ['task_type', 'lane'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
    registers: [metrics.registry],
  });
  return {
    /** Only a first claim tells how long a change waited. */
    observeWait(task: FetchedTask): void {
      if (task.retryCount > 0 || task.data.announced_at_ms === undefined) return;
      wait.observe({ task_type: task.taskType, lane }, Math.max(0, (Date.now() - task.data.announced_at_ms) / 1_000));
    },
    observeEnd(taskType: string, outcome: string, seconds: number): void {
      duration.observe({ task_type: taskType, outcome, lane }, seconds);
    },
  };
}
