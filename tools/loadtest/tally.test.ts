import { describe, expect, it } from '@jest/globals';
import { addToTally, createTally, encodeTally, isUseful, mergeTallies, mostSamples, type Outcome } from './tally.ts';

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
  it('keeps answers, refusals and errors apart, and of time only what was useful or waited for in vain', () => {
    const tally = tallyOf([
      answered(200),
      answered(304),
      answered(429),
      answered(404),
      answered(503),
      failed('timeout'),
      failed('reset'),
    ]);
    expect(tally).toMatchObject({
      requests: 7,
      success: 2,
      refused: 2,
      errors: 3,
      byStatus: { 200: 1, 304: 1, 429: 1, 404: 1, 503: 1, timeout: 1, reset: 1 },
      byError: { 503: 1, timeout: 1, reset: 1 },
      late: 1,
      unsent: 2,
    });
    // 10 and 11 ms of the answers, 15 ms of the timeout; nothing of 429, 404, 503 and the lost connection.
    for (const { latency } of [tally, ...tally.slices.slice(1, 2)]) {
      expect(latency.counts().map(({ ms }) => Math.round(ms))).toEqual([10, 11, 15]);
    }
    expect(tally.fromSend.count()).toBe(2);
    expect(tally.latency.percentiles().max).toBeCloseTo(15, 1);
    expect(tally.groups.map(({ requests, errors }) => ({ requests, errors }))).toEqual([
      { requests: 4, errors: 2 },
      { requests: 3, errors: 1 },
    ]);
    expect(tally.slices.map(({ due }) => due)).toEqual([0, 7, 0]);
  });

  it('is useful to a visitor when it is 2xx or 3xx', () => {
    const outcomes = [answered(200), answered(304), answered(302), answered(404), answered(429), answered(503)];
    expect([...outcomes, failed('timeout')].map(isUseful)).toEqual([true, true, true, false, false, false, false]);
  });

  it('by several workers adds up, and keeps the first errors', () => {
    const one = encodeTally(tallyOf(Array.from({ length: 20 }, () => failed('timeout'))));
    const other = encodeTally(tallyOf([answered(200), failed('timeout'), failed('reset')]));
    const sum = mergeTallies([one, other], 2, 3);
    expect(sum).toMatchObject({ requests: 23, success: 1, errors: 22, byError: { timeout: 21, reset: 1 }, late: 2 });
    expect(sum.latency.count()).toBe(22);
    expect(sum.groups[0]?.latency.count()).toBe(11);
    expect(sum.slices[1]?.latency.count()).toBe(22);
    expect(sum.samples).toHaveLength(mostSamples);
    expect(sum.samples[0]?.path).toBe('/0');
    expect(mergeTallies([], 1, 1).requests).toBe(0);
  });
});
