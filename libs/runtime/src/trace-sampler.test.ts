import { describe, expect, it } from '@jest/globals';
import { ROOT_CONTEXT, trace, type SpanContext } from '@opentelemetry/api';
import { randomBytes } from 'node:crypto';
import { createTraceSampler, defaultSampledShare } from './trace-sampler.ts';

const newTraceId = (): string => randomBytes(16).toString('hex');
const contextOf = (traceFlags: number): SpanContext => ({
  traceId: newTraceId(),
  spanId: randomBytes(8).toString('hex'),
  traceFlags,
});
const callerOf = (traceFlags: number): SpanContext => ({ ...contextOf(traceFlags), isRemote: true });

type Asked = { parent?: SpanContext; links?: SpanContext[]; traceId?: string };

function samplerOf(environment: NodeJS.ProcessEnv) {
  const warnings: string[] = [];
  const sampler = createTraceSampler(environment, (text) => warnings.push(text));
  const isKept = ({ parent, links = [], traceId = newTraceId() }: Asked = {}): boolean => {
    const context = parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
    const linked = links.map((one) => ({ context: one }));
    // 0 and 2 are the SDK's NOT_RECORD and RECORD_AND_SAMPLED.
    const { decision } = sampler.shouldSample(context, traceId, 'a', 0, {}, linked);
    expect([0, 2]).toContain(decision);
    return decision === 2;
  };
  const shareOf = (count: number, asked: () => Asked): number =>
    Array.from({ length: count }, () => isKept(asked())).filter(Boolean).length / count;
  return { isKept, shareOf, warnings };
}

describe('the traces that are kept', () => {
  it('are a tenth of those that begin here, unless the environment says otherwise', () => {
    const { shareOf } = samplerOf({});

    expect(shareOf(20_000, () => ({}))).toBeCloseTo(defaultSampledShare, 1);
    expect(samplerOf({ OTEL_TRACES_SAMPLER: 'parentbased_always_on' }).shareOf(1_000, () => ({}))).toBe(1);
    expect(samplerOf({ OTEL_TRACES_SAMPLER: 'always_off' }).shareOf(1_000, () => ({}))).toBe(0);
  });

  it('are decided by the caller, and where there is none by whoever created what is worked', () => {
    const { isKept } = samplerOf({ OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.5' });
    const [kept, left] = [contextOf(1), contextOf(0)];
    // The first and the last trace of all that the share is taken from.
    const [low, high] = ['0'.repeat(31) + '1', 'f'.repeat(32)];

    expect([isKept({ traceId: low }), isKept({ traceId: high })]).toEqual([true, false]);
    expect([isKept({ parent: kept, traceId: high }), isKept({ parent: left, traceId: low })]).toEqual([true, false]);
    expect([isKept({ links: [kept], traceId: high }), isKept({ links: [left], traceId: low })]).toEqual([true, false]);
    expect(isKept({ links: [left, kept], traceId: high })).toBe(true);
    expect(isKept({ parent: left, links: [kept] })).toBe(false);
  });

  it('are a share of everything where nobody is to be believed', () => {
    const { shareOf } = samplerOf({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' });

    expect(shareOf(20_000, () => ({ parent: callerOf(1) }))).toBeCloseTo(0.25, 1);
    expect(samplerOf({ OTEL_TRACES_SAMPLER: 'always_off' }).isKept({ parent: callerOf(1) })).toBe(false);
    expect(samplerOf({ OTEL_TRACES_SAMPLER: 'always_on' }).isKept({ parent: callerOf(0) })).toBe(true);
  });

  it.each(['0'.repeat(31) + '1', 'f'.repeat(32)])('are a share there whatever id a caller chooses: %s', (traceId) => {
    const { shareOf } = samplerOf({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' });

    expect(shareOf(20_000, () => ({ traceId, parent: { ...callerOf(1), traceId } }))).toBeCloseTo(0.25, 1);
  });

  it('are kept or left whole there, each span as the first one of its process', () => {
    const { isKept } = samplerOf({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.5' });
    const [kept, left] = [contextOf(1), contextOf(0)];

    for (const traceId of ['0'.repeat(31) + '1', 'f'.repeat(32)])
      expect([isKept({ parent: kept, traceId }), isKept({ parent: left, traceId })]).toEqual([true, false]);
  });

  it.each([
    { OTEL_TRACES_SAMPLER: 'jaeger_remote' },
    { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: 'half' },
    { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '1.5' },
  ])('are chosen all the same by values that are no values, which are told of: %j', (environment) => {
    const { warnings } = samplerOf(environment);

    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^OTEL_TRACES_SAMPLER/);
    for (const value of ['jaeger_remote', 'half']) expect(warnings[0]).not.toContain(value);
  });
});
