/**
 * The catalogue in memory: sources that clients change, rows that handlers derive from them, the ledger of wanted and done
 * versions, and dead tasks. Who writes locks the aggregate first and appends events in the same transaction, as libs/catalog does.
 */
import { tasksOf, type TaskType, type VersionLedger } from '@omnizap/catalog';
import type { EventDraft, OutboxEvent } from '@omnizap/outbox';
import type { DeadTask } from '@omnizap/tasks';
import type { History } from './history.ts';
import { aggregateOf, newRow, type OutboxTables } from './memory-outbox-store.ts';
import type { createTransactions, RowLocks, Transaction } from './memory-transactions.ts';
import type { Send } from './network.ts';
import type { Rules } from './rules.ts';

export type Subject = { taskType: TaskType; subjectId: string };
export type WorkState = { wanted: number; done: number; seen: number; failed: number; wantedAtMs: number };
/** What a handler stored: from which versions of its sources, at which wanted version. */
export type DerivedRow = { version: number; sources: Record<string, number> };
export type DeadTaskRow = { taskId: string; subject: Subject; attempts: number };

export type CatalogueTables = {
  workState: Map<string, WorkState>;
  /** Version of what clients change, by aggregate id. */
  sources: Map<string, number>;
  /** By subject. */
  derived: Map<string, DerivedRow>;
  deadTasks: Map<string, DeadTaskRow>;
  /** Tasks whose dead letters somebody has decided about. */
  settledTasks: Set<string>;
  locks: RowLocks;
};

export function createCatalogueTables(): CatalogueTables {
  return {
    ...{ workState: new Map(), sources: new Map(), derived: new Map() },
    ...{ deadTasks: new Map(), settledTasks: new Set(), locks: new Map() },
  };
}

export const subjectKey = ({ taskType, subjectId }: Subject): string => `${taskType}:${subjectId}`;

function isDue(state: WorkState): boolean {
  return state.wanted > state.done && state.wanted > state.failed;
}

type Deps = {
  tables: CatalogueTables;
  outbox: OutboxTables;
  transactions: ReturnType<typeof createTransactions>;
  send: Send;
  now: () => number;
  history: History;
  rules: Rules;
  processId: string;
  maxAttempts: number;
};

export type MemoryCatalogue = ReturnType<typeof createMemoryCatalogue>;

