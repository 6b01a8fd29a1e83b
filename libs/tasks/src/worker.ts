/**
 * The worker loop of one process: fetches tasks of its types (in the order given: an earlier type goes first, but keeps nobody
 * from a turn for long), works up to `concurrency` at once, and settles each by its own attempt. Woken by notification, polling
 * as the backstop.
 *
 * A task that fails its last attempt becomes a dead letter before it is settled, so a kill in between repeats, never loses. A task
 * that was in hand when its process died is worked alone from then on: whatever kills processes is found, and pays for it itself.
 */
import {
  AppError,
  createLoop,
  systemClock,
  type Clock,
  type Component,
  type Logger,
  type Metrics,
  type Wakeups,
} from '@omnizap/runtime';
import { payloadOf } from './job-data.ts';
import { runAttempt, type AttemptResult } from './run-attempt.ts';
import type { FetchedTask, TaskQueues } from './task-queues.ts';
import { taskTopic, type DeadTask, type Lane, type TaskDefinition, type TaskOutcome } from './task-types.ts';
import { createTaskMetrics } from './task-metrics.ts';

/** Completions of one moment share a statement. */
const settleDelayMs = 10;
const defaultStopGraceMs = 10_000;
/** To hand back what is not done by then. */
const handBackMs = 1_000;
/** How often a worker compares what it has claimed with what it has in hand: the answer to a fetch may be lost. */
const reconcileIntervalMs = 10_000;
const defaultPostponeLimit = 100;
/** A type that earlier ones kept waiting for this long is asked for before them, once: their backlog must not stop its tasks. */
const longestWaitForTurnMs = 1_000;

/** What a worker needs of the queues; the simulation has its own. */
export type TaskSource = Pick<
  TaskQueues,
  'fetch' | 'complete' | 'retry' | 'bury' | 'giveBack' | 'workAlone' | 'giveBackUnknown'
>;

export type OutcomeName = Exclude<TaskOutcome['status'], 'retryAfter'> | 'retried' | 'postponed';

type WorkerDeps = {
  queues: TaskSource;
  wakeups: Pick<Wakeups, 'on'>;
  log: Logger;
  metrics: Metrics;
  clock?: Clock;
  /** 0 inclusive to 1 exclusive. */
  random?: () => number;
};
type WorkerOptions = {
  lane: Lane;
  definitions: TaskDefinition[];
  concurrency: number;
  pollIntervalMs: number;
  /** How long a stop waits for what runs before it hands it back. Default 10 s: below the contract's 15 s. */
  stopGraceMs?: number;
  /** Rests after a batch, as a multiple of the time that it took: for a process that has something else to do. Default 0. */
  restRatio?: number;
  /** False while the process's lease is not certain: what it claimed then would be given to others at once. Default: always. */
  mayClaim?: () => boolean;
  /** Stores the dead letter; called before the task is settled, possibly twice. */
  onDead: (task: DeadTask) => Promise<void>;
  /** Called for each finished task. */
  onOutcome?: (taskType: string, outcome: OutcomeName) => void;
  /** Called after a fetch that returned work has been worked to the last task, with how it went. */
  onBatch?: (taskType: string, seconds: number, counts: { total: number; failed: number }) => void;
};

