/**
 * The outbox store of libs/outbox in memory: the same statements with the same conditions. A claim is three statements here as
 * there, and a guarded one may be torn: its guard is asked some time before its effect shows, as under READ COMMITTED.
 */
import {
  claimLimitPerShard,
  shardLeaseName,
  shardOf,
  type EventDraft,
  type EventSource,
  type Hold,
  type OutboxEvent,
} from '@omnizap/outbox';
import type { History } from './history.ts';
import { isLive, type LeaseTables } from './memory-lease-store.ts';
import type { Send } from './network.ts';
import type { Rules } from './rules.ts';

export type OutboxRow = {
  event: Omit<OutboxEvent, 'attempts'>;
  shard: number;
  status: 'pending' | 'processing' | 'failed' | 'completed';
  attempts: number;
  lockedBy: string | null;
  availableAtMs: number;
};

export type OutboxTables = {
  lastId: number;
  /** By id; finished ones leave at once: nobody asks for them. */
  open: Map<number, OutboxRow>;
  dead: Map<number, OutboxRow>;
};

export function createOutboxTables(): OutboxTables {
  return { lastId: 0, open: new Map(), dead: new Map() };
}

export function aggregateOf(event: { aggregateType: string; aggregateId: string }): string {
  return `${event.aggregateType}:${event.aggregateId}`;
}

/** A row as an append inserts it, with the next number. */
export function newRow(tables: OutboxTables, draft: EventDraft, at: { now: number; maxAttempts: number }): OutboxRow {
  tables.lastId += 1;
  const { type, aggregateType, aggregateId, payload } = draft;
  return {
    event: {
      ...{ id: tables.lastId, type, aggregateType, aggregateId, payload, priority: draft.priority ?? 50 },
      ...{ maxAttempts: at.maxAttempts, requestId: null, createdAt: new Date(at.now) },
    },
    shard: shardOf(aggregateType, aggregateId),
    ...{ status: 'pending', attempts: 0, lockedBy: null, availableAtMs: at.now },
  };
}

type Deps = {
  tables: OutboxTables;
  leases: LeaseTables;
  send: Send;
  now: () => number;
  history: History;
  rules: Rules;
};

