/**
 * One attempt at one task, or at a batch: calls the handler with a signal, a time limit and a log that says what it is about, and
 * tells for each task how it ended. A handler that hangs is given up; its slot is free when it ends, or has had its time once more.
 */
import {
  AppError,
  errorTypeOf,
  messagingAttributes,
  openSpan,
  type Clock,
  type Logger,
  type OpenSpan,
} from '@omnizap/runtime';
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

type Settle = (task: FetchedTask, result: AttemptResult) => Promise<void>;

/** Resolves with the number of failures when the slots are free again. `settle` is awaited for each task. */
export async function runAttempt(
  definition: TaskDefinition,
  fetched: FetchedTask[],
  context: AttemptContext,
  settle: Settle,
): Promise<number> {
  const span = openProcessSpan(definition.settings.type, fetched);
  return span.run(() => attempt(definition, fetched, { ...context, span }, settle));
}

/** Each attempt has its own, and all link to where the task's event was appended, however long ago that was. */
function openProcessSpan(taskType: string, fetched: FetchedTask[]): OpenSpan {
  const [first] = fetched;
  return openSpan({
    name: `process ${taskType}`,
    kind: 'consumer',
    parent: 'none',
    links: fetched.map(({ data: { traceparent, tracestate } }) => (traceparent ? { traceparent, tracestate } : null)),
    attributes: {
      ...messagingAttributes('process', first?.queue ?? taskType),
      'messaging.destination.template': taskType,
      ...(first && fetched.length === 1 ? aboutTask(first) : { 'messaging.batch.message_count': fetched.length }),
    },
  });
}

function aboutTask({ id, attempt, data }: FetchedTask): Record<string, string | number> {
  return {
    'messaging.message.id': id,
    'omnizap.task.attempt': attempt,
    'omnizap.task.subject_id': data.subject_id,
    ...(data.event_id === undefined ? {} : { 'omnizap.event.id': data.event_id }),
    ...(data.request_id === undefined ? {} : { 'messaging.message.conversation_id': data.request_id }),
  };
}

async function attempt(
  definition: TaskDefinition,
  fetched: FetchedTask[],
  { log, clock, stop, span }: AttemptContext & { span: OpenSpan },
  settle: Settle,
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
    if (outcomes.length === 1) span.set({ 'omnizap.task.outcome': outcomes[0]?.status ?? '' });
    span.end();
    await settleAll((index) => ({ kind: 'ended', outcome: outcomes[index] as TaskOutcome }));
    return 0;
  } catch (error) {
    cancelTimeout();
    span.fail(errorTypeOf(error));
    span.end();
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
