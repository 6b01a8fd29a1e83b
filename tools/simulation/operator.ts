/** A person who looks at the dead letters now and then, cures what can be cured, and redrives, at times together with a colleague. */
import { outboxTopic } from '@omnizap/outbox';
import type { Lane } from '@omnizap/tasks';
import type { History } from './history.ts';
import type { CatalogueTables } from './memory-catalogue.ts';
import type { createMemoryDeadLetters } from './memory-dead-letters.ts';
import type { OutboxTables } from './memory-outbox-store.ts';
import type { MemoryTaskQueues } from './memory-task-queues.ts';
import type { Plan } from './plan.ts';
import type { VirtualTime } from './virtual-time.ts';

const looksMs = 2_500;
const redrivesPerLetter = 2;

/** The API process that carries a redrive out. */
type Desk = { deadLetters: ReturnType<typeof createMemoryDeadLetters>; queues: MemoryTaskQueues };

type Deps = {
  plan: Plan;
  time: VirtualTime;
  random: () => number;
  history: History;
  outbox: OutboxTables;
  catalogue: CatalogueTables;
  /** API processes that live. */
  apis: () => Desk[];
  notify: (topic: string) => void;
  laneOf: (subjectId: string) => Lane;
};

export function createOperator({ plan, time, random, history, outbox, catalogue, apis, notify, laneOf }: Deps) {
  const cured = new Set<string>();
  const redriven = new Map<string, number>();

  function mayAgain(key: string): boolean {
    const times = redriven.get(key) ?? 0;
    redriven.set(key, times + 1);
    return times < redrivesPerLetter && random() < 0.7;
  }

  function cure(what: string): void {
    if (!plan.cures || cured.has(what)) return;
    cured.add(what);
    history.record({ kind: 'cured', what });
  }

  function askers(): Desk[] {
    return random() < 0.5 ? apis() : apis().slice(0, 1);
  }

  function look(): void {
    time.after(looksMs, null, look);
    for (const eventId of outbox.dead.keys()) {
      if (!mayAgain(`event ${eventId}`)) continue;
      cure(`event ${eventId}`);
      for (const process of askers())
        void process.deadLetters.redriveEvent(eventId).then(
          (isOurs) => isOurs && notify(outboxTopic),
          () => undefined,
        );
    }
    // A kill between the redrive of a task and its hint costs the time to the next sweep.
    for (const row of plan.areSweepsOn ? catalogue.deadTasks.values() : []) {
      const { subject } = row;
      if (!mayAgain(`task ${subject.taskType}:${subject.subjectId}`)) continue;
      cure(subject.subjectId);
      for (const process of askers())
        void process.deadLetters
          .redriveTask(row)
          .then((isOurs) => (isOurs ? process.queues.enqueue([subject], laneOf) : undefined))
          .catch(() => undefined);
    }
  }

  return {
    begin: (): void => void time.after(looksMs, null, look),
    isCured: (what: string): boolean => cured.has(what),
  };
}
