import { describe, expect, it } from '@jest/globals';
import { parseTraceContext, traceContextOf } from './trace-context.ts';

// The example of the W3C's recommendation.
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const traceparent = `00-${traceId}-${spanId}-01`;

describe('a trace’s context', () => {
  it('is written as it was read', () => {
    const context = parseTraceContext({ traceparent, tracestate: 'congo=t61rcWkgMzE,rojo=00f067aa0ba902b7' });

    expect(context).toMatchObject({ traceId, spanId, traceFlags: 1, isRemote: true });
    expect(context && traceContextOf(context)).toEqual({
      traceparent,
      tracestate: 'congo=t61rcWkgMzE,rojo=00f067aa0ba902b7',
    });
  });

  it('keeps of its flags the one that has a meaning here, and of a later version what is known of it', () => {
    expect(parseTraceContext({ traceparent: `00-${traceId}-${spanId}-ff` })?.traceFlags).toBe(1);
    expect(parseTraceContext({ traceparent: `00-${traceId}-${spanId}-fe` })?.traceFlags).toBe(0);
    expect(parseTraceContext({ traceparent: `cc-${traceId}-${spanId}-01-what-else` })).toMatchObject({ traceId });
  });

  it.each([
    '',
    'garbage',
    ` ${traceparent}`,
    `${traceparent}\n`,
    `${traceparent}, ${traceparent}`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `ff-${traceId}-${spanId}-01`,
    `00-${traceId}-${spanId}-01-more`,
    `00-${traceId}-${spanId}-1`,
    `00-${traceId}${'a'.repeat(10_000)}-${spanId}-01`,
  ])('is none in %j', (given) => {
    expect(parseTraceContext({ traceparent: given })).toBeNull();
  });

  it.each(['a='.padEnd(513, 'x'), 'a=\u0007', 'a=\u00e9'])(
    'goes without a state that the column cannot hold: %j',
    (tracestate) => {
      expect(parseTraceContext({ traceparent, tracestate })).not.toHaveProperty('traceState');
    },
  );
});
