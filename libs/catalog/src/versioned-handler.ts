/**
 * What makes a task a mere hint: its handler reads which version of the subject is wanted, looks at the subject as it is, and
 * writes under a guard, in one transaction with the next event, only if nobody has recorded that version or a newer one. A task
 * delivered twice, late, in two lanes or by a process that was given up meanwhile then changes nothing.
 */
import { inSpan } from '@omnizap/runtime';
import type { TaskHandler, TaskOutcome, Task } from '@omnizap/tasks';
import type { Subject } from './events.ts';
import type { TaskType } from './task-settings.ts';
import type { Wanted } from './work-state-store.ts';

/** The ledger of wanted and done versions; the simulation has its own. */
export type VersionLedger<Trx> = {
  read(taskType: TaskType, subjectId: string): Promise<Wanted | null>;
  /** There is nothing to bring up to date: the version counts as done. */
  markIdle(subject: Subject, version: number): Promise<void>;
  transaction<T>(work: (trx: Trx) => Promise<T>): Promise<T>;
  /** False when this or a newer version was done already: the transaction must then write nothing. */
  markDone(trx: Trx, subject: Subject, version: number): Promise<boolean>;
};

export type Look<Trx> = {
  task: Task;
  subjectId: string;
  /** The wanted version that this look brings the subject up to. */
  version: number;
  signal: AbortSignal;
  /** For a subject that is gone. */
  idle: (reason: string) => Promise<TaskOutcome>;
  /**
   * Locks the subject's aggregate, checks the guard, then writes; all of it or nothing. `lock` answers null when the subject is
   * gone by now.
   */
  commit: <Locked>(
    lock: (trx: Trx) => Promise<Locked | null>,
    write: (trx: Trx, locked: Locked) => Promise<TaskOutcome>,
  ) => Promise<TaskOutcome>;
};

export function createVersionedHandler<Trx>(
  ledger: VersionLedger<Trx>,
  taskType: TaskType,
  work: (look: Look<Trx>) => Promise<TaskOutcome>,
): TaskHandler {
  return async (task, { signal, lookedAt }) => {
    const { subjectId } = task;
    const subject: Subject = { taskType, subjectId };
    const wanted = await ledger.read(taskType, subjectId);
    if (!wanted || wanted.doneVersion >= wanted.wantedVersion) return { status: 'skipped', reason: 'up to date' };
    const version = wanted.wantedVersion;
    lookedAt(version);
    return work({
      task,
      subjectId,
      version,
      signal,
      async idle(reason) {
        await ledger.markIdle(subject, version);
        return { status: 'skipped', reason };
      },
      commit: (lock, write) =>
        inSpan({ name: `record ${taskType}`, kind: 'internal' }, () =>
          ledger.transaction(async (trx) => {
            // Given up by its worker: somebody else works it, or the process is about to end.
            signal.throwIfAborted();
            const locked = await lock(trx);
            if (locked === null) return { status: 'skipped', reason: 'the subject is gone' };
            if (!(await ledger.markDone(trx, subject, version)))
              return { status: 'skipped', reason: 'a newer look was recorded meanwhile' };
            return write(trx, locked);
          }),
        ),
    });
  };
}
