/** The report as lines for a terminal. */
import type { LoadReport } from './report-schema.ts';

export function printReport(report: LoadReport): string {
  const { latency_ms: latency, queue, knee, comparison } = report;
  const lines = [
    '',
    ...(report.interrupted ? ['Interrupted: these are the figures until then.'] : []),
    report.model === 'open'
      ? `Open model, ${number(report.offered_rate_rps ?? 0)} requests per second (${report.arrivals ?? ''}), latency from the moment at which each was due`
      : `${number(report.concurrency ?? 0)} clients; ${report.note} (use --rate to know what visitors see)`,
    `requests     ${number(report.requests_total)} in ${number(report.duration_seconds)} s: ${number(report.requests_success)} answered, ` +
      `${number(report.requests_refused)} refused (4xx), ${number(report.requests_error)} errors (${percent(report.error_rate)})`,
    `throughput   ${number(report.throughput_rps)} answers per second (2xx, 3xx)`,
    `latency ms   ${(['p50', 'p90', 'p95', 'p99', 'p999', 'max'] as const).map((name) => `${name} ${ms(latency[name])}`).join('   ')}`,
    ...(report.model === 'open'
      ? [
          `from sending ${(['p50', 'p90', 'p95', 'p99', 'p999', 'max'] as const).map((name) => `${name} ${ms(report.latency_from_send_ms[name])}`).join('   ')}`,
        ]
      : []),
    `answers      ${Object.entries(report.by_status)
      .map(([status, count]) => `${status}: ${number(count)}`)
      .join('   ')}`,
    ...(report.requests_limited > 0
      ? [
          `429          ${number(report.requests_limited)} refused by the limits of one address, not by load: raise STICKER_RATE_LIMIT_* on the server (runbooks/load-test.md)`,
        ]
      : []),
    ...pathLines(report),
    ...(report.left_out.length > 0
      ? [`left out     ${report.left_out.join(', ')}: the catalogue has nothing for it`]
      : []),
    ...(report.votes === null
      ? []
      : [
          `votes        ${number(report.votes.sent)} opens and likes, of which at most ${number(report.votes.can_count)} could count; the others change nothing (runbooks/load-test.md)`,
        ]),
    ...(queue === null ? [] : [queueLine(queue)]),
    ...(knee === null
      ? []
      : [
          `knee         ${knee.rate_rps === null ? 'none' : `${number(knee.rate_rps)} requests per second`} (p99 at most ${knee.p99_limit_ms} ms; limited by ${knee.limited_by}; ${knee.steps.length} steps)`,
        ]),
    ...(comparison === null ? [] : comparisonLines(comparison)),
    ...report.sample_errors.slice(0, 3).map(({ path, kind, message }) => `error        ${kind} at ${path}: ${message}`),
    ...report.generator.reasons.map((reason) => `UNRELIABLE   the generator could not keep up: ${reason}`),
    ...report.gates.map(
      ({ name, is, limit, passed }) => `${passed ? 'passed' : 'FAILED'}       ${name} ${number(is)} ${limit}`,
    ),
    `verdict      ${report.verdict}${comparison?.is_worse === true ? ', and worse than the baseline' : ''}`,
  ];
  return lines.join('\n');
}

function pathLines({ by_path: byPath }: LoadReport): string[] {
  const width = Math.min(44, Math.max(...Object.keys(byPath).map((label) => label.length)));
  const head = `  ${'by path'.padEnd(width)} ${['requests', 'errors', '4xx', 'p50', 'p95', 'p99'].map((name) => name.padStart(9)).join('')}`;
  const rows = Object.entries(byPath).map(
    ([label, { requests, errors, refused, latency_ms: latency }]) =>
      `  ${label.slice(0, width).padEnd(width)} ${[number(requests), number(errors), number(refused), ms(latency.p50), ms(latency.p95), ms(latency.p99)].map((value) => value.padStart(9)).join('')}`,
  );
  return [head, ...rows];
}

function queueLine(queue: NonNullable<LoadReport['queue']>): string {
  if (queue.unknown !== null) return `queues       not known: ${queue.unknown}`;
  const recovery =
    queue.recovery_limit_seconds === 0
      ? 'not waited for'
      : queue.recovery_seconds === null
        ? `not back to normal after ${queue.recovery_limit_seconds} s`
        : `back to normal after ${queue.recovery_seconds} s`;
  return `queues       ${number(queue.depth_before)} before, ${number(queue.depth_peak)} at most, ${number(queue.depth_after)} afterwards; ${recovery}`;
}

function comparisonLines({ baseline, figures, other_machine }: NonNullable<LoadReport['comparison']>): string[] {
  return [
    `against      ${baseline}`,
    ...(other_machine.length > 0 ? [`WARNING      of another machine: ${other_machine.join('; ')}`] : []),
    ...figures.map(
      ({ name, baseline: was, is, ratio, interval, judgement }) =>
        `  ${name.padEnd(16)} ${ms(was)} -> ${ms(is)}, ${ratio.toFixed(2)} x ` +
        `(${interval === null ? 'too short for an interval' : `95 % of all four: ${interval.low.toFixed(2)} to ${interval.high.toFixed(2)}`}): ${judgement}`,
    ),
  ];
}

const number = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 3 : 1 });
const ms = (value: number): string => (value >= 100 ? String(Math.round(value)) : value.toFixed(1));
const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
