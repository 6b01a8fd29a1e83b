import { describe, expect, it } from '@jest/globals';
import { judgeKnee, judgeStep } from './judge-knee.ts';
import { sampleReport } from './sample-report.ts';
import type { Outcome } from './tally.ts';

const thresholds = { sloMs: 100, p99Ms: 100, errorRatio: 0.02 };
const stepOf = (latencyMs: number, outcomeOf?: (request: number) => Outcome) =>
  judgeStep(sampleReport({ latencyMs, seed: 1, outcomeOf }), 100, thresholds);
/** Every so many requests. */
const every =
  (count: number, status: number) =>
  (request: number): Outcome => ({ kind: 'answered', status: request % count === 0 ? status : 200 });

describe('a step of the search for the knee', () => {
  it('is good when it was answered in time', () => {
    expect(stepOf(20)).toMatchObject({ isGood: true, reason: null });
    expect(stepOf(200)).toMatchObject({ isGood: false, reason: 'latency' });
    expect(stepOf(20, every(20, 503))).toMatchObject({ isGood: false, reason: 'errors' });
  });

  it.each([429, 404])('is not good when more than a hundredth was refused with %d, however quickly', (status) => {
    expect(stepOf(20, every(100, status))).toMatchObject({ isGood: true });
    const { isGood, reason, words } = stepOf(20, every(50, status));
    expect({ isGood, reason }).toEqual({ isGood: false, reason: 'refused' });
    expect(words).toContain(`refused, ${status}: 2.0 %`);
    expect(words.includes('STICKER_RATE_LIMIT_')).toBe(status === 429);
  });
});

describe('a search for the knee', () => {
  it('that found no good rate has failed', () => {
    const report = sampleReport({ latencyMs: 200, seed: 1 });
    expect(report.verdict).toBe('passed');
    const none = judgeKnee(report, { rate: null, limitedBy: 'latency', steps: [] }, 100);
    expect(none).toMatchObject({ verdict: 'failed', knee: { rate_rps: null } });
    expect(none.gates.at(-1)).toMatchObject({ name: 'knee_rps', passed: false });
    expect(judgeKnee(report, { rate: 50, limitedBy: 'latency', steps: [] }, 100).verdict).toBe('passed');
  });
});
