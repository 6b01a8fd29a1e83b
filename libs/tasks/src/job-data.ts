/** What a job row says: the hint, and what happened to it so far. pg-boss never touches `data`; its `output` it overwrites. */
import type { TraceContext } from '@omnizap/runtime';
import { z } from 'zod';
import type { TaskHint } from './task-types.ts';

const hintData = z.object({
  subject_id: z.string(),
  event_id: z.number().optional(),
  request_id: z.string().optional(),
  announced_at_ms: z.number().optional(),
  /** W3C Trace Context of the event, as its row has it. */
  traceparent: z.string().optional(),
  tracestate: z.string().optional(),
});

export const jobData = hintData.extend({
  /** Claims that ended without counting as an attempt. */
  uncounted: z.number().default(0),
  /** Of these, those that the handler asked for. */
  postponed: z.number().default(0),
  /** Deaths of its process while it ran there alone. */
  crashes: z.number().default(0),
  /** Was in hand, among others, when their process died. */
  suspect: z.boolean().default(false),
  /** Its group's rate has room reserved for it. */
  reserved: z.boolean().default(false),
  first_failed_at_ms: z.number().optional(),
  /** 1 to 100: which lane the subject belongs to, at whatever percentages. */
  dedicated_bucket: z.number().optional(),
  canary_bucket: z.number().optional(),
});

export type HintData = z.infer<typeof hintData>;
export type JobData = z.infer<typeof jobData>;

export function dataOfHint(hint: TaskHint): HintData {
  return {
    subject_id: hint.subjectId,
    ...(hint.eventId === undefined ? {} : { event_id: hint.eventId }),
    ...(hint.requestId === undefined ? {} : { request_id: hint.requestId }),
    ...(hint.announcedAtMs === undefined ? {} : { announced_at_ms: hint.announcedAtMs }),
    ...(hint.trace ? traceOf(hint.trace) : {}),
  };
}

function traceOf({ traceparent, tracestate }: TraceContext): Pick<HintData, 'traceparent' | 'tracestate'> {
  return { traceparent, ...(tracestate ? { tracestate } : {}) };
}

/** The hint again, without what happened to it. */
export function payloadOf(data: JobData): HintData {
  return hintData.parse(data);
}
