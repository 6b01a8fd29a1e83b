/**
 * How long the work of a dead lane waited: each task that was in one of its queues when all of its workers died, or came there
 * before others knew of it, until somebody of another lane claimed it.
 */
import type { JobChange } from './final-tables.ts';

export type LaneDeath = {
  lanes: string[];
  atMs: number;
  /** When its workers were started again. */
  untilMs: number;
};

export type TakeOver = {
  lanes: string[];
  jobId: string;
  taskType: string;
  subject: string;
  /** Of the lane. */
  deathMs: number;
  /** By another lane; by its own, come back, when `isElsewhere` is false. */
  claimedMs: number;
  isElsewhere: boolean;
  /** From the death, or from when the task came or was due after it. */
  seconds: number;
  changes: JobChange[];
};

export const laneOfQueue = (queue: string): string => queue.split('.')[1] ?? '';
const typeOfQueue = (queue: string): string => queue.split('.')[0] ?? '';
const isWaiting = (state: string | null): boolean => state === 'created' || state === 'retry';

export function findTakeOvers(jobs: JobChange[], deaths: LaneDeath[]): TakeOver[] {
  const bySubject = [...Map.groupBy(jobs, subjectOf).values()];
  return deaths.flatMap((death) => bySubject.flatMap((changes) => ofSubject(changes, death)));
}

export function subjectOf({ queue, subject }: JobChange): string {
  return `${typeOfQueue(queue)} ${(subject ?? '').replace(/^delayed:/, '')}`;
}

function ofSubject(changes: JobChange[], death: LaneDeath): TakeOver[] {
  const found: TakeOver[] = [];
  for (const [jobId, own] of Map.groupBy(changes, (change) => change.jobId)) {
    const from = firstInDeadLane(own, death);
    if (!from) continue;
    const sinceMs = Math.max(death.atMs, from.atMs, from.startAfterMs ?? 0);
    // A task that was merged into another of its subject is worked with that one.
    const later = changes.filter(({ atMs }) => atMs >= Math.max(death.atMs, from.atMs));
    // Its worker had finished it, and only the last word came after the death.
    if (from.state === 'active' && own[own.indexOf(from) + 1]?.state === 'completed') continue;
    const index = later.findIndex((change) => change !== from && isWorked(change, later));
    const claim = later[index];
    if (!claim) continue;
    found.push({
      lanes: death.lanes,
      jobId,
      taskType: typeOfQueue(from.queue),
      subject: from.subject ?? '',
      deathMs: death.atMs,
      claimedMs: claim.atMs,
      isElsewhere: !death.lanes.includes(laneOfQueue(claim.queue)),
      seconds: Math.max(0, claim.atMs - sinceMs) / 1_000,
      changes: later.slice(0, index + 1),
    });
  }
  return found;
}

/** The change that made the task a dead lane's: the last one before the death, or one while it lasted. */
function firstInDeadLane(own: JobChange[], { lanes, atMs, untilMs }: LaneDeath): JobChange | undefined {
  const isIts = ({ queue, state }: JobChange): boolean =>
    lanes.includes(laneOfQueue(queue)) && (isWaiting(state) || state === 'active');
  const before = own.filter((change) => change.atMs <= atMs).at(-1);
  if (before && isIts(before)) return before;
  return own.find((change) => change.atMs > atMs && change.atMs < untilMs && isIts(change) && isWaiting(change.state));
}

/** Claimed to be worked; not only to be handed on to another lane, which the same transaction does. */
export function isWorked(change: JobChange, later: JobChange[]): boolean {
  if (change.state !== 'active') return false;
  const next = later.find(({ jobId, seq }) => jobId === change.jobId && seq > change.seq);
  return !(next && isWaiting(next.state) && next.queue !== change.queue);
}
