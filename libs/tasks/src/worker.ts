/**
 * The worker loop of one process: fetches tasks of its types (in the order given: an earlier type always goes first), works up
 * to `concurrency` at once, and settles each by its own attempt. Woken by notification, polling as the backstop.
 * A task that fails its last attempt becomes a dead letter before it is settled, so a kill in between repeats, never loses.
 */
import {
  AppError,
  Histogram,
  createLoop,
  type Component,
  type Logger,
  type Metrics,
  type Wakeups,
} from '@omnizap/runtime';
import type { FetchedTask, TaskQueues } from './task-queues.ts';
import { taskTopic, type DeadTask, type Lane, type TaskDefinition, type TaskOutcome } from './task-types.ts';

/** Well below the heartbeat limit of 10 s. */
const touchIntervalMs = 4_000;
/** Completions of one moment share a statement. */
const settleDelayMs = 10;
const stopGraceMs = 10_000;

type WorkerDeps = { queues: TaskQueues; wakeups: Wakeups; log: Logger; metrics: Metrics };
type WorkerOptions = {
  lane: Lane;
  definitions: TaskDefinition[];
  concurrency: number;
  pollIntervalMs: number;
  /** Stores the dead letter; called before the task is settled, possibly twice. */
  onDead: (task: DeadTask) => Promise<void>;
  /** Called for each finished task. */
  onOutcome?: (taskType: string, outcome: TaskOutcome['status'] | 'retried') => void;
  /** Called after a fetch that returned work has been worked to the last task, with how it went. */
  onBatch?: (taskType: string, seconds: number, counts: { total: number; failed: number }) => void;
};

