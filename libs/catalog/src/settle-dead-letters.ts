/**
 * Settling a batch of dead letters: one transaction that moves them into the history, brings back what is to run again, and
 * writes the audit's entry. Wake-ups and hints go out after the commit; a kill in between costs the time to the next poll or sweep.
 */
import { writeAudit, type Database, type Logger, type Transaction, type Wakeups } from '@omnizap/runtime';
import {
  deadLetterJson,
  outboxTopic,
  returnEvents,
  type DeadLetterDetail,
  type DeadLetterFilter,
  type DeadLetterStore,
  type Settlement,
} from '@omnizap/outbox';
import type { TaskHint } from '@omnizap/tasks';
import type { TaskType } from './task-settings.ts';
import { wantAgain } from './work-state-store.ts';

/** Behind what people wait for, before what a sweep finds. */
const redrivePriority = 20;

export type SettleDeps = {
  database: Database;
  queues: { enqueue: (hints: TaskHint[]) => Promise<void> };
  wakeups: Pick<Wakeups, 'notify'>;
  log: Logger;
};

/** Who settles, and why: kept in the history and in the audit. */
export type Settler = { actor: string; reason?: string | undefined; requestId?: string | undefined };

/** Turns of a redrive: all at once without a rate. */
export type Schedule = { startsAt: Date; ratePerSecond: number | undefined };

export type Batch = {
  settlement: Settlement;
  schedule: Schedule;
  /** How many of the schedule went before. */
  position: number;
  /** Absent: one dead letter that was named. */
  filter?: DeadLetterFilter;
};

/** Milliseconds from the schedule's start to the turn at `position`. */
export function turnMs({ ratePerSecond }: Schedule, position: number): number {
  return ratePerSecond === undefined ? 0 : Math.floor((position * 1_000) / ratePerSecond);
}

export function createSettle(deps: SettleDeps) {
  const { database, log } = deps;

  function turnsOf(count: number, { schedule, position }: Batch): { afterMs: number; at: Date }[] {
    return Array.from({ length: count }, (_, index) => {
      const afterMs = turnMs(schedule, position + index);
      return { afterMs, at: new Date(schedule.startsAt.getTime() + afterMs) };
    });
  }

  async function returnToOutbox(trx: Transaction, letters: DeadLetterDetail[], batch: Batch): Promise<void> {
    const turns = turnsOf(letters.length, batch);
    const isAtOnce = batch.schedule.ratePerSecond === undefined;
    const events = letters.map((letter, index) => ({ letter, dueAt: isAtOnce ? null : (turns[index]?.at ?? null) }));
    await returnEvents(trx, database.kind, events, batch.schedule.startsAt);
  }

  async function returnToWork(trx: Transaction, letters: DeadLetterDetail[], batch: Batch): Promise<TaskHint[]> {
    const turns = turnsOf(letters.length, batch);
    const again = letters.map((letter, index) => ({
      taskType: letter.type as TaskType,
      subjectId: letter.subjectId,
      wantedAt: turns[index]?.at ?? batch.schedule.startsAt,
    }));
    await wantAgain(trx, database.kind, again);
    return letters.map((letter, index) => {
      const afterMs = turns[index]?.afterMs ?? 0;
      return {
        taskType: letter.type,
        subjectId: letter.subjectId,
        priority: redrivePriority,
        eventId: letter.eventId ?? undefined,
        requestId: letter.requestId ?? undefined,
        trace: letter.traceparent === null ? null : { traceparent: letter.traceparent, tracestate: letter.tracestate },
        ...(afterMs > 0 ? { startAfterSeconds: afterMs / 1_000 } : {}),
      };
    });
  }

  async function announce(store: DeadLetterStore, hints: TaskHint[]): Promise<void> {
    if (store.table.source === 'outbox') return deps.wakeups.notify(outboxTopic);
    // The redrive is committed already: a queue that is away costs its subjects the time to the next sweep.
    await deps.queues.enqueue(hints).catch((error: unknown) => {
      log.warn({ err: error, tasks: hints.length }, 'redriven tasks were not announced; the next sweep finds them');
    });
  }

  /** Settles those of these that are still there, and returns them. */
  return async (store: DeadLetterStore, ids: number[], batch: Batch, settler: Settler): Promise<DeadLetterDetail[]> => {
    const isRedrive = batch.settlement === 'redriven';
    const { letters, hints } = await database.transaction(async (trx) => {
      const locked = await store.lock(trx, ids);
      let returning: TaskHint[] = [];
      if (locked.length === 0) return { letters: locked, hints: returning };
      if (isRedrive && store.table.source === 'outbox') await returnToOutbox(trx, locked, batch);
      if (isRedrive && store.table.source === 'tasks') returning = await returnToWork(trx, locked, batch);
      const { settlement } = batch;
      await store.settle(trx, locked, { settlement, reason: settler.reason ?? null, settledBy: settler.actor });
      await writeAudit(trx, { ...auditOf(store, locked, batch), ...settler });
      return { letters: locked, hints: returning };
    });
    if (isRedrive && letters.length > 0) await announce(store, hints);
    return letters;
  };
}

function auditOf(
  store: DeadLetterStore,
  letters: DeadLetterDetail[],
  { settlement, filter, schedule }: Batch,
): Omit<Parameters<typeof writeAudit>[1], 'actor'> {
  const { source } = store.table;
  const [first] = letters;
  if (filter === undefined && first) {
    return {
      action: `dead_letter_${settlement}`,
      targetType: 'dead_letter',
      targetId: `${source}:${first.id}`,
      // Its payload and whole error are in the history.
      before: deadLetterJson(first),
      after: { settlement },
    };
  }
  return {
    action: `dead_letters_${settlement}`,
    targetType: 'dead_letter',
    targetId: `${source}:*`,
    before: { count: letters.length, ids: letters.map((letter) => letter.id) },
    after: { settlement, filter, rate_per_second: schedule.ratePerSecond ?? null },
  };
}
