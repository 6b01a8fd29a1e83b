/** Schemas of dead letters, in and out. */
import { z } from 'zod';
import { deadLetterLimits } from '@omnizap/catalog';
import { deadLetterSources, type DeadLetterFilter } from '@omnizap/outbox';
import { line } from './schemas.ts';
import { wholeNumber } from './whole-number.ts';

const instantIn = z.iso
  .datetime({ offset: true, error: 'must be an instant such as 2026-01-31T13:45:00Z' })
  .refine((value) => value >= '2000', 'must not be before the year 2000')
  .transform((value) => new Date(value));

const source = z.enum(deadLetterSources).describe('outbox: events; tasks: tasks');
const reason = line(deadLetterLimits.reasonLength).describe('Why; kept in the history and the audit log');

const filterFields = {
  type: z
    .string()
    .regex(/^\w{1,96}$/, 'must be the name of an event or task type')
    .optional()
    .describe('Event type or task type'),
  subject_id: z
    .string()
    .regex(/^[\x21-\x7e]{1,128}$/, 'must be 1 to 128 printable ASCII characters')
    .optional()
    .describe('Aggregate of the event or subject of the task'),
  error_contains: line(200).optional().describe('Part of the last error’s text, as it is written'),
  failed_after: instantIn.optional().describe('RFC 3339, inclusive'),
  failed_before: instantIn.optional().describe('RFC 3339, exclusive'),
};

export const deadLettersQuery = z.strictObject({
  source,
  ...filterFields,
  limit: wholeNumber(1, deadLetterLimits.page, 50, 'Dead letters per page'),
  cursor: z.string().min(1).max(200).optional().describe('next_cursor of the page before'),
});
export const deadLetterGroupsQuery = z.strictObject({ source, ...filterFields });
export const deadLetterQuery = z.strictObject({ source });
export const redriveQuery = z.strictObject({ source, reason: reason.optional() });
/** In the query: many clients and proxies drop the body of a DELETE. */
export const discardQuery = z.strictObject({ source, reason });

export const bulkRedriveInput = z.strictObject({
  source,
  filter: z.strictObject(filterFields).describe('{} matches every dead letter of the source'),
  preview: z.boolean().default(false).describe('true: says what would happen and changes nothing'),
  rate_per_second: z
    .number()
    .min(0.01, 'must be at least 0.01')
    .max(deadLetterLimits.ratePerSecond, `must be at most ${deadLetterLimits.ratePerSecond}`)
    .optional()
    .describe('Absent: all at once'),
  limit: z
    .int()
    .min(1, 'must be at least 1')
    .max(deadLetterLimits.bulk, `must be at most ${deadLetterLimits.bulk}`)
    .default(deadLetterLimits.bulk),
  reason: reason.optional(),
});

export function filterOf(input: z.output<z.ZodObject<typeof filterFields>>): DeadLetterFilter {
  return {
    type: input.type,
    subjectId: input.subject_id,
    errorContains: input.error_contains,
    failedAfter: input.failed_after,
    failedBefore: input.failed_before,
  };
}

const instant = z.string().describe('RFC 3339, UTC');
const deadLetter = z.object({
  id: z.int(),
  source,
  type: z.string(),
  subject_id: z.string(),
  event_id: z.int().nullable().describe('The event, or the one that led to the task'),
  task_id: z.string().optional().describe('tasks only'),
  version: z.int().nullable().optional().describe('tasks only: the wanted version that failed, where it is known'),
  aggregate_type: z.string().optional().describe('outbox only'),
  max_attempts: z.int().nullable().optional().describe('outbox only'),
  priority: z.int().nullable().optional().describe('outbox only'),
  created_at: instant.optional().describe('outbox only'),
  attempts: z.int(),
  request_id: z.string().nullable(),
  traceparent: z.string().nullable(),
  tracestate: z.string().nullable(),
  first_failed_at: instant,
  failed_at: instant,
  error: z.string().describe('First line of the last error'),
});
const errorGroup = z.object({
  type: z.string(),
  error: z.string().describe('First line, with … for ids and numbers'),
  count: z.int(),
  first_failed_at: instant,
  last_failed_at: instant,
  contains: z.string().describe('What to give as error_contains to get these'),
});

export const deadLetterListSchema = z.object({
  data: z.array(deadLetter),
  pagination: z.object({ limit: z.int(), next_cursor: z.string().nullable(), has_more: z.boolean() }),
});
export const deadLetterGroupsSchema = z.object({
  data: z.array(errorGroup),
  meta: z.object({ total: z.int(), examined: z.int().describe('Of very many, the newest were looked at') }),
});
export const deadLetterDetailSchema = z.object({
  data: deadLetter.extend({
    last_error: z.string(),
    payload: z.unknown(),
    history: z
      .array(
        z.object({
          settlement: z.enum(['redriven', 'discarded']),
          reason: z.string().nullable(),
          settled_by: z.string(),
          settled_at: instant,
          attempts: z.int(),
          failed_at: instant,
          error: z.string(),
        }),
      )
      .describe('Earlier dead letters of the same event or subject, the newest first'),
  }),
});
export const redrivenSchema = z.object({
  data: z.object({ id: z.int(), source, type: z.string(), subject_id: z.string(), settlement: z.literal('redriven') }),
});
export const bulkRedriveSchema = z.object({
  data: z.object({
    source,
    preview: z.boolean(),
    matched: z.int(),
    redriven: z.int().describe('In a preview: that would be'),
    left: z.int().describe('That match and are still there: call again for them'),
    until: instant.nullable().describe('When the last one has its turn; null: at once'),
    groups: z.array(errorGroup).optional().describe('preview only'),
    first_ids: z.array(z.int()).optional().describe('preview only'),
  }),
});
