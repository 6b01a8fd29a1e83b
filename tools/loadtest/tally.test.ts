import { describe, expect, it } from '@jest/globals';
import { addToTally, createTally, encodeTally, mergeTallies, mostSamples, type Outcome } from './tally.ts';

const answered = (status: number): Outcome => ({ kind: 'answered', status });
const failed = (error: string): Outcome => ({ kind: 'failed', error, message: `it was ${error}` });

function tallyOf(outcomes: Outcome[]) {
  const tally = createTally(2, 3);
  for (const [index, outcome] of outcomes.entries())
    addToTally(
      tally,
      {
        group: index % 2,
        path: `/${index}`,
        slice: 1,
        latencyMs: 10 + index,
        fromSendMs: outcome.kind === 'failed' ? null : 5,
        isLate: index === 0,
        at: new Date(index),
      },
      outcome,
    );
  return tally;
}

describe('what is counted', () => {
  it('keeps answers, refusals and errors apart, and timeouts count with their time', () => {
    const tally = tallyOf([
      answered(200),
      answered(304),
      answered(429),
      answered(404),
      answered(503),
      failed('timeout'),
    ]);
    expect(tally).toMatchObject({
      requests: 6,
      success: 2,
      refused: 2,
      errors: 2,
      byStatus: { 200: 1, 304: 1, 429: 1, 404: 1, 503: 1, timeout: 1 },
      byError: { 503: 1, timeout: 1 },
      late: 1,
      unsent: 1,
    });
    expect(tally.latency.count()).toBe(6);
    expect(tally.latency.percentiles().max).toBeCloseTo(15, 1);
    expect(tally.groups.map(({ requests, errors }) => ({ requests, errors }))).toEqual([
      { requests: 3, errors: 1 },
      { requests: 3, errors: 1 },
    ]);
    expect(tally.slices.map(({ due }) => due)).toEqual([0, 6, 0]);
  });

  it('by several workers adds up, and keeps the first errors', () => {
    const one = encodeTally(tallyOf(Array.from({ length: 20 }, () => failed('reset'))));
    const other = encodeTally(tallyOf([answered(200), failed('timeout')]));
    const sum = mergeTallies([one, other], 2, 3);
    expect(sum).toMatchObject({ requests: 22, success: 1, errors: 21, byError: { reset: 20, timeout: 1 }, late: 2 });
    expect(sum.latency.count()).toBe(22);
    expect(sum.groups[0]?.latency.count()).toBe(11);
    expect(sum.slices[1]?.latency.count()).toBe(22);
    expect(sum.samples).toHaveLength(mostSamples);
    expect(sum.samples[0]?.path).toBe('/0');
    expect(mergeTallies([], 1, 1).requests).toBe(0);
  });
});
