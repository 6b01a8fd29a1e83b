/**
 * One seed's world: the tables, the network, the processes that come and go, and what their operators and clients do. Everything
 * that happens is drawn from the seed.
 */
import type { EventDraft, EventSource, OutboxEvent } from '@omnizap/outbox';
import type { Clock, LeaseStore, Wakeups } from '@omnizap/runtime';
import { taskTopic, type Lane } from '@omnizap/tasks';
import { outboxTopic } from '@omnizap/outbox';
import { createHistory, type History } from './history.ts';
import { createCatalogueTables, createMemoryCatalogue, type MemoryCatalogue } from './memory-catalogue.ts';
import { createMemoryDeadLetters } from './memory-dead-letters.ts';
import { createLeaseTables, createMemoryLeaseStore } from './memory-lease-store.ts';
import { createMemoryOutboxStore, createOutboxTables } from './memory-outbox-store.ts';
import { createMemoryTaskQueues, type MemoryTaskQueues } from './memory-task-queues.ts';
import { createTransactions } from './memory-transactions.ts';
import { createNetwork, type Weather } from './network.ts';
import { createOperator } from './operator.ts';
import { drawPlan, type Change } from './plan.ts';
import { createQueueOperations, createQueueTables } from './queue-tables.ts';
import type { Rules } from './rules.ts';
import { createSeededRandom } from './seeded-random.ts';
import { createVirtualTime, type Owner } from './virtual-time.ts';

export type Role = 'api' | 'relay' | 'stable' | 'canary' | 'leader';
type Slot = { role: Role; name: string; incarnations: number; process: SimulatedProcess | null };

export type SimulatedProcess = Owner & {
  id: string;
  role: Role;
  slot: Slot;
  clock: Clock;
  leaseStore: LeaseStore;
  outbox: EventSource;
  queues: MemoryTaskQueues;
  catalogue: MemoryCatalogue;
  deadLetters: ReturnType<typeof createMemoryDeadLetters>;
  abandon: () => void;
  stop: (() => Promise<void>) | null;
};

export type World = ReturnType<typeof createWorld>;

const restartMs = 300;
const debounceMs = 3;
/** A stop that takes longer is ended by whoever asked for it. */
const killAfterMs = 15_000;

/** `start` begins whatever a process is for; it rejects when its first statements failed. */
type Start = (world: World, process: SimulatedProcess) => Promise<void>;

type WorldOptions = { rules: Rules; weather: Partial<Weather>; start: Start };

