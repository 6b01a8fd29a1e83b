/**
 * Sending hints now and then, or working tasks now and then, for processes that otherwise have nothing to do with the queues:
 * connected when that is needed first, not at the start, so that such a process neither waits for the queues' database nor costs it connections.
 */
import { AppError } from '@omnizap/runtime';
import { hasWork } from './lanes.ts';
import { createTaskQueues, type TaskQueues } from './task-queues.ts';
import type { TaskHint, TaskSettings } from './task-types.ts';
import type { TaskSource } from './worker.ts';

const connectTimeoutMs = 5_000;

export function createHintSender(settings: TaskSettings[], options: Parameters<typeof createTaskQueues>[1]) {
  let connecting: Promise<TaskQueues> | undefined;

  async function connect(): Promise<TaskQueues> {
    const queues = createTaskQueues(settings, options);
    let timer: NodeJS.Timeout | undefined;
    const isInTime = await Promise.race([
      queues.start().then(() => true),
      new Promise<false>((resolve) => {
        timer = setTimeout(resolve, connectTimeoutMs, false);
      }),
    ]);
    clearTimeout(timer);
    if (isInTime) return queues;
    await queues.stop();
    throw new AppError('unavailable', `The task queues did not answer within ${connectTimeoutMs / 1_000} s.`);
  }

  /** @throws AppError `unavailable` */
  async function connected(): Promise<TaskQueues> {
    connecting ??= connect();
    try {
      return await connecting;
    } catch (error) {
      // The next one tries afresh.
      connecting = undefined;
      throw error;
    }
  }

  const source: TaskSource = {
    async fetch(taskType, lane, limit) {
      // A lane without work is no reason to connect.
      if (options.lanes && !hasWork(taskType, lane, options.lanes.shares())) return [];
      return (await connected()).fetch(taskType, lane, limit);
    },
    complete: async (...call) => (await connected()).complete(...call),
    retry: async (...call) => (await connected()).retry(...call),
    bury: async (...call) => (await connected()).bury(...call),
    giveBack: async (...call) => (await connected()).giveBack(...call),
    workAlone: async (...call) => (await connected()).workAlone(...call),
    giveBackUnknown: async (known) => (connecting ? (await connected()).giveBackUnknown(known) : 0),
  };

  return {
    /** For a worker that seldom has anything to do. */
    source,
    /** The queues, connected. @throws AppError `unavailable` */
    connected,
    /** As `enqueue` of the queues. @throws AppError `unavailable` */
    async enqueue(hints: TaskHint[]): Promise<void> {
      await (await connected()).enqueue(hints);
    },
    async stop(): Promise<void> {
      await (await connecting?.catch(() => undefined))?.stop();
      connecting = undefined;
    },
  };
}
