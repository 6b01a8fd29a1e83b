/**
 * The flags as this process knows them: read every 1.75 s and when somebody announces a change, so that a change, also one typed
 * as SQL, is known everywhere within 2 s. While the database is away, or the table is gone, the last known values stay.
 */
import {
  Gauge,
  createLoop,
  systemClock,
  type Clock,
  type Component,
  type Database,
  type Logger,
  type Metrics,
  type Wakeups,
} from '@omnizap/runtime';
import { bucketOf } from './bucket.ts';
import { evaluateFlag, type Evaluation, type FlagValue } from './evaluate-flag.ts';
import { flagDefinitions, flagNames, type FlagName } from './flag-definitions.ts';
import { readFleet, type FleetView } from './fleet-store.ts';

/** Wake-up topic: a flag, or a pause, was changed. */
export const flagsTopic = 'flags';

const pollIntervalMs = 1_750;
/** A start does not wait longer for the first look: without one, flags have their first values. */
const firstLookMs = 5_000;
/** Values that could not be looked at for this long are called stale. */
const staleAfterMs = 5_000;
/**
 * A lane is without workers when none was seen for this long: a worker that is restarted must not throw its work to others. With
 * a lease of 6 s, a look every 1.75 s and a move every 2 s, others have the work of a dead lane within 15 s.
 */
const laneGraceMs = 4_000;

export type Flags = Component & {
  isOn(flag: FlagName, subject: string): boolean;
  evaluate(flag: FlagName, subject: string): Evaluation;
  /** 0 when it is off. */
  percentOf(flag: FlagName): number;
  /** What the lanes of tasks are decided by. */
  shares(): LaneShares;
  bucketsOf(subjectId: string): { dedicated: number; canary: number };
  /** Called after each change of anything that this process was told. Returns the unsubscriber. */
  onChange(listener: () => void): () => void;
};

export type LaneShares = {
  /** 0 when off. */
  dedicatedPercent: number;
  canaryPercent: number;
  /** Whether a live process works that lane. */
  isServed(taskType: string, lane: string): boolean;
  isPaused(taskType: string): boolean;
};

type FlagDeps = {
  database: Pick<Database, 'knex' | 'kind'>;
  wakeups: Pick<Wakeups, 'on'>;
  log: Logger;
  metrics: Metrics;
  clock?: Clock;
};

export function createFlags(deps: FlagDeps): Flags {
  const { database, log, clock = systemClock } = deps;
  const percents = new Gauge({
    name: 'omnizap_feature_flag_rollout_percent',
    help: 'Share of subjects for which a flag is on, as this process knows it; 0 when it is off.',
    labelNames: ['flag'],
    registers: [deps.metrics.registry],
  });
  const changes = new Gauge({
    name: 'omnizap_feature_flag_changed_timestamp_seconds',
    help: 'When this process came to know what it knows of a flag.',
    labelNames: ['flag'],
    registers: [deps.metrics.registry],
  });
  const values = new Map<FlagName, FlagValue & { isKnown: boolean }>(
    flagNames.map((name) => [name, { ...flagDefinitions[name].first, isKnown: false }]),
  );
  let pausedTypes = new Set<string>();
  let lastLookAt: number | undefined;
  /** A process that has just begun to look knows of no dead lanes yet. */
  let lookingSince = 0;
  const seenAt = new Map<string, number>();
  const listeners = new Set<() => void>();
  let known = '';
  let unsubscribe: (() => void) | undefined;
  const firstLook = Promise.withResolvers<void>();

  const isServed = (taskType: string, lane: string): boolean =>
    lastLookAt === undefined ||
    lastLookAt - Math.max(seenAt.get(`${taskType}.${lane}`) ?? -Infinity, lookingSince) <= laneGraceMs;

  function percentOf(flag: FlagName): number {
    const value = values.get(flag);
    return value?.isEnabled === true ? value.rolloutPercent : 0;
  }

  function take(view: FleetView): void {
    const now = clock.now();
    if (lastLookAt === undefined || now - lastLookAt > staleAfterMs) lookingSince = now;
    lastLookAt = now;
    for (const lane of view.servedLanes) seenAt.set(lane, now);
    for (const name of flagNames) {
      const row = view.flags.get(name);
      // A missing row changes nothing: the leader brings it back.
      if (row) {
        const before = values.get(name);
        const isNews =
          !before?.isKnown ||
          `${before.isEnabled} ${before.rolloutPercent}` !== `${row.isEnabled} ${row.rolloutPercent}`;
        if (isNews) changes.set({ flag: name }, Date.now() / 1_000);
        values.set(name, { ...row, isKnown: true });
      }
      percents.set({ flag: name }, percentOf(name));
    }
    pausedTypes = view.pausedTypes;
    const lanes = [...seenAt.keys()].filter((lane) => isServed(...splitLane(lane)));
    const next = JSON.stringify([[...values], [...pausedTypes].sort(), lanes.sort()]);
    if (next === known) return;
    known = next;
    for (const listener of listeners) listener();
  }

  const loop = createLoop({
    name: 'flags',
    intervalMs: () => pollIntervalMs,
    log,
    clock,
    async pass() {
      take(await readFleet(database));
      firstLook.resolve();
      return false;
    },
  });

  function evaluate(flag: FlagName, subject: string): Evaluation {
    const value = values.get(flag) ?? { isEnabled: false, rolloutPercent: 0, isKnown: false };
    const isStale = lastLookAt === undefined || clock.now() - lastLookAt > staleAfterMs;
    return evaluateFlag(flag, subject, value, !value.isKnown ? 'never' : isStale ? 'stale' : 'now');
  }

  return {
    name: 'flags',
    async start() {
      unsubscribe = deps.wakeups.on(flagsTopic, loop.wake);
      await loop.start();
      const giveUp = new AbortController();
      await Promise.race([firstLook.promise, clock.sleep(firstLookMs, giveUp.signal)]);
      giveUp.abort();
      if (lastLookAt === undefined) log.warn('the flags cannot be read; they have their first values until they can');
    },
    async stop() {
      unsubscribe?.();
      await loop.stop();
    },
    isOn: (flag, subject) => evaluate(flag, subject).enabled,
    evaluate,
    percentOf,
    shares: () => ({
      dedicatedPercent: percentOf('enable_worker_dedicated_processes'),
      canaryPercent: percentOf('enable_worker_canary_release'),
      isServed,
      isPaused: (taskType) => pausedTypes.has(taskType),
    }),
    bucketsOf: (subjectId) => ({
      dedicated: bucketOf('enable_worker_dedicated_processes', subjectId),
      canary: bucketOf('enable_worker_canary_release', subjectId),
    }),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function splitLane(name: string): [taskType: string, lane: string] {
  const at = name.lastIndexOf('.');
  return [name.slice(0, at), name.slice(at + 1)];
}
