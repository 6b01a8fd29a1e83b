/** What clients of the stickers' bytes saw of the outages, in numbers. */
import { percentile } from '../../bench/statistics.ts';
import type { AssetRecord, BreakerLook, Outage } from './asset-records.ts';
import type { StorageMode } from './storage-server.ts';

export type AssetsSeen = { mode: StorageMode; records: AssetRecord[]; looks: BreakerLook[]; outages: Outage[] };

export const phases = ['before', 'dead', 'after'] as const;
export type Phase = (typeof phases)[number];
export type PhaseFigures = {
  asked: number;
  /** What the harness itself did explains none of them. */
  failed: number;
  /** Sent on to the bucket. */
  redirected: number;
  p50Ms: number;
  p99Ms: number;
};

export type AssetFigures = {
  mode: StorageMode;
  phases: Record<Phase, PhaseFigures>;
  /** Of each outage: from the kill until the last time that a client was sent to the bucket; null where none was. */
  lastHandedOutMs: (number | null)[];
  /** Of each outage: from its end until the bucket was used again by every process that was there; null when that was not seen. */
  usedAgainMs: (number | null)[];
};

export function measureAssets({ mode, records, looks, outages }: AssetsSeen): AssetFigures {
  const inPhase = Map.groupBy(records, ({ startedAt }) => phaseOf(startedAt, outages));
  const figuresOf = (phase: Phase): PhaseFigures => {
    const own = (inPhase.get(phase) ?? []).filter(({ isExplained }) => !isExplained);
    const durations = own.map(({ startedAt, endedAt }) => endedAt - startedAt);
    return {
      asked: own.length,
      failed: own.filter(({ problem }) => problem !== null).length,
      redirected: own.filter(({ handedOutAt }) => handedOutAt !== null).length,
      p50Ms: percentile(durations, 50),
      p99Ms: percentile(durations, 99),
    };
  };
  return {
    mode,
    phases: { before: figuresOf('before'), dead: figuresOf('dead'), after: figuresOf('after') },
    lastHandedOutMs: outages.map((outage) => lastHandedOutMs(records, outage)),
    usedAgainMs: outages.map((outage, index) => usedAgainMs(looks, outage, outages[index + 1]?.killedAt ?? Infinity)),
  };
}

export function phaseOf(atMs: number, outages: Outage[]): Phase {
  if (outages.some(({ killedAt, answersAt }) => killedAt <= atMs && atMs <= answersAt)) return 'dead';
  return outages.some(({ killedAt }) => killedAt <= atMs) ? 'after' : 'before';
}

/** Until the server was started again: who is sent there then may find it. */
export function lastHandedOutMs(records: AssetRecord[], { killedAt, revivedAt }: Outage): number | null {
  const times = records.flatMap(({ handedOutAt }) =>
    handedOutAt !== null && handedOutAt > killedAt && handedOutAt < revivedAt ? [handedOutAt] : [],
  );
  return times.length === 0 ? null : times.reduce((last, atMs) => Math.max(last, atMs)) - killedAt;
}

/** By the slowest process that was looked at before the outage ended and until the next one began. */
export function usedAgainMs(looks: BreakerLook[], { answersAt }: Outage, untilMs: number): number | null {
  const times: number[] = [];
  for (const own of Map.groupBy(looks, ({ pid }) => pid).values()) {
    const before = own.findLast(({ atMs }) => atMs <= answersAt);
    const after = own.filter(({ atMs }) => atMs > answersAt && atMs < untilMs);
    if (before === undefined || after.length === 0) continue;
    const first = after.find((look) => look.fromBucket > before.fromBucket);
    if (first === undefined) return null;
    times.push(first.atMs - answersAt);
  }
  return times.length === 0 ? null : Math.max(...times);
}
