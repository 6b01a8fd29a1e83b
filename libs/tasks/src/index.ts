export { createTaskQueues, installTaskQueues } from './task-queues.ts';
export type { TaskQueues } from './task-queues.ts';
export { queueName, taskTopic } from './task-types.ts';
export type {
  DeadTask,
  Lane,
  Task,
  TaskDefinition,
  TaskHandler,
  TaskHint,
  TaskOutcome,
  TaskSettings,
} from './task-types.ts';
export { createWorker } from './worker.ts';
