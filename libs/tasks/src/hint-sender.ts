/**
 * Sending hints now and then, for processes that otherwise have nothing to do with the queues: connected at the first hint, not at
 * the start, so that such a process neither waits for the queues' database nor costs it connections.
 */
import { AppError } from '@omnizap/runtime';
import { createTaskQueues, type TaskQueues } from './task-queues.ts';
import type { TaskHint, TaskSettings } from './task-types.ts';

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

  return {
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
