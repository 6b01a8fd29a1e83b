import { describe, expect, it } from '@jest/globals';
import { generatorLimits } from './generator-limits.ts';
import { createLatencyHistogram, type LatencyHistogram } from './latency-histogram.ts';

const open = { kind: 'open', ratePerSecond: 100, arrivals: 'random' } as const;
const thresholds = { sloMs: 750, p99Ms: 1_500, errorRatio: 0.02 };
const all = (ms: number): LatencyHistogram => {
  const histogram = createLatencyHistogram();
  for (let count = 0; count < 100; count += 1) histogram.record(ms);
  return histogram;
};

describe('the limits of the generator', () => {
  it.each([
    ['nobody waited', 100, 90, []],
    ['requests waited, but not too long', 700, 90, []],
    ['the server itself was too slow', 9_000, 1_600, []],
    [
      'requests waited although the server was quick',
      900,
      90,
      [expect.stringMatching(/90 ms .* 900 ms .*--connections/)],
    ],
  ])('are reached when %s or not', (_what, due, sent, limits) => {
    const tally = { byError: { timeout: 3 }, latency: all(due), fromSend: all(sent) };
    expect(generatorLimits(open, tally, thresholds)).toEqual(limits);
  });

  it('are reached by requests that were not sent and by what this machine has no more of, in both models', () => {
    const tally = { byError: { unsent: 2, generator: 4 }, latency: all(1), fromSend: all(1) };
    for (const model of [open, { kind: 'closed', concurrency: 3 } as const])
      expect(generatorLimits(model, tally, thresholds)).toEqual([
        expect.stringContaining('2 requests were not sent'),
        expect.stringContaining('4 requests found no port or file descriptor'),
      ]);
  });
});
