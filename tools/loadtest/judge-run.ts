/** Whether a run is as it must be, and whether its figures can be believed at all. */
import type { LoadModel } from './load-options.ts';
import type { WorkerHealth } from './load-worker.ts';
import type { QueueReport } from './queue-watch.ts';
import type { Tally } from './tally.ts';

/** Of the requests: so many may be handed over late before the figures are more about the generator than about the server. */
const mostLateShare = 0.01;
/** A thread that is busier than this sends when it can, not when it should. */
const mostUtilisation = 0.95;
/** A loop that is held up for longer adds it to what it measures. */
const mostLoopDelayMs = 100;
/** Of the rate that was asked for. */
export const leastAchieved = 0.95;
/** Who was mostly refused has measured refusals. Some are right: of words that are gone, and by limits. */
const leastSuccess = 0.5;

/** Answers that cost the server next to nothing: with more of them the rest looks quicker than it is. */
export const mostRefused = 0.01;
const limitGate = 'limited_share';

export type Gate = { name: string; is: number; limit: string; passed: boolean };
export type Verdict = 'passed' | 'failed' | 'unreliable';
export type Saturation = {
  is_saturated: boolean;
  reasons: string[];
  late_share: number;
  unsent: number;
  /** Of the busiest thread. */
  utilisation: number;
  loop_delay_p99_ms: number;
};

export function judgeSaturation(
  model: LoadModel,
  tally: Pick<Tally, 'late' | 'unsent' | 'requests'>,
  health: WorkerHealth[],
  /** What else the generator had too little of. */
  limits: string[] = [],
): Saturation {
  const lateShare = tally.requests === 0 ? 0 : tally.late / tally.requests;
  const utilisation = Math.max(0, ...health.map((one) => one.utilisation));
  const loopDelayMs = Math.max(0, ...health.map((one) => one.loopDelayP99Ms));
  const reasons = [
    model.kind === 'open' && lateShare > mostLateShare
      ? `${percent(lateShare)} of the requests were sent more than 50 ms late by the generator itself`
      : null,
    utilisation > mostUtilisation ? `a thread of the generator was busy ${percent(utilisation)} of the time` : null,
    loopDelayMs > mostLoopDelayMs ? `the generator was held up by ${Math.round(loopDelayMs)} ms (p99)` : null,
    ...limits,
  ].filter((reason) => reason !== null);
  return {
    is_saturated: reasons.length > 0,
    reasons,
    late_share: lateShare,
    unsent: tally.unsent,
    utilisation,
    loop_delay_p99_ms: loopDelayMs,
  };
}

export type Judged = {
  p95Ms: number;
  p99Ms: number;
  errorRatio: number;
  /** Of all requests; 0 when there were none. */
  successShare: number;
  /** Refused with 429, of all requests. */
  limitedShare: number;
  /** Of the rate that was asked for; null in the closed model. */
  achievedShare: number | null;
  queue: QueueReport | null;
};
export type Thresholds = { sloMs: number; p99Ms: number; errorRatio: number };

export function judgeRun(
  run: Judged,
  thresholds: Thresholds,
  saturation: Saturation,
): { verdict: Verdict; gates: Gate[] } {
  const { queue } = run;
  const gates: Gate[] = [
    {
      name: 'success_share',
      is: run.successShare,
      limit: `>= ${leastSuccess}`,
      passed: run.successShare >= leastSuccess,
    },
    atMost('p95_ms', run.p95Ms, thresholds.sloMs),
    atMost('p99_ms', run.p99Ms, Math.max(thresholds.p99Ms, thresholds.sloMs)),
    atMost('error_rate', run.errorRatio, thresholds.errorRatio),
    atMost(limitGate, run.limitedShare, mostRefused),
  ];
  if (run.achievedShare !== null)
    gates.push({
      name: 'achieved_share',
      is: run.achievedShare,
      limit: `>= ${leastAchieved}`,
      passed: run.achievedShare >= leastAchieved,
    });
  if (queue !== null && queue.unknown === null && queue.recovery_limit_seconds > 0)
    gates.push({
      name: 'recovery_seconds',
      is: queue.recovery_seconds ?? queue.recovery_limit_seconds,
      limit: `<= ${queue.recovery_limit_seconds}`,
      passed: queue.recovery_seconds !== null,
    });
  const missed = gates.filter(({ passed }) => !passed);
  if (missed.length === 0 && !saturation.is_saturated) return { verdict: 'passed', gates };
  // A limit of the address says nothing about the server, for it or against it.
  const isUnreliable = saturation.is_saturated || missed.every(({ name }) => name === limitGate);
  return { verdict: isUnreliable ? 'unreliable' : 'failed', gates };
}

const atMost = (name: string, is: number, limit: number): Gate => ({
  name,
  is,
  limit: `<= ${limit}`,
  passed: is <= limit,
});
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
