/**
 * The relay: claims events of the shards that it holds, in commit order per aggregate, hands each batch to `deliver` (which turns
 * events into tasks) and marks it. At least once: a kill between the hand-over and the mark delivers again, which the receiving
 * queue merges. An event that cannot be delivered stops only its own aggregate, and only until it is a dead letter.
 */
import {
  Gauge,
  createLoop,
  inSpan,
  messagingAttributes,
  systemClock,
  type Clock,
  type Component,
  type Logger,
  type Membership,
  type Metrics,
  type Wakeups,
} from '@omnizap/runtime';
import { outboxTopic } from './append.ts';
import { shardCount, shardLeaseName, type OutboxEvent } from './event.ts';
import { claimLimitPerShard, type Hold, type OutboxStore } from './outbox-store.ts';

const outboxTable = 'domain_event_outbox';
const batchSize = 500;
/** Longest wait for an event whose wake-up got lost. */
const pollIntervalMs = 2_000;
/** Commits come in bursts: one pass for what this gathers costs as much as one for each. */
const gatherMs = 10;
/** How often shards are looked at: with the lease's 6 s and the poll's 2 s, a dead relay's shards move within 9 s. */
const balanceIntervalMs = 1_900;
/** Rows that a former holder marked late are rare: looking for them each time would cost an idle relay a query a second. */
const balancesPerReclaim = 5;
/** A batch that is being handed over. */
const stopLimitMs = 6_000;
const firstRetryMs = 1_000;
const longestRetryMs = 300_000;

/** What became of one event: delivered, or the reason why it cannot be. A rejection of the whole call is nobody's fault. */
export type Delivery = (events: OutboxEvent[]) => Promise<{ failed: { event: OutboxEvent; error: string }[] }>;

/** What a relay needs of the outbox; the simulation has its own. */
export type EventSource = Pick<OutboxStore, 'claim' | 'giveBack' | 'reclaim' | 'complete' | 'fail' | 'deadLetter'>;

type RelayDeps = {
  store: EventSource;
  membership: Membership;
  wakeups: Pick<Wakeups, 'on'>;
  log: Logger;
  metrics: Metrics;
  clock?: Clock;
  /** 0 inclusive to 1 exclusive. */
  random?: () => number;
};