export function createMemoryCatalogue(deps: Deps) {
  const { tables, outbox, transactions, send, now, history, rules, processId, maxAttempts } = deps;
  const { workState } = tables;

  function raise(subject: Subject): void {
    const key = subjectKey(subject);
    const state = workState.get(key);
    if (!state) workState.set(key, { wanted: 1, done: 0, seen: 0, failed: 0, wantedAtMs: now() });
    else {
      if (!isDue(state)) state.wantedAtMs = now();
      state.wanted += 1;
    }
    history.record({ kind: 'wanted', by: processId, subject: key, version: workState.get(key)?.wanted ?? 0 });
  }

  /** Sorted and each once, so that two transactions lock the rows in the same order. */
  function want(trx: Transaction, subjects: Subject[]): Promise<void> {
    const unique = new Map(subjects.map((subject) => [subjectKey(subject), subject]));
    const keys = [...unique.keys()].sort();
    return trx.statement('want work', keys.map(lockOf), (write) => {
      for (const key of keys) write(() => raise(unique.get(key) as Subject));
    });
  }

  function append(trx: Transaction, draft: EventDraft): Promise<void> {
    return trx.statement('append an event', [], (write) => {
      // The number is drawn now; what is seen of it comes with the commit.
      const row = newRow(outbox, draft, { now: now(), maxAttempts });
      write(() => {
        outbox.open.set(row.event.id, row);
        const { id: eventId } = row.event;
        history.record({ kind: 'committed', eventId, aggregate: aggregateOf(row.event), shard: row.shard });
      });
    });
  }

  async function markDone(trx: Transaction, subject: Subject, version: number): Promise<boolean> {
    const key = subjectKey(subject);
    return trx.statement('mark done', [lockOf(key)], (write) => {
      const state = workState.get(key);
      if (!state) return false;
      if (rules.guardsVersions && state.done >= version) return false;
      if (rules.refusesOverlap && state.seen > version) return false;
      write(() => {
        state.done = version;
        state.seen = state.wanted;
      });
      return true;
    });
  }

  const ledger: VersionLedger<Transaction> = {
    read: (taskType, subjectId) =>
      send('read what is wanted', () => {
        const state = workState.get(`${taskType}:${subjectId}`);
        return state ? { wantedVersion: state.wanted, doneVersion: state.done } : null;
      }),
    markIdle: (subject, version) =>
      transactions.run(async (trx) => {
        await markDone(trx, subject, version);
      }),
    transaction: (work) => transactions.run(work),
    markDone,
  };

  return {
    ledger,
    want,
    transaction: transactions.run,

    lock: (trx: Transaction, aggregate: string) => trx.statement('lock', [aggregate], () => true as const),

    /** A change by a client: the source moves on, what depends on it is wanted, the world is told. */
    async change(trx: Transaction, draft: EventDraft): Promise<void> {
      await trx.statement('change', [], (write) =>
        write(() => tables.sources.set(draft.aggregateId, (tables.sources.get(draft.aggregateId) ?? 0) + 1)),
      );
      await this.announce(trx, draft);
    },

    async announce(trx: Transaction, draft: EventDraft): Promise<void> {
      await want(trx, subjectsOf(draft));
      await append(trx, draft);
    },

    readSources: (aggregateIds: string[]) =>
      send('read sources', () =>
        Object.fromEntries(aggregateIds.map((id) => [id, tables.sources.get(id) ?? 0] as const)),
      ),

    /** For whoever derives from derived rows: which source version each of them shows. */
    readDerived: (subjects: Subject[]) =>
      send('read derived rows', () =>
        Object.fromEntries(
          subjects.map((subject) => [
            subject.subjectId,
            tables.derived.get(subjectKey(subject))?.sources[subject.subjectId] ?? 0,
          ]),
        ),
      ),

    findDerived: (trx: Transaction, subject: Subject) =>
      trx.statement('read the row', [], () => tables.derived.get(subjectKey(subject)) ?? null),

    writeDerived: (trx: Transaction, subject: Subject, row: DerivedRow) =>
      trx.statement('write the row', [], (write) =>
        write(() => {
          tables.derived.set(subjectKey(subject), row);
          const sources = Object.entries(row.sources)
            .map(([id, version]) => `${id}@${version}`)
            .join(' ');
          history.record({
            ...{ kind: 'wrote', by: processId, subject: subjectKey(subject), version: row.version, sources },
          });
        }),
      ),

    /** Part of a redrive's commit: wanted once more, and no longer known to fail. */
    wantAgain(subject: Subject): void {
      const state = workState.get(subjectKey(subject));
      if (state) state.failed = 0;
      raise(subject);
    },

    /** Kept once per task; its subject is not due again until something newer than what was looked at is wanted. */
    async keepDead(task: DeadTask): Promise<void> {
      const subject: Subject = { taskType: task.taskType as TaskType, subjectId: task.subjectId };
      const key = subjectKey(subject);
      await transactions.run((trx) =>
        trx.statement('keep a dead task', [task.id, lockOf(key)], (write) => {
          if (tables.deadTasks.has(task.id) || tables.settledTasks.has(task.id)) return;
          write(() => {
            tables.deadTasks.set(task.id, { taskId: task.id, subject, attempts: task.attempts });
            const state = workState.get(key);
            if (state) state.failed = Math.max(state.failed, task.version ?? state.wanted);
            history.record({
              ...{ kind: 'task-dead', by: processId, taskId: task.id, subject: key, attempts: task.attempts },
            });
          });
        }),
      );
    },

    /** Subjects behind for at least `olderThanMs`, the longest waiting first. */
    due: (taskType: TaskType, olderThanMs: number) =>
      send('what is due', () =>
        [...workState]
          .filter(
            ([key, state]) => key.startsWith(`${taskType}:`) && isDue(state) && state.wantedAtMs <= now() - olderThanMs,
          )
          .sort(([a, one], [b, other]) => one.wantedAtMs - other.wantedAtMs || (a < b ? -1 : 1))
          .map(([key]) => key.slice(taskType.length + 1)),
      ),
  };
}

const lockOf = (key: string): string => `work_state ${key}`;

/** The subjects that an event asks to be looked at, by the domain's own table. */
export function subjectsOf(draft: Pick<OutboxEvent, 'type' | 'aggregateType' | 'aggregateId' | 'payload'>): Subject[] {
  const row: OutboxEvent = {
    ...{ ...draft, id: 0, priority: 0, attempts: 0, maxAttempts: 0, requestId: null, createdAt: new Date(0) },
  };
  return tasksOf(row)
    .filter((hint) => isSimulated(hint.taskType))
    .map(({ taskType, subjectId }) => ({ taskType: taskType as TaskType, subjectId }));
}

/** The chain of the simulation: a sticker is classified, then its pack is rebuilt. */
export const simulatedTypes = ['classification', 'rebuild'] as const satisfies TaskType[];

export function isSimulated(taskType: string): boolean {
  return (simulatedTypes as readonly string[]).includes(taskType);
}
