/**
 * What the triggers saw happen: effects twice, effects that go back, events that overtook each other, and dead letters. What the
 * harness did itself is left out, and so is what it leads to.
 */
import type { EventChange, FinalTables, RecordedHistory } from '../final-tables.ts';
import type { KnownFacts } from './known-facts.ts';
import { violation } from './violation.ts';
import type { Violation } from './violation.ts';

export function judgeHistory(tables: FinalTables, history: RecordedHistory, facts: KnownFacts): Violation[] {
  return [...judgeEffects(history), ...judgeEventChanges(tables, history), ...judgeDeadLetters(tables, history, facts)];
}

/** Versions of one subject only rise, and each is written once. */
function judgeEffects({ effects }: RecordedHistory): Violation[] {
  const found: Violation[] = [];
  const newest = new Map<string, number>();
  for (const { seq, actor, table, subject, version } of effects.toSorted((a, b) => a.seq - b.seq)) {
    if (actor !== 'product') continue;
    const name = `${table} ${subject}`;
    const before = newest.get(name);
    if (before !== undefined && version < before)
      found.push(
        violation('stale_write', 3, `${name}: version ${version} was written after ${before} (effect ${seq})`),
      );
    if (before !== undefined && version === before)
      found.push(violation('doubled', 3, `${name}: version ${version} was written twice (effect ${seq})`));
    newest.set(name, Math.max(version, before ?? version));
  }
  return found;
}

/** `completed`, a dead letter or deleted: nothing waits for it any more. */
function isOver(status: string | null): boolean {
  return status === null || status === 'completed';
}

/** Events of one aggregate are finished in the order of their ids, judged by what was unfinished whenever one was finished. */
function judgeEventChanges(tables: FinalTables, history: RecordedHistory): Violation[] {
  const found: Violation[] = [];
  const touched = new Set(history.events.filter(({ actor }) => actor !== 'product').map(({ eventId }) => eventId));
  for (const [aggregate, changes] of Map.groupBy(history.events, (change) => change.aggregate)) {
    const open = new Map<number, string | null>();
    for (const batch of batchesOf(changes)) {
      for (const { eventId, newStatus } of batch) {
        if (isOver(newStatus)) open.delete(eventId);
        else open.set(eventId, newStatus);
      }
      for (const change of batch) {
        if (change.actor !== 'product' || touched.has(change.eventId)) continue;
        if (change.oldStatus === 'completed' && change.operation === 'update')
          found.push(
            violation(
              'doubled',
              2,
              `event ${change.eventId} of ${aggregate} was completed and is ${change.newStatus ?? '?'} again`,
            ),
          );
        if (change.newStatus !== 'completed') continue;
        const overtaken = [...open.keys()].filter((id) => id < change.eventId && !touched.has(id));
        if (overtaken.length > 0)
          found.push(
            violation(
              'inversion',
              2,
              `event ${change.eventId} of ${aggregate} was completed before ${overtaken.join(', ')}`,
            ),
          );
      }
    }
  }
  for (const [aggregate, events] of Map.groupBy(tables.completedEvents, (event) => event.aggregate)) {
    let latest = -Infinity;
    for (const event of events.toSorted((a, b) => a.id - b.id)) {
      if (touched.has(event.id)) continue;
      if (event.processedAtUs < latest)
        found.push(
          violation('inversion', 2, `event ${event.id} of ${aggregate} bears an earlier time than one before it`),
        );
      latest = Math.max(latest, event.processedAtUs);
    }
  }
  return found;
}

/** Changes of one statement have no order among each other. */
function batchesOf(changes: EventChange[]): EventChange[][] {
  const batches: EventChange[][] = [];
  for (const change of changes.toSorted((a, b) => a.seq - b.seq)) {
    const last = batches.at(-1);
    if (last?.[0]?.batch === change.batch) last.push(change);
    else batches.push([change]);
  }
  return batches;
}

/** Every poison event is a dead letter once; nothing else is one; an event that vanished unfinished is lost. */
function judgeDeadLetters(tables: FinalTables, history: RecordedHistory, facts: KnownFacts): Violation[] {
  const found: Violation[] = [];
  const poison = new Set(facts.poisonEvents);
  const dead = Map.groupBy(tables.deadEvents, ({ eventId }) => eventId);
  const wiped = new Set(
    history.events
      .filter(({ operation, actor }) => operation === 'delete' && actor !== 'product')
      .map(({ eventId }) => eventId),
  );
  for (const id of poison)
    if (!dead.has(id) && !wiped.has(id))
      found.push(violation('lost', 7, `poison event ${id} is not in the dead letters`));
  for (const [id, rows] of dead) {
    if (rows.length > 1) found.push(violation('doubled', 7, `event ${id} is ${rows.length} dead letters`));
    if (!poison.has(id))
      found.push(
        violation(
          'dead_letter',
          7,
          `event ${id} (${rows[0]?.eventType ?? ''}) is a dead letter: ${rows[0]?.error ?? ''}`,
        ),
      );
  }
  for (const [taskId, rows] of Map.groupBy(tables.deadTasks, (row) => row.taskId))
    if (rows.length > 1) found.push(violation('doubled', 7, `task ${taskId} is ${rows.length} dead letters`));
  for (const { taskType, subjectId, error } of tables.deadTasks)
    found.push(
      violation('dead_letter', 7, `${taskType} of ${subjectId} is a dead letter: ${error.split('\n')[0] ?? ''}`),
    );

  for (const change of history.events) {
    const isVanished = change.operation === 'delete' && change.actor === 'product' && change.oldStatus !== 'completed';
    if (isVanished && !dead.has(change.eventId))
      found.push(
        violation(
          'lost',
          2,
          `event ${change.eventId} was deleted while ${change.oldStatus ?? '?'} and is no dead letter`,
        ),
      );
  }
  return found;
}
