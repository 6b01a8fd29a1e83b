/** The runbook's rollback: which flags go off, in which order, and which may stay because what they feed is healthy. */
import { rollbackOrder, type RolloutFlag } from './plan.ts';

/** null: nobody knows, which is not healthy. */
export type RollbackHealth = { isEventFlowStable: boolean | null; isSnapshotFresh: boolean | null };

/** What the outbox says about itself. */
export type OutboxDepth = { failed: number; oldestSeconds: number };

/** Events that wait longer are held up by something. */
const longestWaitSeconds = 60;

/** Three refresh intervals of the published ranking. */
const staleSnapshotSeconds = 15 * 60;

/** Both from the catalogue's database alone: a rollback must work when nothing else does. */
export type HealthSources = {
  outboxDepth: () => Promise<OutboxDepth>;
  /** Of the published ranking; null when there is none. */
  snapshotAgeSeconds: () => Promise<number | null>;
};

export async function readRollbackHealth({ outboxDepth, snapshotAgeSeconds }: HealthSources): Promise<RollbackHealth> {
  const [isStable, isFresh] = await Promise.all([
    outboxDepth().then(isEventFlowStable, () => null),
    snapshotAgeSeconds().then(
      (age) => (age === null ? null : age <= staleSnapshotSeconds),
      () => null,
    ),
  ]);
  return { isEventFlowStable: isStable, isSnapshotFresh: isFresh };
}

/** Errs towards unstable: without the outbox changes are found by the sweeps, minutes later and none lost. */
function isEventFlowStable({ failed, oldestSeconds }: OutboxDepth): boolean {
  return failed === 0 && oldestSeconds < longestWaitSeconds;
}

/**
 * `raised`: the flags that are up for discussion; `culprit`: the one at whose step a gate failed, which goes off in any case.
 * The outbox stays while the event flow is stable, and the snapshot read while the snapshot is fresh.
 */
export function flagsToLower(raised: string[], culprit: string | undefined, health: RollbackHealth): string[] {
  const stays: Partial<Record<RolloutFlag, boolean>> = {
    enable_domain_event_outbox: health.isEventFlowStable === true,
    enable_ranking_snapshot_read: health.isSnapshotFresh === true,
  };
  return rollbackOrder.filter((flag) => flag === culprit || (raised.includes(flag) && stays[flag] !== true));
}
