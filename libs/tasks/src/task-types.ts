/** What a kind of task is, and what a handler may answer. */
import type { Logger } from '@omnizap/runtime';

/** Which fleet works a task. Only `stable` has workers so far; the names are part of the queues' names. */
export type Lane = 'inline' | 'stable' | 'canary';

/** "Look at this subject": all that a task says. The handler reads the truth from the tables. */
export type TaskHint = {
  taskType: string;
  subjectId: string;
  /** Higher first. */
  priority?: number;
  /** Where the hint comes from, for logs and traces. */
  eventId?: number | undefined;
  requestId?: string | undefined;
  /** When the change was committed (ms since the epoch): the wait is measured from here. */
  announcedAtMs?: number | undefined;
};

export type TaskSettings = {
  type: string;
  /** Attempts after the first before the task is a dead letter. */
  retryLimit: number;
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
  requestId: string | undefined;
  eventId: number | undefined;
};

/** Outcomes are values; anything thrown means "try again later". */
export type TaskOutcome =
  | { status: 'done' }
  /** Nothing was wanted, or somebody else did it. */
  | { status: 'skipped'; reason: string }
  /** The subject cannot be worked and says so in its own row; no retry would help. */
  | { status: 'rejected'; reason: string };

export type TaskHandler = (task: Task, context: { signal: AbortSignal; log: Logger }) => Promise<TaskOutcome>;

export type TaskDefinition = { settings: TaskSettings; handle: TaskHandler };

/** A task that failed its last attempt. */
export type DeadTask = {
  id: string;
  taskType: string;
  subjectId: string;
  attempts: number;
  error: string;
  payload: object;
};

export function queueName(taskType: string, lane: Lane): string {
  return `${taskType}.${lane}`;
}

/** Wake-up topic of a queue. */
export function taskTopic(taskType: string): string {
  return `task:${taskType}`;
}