export function createWorker(deps: WorkerDeps, options: WorkerOptions): Component {
  const duration = new Histogram({
    name: 'omnizap_worker_task_duration_seconds',
    help: 'Time a handler took.',
    labelNames: ['task_type', 'outcome', 'lane'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers: [deps.metrics.registry],
  });
  const wait = new Histogram({
    name: 'omnizap_worker_task_wait_seconds',
    help: 'Time from the commit of the change to the start of its task.',
    labelNames: ['task_type', 'lane'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
    registers: [deps.metrics.registry],
  });
  const active = new Map<FetchedTask, Promise<void>>();
  const settled = new Map<string, FetchedTask[]>();
  let settleTimer: NodeJS.Timeout | undefined;
  let settling: Promise<void> = Promise.resolve();
  let touchTimer: NodeJS.Timeout | undefined;
  const unsubscribers: (() => void)[] = [];

  /** Later definitions leave one slot to the first, which also takes any slot while they hold some. */
  function slotsFor(index: number): number {
    const free = options.concurrency - active.size;
    const [first] = options.definitions;
    const later = [...active.keys()].filter((task) => task.taskType !== first?.settings.type).length;
    if (index > 0) return Math.min(free, Math.max(1, options.concurrency - 1) - later);
    // Fetching for one free slot at a time would cost a query per task: wait until half of them are free.
    return later > 0 || free >= Math.ceil(options.concurrency / 2) ? free : 0;
  }

  async function pass(): Promise<boolean> {
    for (const [index, definition] of options.definitions.entries()) {
      const slots = slotsFor(index);
      if (slots < 1) {
        // Nothing of a later kind is taken before the first was asked for and had nothing.
        if (index === 0) return false;
        continue;
      }
      const tasks = await deps.queues.fetch(definition.settings.type, options.lane, slots);
      if (tasks.length === 0) continue;
      startBatch(definition, tasks);
      return true;
    }
    return false;
  }

  function startBatch(definition: TaskDefinition, tasks: FetchedTask[]): void {
    const startedAt = performance.now();
    let left = tasks.length;
    let failed = 0;
    for (const task of tasks) {
      const work = runTask(definition, task).then((isOk) => {
        active.delete(task);
        left -= 1;
        if (!isOk) failed += 1;
        if (left === 0)
          options.onBatch?.(definition.settings.type, (performance.now() - startedAt) / 1_000, {
            total: tasks.length,
            failed,
          });
        loop.wake();
      });
      active.set(task, work);
    }
  }

  async function runTask(definition: TaskDefinition, task: FetchedTask): Promise<boolean> {
    const { type, timeoutSeconds } = definition.settings;
    const subjectId = task.data.subject_id;
    const log = deps.log.child({
      task_id: task.id,
      task_type: type,
      subject_id: subjectId,
      ...(task.data.event_id === undefined ? {} : { event_id: task.data.event_id }),
      ...(task.data.request_id === undefined ? {} : { request_id: task.data.request_id }),
    });
    if (task.retryCount === 0 && task.data.announced_at_ms !== undefined) {
      wait.observe(
        { task_type: type, lane: options.lane },
        Math.max(0, (Date.now() - task.data.announced_at_ms) / 1_000),
      );
    }
    const startedAt = performance.now();
    const observe = (outcome: TaskOutcome['status'] | 'retried'): void => {
      duration.observe({ task_type: type, outcome, lane: options.lane }, (performance.now() - startedAt) / 1_000);
      options.onOutcome?.(type, outcome);
    };
    const signal = AbortSignal.timeout(timeoutSeconds * 1_000);
    const attempt = task.retryCount + 1;
    const { request_id: requestId, event_id: eventId } = task.data;
    let handling: Promise<TaskOutcome> | undefined;
    try {
      handling = definition.handle(
        { id: task.id, taskType: type, subjectId, attempt, requestId, eventId },
        { signal, log },
      );
      const outcome = await Promise.race([handling, rejectAfter(timeoutSeconds * 1_000, signal)]);
      observe(outcome.status);
      log[outcome.status === 'skipped' ? 'debug' : 'info']({ outcome }, 'task finished');
      settle(task);
      return true;
    } catch (error) {
      observe('retried');
      await settleFailure(task, error, log);
      // What does not heed its signal still works: its slot is not free before it ends, or has had its time once more.
      await Promise.race([handling?.catch(() => undefined), patience(timeoutSeconds * 1_000)]);
      return false;
    }
  }

  async function settleFailure(task: FetchedTask, error: unknown, log: Logger): Promise<void> {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const attempts = task.retryCount + 1;
    const isLast = task.retryCount >= task.retryLimit;
    log[isLast ? 'error' : 'warn'](
      { err: error, attempts },
      isLast ? 'a task is a dead letter' : 'a task failed; it will be tried again',
    );
    try {
      if (isLast) {
        await options.onDead({
          id: task.id,
          taskType: task.taskType,
          subjectId: task.data.subject_id,
          attempts,
          error: text,
          payload: task.data,
        });
      }
      await deps.queues.fail(task, { error: text.slice(0, 2_000) });
    } catch (settleError) {
      // Left as it is: the heartbeat runs out and the attempt is repeated.
      log.warn({ err: settleError }, 'a failed task could not be settled');
    }
  }

  function settle(task: FetchedTask): void {
    settled.set(task.queue, [...(settled.get(task.queue) ?? []), task]);
    settleTimer ??= setTimeout(() => void flushSettled(), settleDelayMs);
  }

  function flushSettled(): Promise<void> {
    clearTimeout(settleTimer);
    settleTimer = undefined;
    const batches = [...settled];
    settled.clear();
    settling = settling.then(async () => {
      for (const [queue, tasks] of batches) {
        await deps.queues.complete(queue, tasks, {}).catch((error: unknown) => {
          deps.log.warn(
            { err: error, tasks: tasks.length },
            'finished tasks could not be settled; they will be looked at again',
          );
        });
      }
    });
    return settling;
  }

  async function touchActive(): Promise<void> {
    const byQueue = Map.groupBy(active.keys(), (task) => task.queue);
    for (const [queue, tasks] of byQueue) await deps.queues.touch(queue, tasks);
  }

  const loop = createLoop({ name: 'worker', intervalMs: () => options.pollIntervalMs, pass, log: deps.log });

  return {
    name: 'worker',
    async start() {
      for (const definition of options.definitions)
        unsubscribers.push(deps.wakeups.on(taskTopic(definition.settings.type), loop.wake));
      touchTimer = setInterval(() => {
        touchActive().catch((error: unknown) => deps.log.warn({ err: error }, 'running tasks could not be touched'));
      }, touchIntervalMs);
      await loop.start();
    },
    async stop() {
      for (const unsubscribe of unsubscribers) unsubscribe();
      await loop.stop();
      let timer: NodeJS.Timeout | undefined;
      const grace = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, stopGraceMs);
      });
      await Promise.race([Promise.all(active.values()), grace]);
      clearTimeout(timer);
      clearInterval(touchTimer);
      await flushSettled();
    },
  };
}

function patience(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}

/** Rejects when the time is over, whether or not the handler heeds its signal. */
function rejectAfter(milliseconds: number, signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () =>
      reject(new AppError('task-timeout', `The task took longer than ${milliseconds / 1_000} s.`)),
    );
  });
}
