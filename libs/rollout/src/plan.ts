/** A rollout as data: which flag goes to which percentages, how long each is watched, and by which gates. */

export type Matchers = Record<string, string[]>;

/** What of the metric is judged; all are "the lower the better". */
export const measures = [
  'p50',
  'p95',
  'p99',
  'mean',
  'ratio',
  'increase',
  'slope',
  'value',
  'min',
  'max',
  'age',
] as const;
export type Measure = (typeof measures)[number];

/** No data, and what it means. */
export const outcomes = ['pass', 'fail', 'inconclusive', 'error'] as const;
export type Outcome = (typeof outcomes)[number];

/** Limits that a value may not exceed; of several the strictest counts. */
export type Limits = {
  /** In the metric's unit; `slope` is per minute. */
  value?: number | undefined;
  /** Times what it is compared with. */
  timesBaseline?: number | undefined;
  /** More than what it is compared with. */
  aboveBaseline?: number | undefined;
};

export type Gate = {
  name: string;
  why: string;
  metric: string;
  where: Matchers;
  measure: Measure;
  /** `ratio` only: which of `where` are counted. */
  of?: Matchers | undefined;
  windowMs: number;
  /** `before`: the same before the first raise of the flag; matchers: the same of others, now (the rest beside the canary). */
  compare?: 'before' | Matchers | undefined;
  /** Values up to this pass, whatever they are compared with: 3 ms after 2 ms are no finding. */
  goodUpTo?: number | undefined;
  /** Nothing above these: pass. */
  pass: Limits;
  /** Anything above these: fail. In between: inconclusive. */
  fail: Limits;
  /** Fewer requests, tasks or samples than this are no data. */
  minSamples: number;
  noData: Outcome;
  /** What it is compared with has no data: the comparison is left out (`pass`), or the gate's outcome is this. */
  noBaseline: Outcome;
  /** How many failed samples without a passed one in between it takes. */
  failuresToRollBack: 1 | 2;
  /** Judged and reported, without a vote. */
  isDryRun: boolean;
};

/** A live process that has to be there before a percentage is raised. */
export type Requirement = { process: string; release: 'stable' | 'canary' };

export type Stage = { percent: number; bakeMs: number };

/** One flag's way up. */
export type Part = { name: string; flag: string; requires: Requirement[]; gates: Gate[]; stages: Stage[] };

export type Plan = {
  name: string;
  description: string;
  /** Samples in a row that every gate has to pass at the end of a bake. */
  passes: number;
  /** A hold by gates that lasts longer is rolled back: a canary that nobody can judge must not stay for the weekend. */
  giveUpAfterMs: number;
  parts: Part[];
};

/** The runbook's order of rolling back. */
export const rollbackOrder = [
  'enable_object_storage_delivery',
  'enable_worker_canary_release',
  'enable_worker_dedicated_processes',
  'enable_domain_event_outbox',
  'enable_ranking_snapshot_read',
] as const;
export type RolloutFlag = (typeof rollbackOrder)[number];

export type Step = { part: Part; percent: number; bakeMs: number };

/** Every stage of every part, in order. */
export function stepsOf(plan: Plan): Step[] {
  return plan.parts.flatMap((part) => part.stages.map((stage) => ({ part, ...stage })));
}
