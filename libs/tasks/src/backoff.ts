/**
 * Waits between attempts: exponential with full jitter (M. Brooker, "Exponential Backoff and Jitter", 2015), so that tasks that
 * failed together do not come back together.
 */
import type { TaskSettings } from './task-types.ts';

const defaultFirstRetryMs = 1_000;
const defaultLongestRetryMs = 300_000;

/** Wait after the given attempt (1 for the first): evenly spread from 0 to min(longest, first x 2^(attempt - 1)) ms. */
export function retryDelayMs(settings: TaskSettings, attempt: number, random: () => number = Math.random): number {
  const { firstRetryMs = defaultFirstRetryMs, longestRetryMs = defaultLongestRetryMs } = settings;
  return Math.round(random() * Math.min(longestRetryMs, firstRetryMs * 2 ** Math.max(0, attempt - 1)));
}