export function createWorld(seed: number, options: WorldOptions) {
  const { rules, start } = options;
  const random = createSeededRandom(seed);
  const plan = drawPlan(random);
  const time = createVirtualTime(random);
  const { now } = time;
  const history: History = createHistory(now);
  const network = createNetwork(time, random, { ...plan.weather, ...options.weather });
  const leases = createLeaseTables();
  const outbox = createOutboxTables();
  const queue = createQueueTables();
  const catalogue = createCatalogueTables();
  const operations = createQueueOperations(queue, { settings: plan.settings, rules, now, random });
  const listeners = new Map<string, Map<() => void, SimulatedProcess>>();
  const announced = new Set<string>();
  const slots: Slot[] = Object.entries(plan.slots).flatMap(([role, count]) =>
    Array.from({ length: count }, (_, index) => {
      return { role: role as Role, name: `${role}-${index + 1}`, incarnations: 0, process: null };
    }),
  );
  let lane: Lane = 'stable';
  let isCalm = false;

  function notify(topic: string): void {
    if (announced.has(topic)) return;
    announced.add(topic);
    time.after(debounceMs, null, () => {
      announced.delete(topic);
      for (const [listener, process] of listeners.get(topic) ?? [])
        if (!network.strikes(plan.losesWakeups)) time.after(network.latencyMs(), process, listener);
    });
  }

  function spawn(slot: Slot): void {
    slot.incarnations += 1;
    const id = `${slot.name}.${slot.incarnations}`;
    const owner: Owner = { isDead: false, pausedUntilMs: 0 };
    const { send, sendAndWait } = network.connect(owner);
    const transactions = createTransactions({ time, network, owner, sendAndWait, locks: catalogue.locks });
    const own = { send, now, history, rules, processId: id };
    const memoryCatalogue = createMemoryCatalogue({
      ...{ ...own, tables: catalogue, outbox, transactions, maxAttempts: plan.maxAttempts },
    });
    const process: SimulatedProcess = Object.assign(owner, {
      ...{ id, role: slot.role, slot, clock: time.clockOf(owner), abandon: transactions.abandon, stop: null },
      leaseStore: createMemoryLeaseStore({ ...own, tables: leases }),
      outbox: createMemoryOutboxStore({ ...own, tables: outbox, leases }),
      queues: createMemoryTaskQueues({
        ...{ ...own, tables: queue, operations, notify: (taskType: string) => notify(taskTopic(taskType)) },
      }),
      catalogue: memoryCatalogue,
      deadLetters: createMemoryDeadLetters({ ...own, tables: catalogue, outbox, catalogue: memoryCatalogue }),
    });
    slot.process = process;
    history.record({ kind: 'process', by: id, what: 'starts' });
    start(world, process).catch(() => crash(process));
  }

  function end(process: SimulatedProcess, what: 'crashes' | 'has stopped', backInMs: number): void {
    if (process.isDead) return;
    process.isDead = true;
    history.record({ kind: 'process', by: process.id, what });
    process.abandon();
    for (const ofTopic of listeners.values())
      for (const [listener, owner] of ofTopic) if (owner === process) ofTopic.delete(listener);
    time.after(backInMs, null, () => spawn(process.slot));
  }

  function crash(process: SimulatedProcess, backInMs = restartMs): void {
    end(process, 'crashes', backInMs);
  }

  function sleep(process: SimulatedProcess, forMs: number): void {
    process.pausedUntilMs = now() + forMs;
    history.record({ kind: 'process', by: process.id, what: 'sleeps' });
    time.after(forMs, process, () => history.record({ kind: 'process', by: process.id, what: 'wakes' }));
  }

  function restart(process: SimulatedProcess): void {
    const { stop } = process;
    if (stop === null) return crash(process);
    time.after(0, process, () => {
      history.record({ kind: 'process', by: process.id, what: 'stops' });
      const finish = (): void => end(process, 'has stopped', restartMs);
      void stop().then(finish, finish);
    });
    time.after(killAfterMs, null, () => crash(process));
  }

  /** A client's request, answered or not by the API process that it reached. */
  function request(change: Change): void {
    const process = apis()[Math.floor(random() * plan.slots.api)];
    if (!process) return;
    time.after(0, process, () => {
      void process.catalogue
        .transaction(async (trx) => {
          await process.catalogue.lock(trx, change.aggregateId);
          await process.catalogue.change(trx, draftOf(change));
        })
        .then(
          () => notify(outboxTopic),
          () => undefined,
        );
    });
  }

  const apis = (): SimulatedProcess[] =>
    slots.flatMap(({ role, process }) => (role === 'api' && process !== null && !process.isDead ? [process] : []));

  /** One of the subjects stays where it is, whatever the flag says. */
  function laneOf(subjectId: string): Lane {
    return subjectId === plan.assets[0] ? 'stable' : lane;
  }

  const operator = createOperator({ plan, time, random, history, outbox, catalogue, apis, notify, laneOf });
  const world = {
    ...{ plan, time, random, rules, history, network, leases, outbox, queue, catalogue, crash, laneOf },
    isCured: operator.isCured,
    isCalm: (): boolean => isCalm,
    isHintDoubled: (): boolean => network.strikes(plan.doublesHints),

    /** An event that no relay can turn into tasks until it is cured. */
    refuses: (event: OutboxEvent): boolean =>
      (event.payload as { is_poison?: boolean }).is_poison === true && !operator.isCured(`event ${event.id}`),

    wakeupsOf: (process: SimulatedProcess): Pick<Wakeups, 'on'> => ({
      on(topic, listener) {
        const ofTopic = listeners.get(topic) ?? new Map<() => void, SimulatedProcess>();
        listeners.set(topic, ofTopic.set(listener, process));
        return () => ofTopic.delete(listener);
      },
    }),

    begin(): void {
      for (const slot of slots) time.after(Math.floor(random() * 300), null, () => spawn(slot));
      for (const change of plan.changes) time.after(300 + change.atMs, null, () => request(change));
      for (const atMs of plan.laneFlips)
        time.after(atMs, null, () => {
          lane = lane === 'stable' ? 'canary' : 'stable';
          history.record({ kind: 'flag', lane });
        });
      for (const { atMs, kind, slot, forMs } of plan.mishaps)
        time.after(atMs, null, () => {
          const process = slots[slot]?.process;
          if (!process || process.isDead) return;
          if (kind === 'crash') crash(process, forMs);
          else if (kind === 'sleep') sleep(process, forMs);
          else restart(process);
        });
      const { rowsLostAtMs } = plan;
      if (rowsLostAtMs !== null)
        time.after(rowsLostAtMs, null, () => {
          history.record({ kind: 'rows-lost', tasks: queue.jobs.size });
          queue.jobs.clear();
        });
      if (plan.hasOperator) operator.begin();
      time.after(plan.loadMs + 1_000, null, () => {
        isCalm = true;
        network.calm();
        history.record({ kind: 'weather', what: 'calms down' });
      });
    },

    /** Nothing is left to do, as far as the tables tell. */
    isAtRest(): boolean {
      if (!isCalm || outbox.open.size > 0 || queue.jobs.size > 0 || queue.deadLetters.length > 0) return false;
      for (const { wanted, done, failed } of catalogue.workState.values())
        if (plan.areSweepsOn && wanted > done && wanted > failed) return false;
      return true;
    },
  };
  return world;
}

function draftOf({ aggregateId, isEventPoison }: Change): EventDraft {
  const poison = isEventPoison ? { is_poison: true } : {};
  if (aggregateId.startsWith('asset'))
    return {
      ...{ type: 'STICKER_ASSET_UPDATED', aggregateType: 'sticker_asset', aggregateId, priority: 85 },
      payload: { asset_id: aggregateId, ...poison },
    };
  return {
    ...{ type: 'PACK_UPDATED', aggregateType: 'sticker_pack', aggregateId, priority: 70 },
    payload: { pack_id: aggregateId, action: 'edited', theme_keys: [], ...poison },
  };
}
