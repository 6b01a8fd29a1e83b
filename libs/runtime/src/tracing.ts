/**
 * Spans of our own, on the OpenTelemetry API. Without an SDK (start-tracing.ts) nothing here does anything: `openSpan` gives the one
 * span that is none, no context is kept, and rows and tasks are written without one.
 */
import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  context,
  isSpanContextValid,
  trace,
  type Attributes,
  type Context,
  type Link,
  type Span,
} from '@opentelemetry/api';
import { isAppError } from './errors.ts';
import { parseTraceContext, traceContextOf, type TraceContext } from './trace-context.ts';

const kinds = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

export type SpanOptions = {
  /** Of few values: `GET /stickers/:packKey`, never with an id in it. */
  name: string;
  kind: keyof typeof kinds;
  attributes?: Attributes;
  /** Default: what is active. `none`: a trace of its own. A context: what called from outside; no valid one is `none`. */
  parent?: 'active' | 'none' | Partial<TraceContext>;
  /** Where the messages that are worked here were created. What is no context is left out. */
  links?: (Partial<TraceContext> | null | undefined)[];
};

export type OpenSpan = {
  /** False when nobody will see it: what it would be told need not be found out. */
  isKept: boolean;
  /** Calls `work` with the span active, in all that it awaits as well. */
  run<T>(work: () => T): T;
  rename(name: string): void;
  set(attributes: Attributes): void;
  /** Of few values as well. */
  fail(errorType: string): void;
  end(): void;
  /** As rows and tasks have it; null when nothing is traced. */
  context(): ReturnType<typeof traceContextOf> | null;
};

const nothing = (): void => undefined;
const noSpan: OpenSpan = {
  isKept: false,
  run: (work) => work(),
  rename: nothing,
  set: nothing,
  fail: nothing,
  end: nothing,
  context: () => null,
};

let isStarted = false;

/** Called by whoever has registered an SDK, and when it is shut down. */
export function setTracing(isOn: boolean): void {
  isStarted = isOn;
}

/** False as long as there is no SDK: what would only serve a span need not be done. */
export function isTracing(): boolean {
  return isStarted;
}

/** Somebody has to call `end`. */
export function openSpan({ name, kind, attributes = {}, parent = 'active', links = [] }: SpanOptions): OpenSpan {
  if (!isStarted) return noSpan;
  const within = contextOf(parent);
  const span = trace.getTracer('omnizap').startSpan(
    name,
    {
      kind: kinds[kind],
      attributes,
      links: linksTo(links),
    },
    within,
  );
  return wrap(span, trace.setSpan(within, span));
}

/** The span ends with `work`; what that rejects with is named in it. */
export async function inSpan<T>(options: SpanOptions, work: (span: OpenSpan) => Promise<T>): Promise<T> {
  if (!isStarted) return work(noSpan);
  const span = openSpan(options);
  try {
    return await span.run(() => work(span));
  } catch (error) {
    span.fail(errorTypeOf(error));
    throw error;
  } finally {
    span.end();
  }
}

/** Of the active span, for logs and problem documents; undefined when there is none. */
export function activeTrace(): { trace_id: string; span_id: string } | undefined {
  if (!isStarted) return undefined;
  const active = trace.getSpanContext(context.active());
  return active && isSpanContextValid(active) ? { trace_id: active.traceId, span_id: active.spanId } : undefined;
}

/** Few values: the code of ours, of the database or of the system, else the class. Never the message. */
export function errorTypeOf(error: unknown): string {
  if (isAppError(error)) return error.code;
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  if (typeof code === 'string' && code !== '') return code.slice(0, 64);
  return typeof name === 'string' && name !== '' ? name.slice(0, 64) : '_OTHER';
}

/** Those that every span about messages has; events and tasks travel one way, which ends in the queues. */
export function messagingAttributes(operation: 'send' | 'process', destination: string): Attributes {
  return {
    'messaging.system': 'pg-boss',
    'messaging.operation.name': operation,
    'messaging.operation.type': operation,
    'messaging.destination.name': destination,
  };
}

function contextOf(parent: NonNullable<SpanOptions['parent']>): Context {
  if (parent === 'active') return context.active();
  const remote = parent === 'none' ? null : parseTraceContext(parent);
  return remote === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, remote);
}

/** Each once, those that are kept first: of more than the SDK's limit the last are left out. */
function linksTo(given: NonNullable<SpanOptions['links']>): Link[] {
  const contexts = new Map(
    given.flatMap((one) => {
      const linked = parseTraceContext(one);
      return linked === null ? [] : [[`${linked.traceId}:${linked.spanId}`, { context: linked }] as const];
    }),
  );
  return [...contexts.values()].sort((a, b) => b.context.traceFlags - a.context.traceFlags);
}

function wrap(span: Span, within: Context): OpenSpan {
  return {
    isKept: span.isRecording(),
    run: (work) => context.with(within, work),
    rename: (name) => void span.updateName(name),
    set: (attributes) => void span.setAttributes(attributes),
    fail(errorType) {
      span.setAttribute('error.type', errorType);
      span.setStatus({ code: SpanStatusCode.ERROR });
    },
    end: () => span.end(),
    context: () => (isSpanContextValid(span.spanContext()) ? traceContextOf(span.spanContext()) : null),
  };
}
