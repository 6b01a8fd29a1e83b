/**
 * W3C Trace Context in text: as it comes with a request, is stored beside an event and travels in a task. What does not follow the
 * standard is nothing at all: a new trace begins then, nobody is told off.
 */
import { createTraceState, type SpanContext } from '@opentelemetry/api';

/** `traceparent` and `tracestate` as headers and rows have them. */
export type TraceContext = { traceparent: string; tracestate?: string | null | undefined };

/** The longest that every implementation has to pass on, and what the columns hold. */
const maxTracestate = 512;

const shape = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const printableAscii = /^[\x20-\x7e]*$/;

/** Null for what is none. Of a version that is not known yet, the part that this one has counts. */
export function parseTraceContext(given: Partial<TraceContext> | null | undefined): SpanContext | null {
  const [, version, traceId = '', spanId = '', flags = '', more] = shape.exec(given?.traceparent ?? '') ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  const tracestate = storable(given?.tracestate);
  return {
    traceId,
    spanId,
    traceFlags: parseInt(flags, 16) & 1,
    isRemote: true,
    ...(tracestate === null ? {} : { traceState: createTraceState(tracestate) }),
  };
}

export function traceContextOf(span: SpanContext): TraceContext & { tracestate: string | null } {
  const flags = span.traceFlags.toString(16).padStart(2, '0');
  return {
    traceparent: `00-${span.traceId}-${span.spanId}-${flags}`,
    tracestate: storable(span.traceState?.serialize()),
  };
}

/** A state that is too long is left out whole: half of somebody's entry means nothing to him. */
function storable(tracestate: string | null | undefined): string | null {
  if (tracestate === null || tracestate === undefined || tracestate === '') return null;
  return tracestate.length <= maxTracestate && printableAscii.test(tracestate) ? tracestate : null;
}