export function createWorker(deps: WorkerDeps, options: WorkerOptions): Component {
  const { queues, log, clock = systemClock, random = Math.random } = deps;
  const { mayClaim = () => true, stopGraceMs = defaultStopGraceMs, restRatio = 0 } = options;
  const metrics = createTaskMetrics(deps.metrics, options.lane);
  /** Fetched and not settled; what runs of it has what stops it and what ends with it. */
  const inHand = new Set<FetchedTask>();
  const running = new Map<FetchedTask, { stop: AbortController; ended: Promise<void> }>();
  const waitingAlone: { definition: TaskDefinition; task: FetchedTask }[] = [];
  /** Nothing else starts until its end is written down: if the process dies meanwhile, it was this one. */
  let alone: FetchedTask | undefined;
  let finished: FetchedTask[] = [];
  let cancelSettling: (() => void) | undefined;
  let settling: Promise<void> = Promise.resolve();
  let restsUntil = -Infinity;
  let cancelRest: (() => void) | undefined;
  let reconciledAt = clock.now();
  const askedAt = new Map(options.definitions.map((definition) => [definition, clock.now()]));
  let stopped: Promise<void> | undefined;
  const unsubscribers: (() => void)[] = [];

  /** Later definitions leave one slot to the first, which also takes any slot while they hold some. */
  function slotsFor(index: number): number {
    const free = options.concurrency - running.size;
    const [first] = options.definitions;
    const later = [...running.keys()].filter((task) => task.taskType !== first?.settings.type).length;
    if (index > 0) return Math.min(free, Math.max(1, options.concurrency - 1) - later);
    // Fetching for one free slot at a time would cost a query per task: wait until half of them are free.
    return later > 0 || free >= Math.ceil(options.concurrency / 2) ? free : 0;
  }

  function inTurn(): [number, TaskDefinition][] {
    const waitsSince = (definition: TaskDefinition): number => askedAt.get(definition) ?? 0;
    const entries = [...options.definitions.entries()];
    // Whoever waits longest: in their own order, with tasks that take a second, the second type would keep out the third.
    const overdue = entries
      .filter(([index, definition]) => index > 0 && clock.now() - waitsSince(definition) >= longestWaitForTurnMs)
      .sort(([, one], [, other]) => waitsSince(one) - waitsSince(other));
    return [...overdue, ...entries.filter((entry) => !overdue.includes(entry))];
  }

  async function pass(): Promise<boolean> {
    if (clock.now() - reconciledAt >= reconcileIntervalMs) await reconcile();
    if (alone !== undefined) {
      if (running.has(alone)) return false;
      await flushFinished();
      // Writing its end down may have failed: it would go on counting as what runs here alone. Changes nothing otherwise.
      await queues.giveBack([alone], { delayMs: 0 });
      alone = undefined;
    }
    if (clock.now() < restsUntil) return false;
    if (waitingAlone.length > 0) {
      if (running.size === 0) await startAlone();
      return false;
    }
    if (!mayClaim()) return false;
    for (const [index, definition] of inTurn()) {
      const slots = slotsFor(index);
      if (slots < 1) {
        // Nothing more of a later type is taken before the first was asked for and had nothing.
        if (index === 0) return false;
        continue;
      }
      askedAt.set(definition, clock.now());
      const tasks = await queues.fetch(definition.settings.type, options.lane, slots);
      if (tasks.length === 0) continue;
      for (const task of tasks) inHand.add(task);
      const suspects = tasks.filter((task) => task.data.suspect);
      for (const task of suspects) waitingAlone.push({ definition, task });
      const others = tasks.filter((task) => !task.data.suspect);
      if (others.length > 0) startBatch(definition, others);
      return true;
    }
    return false;
  }

  async function startAlone(): Promise<void> {
    const [next] = waitingAlone;
    if (!next) return;
    await queues.workAlone(next.task);
    waitingAlone.shift();
    alone = next.task;
    startBatch(next.definition, [next.task]);
  }

  async function reconcile(): Promise<void> {
    await flushFinished();
    const lost = await queues.giveBackUnknown([...inHand]);
    reconciledAt = clock.now();
    if (lost > 0) log.warn({ tasks: lost }, 'gave back tasks that were claimed without our knowing');
  }

  function startBatch(definition: TaskDefinition, tasks: FetchedTask[]): void {
    const startedAt = clock.now();
    let left = tasks.length;
    let failed = 0;
    const size = 'handleBatch' in definition ? definition.batchSize : 1;
    for (let start = 0; start < tasks.length; start += size) {
      const group = tasks.slice(start, start + size);
      const stop = new AbortController();
      for (const task of group) metrics.observeWait(task);
      const ended = runAttempt(definition, group, { log, clock, stop }, (task, result) => settle(task, result)).then(
        (failures) => {
          for (const task of group) running.delete(task);
          left -= group.length;
          failed += failures;
          if (left === 0) {
            const tookMs = clock.now() - startedAt;
            options.onBatch?.(definition.settings.type, tookMs / 1_000, { total: tasks.length, failed });
            if (restRatio > 0) rest(tookMs * restRatio);
          }
          loop.wake();
        },
      );
      for (const task of group) running.set(task, { stop, ended });
    }
  }

  function rest(milliseconds: number): void {
    restsUntil = clock.now() + milliseconds;
    cancelRest?.();
    cancelRest = clock.after(milliseconds, () => {
      // Timers end up to a millisecond early: a look that found the rest not over would be followed by a whole poll interval.
      restsUntil = -Infinity;
      loop.wake();
    });
  }

  /** Writes down what became of an attempt. Never throws: what cannot be settled is found by the next comparison. */
  async function settle(task: FetchedTask, result: AttemptResult): Promise<void> {
    // Given back when the process had to stop; another one may have it by now.
    if (!inHand.has(task)) return;
    const { settings, taskLog, seconds } = result;
    const observe = (outcome: OutcomeName): void => {
      metrics.observeEnd(settings.type, outcome, seconds);
      options.onOutcome?.(settings.type, outcome);
    };
    try {
      if (result.kind === 'shared-failure') {
        observe('retried');
        taskLog.warn({ err: result.error }, 'a batch failed; each of its tasks is worked alone');
        await queues.giveBack([task], { delayMs: 0, isSuspect: true });
      } else if (result.kind === 'failed') {
        observe('retried');
        await settleFailure(task, result);
      } else if (result.outcome.status === 'retryAfter') {
        if (task.data.postponed >= (settings.postponeLimit ?? defaultPostponeLimit)) {
          observe('retried');
          const reason = `The handler asked ${task.data.postponed + 1} times to be tried later: ${result.outcome.reason}`;
          await settleFailure(task, { ...result, error: new AppError('task-timeout', reason) });
        } else {
          observe('postponed');
          taskLog.debug({ outcome: result.outcome }, 'task put off');
          await queues.giveBack([task], { delayMs: result.outcome.milliseconds, isPostponed: true });
        }
      } else {
        const { outcome } = result;
        observe(outcome.status);
        taskLog[outcome.status === 'skipped' ? 'debug' : 'info']({ outcome }, 'task finished');
        finish(task);
        return;
      }
    } catch (error) {
      taskLog.warn({ err: error }, 'a task could not be settled; it will be looked at again');
    }
    inHand.delete(task);
  }

  async function settleFailure(
    task: FetchedTask,
    { settings, error, taskLog, version }: Pick<AttemptResult, 'settings' | 'taskLog' | 'version'> & { error: unknown },
  ): Promise<void> {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (task.attempt <= settings.retryLimit) {
      taskLog.warn({ err: error, attempts: task.attempt }, 'a task failed; it will be tried again');
      await queues.retry(task, text);
      return;
    }
    taskLog.error({ err: error, attempts: task.attempt }, 'a task is a dead letter');
    await options.onDead({
      id: task.id,
      taskType: task.taskType,
      subjectId: task.data.subject_id,
      attempts: task.attempt,
      error: text,
      payload: payloadOf(task.data),
      firstFailedAt: new Date(task.data.first_failed_at_ms ?? Date.now()),
      ...(version === undefined ? {} : { version }),
    });
    await queues.bury(task, text);
  }

  function finish(task: FetchedTask): void {
    finished.push(task);
    cancelSettling ??= clock.after(settleDelayMs, () => void flushFinished());
  }

  function flushFinished(): Promise<void> {
    cancelSettling?.();
    cancelSettling = undefined;
    const tasks = finished;
    finished = [];
    settling = settling.then(async () => {
      if (tasks.length > 0)
        await queues.complete(tasks).catch((error: unknown) => {
          log.warn(
            { err: error, tasks: tasks.length },
            'finished tasks could not be settled; they will be looked at again',
          );
        });
      for (const task of tasks) inHand.delete(task);
    });
    return settling;
  }

  /** Back to the queue at once, uncounted; whoever fetches one next finds the truth in the tables. */
  async function handBack(tasks: FetchedTask[], reason: string): Promise<void> {
    for (const task of tasks) inHand.delete(task);
    if (tasks.length === 0) return;
    log.info({ tasks: tasks.length, reason }, 'handing tasks back');
    await queues.giveBack(tasks, { delayMs: 0 }).catch((error: unknown) => {
      log.warn({ err: error }, 'tasks could not be handed back; they are rescued when our lease is over');
    });
  }

  const loop = createLoop({ name: 'worker', intervalMs: () => options.pollIntervalMs, pass, log, clock, random });

  return {
    name: 'worker',
    stopLimitMs: stopGraceMs + handBackMs,
    async start() {
      for (const definition of options.definitions)
        unsubscribers.push(deps.wakeups.on(taskTopic(definition.settings.type), loop.wake));
      await loop.start();
    },
    stop: () => (stopped ??= drain()),
  };

  async function drain(): Promise<void> {
    for (const unsubscribe of unsubscribers) unsubscribe();
    cancelRest?.();
    await loop.stop();
    await handBack(
      waitingAlone.splice(0).map(({ task }) => task),
      'not started yet',
    );
    const graceOver = new AbortController();
    const ended = Promise.all([...running.values()].map((entry) => entry.ended));
    await Promise.race([ended, clock.sleep(stopGraceMs, graceOver.signal)]);
    graceOver.abort();
    const unfinished = [...running.keys()].filter((task) => inHand.has(task) && !finished.includes(task));
    await handBack(unfinished, 'the process must stop');
    for (const { stop } of running.values()) stop.abort(new AppError('unavailable', 'The process is stopping.'));
    await flushFinished();
  }
}
