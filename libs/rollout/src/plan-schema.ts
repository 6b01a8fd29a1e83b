/** Shape of the files in deploy/rollout. Every key is known, so that a misspelt one is an error and not a gate that never closes. */
import { processNames } from '@omnizap/runtime';
import { z } from 'zod';
import { knownMetrics } from './known-metrics.ts';
import { measures, outcomes, rollbackOrder } from './plan.ts';

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** An object that names the keys it knows when it meets another. */
function known<S extends z.core.$ZodLooseShape>(shape: S) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `${issue.keys.join(', ')}: not known here; known: ${Object.keys(shape).join(', ')}`
        : undefined,
  });
}

const oneOf = <const T extends readonly string[]>(values: T) => z.enum(values, `must be one of ${values.join(', ')}`);

const duration = (longestMs: number) =>
  z
    .string('must be a duration such as 30s, 10m or 1h')
    .regex(/^\d{1,4}[smh]$/, 'must be a duration such as 30s, 10m or 1h')
    .transform((text) => Number(text.slice(0, -1)) * unitMs[text.slice(-1) as keyof typeof unitMs])
    .refine((value) => value <= longestMs, `must be at most ${longestMs / 60_000} minutes`);

/** Samples are kept for this long. */
export const longestWindowMs = 15 * 60_000;

const name = z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/, 'must be a name of lower-case letters, digits, - and _');
const text = z.string().trim().min(1).max(500);
const labelValue = z.string().min(1).max(100);
const matchers = z.record(z.string(), z.union([labelValue.transform((value) => [value]), z.array(labelValue).min(1)]));

const limit = z.number('must be a number').min(0);
const passLimits = known({
  at_most: z.number().optional(),
  at_most_times: limit.optional(),
  at_most_plus: limit.optional(),
});
const failLimits = known({ above: z.number().optional(), above_times: limit.optional(), above_plus: limit.optional() });

const gateShape = {
  why: text,
  metric: oneOf(Object.keys(knownMetrics) as [string, ...string[]]),
  where: matchers.default({}),
  measure: oneOf(measures),
  of: matchers.optional(),
  window: duration(longestWindowMs),
  compare: z
    .union([z.literal('before'), known({ with: matchers })], 'must be "before" or { with: <labels> }')
    .optional(),
  good_up_to: limit.optional(),
  pass: passLimits,
  fail: failLimits,
  min_samples: z.int().min(1),
  no_data: oneOf(outcomes),
  no_baseline: oneOf(outcomes).optional(),
  rollback_at: oneOf(['first-failure', 'second-failure']),
  dry_run: z.boolean().default(false),
};

export const gateFile = known({ gates: z.record(name, known(gateShape)) });
export type GateFile = z.output<typeof gateFile>;
export type GateEntry = GateFile['gates'][string];

/** A plan may tune what depends on its traffic. */
const gateUse = z.union(
  [
    name,
    known({
      gate: name,
      window: duration(longestWindowMs).optional(),
      min_samples: z.int().min(1).optional(),
      dry_run: z.boolean().optional(),
    }),
  ],
  'must be the name of a gate, or { gate, window, min_samples, dry_run }',
);

const stage = known({ percent: z.int().min(1).max(100), bake: duration(24 * 60 * 60_000) });

const requirement = known({
  process: oneOf(processNames),
  release: oneOf(['stable', 'canary']).default('stable'),
});

const head = {
  plan: name,
  description: text,
  passes: z.int().min(1).max(1_000).default(5),
  give_up_after: duration(24 * 60 * 60_000).default(60 * 60_000),
};

export const flagPlanFile = known({
  ...head,
  flag: oneOf(rollbackOrder),
  requires: z.array(requirement).default([]),
  gates: z.array(gateUse).min(1, 'must name at least one gate: a rollout without gates is a switch'),
  stages: z.array(stage).min(1),
});
export type FlagPlanFile = z.output<typeof flagPlanFile>;

/** A plan that walks others, one after the other. */
export const walkPlanFile = known({ ...head, walks: z.array(name).min(1) });