export function createRelay(deps: RelayDeps, options: { processName: string; deliver: Delivery }): Component {
  const { store, clock = systemClock, random = Math.random } = deps;
  const lag = new Gauge({
    name: 'omnizap_outbox_relay_lag_seconds',
    help: 'Age of the newest event when it was relayed; 0 when nothing waits.',
    registers: [deps.metrics.registry],
  });
  let hold: Hold = { processId: deps.membership.processId, token: '', shards: [] };
  let balancedAt = -Infinity;
  let balancedSession = -1;
  let balances = 0;
  let claims = 0;
  /** A claim may have happened although we were told that it failed. */
  let isUncertain = false;

  async function balance(): Promise<void> {
    const relays = (await deps.membership.processes()).filter(
      (process) => process.processName === options.processName,
    ).length;
    const names = Array.from({ length: shardCount }, (_, shard) => shardLeaseName(shard));
    const held = await deps.membership.balance(names, Math.ceil(shardCount / Math.max(1, relays)));
    const next = held.map((holding) => names.indexOf(holding.name));
    const session = deps.membership.session();
    const isGained = session !== balancedSession || next.some((shard) => !hold.shards.includes(shard));
    hold = { ...hold, shards: next };
    // Not only what is new: a former holder that slept inside its claim may have marked rows after they moved, and then died.
    balances += 1;
    const isReclaiming = next.length > 0 && (isGained || balances % balancesPerReclaim === 0);
    const taken = isReclaiming ? await store.reclaim(hold) : 0;
    if (isGained || taken > 0) deps.log.info({ held: next.length, reclaimed: taken }, 'took outbox shards');
    balancedSession = session;
    balancedAt = clock.now();
  }

  async function pass(): Promise<boolean> {
    if (clock.now() - balancedAt > balanceIntervalMs || balancedSession !== deps.membership.session()) await balance();
    if (hold.shards.length === 0 || !deps.membership.isCurrent()) return false;
    if (isUncertain) await store.reclaim(hold);
    isUncertain = true;
    // Each claim has a name of its own: one that we gave up may still arrive, and what it takes is not in this one's hands.
    claims += 1;
    hold = { ...hold, token: `${hold.processId}:${claims}` };
    const events = await store.claim(hold, batchSize);
    // A claim that took longer than the lease is void: somebody else delivers these shards by now.
    if (!deps.membership.isCurrent()) await store.giveBack(events, hold);
    else if (events.length > 0) await deliverBatch(events);
    isUncertain = false;
    lag.set(events.length === 0 ? 0 : Math.max(0, (Date.now() - (events.at(-1)?.createdAt.getTime() ?? 0)) / 1_000));
    return events.length >= Math.min(batchSize, claimLimitPerShard(hold.shards.length, batchSize));
  }

  async function deliverBatch(events: OutboxEvent[]): Promise<void> {
    let failed: { event: OutboxEvent; error: string }[];
    try {
      ({ failed } = await deliverTraced(events));
    } catch (error) {
      await store.giveBack(events, hold);
      throw error;
    }
    // Only the first failure of an aggregate counts: its later events, delivered, failed or neither, must not overtake it.
    const stuckAt = new Map<string, number>();
    for (const { event } of failed) {
      const key = aggregateKey(event);
      stuckAt.set(key, Math.min(event.id, stuckAt.get(key) ?? event.id));
    }
    const stuckIdOf = (event: OutboxEvent): number => stuckAt.get(aggregateKey(event)) ?? Infinity;
    const delivered = events.filter((event) => event.id < stuckIdOf(event));
    const marked = await store.complete(delivered, hold);
    // Delivered, but no longer ours to mark: whoever holds the shards delivers them again. Look at once what is left to us.
    if (marked < delivered.length) balancedAt = -Infinity;
    await store.giveBack(
      events.filter((event) => event.id > stuckIdOf(event)),
      hold,
    );
    for (const entry of failed)
      if (entry.event.id === stuckIdOf(entry.event)) await settleFailure(entry.event, entry.error);
  }

  /** The events of a batch come from many traces: one span that is in none of them, and knows them all. */
  async function deliverTraced(events: OutboxEvent[]): ReturnType<Delivery> {
    const [first] = events;
    return inSpan(
      {
        name: `process ${outboxTable}`,
        kind: 'consumer',
        parent: 'none',
        links: events.map(({ trace }) => trace),
        attributes: {
          ...messagingAttributes('process', outboxTable),
          'messaging.batch.message_count': events.length,
          ...(events.length === 1 ? { 'messaging.message.id': String(first?.id) } : {}),
        },
      },
      async (span) => {
        const delivery = await options.deliver(events);
        if (delivery.failed.length > 0) span.fail('event-invalid');
        return delivery;
      },
    );
  }

  async function settleFailure(event: OutboxEvent, error: string): Promise<void> {
    const fields = {
      event_id: event.id,
      event_type: event.type,
      request_id: event.requestId,
      attempts: event.attempts,
    };
    if (event.attempts >= event.maxAttempts) {
      await store.deadLetter(event, error, hold);
      deps.log.error({ ...fields, reason: error }, 'an event is a dead letter');
      return;
    }
    const ceiling = Math.min(longestRetryMs, firstRetryMs * 2 ** (event.attempts - 1));
    await store.fail({ event, error, retryInMs: Math.ceil(random() * ceiling) }, hold);
    deps.log.warn({ ...fields, reason: error }, 'an event could not be relayed; it waits for its retry');
  }

  const loop = createLoop({ name: 'relay', intervalMs: () => pollIntervalMs, pass, log: deps.log, clock, random });
  let unsubscribe: (() => void) | undefined;
  let cancelGathering: (() => void) | undefined;

  return {
    name: 'relay',
    stopLimitMs,
    async start() {
      unsubscribe = deps.wakeups.on(outboxTopic, () => {
        cancelGathering ??= clock.after(gatherMs, () => {
          cancelGathering = undefined;
          loop.wake();
        });
      });
      await loop.start();
    },
    async stop() {
      unsubscribe?.();
      cancelGathering?.();
      await loop.stop();
    },
  };
}

function aggregateKey(event: OutboxEvent): string {
  return `${event.aggregateType}:${event.aggregateId}`;
}
