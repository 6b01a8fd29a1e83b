/**
 * How long the tasks of a dead or frozen worker waited: from the moment when it was hit until each task that it had in hand was
 * started by somebody else, or was over. Who had a task is told by the port of the connection that claimed it.
 */
import type { JobChange } from './final-tables.ts';
import { isWorked, subjectOf } from './take-over.ts';

export type Hit = {
  slot: string;
  /** Milliseconds since the epoch. */
  atMs: number;
  /** Connections of that process at that time. */
  hadPort: (port: number, atMs: number) => boolean;
  /** When the process that was hit had started: an earlier life's tasks are not its own. */
  startedAtMs: number;
};

export type Rescue = {
  slot: string;
  jobId: string;
  queue: string;
  atMs: number;
  seconds: number;
  /** What happened to the subject's tasks meanwhile. */
  changes: JobChange[];
};

/** Tasks that never come back are not here: they are still active at the end, and an orphan. */
export function findRescues(jobs: JobChange[], hits: Hit[]): Rescue[] {
  const byJob = [...Map.groupBy(jobs, ({ jobId }) => jobId).values()];
  const bySubject = Map.groupBy(jobs, subjectOf);
  return hits.flatMap((hit) =>
    byJob.flatMap((changes) => {
      const before = changes.filter(({ atMs }) => atMs <= hit.atMs).at(-1);
      if (before?.state !== 'active' || before.port === null || before.atMs < hit.startedAtMs) return [];
      if (!hit.hadPort(before.port, before.atMs)) return [];
      // A wiped task leaves its subject to another one, and a lane may leave it to another lane.
      const later = (bySubject.get(subjectOf(before)) ?? []).filter(({ atMs }) => atMs > hit.atMs);
      const nextIndex = later.findIndex((change) => isWorked(change, later) || change.state === 'completed');
      const next = later[nextIndex];
      if (!next) return [];
      const { jobId, queue } = before;
      const seconds = (next.atMs - hit.atMs) / 1_000;
      return [{ slot: hit.slot, jobId, queue, atMs: hit.atMs, seconds, changes: later.slice(0, nextIndex + 1) }];
    }),
  );
}
