/** The kinds of task of the catalogue and how each is queued. */
import { retryDelayMs, type TaskSettings } from '@omnizap/tasks';

/**
 * `derivative` is worked by the classification process, after classification: making WebPs must not delay knowing what came.
 * `storage` and `webhook` are worked by the rebuild process, which is there for short tasks that mostly wait.
 */
export const taskTypes = ['classification', 'derivative', 'curation', 'rebuild', 'storage', 'webhook'] as const;
export type TaskType = (typeof taskTypes)[number];

/** Those whose failures are our own. Webhooks fail when receivers do that owners run: no reason to wake an operator or to roll back. */
export const ownTaskTypes: readonly TaskType[] = taskTypes.filter((type) => type !== 'webhook');

/** Eight retries with doubling delays span four to eight minutes: a full disk or a database restart is over by then, or a person is needed. */
const retryLimit = 8;

/**
 * A receiver's outage lasts until a person of theirs is awake: waits of at most 2, 4, 8 ... seconds up to six hours, half of that on
 * average, span seven to fifteen hours.
 */
const webhookRetries = { retryLimit: 15, firstRetryMs: 2_000, longestRetryMs: 21_600_000 };

/** An outage of a bucket is over within hours, and nobody waits for an upload: the local disk has the bytes. */
const storageRetries = { retryLimit: 30, firstRetryMs: 2_000, longestRetryMs: 1_800_000 };

export const taskSettings: TaskSettings[] = [
  { type: 'classification', retryLimit, timeoutSeconds: 60, coalesceSeconds: 0 },
  { type: 'derivative', retryLimit, timeoutSeconds: 120, coalesceSeconds: 0 },
  // A theme or a pack changes with each of its stickers; a second or two of patience turns a burst into one look.
  { type: 'curation', retryLimit, timeoutSeconds: 60, coalesceSeconds: 2 },
  { type: 'rebuild', retryLimit, timeoutSeconds: 30, coalesceSeconds: 1 },
  { type: 'storage', ...storageRetries, timeoutSeconds: 120, coalesceSeconds: 0 },
  { type: 'webhook', ...webhookRetries, timeoutSeconds: 20, coalesceSeconds: 0, postponeLimit: 100_000 },
];

/** The wait that the queue chooses may be this much longer than its ceiling: a worker has to be free. */
const sweepMarginMs = 60_000;

/** Until the attempt after this one: sweeps that look before would only add attempts beside those of the queue. */
export function longestWaitMs(taskType: TaskType, attempt: number): number {
  const settings = taskSettings.find(({ type }) => type === taskType);
  return (settings ? retryDelayMs(settings, attempt, () => 1) : 0) + sweepMarginMs;
}
