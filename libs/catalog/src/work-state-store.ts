/**
 * Wanted against done, per task type and subject: the ledger that makes tasks mere hints. A change raises `wanted_version` in its
 * own transaction; a handler that has brought a subject up to the version it read records it as done; sweeps find what is behind
 * through `work_state_due_idx`. A terminally failed version is not due again until something newer is wanted.
 */
import type { Knex } from 'knex';
import { sqlNow, sqlNowPlus, type Database, type DatabaseKind, type Transaction } from '@omnizap/runtime';
import type { Subject } from './events.ts';
import type { TaskType } from './task-settings.ts';

/** PostgreSQL takes 65,535 parameters in one statement. */
const rowsPerInsert = 1_000;

/** Raises what is wanted for each subject. Sorted, so that two transactions lock the rows in the same order. */
export async function wantWork(trx: Knex.Transaction, kind: DatabaseKind, subjects: Subject[]): Promise<void> {
  const unique = new Map(subjects.map((subject) => [`${subject.taskType}:${subject.subjectId}`, subject]));
  const rows = [...unique.keys()].sort().map((key) => unique.get(key) as Subject);
  const now = trx.raw(sqlNow(kind));
  for (let start = 0; start < rows.length; start += rowsPerInsert) {
    const batch = rows.slice(start, start + rowsPerInsert);
    await trx('work_state')
      .insert(batch.map((row) => ({ task_type: row.taskType, subject_id: row.subjectId })))
      .onConflict(['task_type', 'subject_id'])
      .merge({
        wanted_version: trx.raw('work_state.wanted_version + 1'),
        // The age of what is due counts from the oldest change that was not done yet.
        wanted_at: trx.raw('CASE WHEN work_state.is_due = 1 THEN work_state.wanted_at ELSE ? END', [now]),
      });
  }
}

/**
 * Asks again for subjects that had failed for good. Sweeps count the age of each from its `wantedAt`, which may lie ahead, unless
 * a newer change is waiting already.
 */
export async function wantAgain(trx: Knex.Transaction, kind: DatabaseKind, subjects: Again[]): Promise<void> {
  // Of two for one subject the first counts.
  const unique = new Map(subjects.toReversed().map((entry) => [`${entry.taskType}:${entry.subjectId}`, entry]));
  const rows = [...unique.keys()].sort().map((key) => unique.get(key) as Again);
  const given = kind === 'mysql' ? 'VALUES(wanted_at)' : 'excluded.wanted_at';
  for (let start = 0; start < rows.length; start += rowsPerInsert) {
    const batch = rows.slice(start, start + rowsPerInsert);
    await trx('work_state')
      .insert(batch.map((row) => ({ task_type: row.taskType, subject_id: row.subjectId, wanted_at: row.wantedAt })))
      .onConflict(['task_type', 'subject_id'])
      .merge({
        // MySQL assigns from left to right: this one looks at what was before.
        wanted_at: trx.raw(`CASE WHEN work_state.is_due = 1 THEN work_state.wanted_at ELSE ${given} END`),
        wanted_version: trx.raw('work_state.wanted_version + 1'),
        failed_version: 0,
      });
  }
}

export type Again = Subject & { wantedAt: Date };
export type DueSubject = { subjectId: string; wantedAt: Date };
export type Wanted = { wantedVersion: number; doneVersion: number };

