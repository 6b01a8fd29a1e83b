/** A dead letter as people see it: an event or a task that failed for good and waits to be settled. */

export const deadLetterSources = ['outbox', 'tasks'] as const;
export type DeadLetterSource = (typeof deadLetterSources)[number];

export type Settlement = 'redriven' | 'discarded';

export type DeadLetter = {
  id: number;
  source: DeadLetterSource;
  /** Event type, or task type. */
  type: string;
  /** Aggregate of the event, or subject of the task. */
  subjectId: string;
  /** Id of the event, or of the task. */
  itemId: string;
  /** What shares one history: the event's id, or `<task type>:<subject>`. */
  origin: string;
  aggregateType: string | null;
  attempts: number;
  maxAttempts: number | null;
  priority: number | null;
  /** The wanted version of the subject that the task had looked at. */
  version: number | null;
  /** The event itself, or the one that led to the task. */
  eventId: number | null;
  requestId: string | null;
  traceparent: string | null;
  tracestate: string | null;
  /** When the event was appended. */
  createdAt: Date | null;
  firstFailedAt: Date;
  failedAt: Date;
  /** First line of the last error. */
  error: string;
};

export type DeadLetterDetail = DeadLetter & { lastError: string; payload: unknown };

/** Everything given must hold; nothing given matches every dead letter. */
export type DeadLetterFilter = {
  type?: string | undefined;
  subjectId?: string | undefined;
  /** Part of the last error's text, stack included, as it is written. */
  errorContains?: string | undefined;
  /** Inclusive. */
  failedAfter?: Date | undefined;
  /** Exclusive. */
  failedBefore?: Date | undefined;
};

export type Settled = {
  id: number;
  settlement: Settlement;
  reason: string | null;
  settledBy: string;
  settledAt: Date;
  /** As it was. */
  deadLetter: ReturnType<typeof deadLetterDetailJson>;
};

/** The form that goes over HTTP and to `--json`: the columns' names, instants in RFC 3339. */
export function deadLetterJson(letter: DeadLetter) {
  return {
    id: letter.id,
    source: letter.source,
    type: letter.type,
    subject_id: letter.subjectId,
    ...(letter.source === 'outbox'
      ? {
          event_id: letter.eventId,
          aggregate_type: letter.aggregateType,
          max_attempts: letter.maxAttempts,
          priority: letter.priority,
          created_at: letter.createdAt?.toISOString() ?? null,
        }
      : { task_id: letter.itemId, event_id: letter.eventId, version: letter.version }),
    attempts: letter.attempts,
    request_id: letter.requestId,
    traceparent: letter.traceparent,
    tracestate: letter.tracestate,
    first_failed_at: letter.firstFailedAt.toISOString(),
    failed_at: letter.failedAt.toISOString(),
    error: letter.error,
  };
}

/** The same with the whole error and the payload; also what the history keeps. */
export function deadLetterDetailJson(letter: DeadLetterDetail) {
  return { ...deadLetterJson(letter), last_error: letter.lastError, payload: letter.payload };
}

/** What became of one, without the whole of what it was. */
export function settledJson(settled: Settled) {
  return {
    settlement: settled.settlement,
    reason: settled.reason,
    settled_by: settled.settledBy,
    settled_at: settled.settledAt.toISOString(),
    attempts: settled.deadLetter.attempts,
    failed_at: settled.deadLetter.failed_at,
    error: settled.deadLetter.error,
  };
}

export function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
