/**
 * The relay: claims events of the shards that it holds, in commit order per aggregate, hands each batch to `deliver` (which turns
 * events into tasks) and marks it. At least once: a kill between the hand-over and the mark delivers again, which the receiving
 * queue merges. An event that cannot be delivered stops only its own aggregate, and only until it is a dead letter.
 */
import {
  Gauge,
  createLoop,
  type Component,
  type Logger,
  type Membership,
  type Metrics,
  type Wakeups,
} from '@omnizap/runtime';
import type { Database } from '@omnizap/runtime';
import { outboxTopic } from './append.ts';
import { shardCount, shardLeaseName, type OutboxEvent } from './event.ts';
import { createOutboxStore } from './outbox-store.ts';

const batchSize = 500;
/** Longest wait for an event whose wake-up got lost. */
const pollIntervalMs = 2_000;
/** How often shards are looked at: with the lease's 6 s, a dead relay's shards move within 9 s. */
const balanceIntervalMs = 3_000;
const firstRetryMs = 1_000;
const longestRetryMs = 300_000;

/** What became of one event: delivered, or the reason why it cannot be. A rejection of the whole call is nobody's fault. */
export type Delivery = (events: OutboxEvent[]) => Promise<{ failed: { event: OutboxEvent; error: string }[] }>;

type RelayDeps = { database: Database; membership: Membership; wakeups: Wakeups; log: Logger; metrics: Metrics };

export function createRelay(deps: RelayDeps, options: { processName: string; deliver: Delivery }): Component {
  const store = createOutboxStore(deps.database);
  const lag = new Gauge({
    name: 'omnizap_outbox_relay_lag_seconds',
    help: 'Age of the newest event when it was relayed; 0 when nothing waits.',
    registers: [deps.metrics.registry],
  });
  let shards: number[] = [];
  let token = '';
  let balancedAt = -Infinity;
  let balancedSession = -1;
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
    token = `${deps.membership.processId}:${session}`;
    const gained = session === balancedSession ? next.filter((shard) => !shards.includes(shard)) : next;
    if (gained.length > 0) {
      const taken = await store.reclaim(gained);
      deps.log.info({ shards: gained.length, held: next.length, reclaimed: taken }, 'took outbox shards');
    }
    shards = next;
    balancedSession = session;
    balancedAt = performance.now();
  }

  async function pass(): Promise<boolean> {
    if (performance.now() - balancedAt > balanceIntervalMs || balancedSession !== deps.membership.session())
      await balance();
    if (shards.length === 0 || !deps.membership.isCurrent()) return false;
    if (isUncertain) await store.reclaim(shards);
    isUncertain = true;
    const events = await store.claim(shards, token, batchSize);
    if (events.length > 0) await deliverBatch(events);
    isUncertain = false;
    lag.set(events.length === 0 ? 0 : Math.max(0, (Date.now() - (events.at(-1)?.createdAt.getTime() ?? 0)) / 1_000));
    return events.length > 0;
  }

  async function deliverBatch(events: OutboxEvent[]): Promise<void> {
    let failed: { event: OutboxEvent; error: string }[];
    try {
      ({ failed } = await options.deliver(events));
    } catch (error) {
      await store.giveBack(events, token);
      throw error;
    }
    // Later events of an aggregate whose event failed must not overtake it.
    const stuck = new Map(failed.map(({ event }) => [`${event.aggregateType}:${event.aggregateId}`, event.id]));
    const held = events.filter(
      (event) => event.id > (stuck.get(`${event.aggregateType}:${event.aggregateId}`) ?? Infinity),
    );
    const isDelivered = (event: OutboxEvent): boolean =>
      !held.includes(event) && !failed.some((entry) => entry.event === event);
    await store.complete(stuck.size === 0 ? events : events.filter(isDelivered), token);
    await store.giveBack(held, token);
    for (const entry of failed) await settleFailure(entry.event, entry.error);
  }

  async function settleFailure(event: OutboxEvent, error: string): Promise<void> {
    const fields = {
      event_id: event.id,
      event_type: event.type,
      request_id: event.requestId,
      attempts: event.attempts,
    };
    if (event.attempts >= event.maxAttempts) {
      await store.deadLetter(event, error, token);
      deps.log.error({ ...fields, reason: error }, 'an event is a dead letter');
      return;
    }
    const ceiling = Math.min(longestRetryMs, firstRetryMs * 2 ** (event.attempts - 1));
    await store.fail({ event, error, retryInMs: Math.ceil(Math.random() * ceiling) }, token);
    deps.log.warn({ ...fields, reason: error }, 'an event could not be relayed; it waits for its retry');
  }

  const loop = createLoop({ name: 'relay', intervalMs: () => pollIntervalMs, pass, log: deps.log });
  let unsubscribe: (() => void) | undefined;

  return {
    name: 'relay',
    async start() {
      unsubscribe = deps.wakeups.on(outboxTopic, loop.wake);
      await loop.start();
    },
    async stop() {
      unsubscribe?.();
      await loop.stop();
    },
  };
}
