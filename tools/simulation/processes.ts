/**
 * The processes of the simulation: the real relay, worker and membership on stores in memory. A leader's duties are a loop of our
 * own with the cadence of apps/maintenance, because that one is made of SQL.
 */
import { createLoop, createMembership, type Logger, type Membership, type Metrics } from '@omnizap/runtime';
import { createEventDelivery, tasksOf } from '@omnizap/catalog';
import { createRelay, type Delivery, type OutboxEvent } from '@omnizap/outbox';
import { createWorker, type Lane, type TaskHint } from '@omnizap/tasks';
import { createDefinitions } from './handlers.ts';
import { isSimulated, simulatedTypes } from './memory-catalogue.ts';
import type { SimulatedProcess, World } from './world.ts';

const leaderLease = 'maintenance-leader';
const leaderPassMs = 2_000;
const superviseMs = 10_000;
const sweepMs = 5_000;
const sweepGraceMs = 10_000;
const stopGraceMs = 2_000;
const pollMs = 1_500;
const doubledAfterMs = 3_000;

/** Metrics are made by the parts under test; nobody reads them here. */
const metrics = {
  registry: { registerMetric: () => undefined },
  ofDatabase: () => ({ onQuery: () => undefined, onNoConnection: () => undefined, watchPool: () => undefined }),
} as unknown as Metrics;

/** Starts whatever the process is for. Resolves when it runs; rejects when its first statements failed. */
export async function startProcess(world: World, process: SimulatedProcess): Promise<void> {
  const { clock, role } = process;
  if (role === 'api') return;
  const log = logOf(world, process);
  const membership = createMembership(
    { store: process.leaseStore, log, clock },
    { processName: role === 'relay' ? 'relay' : role, status: {}, processId: process.id },
  );
  await membership.start();
  const component = { relay: startRelay, stable: startWorker, canary: startWorker, leader: startLeader }[role];
  const stop = await component(world, process, membership, log);
  process.stop = async () => {
    await stop();
    await membership.stop();
  };
}

type Start = (
  world: World,
  process: SimulatedProcess,
  membership: Membership,
  log: Logger,
) => Promise<() => Promise<void>>;

const startRelay: Start = async (world, process, membership, log) => {
  const { rules } = world;
  const { queues, clock } = process;

  function read(event: OutboxEvent): TaskHint[] {
    if (world.refuses(event)) throw new Error('poison');
    return tasksOf(event).filter((hint) => isSimulated(hint.taskType));
  }
  async function enqueue(hints: TaskHint[]): Promise<void> {
    await queues.enqueue(hints, world.laneOf);
    if (world.isHintDoubled()) clock.after(doubledAfterMs, () => void queues.enqueue(hints).catch(() => undefined));
  }
  const handOver = createEventDelivery({ queues: { enqueue }, log }, read);

  // The mutant tells the relay that all went well, and inserts when the mark is made.
  let postponed: (() => Promise<unknown>)[] = [];
  const deliver: Delivery = rules.insertsBeforeMarking
    ? handOver
    : async (events) => {
        const failed = events.filter((event) => world.refuses(event)).map((event) => ({ event, error: 'poison' }));
        postponed.push(() => handOver(events));
        return { failed };
      };
  const store: typeof process.outbox = {
    ...process.outbox,
    async complete(events, hold) {
      const marked = await process.outbox.complete(events, hold);
      const now = postponed;
      postponed = [];
      for (const work of now) await work();
      return marked;
    },
  };

  const relay = createRelay(
    {
      store: rules.insertsBeforeMarking ? process.outbox : store,
      membership: rules.checksHold ? membership : { ...membership, balance: ignoreLeases, isCurrent: () => true },
      wakeups: world.wakeupsOf(process),
      log,
      metrics,
      clock,
      random: world.random,
    },
    { processName: 'relay', deliver },
  );
  await relay.start();
  return () => relay.stop();
};

/** What a relay that ignores leases believes to hold. */
const ignoreLeases: Membership['balance'] = (names) => Promise.resolve(names.map((name) => ({ name, epoch: 1 })));

const startWorker: Start = async (world, process, membership, log) => {
  const { plan, history, random } = world;
  const { queues, clock, catalogue } = process;
  const worker = createWorker(
    { queues, wakeups: world.wakeupsOf(process), log, metrics, clock, random },
    {
      lane: process.role as Lane,
      definitions: createDefinitions({
        ...{ plan, catalogue, clock, random, history, processId: process.id },
        isCured: world.isCured,
        isCalm: world.isCalm,
        die: () => world.crash(process),
      }),
      concurrency: plan.concurrency,
      pollIntervalMs: pollMs,
      stopGraceMs,
      mayClaim: () => membership.isCurrent(),
      onDead: catalogue.keepDead,
    },
  );
  await worker.start();
  return () => worker.stop();
};

const startLeader: Start = async (world, process, membership, log) => {
  const { plan, random } = world;
  const { queues, clock, catalogue } = process;
  const every = (intervalMs: number, work: () => Promise<unknown>): (() => Promise<unknown>) => {
    let doneAt = clock.now();
    return async () => {
      if (clock.now() - doneAt < intervalMs) return;
      doneAt = clock.now();
      await work();
    };
  };
  const duties = [
    () =>
      queues.rescue(
        async () => (await membership.processes()).map(({ processId }) => processId),
        (task) => catalogue.keepDead(task),
      ),
    every(superviseMs, async () => {
      await queues.supervise();
      await queues.drainDead((task) => catalogue.keepDead(task));
    }),
    every(sweepMs, async () => {
      if (!plan.areSweepsOn) return;
      for (const taskType of simulatedTypes) {
        const due = await catalogue.due(taskType, sweepGraceMs);
        await queues.enqueue(
          due.map((subjectId) => ({ taskType, subjectId, priority: 10 })),
          world.laneOf,
        );
      }
    }),
  ];
  const loop = createLoop({
    ...{ name: 'leader', intervalMs: () => leaderPassMs, log, clock, random },
    async pass() {
      const isLeading = (await membership.balance([leaderLease], 1)).length > 0;
      for (const duty of duties) {
        if (!isLeading || !membership.isCurrent()) return false;
        await duty().catch((error: unknown) => log.warn({ err: error }, 'a duty failed'));
      }
      return false;
    },
  });
  await loop.start();
  return () => loop.stop();
};

/** Warnings of the real parts belong to the history: they tell what the parts believed. */
function logOf(world: World, process: SimulatedProcess): Logger {
  const say = (first: unknown, text?: string): void => {
    const { err } = (first ?? {}) as { err?: unknown };
    const reason = err instanceof Error ? ` (${err.message})` : '';
    world.history.record({ kind: 'said', by: process.id, text: `${text ?? String(first)}${reason}` });
  };
  const silent = (): void => undefined;
  const log = { info: silent, debug: silent, trace: silent, warn: say, error: say, child: () => log };
  return log as unknown as Logger;
}
