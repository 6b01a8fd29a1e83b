/** Schemas of feature flags and queues as administrators see them. */
import { z } from 'zod';

const reason = z.string().trim().min(1, 'must not be empty').max(500, 'must have at most 500 characters');

export const flagInput = z
  .strictObject({
    is_enabled: z
      .union([z.boolean(), z.literal(0), z.literal(1)], 'must be true or false')
      .optional()
      .meta({ description: 'Off at any percentage when false' }),
    rollout_percent: z
      .int('must be a whole number from 0 to 100')
      .min(0, 'must be a whole number from 0 to 100')
      .max(100, 'must be a whole number from 0 to 100')
      .optional(),
    expected_version: z.int().positive().max(Number.MAX_SAFE_INTEGER).optional(),
    reason: reason.default('changed over HTTP'),
  })
  .refine(
    (input) => input.is_enabled !== undefined || input.rollout_percent !== undefined,
    'must have is_enabled or rollout_percent',
  );

const flag = z.object({
  flag_name: z.string(),
  is_enabled: z.boolean(),
  rollout_percent: z.int(),
  version: z.int(),
  description: z.string(),
  updated_by: z.string(),
  updated_at: z.iso.datetime(),
});

export const flagSchema = z.object({ data: flag });
export const flagListSchema = z.object({ data: z.array(flag) });

export const pauseInput = z.strictObject({ reason });
export const pauseSchema = z.object({
  data: z.object({ task_type: z.string(), is_paused: z.boolean(), was_changed: z.boolean() }),
});

export const queuesSchema = z.object({
  data: z.array(
    z.object({
      task_type: z.string(),
      lane: z.string(),
      state: z.string(),
      count: z.int(),
      oldest_seconds: z.int(),
    }),
  ),
  due: z.array(z.object({ task_type: z.string(), subjects: z.int() })),
  paused: z.array(
    z.object({ task_type: z.string(), paused_by: z.string(), reason: z.string(), paused_at: z.iso.datetime() }),
  ),
});
