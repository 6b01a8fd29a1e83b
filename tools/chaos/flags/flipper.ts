/** Changes flags the ways in which operators do, and remembers each change. */
import { connectDatabase, createLogger, createWakeups } from '@omnizap/runtime';
import { createFlagStore, flagsTopic } from '@omnizap/rollout';
import type { Random } from '../random.ts';
import type { Sql } from '../sql.ts';
import { effective, firstStates, flagNames } from './flip.ts';
import type { FlagName, FlagState, Flip } from './flip.ts';

/** The runbook's emergency disable. */
const emergencyFlags: FlagName[] = [
  'enable_object_storage_delivery',
  'enable_worker_dedicated_processes',
  'enable_domain_event_outbox',
];
const emergencyShare = 0.12;
const storeShare = 0.4;
const offShare = 0.25;
const fullShare = 0.2;

/** Of the dedicated workers at least half: the inline poller alone would need minutes for what a run has left. */
const endPercents: Record<FlagName, { low: number; high: number }> = {
  enable_ranking_snapshot_read: { low: 0, high: 100 },
  enable_domain_event_outbox: { low: 20, high: 80 },
  enable_worker_dedicated_processes: { low: 50, high: 90 },
  enable_worker_canary_release: { low: 10, high: 60 },
  enable_object_storage_delivery: { low: 0, high: 100 },
};

export type Flipper = {
  flips: Flip[];
  /** One drawn change. Rejects when it could not be made, or nobody knows whether it was. */
  flip: (random: Random) => Promise<Flip>;
  /** One that a fault needs. */
  set: (flag: FlagName, state: FlagState) => Promise<Flip>;
  /** A drawn end state, in which much but not all of everything is on. */
  settle: (random: Random) => Promise<void>;
  close: () => Promise<void>;
};

type FlipperOptions = {
  catalogue: Sql;
  catalogueUrl: string;
  queueUrl: string;
  onFlip: (flip: Flip) => void;
  /** Of flags that the run begins with otherwise. */
  startStates?: Partial<Record<FlagName, FlagState>> | undefined;
  note: (entry: object) => void;
};

export function createFlipper(options: FlipperOptions): Flipper {
  const { catalogue, note } = options;
  const flips: Flip[] = [];
  const states = new Map<FlagName, FlagState>(
    flagNames.map((name) => [name, options.startStates?.[name] ?? firstStates[name]]),
  );
  const database = connectDatabase(options.catalogueUrl, { poolMax: 1, applicationName: 'omnizap chaos' });
  const log = createLogger({ level: 'silent', format: 'json', process: 'chaos' });
  const wakeups = createWakeups({ queueUrl: options.queueUrl, log });
  const store = createFlagStore(database);
  let started: Promise<void> | undefined;

  async function typed(flags: FlagName[], { isEnabled, percent }: FlagState): Promise<void> {
    // Word for word the runbook's statements.
    const which =
      flags.length === 1
        ? `flag_name = '${flags[0] ?? ''}'`
        : `flag_name IN (${flags.map((name) => `'${name}'`).join(', ')})`;
    await catalogue.query(
      `UPDATE feature_flag SET is_enabled = ${isEnabled ? 1 : 0}, rollout_percent = ${percent}, updated_by = 'ops' WHERE ${which};`,
    );
  }

  /** An operator's second look: what was typed meanwhile, or not noticed yet, refuses the version. */
  async function byStore(flag: FlagName, { isEnabled, percent }: FlagState): Promise<void> {
    const change = { flagName: flag, isEnabled, rolloutPercent: percent };
    const by = { actor: 'chaos', reason: 'flag-flip' };
    const row = (await store.list()).find(({ flagName }) => flagName === flag);
    try {
      await store.set([{ ...change, expectedVersion: row?.version }], by);
    } catch (error) {
      if ((error as { code?: string }).code !== 'version-conflict') throw error;
      note({ conflict: flag, version: row?.version });
      await store.set([change], by);
    }
    await (started ??= wakeups.start());
    wakeups.notify(flagsTopic);
  }

  /** One after the other: of two at once nobody could say which came last. */
  let last: Promise<unknown> = Promise.resolve();
  function change(flags: FlagName[], state: FlagState, how: Flip['how']): Promise<Flip> {
    const changed = last.then(() => changeNow(flags, state, how));
    last = changed.catch(() => undefined);
    return changed;
  }

  async function changeNow(flags: FlagName[], state: FlagState, how: Flip['how']): Promise<Flip> {
    const flip: Flip = { flags, state, how, askedAt: Date.now(), answeredAt: Infinity, isCertain: false };
    flips.push(flip);
    const [first] = flags;
    try {
      await (how === 'store' && first ? byStore(first, state) : typed(flags, state));
      Object.assign(flip, { answeredAt: Date.now(), isCertain: true });
      for (const flag of flags) states.set(flag, state);
      options.onFlip(flip);
    } finally {
      note({
        flipped: flags,
        is_enabled: state.isEnabled,
        rollout_percent: state.percent,
        how,
        took_ms: Date.now() - flip.askedAt,
        is_certain: flip.isCertain,
      });
    }
    return flip;
  }

  function drawState(random: Random): FlagState {
    const percent = random.chance(fullShare) ? 100 : random.between(0, 100);
    return { isEnabled: !random.chance(offShare), percent };
  }

  return {
    flips,
    async flip(random) {
      const isAnythingOn = emergencyFlags.some((flag) => effective(states.get(flag) ?? firstStates[flag]) > 0);
      if (random.chance(emergencyShare) && isAnythingOn)
        return await change(emergencyFlags, { isEnabled: false, percent: 0 }, 'emergency');
      const flag = random.pick(flagNames);
      const how = random.chance(storeShare) ? 'store' : 'sql';
      let state = drawState(random);
      // One that changes nothing is no flip.
      while (effective(state) === effective(states.get(flag) ?? state)) state = drawState(random);
      return await change([flag], state, how);
    },
    set: (flag, state) => change([flag], state, 'sql'),
    async settle(random) {
      for (const flag of flagNames) {
        const percent = random.between(endPercents[flag].low, endPercents[flag].high);
        await change([flag], { isEnabled: true, percent }, 'end');
      }
    },
    async close() {
      await wakeups.stop();
      await database.close();
    },
  };
}