export function createMemoryOutboxStore({ tables, leases, send, now, history, rules }: Deps): EventSource {
  const { open, dead } = tables;
  const byId = (a: OutboxRow, b: OutboxRow): number => a.event.id - b.event.id;

  function isHeld(hold: Hold): boolean {
    if (!rules.checksHold) return true;
    if (!isLive(leases, hold.processId, now())) return false;
    return hold.shards.every((shard) => {
      const row = leases.held.get(shardLeaseName(shard));
      return row === undefined || row.processId === hold.processId;
    });
  }

  function hasOlder(row: OutboxRow, matches: (other: OutboxRow) => boolean): boolean {
    for (const other of open.values())
      if (
        other.event.id < row.event.id &&
        other.event.aggregateId === row.event.aggregateId &&
        other.event.aggregateType === row.event.aggregateType &&
        matches(other)
      )
        return true;
    return false;
  }

  /** Older ones of its aggregate that come before a retry which is due: those that a redrive brought back. */
  const holdsBack = (other: OutboxRow): boolean =>
    other.status === 'pending' || (other.status === 'failed' && other.availableAtMs > now());

  function candidates(shards: number[], limit: number): number[] {
    const perShard = claimLimitPerShard(shards.length, limit);
    const pending = new Map<number, OutboxRow[]>();
    const due = new Map<number, OutboxRow[]>();
    for (const row of [...open.values()].sort(byId)) {
      if (!shards.includes(row.shard)) continue;
      const isWaiting = row.status === 'pending' && !hasOlder(row, (other) => other.status === 'failed');
      const isDue = row.status === 'failed' && row.availableAtMs <= now() && !hasOlder(row, holdsBack);
      if (!isWaiting && !isDue) continue;
      const ofStatus = isWaiting ? pending : due;
      const ofShard = ofStatus.get(row.shard) ?? [];
      if (ofShard.length < perShard) ofStatus.set(row.shard, [...ofShard, row]);
    }
    return [...pending.values(), ...due.values()]
      .flat()
      .sort(byId)
      .slice(0, limit)
      .map((row) => row.event.id);
  }

  /** Rows of these that this claim has in hand. */
  function inHand(ids: number[], hold: Hold): OutboxRow[] {
    return ids
      .map((id) => open.get(id))
      .filter((row) => row !== undefined)
      .filter((row) => row.status === 'processing' && row.lockedBy === hold.token);
  }

  const idsOf = (events: OutboxEvent[]): number[] => events.map((event) => event.id);

  function giveBack(events: OutboxEvent[], hold: Hold): Promise<void> {
    if (events.length === 0) return Promise.resolve();
    return send('give events back', () => {
      for (const row of inHand(idsOf(events), hold))
        Object.assign(row, { status: 'pending', lockedBy: null, attempts: row.attempts - 1 });
    });
  }

  return {
    async claim(hold, limit) {
      const ids = await send('find events', () => candidates(hold.shards, limit));
      if (ids.length === 0) return [];
      await send(
        'claim events',
        (isAllowed) => {
          if (!isAllowed) return;
          for (const id of ids) {
            const row = open.get(id);
            if (row?.status !== 'pending' && row?.status !== 'failed') continue;
            Object.assign(row, { status: 'processing', lockedBy: hold.token, attempts: row.attempts + 1 });
          }
        },
        () => isHeld(hold),
      );
      const { events, early } = await send('read what was claimed', () => {
        const rows = inHand(ids, hold).sort(byId);
        const isEarly = (row: OutboxRow): boolean =>
          rules.leavesOutEarly && hasOlder(row, (other) => other.lockedBy !== hold.token);
        const [early, events] = [rows.filter(isEarly), rows.filter((row) => !isEarly(row))];
        for (const row of events) history.record({ kind: 'claimed', by: hold.processId, eventId: row.event.id });
        return { events: events.map(toEvent), early: early.map(toEvent) };
      });
      await giveBack(early, hold);
      return events;
    },

    giveBack,

    reclaim: (hold) =>
      send(
        'reclaim events',
        (isAllowed) => {
          let count = 0;
          for (const row of isAllowed ? open.values() : []) {
            if (row.status !== 'processing' || !hold.shards.includes(row.shard)) continue;
            Object.assign(row, { status: 'pending', lockedBy: null });
            count += 1;
          }
          return count;
        },
        () => isHeld(hold),
      ),

    async complete(events, hold) {
      if (events.length === 0) return 0;
      let askedAtMs = 0;
      return send(
        'mark events',
        (isAllowed) => {
          const rows = isAllowed ? inHand(idsOf(events), hold) : [];
          for (const { event } of rows) {
            open.delete(event.id);
            history.record({ kind: 'marked', by: hold.processId, eventId: event.id, askedAtMs });
          }
          return rows.length;
        },
        () => {
          askedAtMs = now();
          return isHeld(hold);
        },
      );
    },

    fail: ({ event, retryInMs }, hold) =>
      send(
        'let an event wait',
        (isAllowed) => {
          for (const row of isAllowed ? inHand([event.id], hold) : []) {
            Object.assign(row, { status: 'failed', lockedBy: null, availableAtMs: now() + retryInMs });
            history.record({ kind: 'event-waits', by: hold.processId, eventId: event.id });
          }
        },
        () => isHeld(hold),
      ),

    deadLetter: (event, _error, hold) =>
      send(
        'bury an event',
        (isAllowed) => {
          for (const row of isAllowed ? inHand([event.id], hold) : []) {
            open.delete(event.id);
            if (!dead.has(event.id)) dead.set(event.id, row);
            history.record({ kind: 'event-dead', by: hold.processId, eventId: event.id });
          }
        },
        () => isHeld(hold),
      ),
  };
}

function toEvent(row: OutboxRow): OutboxEvent {
  return { ...row.event, attempts: row.attempts };
}
