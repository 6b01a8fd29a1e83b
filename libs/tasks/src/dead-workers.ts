/** What becomes of a task whose worker died with it, or hung. */
import type { Db } from 'pg-boss';
import { retryDelayMs } from './backoff.ts';
import { jobData, payloadOf, type JobData } from './job-data.ts';
import * as jobs from './job-sql.ts';
import type { DeadTask, TaskSettings } from './task-types.ts';

const defaultCrashLimit = 3;

/**
 * An attempt that ended with its process. One that was worked alone counts, and is a dead letter in the end; one among others does
 * not, and is worked alone from now on.
 */
export async function rescueClaim(
  db: Db,
  claim: jobs.Claim,
  settingsOf: (taskType: string) => TaskSettings,
  keep: (task: DeadTask) => Promise<void>,
): Promise<void> {
  const [taskType = ''] = claim.queue.split('.');
  const data = jobData.safeParse(claim.data).data;
  if (!data) return jobs.bury(db, claim.queue, claim, 'unreadable task data');
  if (!claim.isAlone)
    return jobs.giveBack(db, claim.queue, [claim], { delayMs: 0, patch: { suspect: true, reserved: false } });
  const crashes = data.crashes + 1;
  const attempt = claim.retryCount + 1 - data.uncounted;
  const error = `Its process died ${crashes} times while it worked this task and nothing else.`;
  const firstFailedAtMs = data.first_failed_at_ms ?? Date.now();
  if (crashes < (settingsOf(taskType).crashLimit ?? defaultCrashLimit)) {
    const patch = { suspect: true, reserved: false, crashes, first_failed_at_ms: firstFailedAtMs };
    const delayMs = retryDelayMs(settingsOf(taskType), attempt);
    return jobs.retryLater(db, claim.queue, claim, { delayMs, error, patch });
  }
  const firstFailedAt = new Date(firstFailedAtMs);
  await keep({ ...{ id: claim.id, taskType, attempts: attempt, error, firstFailedAt }, ...aboutSubject(data) });
  await jobs.bury(db, claim.queue, claim, error);
}

/** A job of the dead-letter queue: its task ran past its time at its last attempt. Null when it is not one of ours. */
export function hungTask(row: {
  data: unknown;
  sourceName?: string | null;
  sourceId?: string | null;
  sourceRetryCount?: number | null;
}): DeadTask | null {
  const [taskType = ''] = (row.sourceName ?? '').split('.');
  const { data } = jobData.safeParse(row.data);
  if (!data || row.sourceId === null || row.sourceId === undefined) return null;
  return {
    id: row.sourceId,
    taskType,
    attempts: (row.sourceRetryCount ?? 0) + 1 - data.uncounted,
    error: 'The task ended without an answer: its worker hung each time.',
    ...(data.first_failed_at_ms === undefined ? {} : { firstFailedAt: new Date(data.first_failed_at_ms) }),
    ...aboutSubject(data),
  };
}

function aboutSubject(data: JobData): { subjectId: string; payload: object } {
  return { subjectId: data.subject_id, payload: payloadOf(data) };
}