export function createWorkStateStore(database: Database) {
  const { knex, kind } = database;
  return {
    /** Null when nothing was ever wanted. */
    async read(taskType: TaskType, subjectId: string): Promise<Wanted | null> {
      const row = await knex('work_state')
        .where({ task_type: taskType, subject_id: subjectId })
        .first<{ wanted_version: number; done_version: number } | undefined>('wanted_version', 'done_version');
      return row ? { wantedVersion: row.wanted_version, doneVersion: row.done_version } : null;
    },

    /** A batch of subjects behind for at least `olderThanMs`, the longest waiting first, from behind `after` on. */
    async due(
      taskType: TaskType,
      options: { olderThanMs: number; after: DueSubject | null; limit: number },
    ): Promise<DueSubject[]> {
      const { after, olderThanMs, limit } = options;
      const query = knex('work_state')
        .where({ task_type: taskType, is_due: 1 })
        .andWhere('wanted_at', '<=', knex.raw(sqlNowPlus(kind, -olderThanMs)))
        .orderBy([{ column: 'wanted_at' }, { column: 'subject_id' }])
        .limit(limit)
        .select<{ subject_id: string; wanted_at: Date }[]>('subject_id', 'wanted_at');
      if (after) void query.andWhereRaw('(wanted_at, subject_id) > (?, ?)', [after.wantedAt, after.subjectId]);
      return (await query).map((row) => ({ subjectId: row.subject_id, wantedAt: row.wanted_at }));
    },

    async countDue(taskType: TaskType): Promise<number> {
      const rows = await knex('work_state')
        .where({ task_type: taskType, is_due: 1 })
        .count<{ count: number }[]>({ count: '*' });
      return rows[0]?.count ?? 0;
    },

    /** There is nothing to bring up to date: without this, sweeps would ask again for ever. */
    async markIdle(subject: Subject, version: number): Promise<void> {
      await database.transaction((trx) => markDone(trx, subject, version));
    },

    transaction: <T>(work: (trx: Transaction) => Promise<T>): Promise<T> => database.transaction(work),
    markDone,

    /** Asks for subjects to be worked again although nothing changed. */
    want: (subjects: Subject[]) => database.transaction((trx) => wantWork(trx, kind, subjects)),
  };
}

/**
 * Records `version` as done. False when this or a newer version already was, or when the look that was recorded last may have seen
 * more than this one: the caller's transaction must then write nothing. Call it after the aggregate's row is locked and before
 * other subjects are wanted.
 *
 * A look reads its version first and the subject then, so it may show changes that came in between; a younger look that had read
 * the subject before them would take them back. It is refused: whatever was wanted by then has a task of its own.
 */
export async function markDone(trx: Knex.Transaction, subject: Subject, version: number): Promise<boolean> {
  const updated = await trx('work_state')
    .where({ task_type: subject.taskType, subject_id: subject.subjectId })
    .andWhere('done_version', '<', version)
    .andWhere('seen_version', '<=', version)
    .update({ done_version: version, seen_version: trx.raw('wanted_version') });
  return updated === 1;
}

/**
 * A look that writes in several steps says at which version it looks before it reads anything: from then on, looks at older ones
 * write no more, and what they wrote before is there to be read.
 */
export async function markSeen(trx: Knex.Transaction, subject: Subject, version: number): Promise<void> {
  await trx('work_state')
    .where({ task_type: subject.taskType, subject_id: subject.subjectId })
    .andWhere('seen_version', '<', version)
    .update({ seen_version: version });
}

/**
 * Records that `subject` failed for good at `version`: what was wanted later is due. Without a version (nobody knows what the
 * attempt had looked at) at what is wanted now.
 */
export async function markFailed(trx: Knex.Transaction, subject: Subject, version?: number): Promise<void> {
  await trx('work_state')
    .where({ task_type: subject.taskType, subject_id: subject.subjectId })
    .update({
      failed_version:
        version === undefined ? trx.raw('wanted_version') : trx.raw('GREATEST(failed_version, ?)', [version]),
    });
}

/** For subjects that will never be looked at again. A task of theirs that is still on its way finds nothing wanted. */
export async function forgetSubjects(trx: Knex.Transaction, taskType: TaskType, subjectIds: string[]): Promise<void> {
  for (let start = 0; start < subjectIds.length; start += rowsPerInsert) {
    const batch = subjectIds.slice(start, start + rowsPerInsert);
    await trx('work_state').where({ task_type: taskType }).whereIn('subject_id', batch).delete();
  }
}

/** Sweeps leave the subject alone for so long: a task of its own is going to look at it before. */
export async function postponeSweeps(
  trx: Knex.Transaction,
  kind: DatabaseKind,
  subject: Subject,
  milliseconds: number,
): Promise<void> {
  await trx('work_state')
    .where({ task_type: subject.taskType, subject_id: subject.subjectId })
    .update({ wanted_at: trx.raw(sqlNowPlus(kind, milliseconds)) });
}
