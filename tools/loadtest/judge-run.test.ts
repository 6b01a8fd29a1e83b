import { describe, expect, it } from '@jest/globals';
import { judgeRun, judgeSaturation, type Judged } from './judge-run.ts';
import type { QueueReport } from './queue-watch.ts';

const open = { kind: 'open', ratePerSecond: 100, arrivals: 'random' } as const;
const closed = { kind: 'closed', concurrency: 10 } as const;
const idle = [{ utilisation: 0.2, loopDelayP99Ms: 3 }];
const none = judgeSaturation(open, { requests: 1_000, late: 0, unsent: 0 }, idle);
const good: Judged = {
  p95Ms: 100,
  p99Ms: 200,
  errorRatio: 0,
  successShare: 1,
  limitedShare: 0,
  achievedShare: 1,
  queue: null,
};
const thresholds = { sloMs: 750, p99Ms: 1_500, errorRatio: 0.02 };
const queue = (values: Partial<QueueReport>): QueueReport => ({
  unknown: null,
  before: {},
  peak: {},
  after: {},
  depth_before: 0,
  depth_peak: 9,
  depth_after: 0,
  recovery_seconds: 4,
  recovery_limit_seconds: 900,
  samples: [],
  ...values,
});

describe('the verdict', () => {
  it('is passed at the limits themselves', () => {
    const at = {
      ...good,
      p95Ms: 750,
      p99Ms: 1_500,
      errorRatio: 0.02,
      successShare: 0.5,
      limitedShare: 0.01,
      achievedShare: 0.95,
      queue: queue({}),
    };
    expect(judgeRun(at, thresholds, none).verdict).toBe('passed');
  });

  it.each<[string, Partial<Judged>, string]>([
    ['slow', { p95Ms: 750.1 }, 'p95_ms'],
    ['slow at the end', { p99Ms: 1_500.1 }, 'p99_ms'],
    ['wrong too often', { errorRatio: 0.0201 }, 'error_rate'],
    ['behind the rate', { achievedShare: 0.94 }, 'achieved_share'],
    ['refusing most', { successShare: 0.49 }, 'success_share'],
    ['not done in time', { queue: queue({ recovery_seconds: null }) }, 'recovery_seconds'],
  ])('is failed when the target is %s', (_what, values, gate) => {
    const { verdict, gates } = judgeRun({ ...good, ...values }, thresholds, none);
    expect(verdict).toBe('failed');
    expect(gates.filter(({ passed }) => !passed).map(({ name }) => name)).toEqual([gate]);
  });

  it('is unreliable when limits of the address took more than a hundredth, and failed when something else is wrong too', () => {
    const limited = { ...good, limitedShare: 0.0101 };
    const { verdict, gates } = judgeRun(limited, thresholds, none);
    expect(verdict).toBe('unreliable');
    expect(gates.filter(({ passed }) => !passed).map(({ name }) => name)).toEqual(['limited_share']);
    expect(judgeRun({ ...limited, p95Ms: 9_000 }, thresholds, none).verdict).toBe('failed');
  });

  it('asks nothing of queues that are not known or not waited for, nor of the rate in a closed loop', () => {
    for (const unknown of [
      queue({ unknown: 'no leader', recovery_seconds: null }),
      queue({ recovery_seconds: null, recovery_limit_seconds: 0 }),
    ])
      expect(judgeRun({ ...good, queue: unknown }, thresholds, none).verdict).toBe('passed');
    expect(judgeRun({ ...good, achievedShare: null }, thresholds, none).gates.map(({ name }) => name)).not.toContain(
      'achieved_share',
    );
  });

  it('is unreliable when the generator could not keep up, whatever the figures say', () => {
    const saturation = judgeSaturation(open, { requests: 1_000, late: 11, unsent: 0 }, idle);
    expect(judgeRun(good, thresholds, saturation).verdict).toBe('unreliable');
    expect(judgeRun({ ...good, p95Ms: 9_000 }, thresholds, saturation).verdict).toBe('unreliable');
  });
});

describe('the generator', () => {
  it('is saturated when it sends late, is always busy, or is held up', () => {
    const of = (late: number, utilisation: number, loopDelayP99Ms: number): boolean =>
      judgeSaturation(open, { requests: 1_000, late, unsent: 0 }, [...idle, { utilisation, loopDelayP99Ms }])
        .is_saturated;
    expect(of(10, 0.95, 100)).toBe(false);
    expect(of(11, 0.1, 1)).toBe(true);
    expect(of(0, 0.96, 1)).toBe(true);
    expect(of(0, 0.1, 101)).toBe(true);
  });

  it('cannot be late in a closed loop', () => {
    expect(judgeSaturation(closed, { requests: 100, late: 50, unsent: 0 }, idle).is_saturated).toBe(false);
  });
});
