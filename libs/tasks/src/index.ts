export { retryDelayMs } from './backoff.ts';
export type { GroupLimit } from './group-limits.ts';
export { createHintSender } from './hint-sender.ts';
export { installTaskQueues } from './install-task-queues.ts';
export { readQueueState } from './queue-state-store.ts';
export type { QueueState } from './queue-state-store.ts';
export { taskCountJson } from './task-count.ts';
export type { TaskCount } from './task-count.ts';
export { readTaskHistory } from './task-history-store.ts';
export type { KnownTask, TaskHistory } from './task-history-store.ts';
export { createTaskQueues } from './task-queues.ts';
export type { FetchedTask, TaskQueues } from './task-queues.ts';
export { queueName, taskTopic } from './task-types.ts';
export type {
  BatchHandler,
  DeadTask,
  Lane,
  Task,
  TaskContext,
  TaskDefinition,
  TaskHandler,
  TaskHint,
  TaskOutcome,
  TaskSettings,
} from './task-types.ts';
export { createWorker } from './worker.ts';
export type { OutcomeName, TaskSource } from './worker.ts';
