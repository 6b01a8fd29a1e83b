/** What a rollout run is between two decisions: everything that deciding needs, and nothing that it does not. Kept as JSON. */

export type FlagValue = { isEnabled: boolean; rolloutPercent: number; version: number };

/**
 * raising: the intent to raise is written down, the flag may or may not have its new value yet. watching: the flag is up, gates are
 * sampled. held: as watching, but nothing is raised until what holds it is gone. rolling-back: the intent to lower is written down.
 */
export type StateName = 'raising' | 'watching' | 'held' | 'rolling-back' | 'succeeded' | 'rolled-back' | 'aborted';

export type Hold = {
  /** `gates` and `requirements` end by themselves; `freeze` with the freeze; `operator` and `step` when somebody says so. */
  by: 'gates' | 'requirements' | 'freeze' | 'operator' | 'step';
  since: number;
  reason: string;
};

export type RunState = {
  runId: number;
  state: StateName;
  /** `step`: each percentage is raised by an operator's promote. */
  mode: 'auto' | 'step';
  /** Index of the step whose percentage the flag has; -1: as it was before the run. */
  step: number;
  /** Index of the step that is being raised. */
  target: number | null;
  intendedAt: number | null;
  /** The run's flags as it last saw or set them. Anything else is somebody else's change. */
  flags: Record<string, FlagValue>;
  /** Flags that this run raised, in the order in which it did. */
  raised: string[];
  /** Milliseconds since the epoch. */
  raisedAt: number | null;
  /** Samples in a row in which every gate passed. */
  passes: number;
  /** By gate: failed samples since it last passed. */
  failures: Record<string, number>;
  hold: Hold | null;
  rollback: { flags: string[]; reason: string } | null;
  reason: string;
};

/** Everybody who looks at `updated_by` sees which run it was. */
export function actorOf(runId: number): string {
  return `rollout:${runId}`;
}

export function isFinal(state: StateName): boolean {
  return state === 'succeeded' || state === 'rolled-back' || state === 'aborted';
}
