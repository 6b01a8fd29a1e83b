/** Whether a step of the search for the knee was answered well, and what the search means for the run. */
import type { Knee, KneeStep } from './find-knee.ts';
import { leastAchieved, mostRefused, type Thresholds } from './judge-run.ts';
import type { LoadReport } from './report-schema.ts';

/** `words`: the reason for people. */
export function judgeStep(
  report: LoadReport,
  rate: number,
  { p99Ms, errorRatio }: Thresholds,
): KneeStep & { words: string } {
  const refusedShare = report.requests_total === 0 ? 0 : report.requests_refused / report.requests_total;
  const reasons: [NonNullable<KneeStep['reason']>, boolean][] = [
    ['generator', report.generator.is_saturated],
    ['errors', report.error_rate > errorRatio],
    // Who is refused quickly has not been answered: the rate would rise for ever.
    ['refused', refusedShare > mostRefused],
    ['rate', (report.achieved_share ?? 1) < leastAchieved],
    ['latency', report.latency_ms.p99 > p99Ms],
  ];
  const [reason = null] = reasons.find(([, holds]) => holds) ?? [];
  return {
    rate,
    achieved: report.throughput_rps,
    p99Ms: report.latency_ms.p99,
    isGood: reason === null,
    reason,
    words: reason === 'refused' ? refusals(report) : (reason ?? ''),
  };
}

function refusals({ by_status: byStatus, requests_total: total }: LoadReport): string {
  const found = Object.entries(byStatus).filter(([status]) => /^4\d\d$/.test(status));
  const shares = found.map(([status, count]) => `${status}: ${((count / total) * 100).toFixed(1)} %`).join(', ');
  return `refused, ${shares}${byStatus['429'] === undefined ? '' : '; raise STICKER_RATE_LIMIT_* on the server'}`;
}

/** The report of the best step with the search in it: that no rate was good is a failure. */
export function judgeKnee(report: LoadReport, knee: Knee, p99LimitMs: number): LoadReport {
  const hasKnee = knee.rate !== null;
  return {
    ...report,
    verdict: !hasKnee && report.verdict === 'passed' ? 'failed' : report.verdict,
    gates: [...report.gates, { name: 'knee_rps', is: knee.rate ?? 0, limit: '> 0', passed: hasKnee }],
    knee: {
      p99_limit_ms: p99LimitMs,
      rate_rps: knee.rate,
      limited_by: knee.limitedBy,
      steps: knee.steps.map(({ rate, achieved, p99Ms, isGood, reason }) => ({
        rate_rps: rate,
        achieved_rps: achieved,
        p99_ms: p99Ms,
        passed: isGood,
        reason,
      })),
    },
  };
}
