import { describe, expect, it } from '@jest/globals';
import { judgeGate, quantile, type Observation } from './judge-gate.ts';
import type { Gate } from './plan.ts';

const slow: Gate = {
  ...{ name: 'slow', why: 'fast', metric: 'omnizap_http_request_duration_ms', where: {}, measure: 'p95' },
  ...{
    windowMs: 300_000,
    compare: 'before',
    pass: { value: 750, timesBaseline: 1.1 },
    fail: { value: 750, timesBaseline: 1.5 },
  },
  ...{ minSamples: 100, noData: 'inconclusive', noBaseline: 'pass', failuresToRollBack: 2, isDryRun: false },
};
const depth: Gate = {
  ...{ name: 'depth', why: 'quiet', metric: 'omnizap_queue_depth', where: {}, measure: 'slope', windowMs: 300_000 },
  ...{ pass: { value: 30 }, fail: { value: 120 }, minSamples: 2, noData: 'fail', noBaseline: 'pass' },
  ...{ failuresToRollBack: 2, isDryRun: false },
};
const at = (edge: number, count = 200): Observation => ({
  kind: 'histogram',
  buckets: [
    [edge - 1, 0],
    [edge, count],
    [null, count],
  ],
  ...{ sum: edge * count, count },
});
const judge = (gate: Gate, current: Observation, baseline?: Observation, coveredMs = 300_000) =>
  judgeGate(gate, { current, baseline, coveredMs }, 0).outcome;

describe('a gate', () => {
  it('passes within its limits, fails above them, and is inconclusive in between', () => {
    expect(judge(slow, at(200), at(200))).toBe('pass');
    expect(judge(slow, at(250), at(200))).toBe('inconclusive');
    expect(judge(slow, at(400), at(200))).toBe('fail');
    expect(judge(slow, at(900), at(800))).toBe('fail');
  });

  it('passes what is good anyway, whatever it is compared with', () => {
    const tolerant: Gate = { ...slow, goodUpTo: 50, noBaseline: 'inconclusive' };

    expect(judge(tolerant, at(40), at(4))).toBe('pass');
    expect(judge(tolerant, at(40))).toBe('pass');
    expect(judge(tolerant, at(60), at(4))).toBe('fail');
    expect(judge(tolerant, at(40, 99), at(4))).toBe('inconclusive');
  });

  it('is what it declares when there is too little data', () => {
    expect(judge(slow, at(900, 99), at(200))).toBe('inconclusive');
    expect(judge({ ...slow, noData: 'pass' }, at(900, 99), at(200))).toBe('pass');
    expect(judge(depth, { kind: 'points', points: [] })).toBe('fail');
  });

  it('does not fail for missing data before there could be any', () => {
    expect(judge(depth, { kind: 'points', points: [] }, undefined, 10_000)).toBe('inconclusive');
  });

  it('is an error when the measurement broke, whatever it declares for no data', () => {
    expect(judge({ ...slow, noData: 'pass' }, { kind: 'error', why: 'nobody answered' }, at(200))).toBe('error');
    expect(judge(slow, at(200), { kind: 'error', why: 'nobody answered' })).toBe('error');
  });

  it('leaves the comparison out or not, as declared, when there is nothing to compare with', () => {
    expect(judge(slow, at(200))).toBe('pass');
    expect(judge({ ...slow, noBaseline: 'inconclusive' }, at(200))).toBe('inconclusive');
    expect(judge({ ...slow, noBaseline: 'inconclusive' }, at(900))).toBe('fail');
  });

  it('takes the slope per minute from all points', () => {
    const rising = (perMinute: number): Observation => ({
      kind: 'points',
      points: [120, 60, 0].map((ago) => [ago, 1_000 - (perMinute * ago) / 60]),
    });

    expect(judge(depth, rising(29))).toBe('pass');
    expect(judge(depth, rising(60))).toBe('inconclusive');
    expect(judge(depth, rising(121))).toBe('fail');
  });

  it('interpolates quantiles as Prometheus does', () => {
    const buckets: [number | null, number][] = [
      [100, 50],
      [200, 100],
      [null, 100],
    ];

    expect(quantile({ buckets, count: 100 }, 0.75)).toBe(150);
    expect(
      quantile(
        {
          buckets: [
            [100, 0],
            [null, 10],
          ],
          count: 10,
        },
        0.5,
      ),
    ).toBe(100);
  });
});
