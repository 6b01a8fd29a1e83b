/**
 * One attempt at one task, or at a batch: calls the handler with a signal, a time limit and a log that says what it is about, and
 * tells for each task how it ended. A handler that hangs is given up; its slot is free when it ends, or has had its time once more.
 */
import { AppError, type Clock, type Logger } from '@omnizap/runtime';
import type { FetchedTask } from './task-queues.ts';
import type { Task, TaskDefinition, TaskOutcome, TaskSettings } from './task-types.ts';

export type AttemptResult = {
  settings: TaskSettings;
  taskLog: Logger;
  /** Since the handler was called. */
  seconds: number;
  /** The wanted version that the handler said it looks at. */
  version: number | undefined;
} & (
  | { kind: 'ended'; outcome: TaskOutcome }
  | { kind: 'failed'; error: unknown }
  /** The handler of a batch threw: whose fault it was is not known. */
  | { kind: 'shared-failure'; error: unknown }
);

type AttemptContext = { log: Logger; clock: Clock; stop: AbortController };

/** Resolves with the number of failures when the slots are free again. `settle` is awaited for each task. */
export async function runAttempt(
  definition: TaskDefinition,
  fetched: FetchedTask[],
  { log, clock, stop }: AttemptContext,
  settle: (task: FetchedTask, result: AttemptResult) => Promise<void>,
): Promise<number> {
  const { settings } = definition;
  const timeoutMs = settings.timeoutSeconds * 1_000;
  const startedAt = clock.now();
  const logs = fetched.map((task) => log.child(fieldsOf(task)));
  let version: number | undefined;
  const cancelTimeout = clock.after(timeoutMs, () =>
    stop.abort(new AppError('task-timeout', `The task took longer than ${settings.timeoutSeconds} s.`)),
  );
  const settleAll = async (resultOf: (index: number) => { kind: 'ended'; outcome: TaskOutcome } | Failure) => {
    const common = { settings, seconds: (clock.now() - startedAt) / 1_000, version };
    await Promise.all(
      fetched.map((task, index) => settle(task, { ...common, taskLog: logs[index] as Logger, ...resultOf(index) })),
    );
  };
  const { signal } = stop;
  let handling: Promise<TaskOutcome[]> | undefined;
  try {
    handling = callHandler(definition, fetched.map(taskOf), {
      signal,
      log: fetched.length === 1 ? (logs[0] as Logger) : log,
      lookedAt: (looked: number) => (version = looked),
    });
    const outcomes = await Promise.race([handling, rejectOnAbort(signal)]);
    if (outcomes.length !== fetched.length)
      throw new Error(`A batch handler answered ${outcomes.length} outcomes for ${fetched.length} tasks.`);
    cancelTimeout();
    await settleAll((index) => ({ kind: 'ended', outcome: outcomes[index] as TaskOutcome }));
    return 0;
  } catch (error) {
    cancelTimeout();
    await settleAll(() => ({ kind: fetched.length > 1 ? 'shared-failure' : 'failed', error }));
    const patience = new Promise<void>((resolve) => void clock.after(timeoutMs, resolve));
    await Promise.race([handling?.catch(() => undefined), patience]);
    return fetched.length;
  }
}

type Failure = { kind: 'failed' | 'shared-failure'; error: unknown };

async function callHandler(
  definition: TaskDefinition,
  tasks: Task[],
  context: { signal: AbortSignal; log: Logger; lookedAt: (version: number) => void },
): Promise<TaskOutcome[]> {
  if ('handleBatch' in definition) return definition.handleBatch(tasks, context);
  return [await definition.handle(tasks[0] as Task, context)];
}

function taskOf(task: FetchedTask): Task {
  return {
    id: task.id,
    taskType: task.taskType,
    subjectId: task.data.subject_id,
    attempt: task.attempt,
    groupId: task.groupId,
    requestId: task.data.request_id,
    eventId: task.data.event_id,
  };
}

function fieldsOf(task: FetchedTask): Record<string, unknown> {
  return {
    task_id: task.id,
    task_type: task.taskType,
    subject_id: task.data.subject_id,
    ...(task.data.event_id === undefined ? {} : { event_id: task.data.event_id }),
    ...(task.data.request_id === undefined ? {} : { request_id: task.data.request_id }),
  };
}

/** Rejects with the reason of the abort, whether or not the handler heeds the signal. */
function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });
}
