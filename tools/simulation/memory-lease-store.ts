/** The lease store of libs/runtime in memory: the same statements, one by one, so that schedules may come between them. */
import type { LeaseStore, LiveProcess } from '@omnizap/runtime';
import type { History } from './history.ts';
import type { Send } from './network.ts';

const keepDeadMs = 3_600_000;

export type LeaseTables = {
  expiresAtMs: Map<string, number>;
  statuses: Map<string, { processName: string; status: Record<string, unknown> }>;
  held: Map<string, { processId: string | null; epoch: number }>;
};

export function createLeaseTables(): LeaseTables {
  return { expiresAtMs: new Map(), statuses: new Map(), held: new Map() };
}

export function isLive(tables: LeaseTables, processId: string | null, nowMs: number): boolean {
  return processId !== null && (tables.expiresAtMs.get(processId) ?? -Infinity) > nowMs;
}

type Deps = { tables: LeaseTables; send: Send; now: () => number; history: History };

export function createMemoryLeaseStore({ tables, send, now, history }: Deps): LeaseStore {
  const { expiresAtMs, statuses, held } = tables;

  function setLease(processId: string, untilMs: number): void {
    expiresAtMs.set(processId, untilMs);
    history.record({ kind: 'lease', by: processId, untilMs });
  }

  function setHolder(name: string, processId: string | null, epoch: number): void {
    held.set(name, { processId, epoch });
    history.record({ kind: 'holder', name, by: processId ?? '' });
  }

  function letGo(processId: string, names: Iterable<string>): void {
    for (const name of names) {
      const row = held.get(name);
      if (row?.processId === processId) setHolder(name, null, row.epoch);
    }
  }

  return {
    async renew(processId, ttlMs) {
      const isExtended = await send('extend the lease', () => {
        if (!isLive(tables, processId, now())) return false;
        setLease(processId, now() + ttlMs);
        return true;
      });
      if (isExtended) return true;
      await send('let go of everything', () => letGo(processId, [...held.keys()]));
      await send('delete the lease', () => {
        if (expiresAtMs.delete(processId)) history.record({ kind: 'lease', by: processId, untilMs: -Infinity });
      });
      await send('insert the lease', () => {
        if (expiresAtMs.has(processId)) throw new Error('duplicate key: process_lease');
        setLease(processId, now() + ttlMs);
      });
      return false;
    },

    async writeStatus(processId, processName, status) {
      const isUpdated = await send('update the status', () => {
        if (!statuses.has(processId)) return false;
        statuses.set(processId, { processName, status });
        return true;
      });
      if (isUpdated) return;
      await send('insert the status', () => {
        if (!statuses.has(processId)) statuses.set(processId, { processName, status });
      });
    },

    async leave(processId) {
      await send('let go of everything', () => letGo(processId, [...held.keys()]));
      await send('delete the status', () => void statuses.delete(processId));
      await send('delete the lease', () => {
        if (expiresAtMs.delete(processId)) history.record({ kind: 'lease', by: processId, untilMs: -Infinity });
      });
    },

    liveProcesses: () =>
      send('live processes', () => {
        const rows: LiveProcess[] = [];
        for (const [processId, { processName, status }] of statuses)
          if (isLive(tables, processId, now())) rows.push({ processId, processName, status });
        return rows.sort((a, b) => compare(a.processName, b.processName) || compare(a.processId, b.processId));
      }),

    declare: (names) =>
      send('declare leases', () => {
        for (const name of names) if (!held.has(name)) held.set(name, { processId: null, epoch: 0 });
      }),

    holders: (names) =>
      send('holders', () =>
        names
          .filter((name) => held.has(name))
          .sort(compare)
          .map((name) => {
            const { processId, epoch } = held.get(name) ?? { processId: null, epoch: 0 };
            return { name, processId, epoch, isLive: isLive(tables, processId, now()) };
          }),
      ),

    take: (processId, name, seenEpoch) =>
      send('take a lease', () => {
        if (held.get(name)?.epoch !== seenEpoch) return null;
        setHolder(name, processId, seenEpoch + 1);
        return { name, epoch: seenEpoch + 1 };
      }),

    release: (processId, names) => send('release leases', () => letGo(processId, names)),

    async prune() {
      const dead = await send('long dead', () =>
        [...expiresAtMs].filter(([, untilMs]) => untilMs < now() - keepDeadMs).map(([processId]) => processId),
      );
      if (dead.length === 0) return;
      await send('prune statuses', () => dead.forEach((processId) => statuses.delete(processId)));
      await send('prune leases', () => dead.forEach((processId) => expiresAtMs.delete(processId)));
    },
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
