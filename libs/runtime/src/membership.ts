/**
 * This process as a member of the fleet: renews its lease, publishes its status when that changes, and holds named leases
 * (relay shards, leadership). A member that could not renew in time must assume that it holds nothing: `isCurrent` answers by
 * the local monotonic clock, on the safe side of the database's.
 */
import { v7 as uuidv7 } from 'uuid';
import { systemClock, type Clock } from './clock.ts';
import type { Logger } from './log.ts';
import type { Holding, LeaseStore, LiveProcess } from './lease-store.ts';

/** A dead process's holdings are free after this; with a 2 s look they move within 10 s. */
export const leaseTtlMs = 6_000;
const leaseRenewalMs = 2_000;
const startRetryMs = 500;
/** Stop trusting the lease this much before the database would. */
export const safetyMarginMs = 1_000;

export type Membership = {
  processId: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** True while the lease is certainly still ours. */
  isCurrent(): boolean;
  /** Changes whenever the lease was lost and taken anew; work claimed under an older session is void. */
  session(): number;
  setStatus(status: Record<string, unknown>): void;
  /** Live members; one query. */
  processes(): Promise<LiveProcess[]>;
  /** Tries to hold up to `wanted` of `names`, gives back what is over that, and returns what is held now. */
  balance(names: string[], wanted: number): Promise<Holding[]>;
  /** Removes rows of processes that died long ago; for one process to call now and then. */
  prune(): Promise<void>;
};

type MembershipOptions = { processName: string; status: Record<string, unknown>; processId?: string };

type MembershipDeps = { store: LeaseStore; log: Logger; clock?: Clock };

export function createMembership(deps: MembershipDeps, options: MembershipOptions): Membership {
  const { store, clock = systemClock } = deps;
  const processId = options.processId ?? uuidv7();
  const stopping = new AbortController();
  const declared = new Set<string>();
  let validUntil = 0;
  let session = 0;
  let status = options.status;
  let writtenStatus = '';
  let loop: Promise<void> | undefined;

  async function renewOnce(): Promise<void> {
    const askedAt = clock.now();
    const isExtended = await store.renew(processId, leaseTtlMs);
    if (!isExtended) session += 1;
    validUntil = askedAt + leaseTtlMs - safetyMarginMs;
    const document = JSON.stringify(status);
    if (document !== writtenStatus || !isExtended) {
      await store.writeStatus(processId, options.processName, status);
      writtenStatus = document;
    }
  }

  async function renewForever(): Promise<void> {
    while (!stopping.signal.aborted) {
      await clock.sleep(leaseRenewalMs, stopping.signal);
      if (!stopping.signal.aborted) await tryToRenew();
    }
  }

  async function tryToRenew(): Promise<boolean> {
    try {
      await renewOnce();
      return true;
    } catch (error) {
      deps.log.warn({ err: error }, 'cannot renew the process lease; trying again');
      return false;
    }
  }

  return {
    processId,
    async start() {
      // A database that is lost between two statements of a start must not end the process.
      while (!(await tryToRenew()) && !stopping.signal.aborted) await clock.sleep(startRetryMs, stopping.signal);
      loop = renewForever();
    },
    async stop() {
      stopping.abort();
      await loop;
      validUntil = 0;
      await store
        .leave(processId)
        .catch((error: unknown) =>
          deps.log.warn({ err: error }, 'cannot give back the process lease; it will run out'),
        );
    },
    isCurrent: () => clock.now() < validUntil,
    session: () => session,
    setStatus(next) {
      status = next;
    },
    processes: () => store.liveProcesses(),
    prune: () => store.prune(),
    async balance(names, wanted) {
      const missing = names.filter((name) => !declared.has(name));
      if (missing.length > 0) {
        await store.declare(missing);
        for (const name of missing) declared.add(name);
      }
      const holders = await store.holders(names);
      const held: Holding[] = holders
        .filter((row) => row.processId === processId && row.isLive)
        .map(({ name, epoch }) => ({ name, epoch }));
      const surplus = held.splice(wanted);
      if (surplus.length > 0)
        await store.release(
          processId,
          surplus.map((holding) => holding.name),
        );
      for (const row of holders) {
        if (held.length >= wanted) break;
        if (row.isLive) continue;
        const taken = await store.take(processId, row.name, row.epoch);
        if (taken) held.push(taken);
      }
      return held;
    },
  };
}
