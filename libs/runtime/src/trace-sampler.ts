/**
 * Which traces are kept, as OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG say, with differences from the SDK's own: the default
 * keeps a share, and where a parent decides, the creator of a message decides for whoever works it. That one is named by a link, not
 * by a parent; each span of a story deciding for itself would leave no story whole. Where no parent is to decide, that is said of
 * callers: the spans of this process go on following the first one, whose trace is kept or not whatever the caller sent.
 */
import { TraceFlags, isSpanContextValid, trace, type Context, type Link, type SpanContext } from '@opentelemetry/api';

/** Of the requests that come without a trace. Chosen for its cost: runbooks/benchmarks.md. */
export const defaultSampledShare = 0.1;

/** What the SDK calls SamplingDecision. */
const notRecorded = { decision: 0 };
const recorded = { decision: 2 };

type Decision = { decision: number };
export type TraceSampler = {
  shouldSample(
    context: Context,
    traceId: string,
    spanName: string,
    spanKind: number,
    attributes: object,
    links: Link[],
  ): Decision;
  toString(): string;
};

const isSampled = ({ traceFlags }: SpanContext): boolean => (traceFlags & TraceFlags.SAMPLED) !== 0;

/** `warn` is told of values that are not known; they count as unset. */
export function createTraceSampler(environment: NodeJS.ProcessEnv, warn: (text: string) => void): TraceSampler {
  const name = environment.OTEL_TRACES_SAMPLER?.trim() || 'parentbased_traceidratio';
  const [base, isParentBased] = name.startsWith('parentbased_')
    ? [name.slice('parentbased_'.length), true]
    : [name, false];
  if (!['always_on', 'always_off', 'traceidratio'].includes(base)) {
    warn('OTEL_TRACES_SAMPLER has a value that is not known here; parentbased_traceidratio takes its place.');
    return createTraceSampler({ ...environment, OTEL_TRACES_SAMPLER: '' }, warn);
  }
  const share = base === 'always_on' ? 1 : base === 'always_off' ? 0 : shareOf(environment, warn);
  const byTraceId = (traceId: string): Decision => (isWithin(traceId, share) ? recorded : notRecorded);
  const asParent = (parent: SpanContext): Decision => (isSampled(parent) ? recorded : notRecorded);
  // A caller chooses the id of his trace: it must not decide where he is not to decide.
  const byChance = (): Decision => (Math.random() < share ? recorded : notRecorded);
  return {
    shouldSample(context, traceId, _name, _kind, _attributes, links) {
      const parent = trace.getSpanContext(context);
      if (parent !== undefined && isSpanContextValid(parent))
        return isParentBased || parent.isRemote !== true ? asParent(parent) : byChance();
      if (!isParentBased || links.length === 0) return byTraceId(traceId);
      return links.some((link) => isSampled(link.context)) ? recorded : notRecorded;
    },
    toString: () => `${isParentBased ? 'ParentOrLinkBased ' : ''}TraceIdRatio{${share}}`,
  };
}

function shareOf(environment: NodeJS.ProcessEnv, warn: (text: string) => void): number {
  const given = environment.OTEL_TRACES_SAMPLER_ARG?.trim() ?? '';
  // The standard says 1 for a ratio that was asked for without its number.
  const fallback = (environment.OTEL_TRACES_SAMPLER ?? '').trim() === '' ? defaultSampledShare : 1;
  if (given === '') return fallback;
  const share = Number(given);
  if (share >= 0 && share <= 1) return share;
  warn(`OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1; ${fallback} takes its place.`);
  return fallback;
}

/** Trace ids are random in their last seven bytes (W3C Trace Context 2); 52 bits of them are exact in a double. */
const randomBits = 2 ** 52;

function isWithin(traceId: string, share: number): boolean {
  return parseInt(traceId.slice(-13), 16) < share * randomBits;
}
