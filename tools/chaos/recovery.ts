/**
 * How fast the fleet is itself again: the share of answered requests, and the events that wait, per second, against the quiet time
 * before the first fault.
 */
import type { EventChange } from './final-tables.ts';
import type { RequestRecord } from './requests.ts';

const bucketMs = 1_000;
/** One second alone says little at this rate. */
const smoothing = 3;
const recoveredShare = 0.95;
/** Events on their way at any moment of a healthy fleet, at least. */
const smallBacklog = 10;

export type Timeline = {
  startedAtMs: number;
  /** Answered requests by the second in which they were asked. */
  answered: number[];
  asked: number[];
  /** Events appended and not finished at the end of each second. */
  backlog: number[];
};

export function drawTimeline(
  requests: RequestRecord[],
  events: EventChange[],
  startedAtMs: number,
  endedAtMs: number,
): Timeline {
  const length = Math.max(0, Math.floor((endedAtMs - startedAtMs) / bucketMs));
  const timeline: Timeline = {
    startedAtMs,
    answered: Array.from({ length }, () => 0),
    asked: Array.from({ length }, () => 0),
    backlog: Array.from({ length }, () => 0),
  };
  const bucketOf = (atMs: number): number => Math.floor((atMs - startedAtMs) / bucketMs);
  const add = (list: number[], index: number, count: number): void => {
    if (index >= 0 && index < length) list[index] = (list[index] ?? 0) + count;
  };
  for (const request of requests) {
    add(timeline.asked, bucketOf(request.startedAt), 1);
    // A refusal by the service is an answer; one by the operating system is none.
    if (request.status >= 200 && request.status < 500) add(timeline.answered, bucketOf(request.startedAt), 1);
  }
  for (const { operation, newStatus, oldStatus, atMs } of events) {
    const change =
      operation === 'insert'
        ? 1
        : newStatus === 'completed' || (operation === 'delete' && oldStatus !== 'completed')
          ? -1
          : 0;
    for (let index = Math.max(0, bucketOf(atMs)); change !== 0 && index < length; index += 1)
      add(timeline.backlog, index, change);
  }
  return timeline;
}

/**
 * Seconds from `healedAtMs` until the share of answered requests is back at 95 % of what it was before `firstFaultAtMs` and the
 * backlog is no larger than it was then; null when that is not seen, or when there was no quiet time to compare with.
 */
export function secondsToRecover(timeline: Timeline, firstFaultAtMs: number, healedAtMs: number): number | null {
  const quiet = Math.floor((firstFaultAtMs - timeline.startedAtMs) / bucketMs);
  if (quiet < smoothing) return null;
  const shareOf = (from: number, to: number): number =>
    sum(timeline.answered, from, to) / Math.max(1, sum(timeline.asked, from, to));
  const usualShare = shareOf(0, quiet);
  const usualBacklog = Math.max(smallBacklog, ...timeline.backlog.slice(1, quiet));
  const first = Math.max(0, Math.ceil((healedAtMs - timeline.startedAtMs) / bucketMs));
  for (let at = first; at + 1 <= timeline.asked.length; at += 1) {
    const to = Math.min(timeline.asked.length, at + smoothing);
    const isAnswering = shareOf(at, to) >= recoveredShare * usualShare;
    if (isAnswering && (timeline.backlog[at] ?? 0) <= usualBacklog)
      return Math.max(0, (timeline.startedAtMs + at * bucketMs - healedAtMs) / 1_000);
  }
  return null;
}

function sum(list: number[], from: number, to: number): number {
  return list.slice(from, to).reduce((total, value) => total + value, 0);
}
