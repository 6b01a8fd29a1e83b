/**
 * Which fleet works a task. Each subject has a bucket per flag, so at any percentages it belongs to one lane; that lane's work goes
 * to another one only when nobody works it. Decided when a task is put into a queue and again when it is claimed.
 */
import type { Lane } from './task-types.ts';

export type LaneShares = {
  /** 0 to 100; 0 when off. Of all tasks, the share of the dedicated processes; the rest is the inline poller's. */
  dedicatedPercent: number;
  /** Of the dedicated share, that of the canary release. */
  canaryPercent: number;
  /** Whether a live process works that lane. */
  isServed(taskType: string, lane: Lane): boolean;
  isPaused(taskType: string): boolean;
};

/** 1 to 100 each: a subject is in when its bucket is at most the percentage. */
export type Buckets = { dedicated: number; canary: number };

export type LaneControl = { shares(): LaneShares; bucketsOf(subjectId: string): Buckets };

/** The lane that the flags give a subject to, whoever lives. */
export function nominalLane(buckets: Buckets, shares: Pick<LaneShares, 'dedicatedPercent' | 'canaryPercent'>): Lane {
  if (buckets.dedicated > shares.dedicatedPercent) return 'inline';
  return buckets.canary <= shares.canaryPercent ? 'canary' : 'stable';
}

/**
 * The lane that works what is nominally `nominal`'s. Nobody untried takes over: the canary gets no more than its share, and the
 * dedicated processes nothing while they are switched off.
 */
export function workingLane(taskType: string, nominal: Lane, shares: LaneShares): Lane {
  const candidates: Record<Lane, Lane[]> = {
    inline: shares.dedicatedPercent > 0 ? ['inline', 'stable'] : ['inline'],
    stable: ['stable', 'inline'],
    canary: ['canary', 'stable', 'inline'],
  };
  return candidates[nominal].find((lane) => shares.isServed(taskType, lane)) ?? nominal;
}

export function laneOf(taskType: string, buckets: Buckets, shares: LaneShares): Lane {
  return workingLane(taskType, nominalLane(buckets, shares), shares);
}

/** The nominal lanes that have any subject at these percentages. */
export function lanesInUse(shares: Pick<LaneShares, 'dedicatedPercent' | 'canaryPercent'>): Lane[] {
  const { dedicatedPercent, canaryPercent } = shares;
  return [
    ...(dedicatedPercent < 100 ? ['inline' as const] : []),
    ...(dedicatedPercent > 0 && canaryPercent < 100 ? ['stable' as const] : []),
    ...(dedicatedPercent > 0 && canaryPercent > 0 ? ['canary' as const] : []),
  ];
}

/** Whether anything can be that lane's now. A lane without work claims nothing. */
export function hasWork(taskType: string, lane: Lane, shares: LaneShares): boolean {
  return (
    !shares.isPaused(taskType) && lanesInUse(shares).some((nominal) => workingLane(taskType, nominal, shares) === lane)
  );
}

/** As job rows keep them. */
export function bucketData(buckets: Buckets): { dedicated_bucket: number; canary_bucket: number } {
  return { dedicated_bucket: buckets.dedicated, canary_bucket: buckets.canary };
}
