/** What a kind of task is, and what a handler may answer. */
import type { Logger, TraceContext } from '@omnizap/runtime';

/** Which fleet works a task: see lanes.ts. The names are part of the queues' names. */
export const lanes = ['inline', 'stable', 'canary'] as const;
export type Lane = (typeof lanes)[number];

/** "Look at this subject": all that a task says. The handler reads the truth from the tables. */
export type TaskHint = {
  taskType: string;
  subjectId: string;
  /** Higher first. */
  priority?: number;
  /** Tenant, channel or page whose limits (rate, concurrency, pause) apply. */
  groupId?: string | undefined;
  /** Where the hint comes from, for logs and traces. */
  eventId?: number | undefined;
  requestId?: string | undefined;
  /** Of the span that led to the hint: whoever works it links to that. */
  trace?: TraceContext | null;
  /** When the change was committed (ms since the epoch): the wait is measured from here. */
  announcedAtMs?: number | undefined;
  /** Not before this. Such a hint waits beside the subject's others: a fresh change is not held back by it. */
  startAfterSeconds?: number;
};

export type TaskSettings = {
  type: string;
  /** Attempts after the first before the task is a dead letter. */
  retryLimit: number;
  /** Deaths of its process, while it ran there alone, after which it is a dead letter. Default 3. */
  crashLimit?: number;
  /** How often its handler may answer `retryAfter`; once more counts as a failure. Default 100. */
  postponeLimit?: number;
  /** Longest wait before the second attempt, doubled for each further one. Default 1 s and at most 5 min. */
  firstRetryMs?: number;
  longestRetryMs?: number;
  /** An attempt that takes longer is given up by its worker and tried again. */
  timeoutSeconds: number;
  /** Hints of one subject that come within this time are merged into one task; 0 starts at once. */
  coalesceSeconds: number;
};

export type Task = {
  id: string;
  taskType: string;
  subjectId: string;
  /** 1 for the first try. */
  attempt: number;
  groupId?: string | undefined;
  requestId: string | undefined;
  eventId: number | undefined;
};

/** Outcomes are values; anything thrown means "try again later". */
export type TaskOutcome =
  | { status: 'done' }
  /** Nothing was wanted, or somebody else did it. */
  | { status: 'skipped'; reason: string }
  /** Not now, and nobody's fault: asked again after this time, without counting an attempt. */
  | { status: 'retryAfter'; milliseconds: number; reason: string }
  /** The subject cannot be worked and says so in its own row; no retry would help. */
  | { status: 'rejected'; reason: string };

export type TaskContext = {
  /** Aborted when the time is up, or when the process must stop before the handler is done. */
  signal: AbortSignal;
  log: Logger;
  /** Says which wanted version is being worked: if this attempt is the last one, that version has failed, not a newer one. */
  lookedAt: (version: number) => void;
};

export type TaskHandler = (task: Task, context: TaskContext) => Promise<TaskOutcome>;

/** One outcome for each task, in their order. What it throws is everybody's failure: each is then worked alone. */
export type BatchHandler = (tasks: Task[], context: Omit<TaskContext, 'lookedAt'>) => Promise<TaskOutcome[]>;

export type TaskDefinition = { settings: TaskSettings } & (
  { handle: TaskHandler } | { handleBatch: BatchHandler; batchSize: number }
);

/** A task that failed its last attempt. */
export type DeadTask = {
  id: string;
  taskType: string;
  subjectId: string;
  attempts: number;
  /** With its stack, when there is one. */
  error: string;
  payload: object;
  /** When the first of its attempts failed, where that is known. */
  firstFailedAt?: Date | undefined;
  /** The wanted version that the last attempt had looked at. A change after that look is not what failed. */
  version?: number | undefined;
};

export function queueName(taskType: string, lane: Lane): string {
  return `${taskType}.${lane}`;
}

/** Wake-up topic of a queue. */
export function taskTopic(taskType: string): string {
  return `task:${taskType}`;
}
