/**
 * Redriving in memory: the dead letter is locked and deleted in the transaction that brings its event or task back, so of two who
 * redrive it at once the second finds nothing. An event comes back as itself, before its aggregate's later ones.
 */
import { subjectKey, type CatalogueTables, type DeadTaskRow, type MemoryCatalogue } from './memory-catalogue.ts';
import type { History } from './history.ts';
import type { OutboxRow, OutboxTables } from './memory-outbox-store.ts';
import type { Send } from './network.ts';
import type { Rules } from './rules.ts';

type Deps = {
  tables: CatalogueTables;
  outbox: OutboxTables;
  catalogue: MemoryCatalogue;
  send: Send;
  now: () => number;
  history: History;
  rules: Rules;
  processId: string;
};

export function createMemoryDeadLetters(deps: Deps) {
  const { tables, outbox, catalogue, send, now, history, rules, processId } = deps;

  function bringBack(row: OutboxRow): void {
    const letterOf = row.event.id;
    if (outbox.open.has(letterOf)) outbox.lastId += 1;
    const eventId = outbox.open.has(letterOf) ? outbox.lastId : letterOf;
    const event = { ...row.event, id: eventId };
    outbox.open.set(eventId, { ...row, event, status: 'pending', attempts: 0, lockedBy: null, availableAtMs: now() });
    history.record({ kind: 'event-redriven', by: processId, letterOf, eventId });
  }

  /** The row as it was found: locked and still there, or (mutant) as it was seen a moment ago. */
  async function take<Row>(
    rows: Map<string | number, Row>,
    id: string | number,
    lock: string,
    back: (row: Row) => void,
  ) {
    if (!rules.deletesBeforeRedrive) {
      const seen = await send('look at a dead letter', () => rows.get(id));
      if (seen === undefined) return false;
      return catalogue.transaction((trx) =>
        trx.statement('bring it back', [], (write) => {
          write(() => back(seen));
          write(() => rows.delete(id));
          return true;
        }),
      );
    }
    return catalogue.transaction((trx) =>
      trx.statement('redrive', [lock], (write) => {
        const row = rows.get(id);
        if (row === undefined) return false;
        write(() => rows.delete(id));
        write(() => back(row));
        return true;
      }),
    );
  }

  return {
    /** False when somebody else has settled it. */
    redriveEvent: (eventId: number): Promise<boolean> =>
      take(outbox.dead as Map<string | number, OutboxRow>, eventId, `dead event ${eventId}`, bringBack),

    /** The caller sends the hint when this has answered true. */
    redriveTask: (row: DeadTaskRow): Promise<boolean> =>
      take(tables.deadTasks as Map<string | number, DeadTaskRow>, row.taskId, `dead task ${row.taskId}`, () => {
        const subject = subjectKey(row.subject);
        history.record({ kind: 'task-redriven', by: processId, taskId: row.taskId, subject });
        tables.settledTasks.add(row.taskId);
        catalogue.wantAgain(row.subject);
      }),
  };
}
