/** The job table in memory: what one row is, and what pg-boss and libs/tasks do to it in one statement each. */
import { retryDelayMs, type FetchedTask, type TaskHint, type TaskSettings } from '@omnizap/tasks';
import type { Rules } from './rules.ts';

/** Beyond the handler's time, until the queue itself calls an attempt lost. */
const expireMarginMs = 30_000;

export type Job = {
  id: string;
  /** Order of insertion: what decides between equal priorities of one moment. */
  number: number;
  queue: string;
  taskType: string;
  subjectId: string;
  priority: number;
  state: 'created' | 'retry' | 'active' | 'completed' | 'failed';
  retryCount: number;
  retryLimit: number;
  hasStarted: boolean;
  startAfterMs: number;
  startedAtMs: number;
  claimedBy: string | null;
  isAlone: boolean;
  eventId: number | undefined;
  uncounted: number;
  postponed: number;
  crashes: number;
  isSuspect: boolean;
};

export type QueueTables = { lastNumber: number; jobs: Map<string, Job>; deadLetters: Job[] };
export type Attempt = { id: string; retryCount: number };
export type Patch = Partial<Pick<Job, 'postponed' | 'crashes' | 'isSuspect'>>;

export function createQueueTables(): QueueTables {
  return { lastNumber: 0, jobs: new Map(), deadLetters: [] };
}

export type QueueOperations = ReturnType<typeof createQueueOperations>;

/** Pure changes of the tables at one instant: statements without a network. */
export function createQueueOperations(
  tables: QueueTables,
  options: { settings: TaskSettings[]; rules: Rules; now: () => number; random: () => number },
) {
  const { rules, now, random } = options;
  const settingsOf = (taskType: string): TaskSettings => {
    const found = options.settings.find((entry) => entry.type === taskType);
    if (!found) throw new Error(`There is no task type "${taskType}"`);
    return found;
  };

  function thisAttempt({ id, retryCount }: Attempt): Job | undefined {
    const job = tables.jobs.get(id);
    if (job?.state !== 'active') return undefined;
    return job.retryCount === retryCount || !rules.namesAttempts ? job : undefined;
  }

  const isStartable = (job: Job, queue: string): boolean =>
    job.queue === queue && (job.state === 'created' || job.state === 'retry') && job.startAfterMs <= now();

  function wait(job: Job, delayMs: number, patch: Patch): void {
    Object.assign(job, { state: 'retry', claimedBy: null, isAlone: false, startAfterMs: now() + delayMs, ...patch });
  }

  return {
    settingsOf,
    thisAttempt,

    /** One job per key may wait in `created`. */
    insert(hint: TaskHint, queue: string): void {
      const merges = (job: Job): boolean =>
        job.queue === queue &&
        job.subjectId === hint.subjectId &&
        (job.state === 'created' || (!rules.mergesWaitingOnly && (job.state === 'active' || job.state === 'retry')));
      if ([...tables.jobs.values()].some(merges)) return;
      const { retryLimit, coalesceSeconds } = settingsOf(hint.taskType);
      tables.lastNumber += 1;
      const id = `task-${tables.lastNumber}`;
      tables.jobs.set(id, {
        ...{ id, number: tables.lastNumber, queue, taskType: hint.taskType, subjectId: hint.subjectId },
        ...{ priority: hint.priority ?? 0, state: 'created', retryCount: 0, retryLimit, hasStarted: false },
        ...{ startAfterMs: now() + coalesceSeconds * 1_000, startedAtMs: 0, claimedBy: null, isAlone: false },
        ...{ eventId: hint.eventId, uncounted: 0, postponed: 0, crashes: 0, isSuspect: false },
      });
    },

    hasDue: (queue: string): boolean => [...tables.jobs.values()].some((job) => isStartable(job, queue)),

    /** The most urgent, then the oldest, first. */
    fetch(queue: string, limit: number, processId: string): Job[] {
      const found = [...tables.jobs.values()]
        .filter((job) => isStartable(job, queue))
        .sort((a, b) => b.priority - a.priority || a.number - b.number)
        .slice(0, limit);
      for (const job of found) {
        const retryCount = job.hasStarted ? job.retryCount + 1 : job.retryCount;
        Object.assign(job, {
          ...{
            state: 'active',
            startedAtMs: now(),
            hasStarted: true,
            retryCount,
            claimedBy: processId,
            isAlone: false,
          },
        });
      }
      return found;
    },

    complete(attempt: Attempt): boolean {
      const job = thisAttempt(attempt);
      return job !== undefined && tables.jobs.delete(job.id);
    },

    bury(attempt: Attempt): boolean {
      const job = thisAttempt(attempt);
      return job !== undefined && tables.jobs.delete(job.id);
    },

    setAlone(attempt: Attempt): void {
      const job = thisAttempt(attempt);
      if (job) job.isAlone = true;
    },

    /** Ready again without counting. */
    giveBack(attempt: Attempt, delayMs: number, patch: Patch): boolean {
      const job = thisAttempt(attempt);
      if (!job) return false;
      job.retryLimit += 1;
      job.uncounted += 1;
      wait(job, delayMs, patch);
      return true;
    },

    /** Failed; another attempt follows. */
    retryLater(attempt: Attempt, delayMs: number, patch: Patch): boolean {
      const job = thisAttempt(attempt);
      if (!job) return false;
      job.retryLimit = Math.max(job.retryLimit, job.retryCount + 1);
      wait(job, delayMs, patch);
      return true;
    },

    backoffMs: (taskType: string, attempt: number): number => retryDelayMs(settingsOf(taskType), attempt, random),

    claims: (): Job[] =>
      [...tables.jobs.values()].filter((job) => job.state === 'active' && job.claimedBy !== null).map(copy),

    /** pg-boss's own supervision: an attempt past its time is tried again, or becomes a copy in the dead-letter queue. */
    expire(): Job[] {
      const late = [...tables.jobs.values()]
        .filter((job) => {
          const limitMs = settingsOf(job.taskType).timeoutSeconds * 1_000 + expireMarginMs;
          return job.state === 'active' && job.startedAtMs + limitMs < now();
        })
        .map(copy);
      for (const { id } of late) {
        const job = tables.jobs.get(id) as Job;
        if (job.retryCount < job.retryLimit) {
          const half = 2 ** Math.min(16, job.retryCount + 1) / 2;
          wait(job, Math.min(300, half + half * random()) * 1_000, {});
        } else {
          tables.jobs.delete(id);
          tables.deadLetters.push(job);
        }
      }
      return late;
    },
  };
}

const copy = (job: Job): Job => ({ ...job });

export function attemptNumber(job: Job): number {
  return job.retryCount + 1 - job.uncounted;
}

export function toFetched(job: Job): FetchedTask {
  return {
    id: job.id,
    queue: job.queue,
    taskType: job.taskType,
    retryCount: job.retryCount,
    attempt: attemptNumber(job),
    groupId: undefined,
    data: {
      ...{ subject_id: job.subjectId, uncounted: job.uncounted, postponed: job.postponed, crashes: job.crashes },
      ...{ suspect: job.isSuspect, reserved: false },
      ...(job.eventId === undefined ? {} : { event_id: job.eventId }),
    },
  };
}
