/** The report as one page for people: nothing is loaded from anywhere, nothing is run, and everything from outside is escaped. */
import { createHash } from 'node:crypto';
import { escapeHtml } from './escape-html.ts';
import { createLatencyHistogram } from './latency-histogram.ts';
import type { LoadReport } from './report-schema.ts';
import { reportStyle } from './report-style.ts';
import { lineChart } from './svg-chart.ts';

export function renderHtmlReport(report: LoadReport): string {
  const styleHash = createHash('sha256').update(reportStyle).digest('base64');
  const title = `Load test of ${report.base_url}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${reportStyle}</style>
</head>
<body>
<main>
${heading(report, title)}
${figures(report)}
${gates(report)}
${knee(report)}
${comparison(report)}
<h2>Over time</h2>
<div class="charts">
${charts(report)}
</div>
${statuses(report)}
${paths(report)}
${queue(report)}
${sampleErrors(report)}
${surroundings(report)}
</main>
</body>
</html>
`;
}

function heading(report: LoadReport, title: string): string {
  const load =
    report.model === 'open'
      ? `${number(report.offered_rate_rps ?? 0)} requests per second, ${report.arrivals === 'even' ? 'evenly' : 'at random moments'}`
      : `${number(report.concurrency ?? 0)} clients, each asking again when it was answered`;
  const notes = [
    ...(report.model === 'closed' ? [report.note] : []),
    ...(report.interrupted ? ['interrupted: these are the figures until then'] : []),
    ...report.generator.reasons.map(
      (reason) => `the generator could not keep up: ${reason}. These figures are not reliable`,
    ),
    ...(report.requests_limited > 0
      ? [
          `${number(report.requests_limited)} requests were refused with 429 by rate limits of one address, not by load: see runbooks/load-test.md`,
        ]
      : []),
  ];
  return `<h1>${escapeHtml(title)}</h1>
<p><span class="verdict ${report.verdict}">${report.verdict}</span> ${escapeHtml(load)}, for ${number(report.duration_seconds)} s after ${number(report.warmup_seconds)} s of warm-up, from ${escapeHtml(report.started_at)}</p>
${notes.map((note) => `<p class="note">${escapeHtml(note)}</p>`).join('\n')}`;
}

function figures({ latency_ms: latency, ...report }: LoadReport): string {
  const shown: [string, string][] = [
    ['p50', ms(latency.p50)],
    ['p90', ms(latency.p90)],
    ['p95', ms(latency.p95)],
    ['p99', ms(latency.p99)],
    ['p99.9', ms(latency.p999)],
    ['highest', ms(latency.max)],
    ['answered', `${number(report.throughput_rps)}/s`],
    ['requests', number(report.requests_total)],
    ['errors', number(report.requests_error)],
    ['error rate', percent(report.error_rate)],
    ['refused (4xx)', number(report.requests_refused)],
  ];
  return `<ul class="figures">${shown.map(([name, value]) => `<li>${name}<b>${escapeHtml(value)}</b></li>`).join('')}</ul>`;
}

function gates({ gates: all }: LoadReport): string {
  const rows = all.map(({ name, is, limit, passed }) => [
    name,
    Number.isInteger(is) ? number(is) : is.toFixed(3),
    limit,
    passed ? 'passed' : 'failed',
  ]);
  return `<h2>Gates</h2>${table(['gate', 'is', 'must be', ''], rows)}`;
}

function charts(report: LoadReport): string {
  const { slices, slice_seconds: seconds } = report;
  const over = (value: (slice: LoadReport['slices'][number]) => number): [number, number][] =>
    slices.map((slice) => [slice.at_seconds, value(slice)]);
  const time = { xName: 'seconds since the end of the warm-up' };
  return [
    lineChart({
      ...time,
      title: 'Latency',
      unit: 'ms',
      limit: { at: report.slo.target_ms, label: `target of p95, ${report.slo.target_ms} ms` },
      series: [
        { name: 'p50', className: 'a', points: over(({ p50 }) => p50) },
        { name: 'p95', className: 'b', points: over(({ p95 }) => p95) },
        { name: 'p99', className: 'c', points: over(({ p99 }) => p99) },
      ],
    }),
    lineChart({
      ...time,
      title: 'Rate',
      unit: 'requests per second',
      series: [
        { name: 'due', className: 'b', points: over(({ due }) => due / seconds) },
        { name: 'answered', className: 'a', points: over(({ ended }) => ended / seconds) },
      ],
    }),
    lineChart({
      ...time,
      title: 'Errors and refusals',
      unit: 'requests per second',
      series: [
        { name: 'errors (5xx, timeout, connection)', className: 'c', points: over(({ errors }) => errors / seconds) },
        { name: 'refused (4xx)', className: 'b', points: over(({ refused }) => refused / seconds) },
      ],
    }),
    percentileCurve(report),
  ].join('\n');
}

function percentileCurve(report: LoadReport): string {
  const whole = createLatencyHistogram();
  whole.addEncoded(report.histogram);
  const percents = [0, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.9, 99.95, 99.99].filter(
    (percentile) => whole.count() * (1 - percentile / 100) >= 1,
  );
  const place = (percentile: number): number => -Math.log10(1 - percentile / 100);
  return lineChart({
    title: 'Percentiles',
    unit: 'ms',
    xName: 'percentile',
    xTicks: [50, 90, 99, 99.9, 99.99].map((percentile) => ({ at: place(percentile), label: `${percentile} %` })),
    series: [
      {
        name: report.model === 'open' ? 'from the moment at which it was due' : 'from sending',
        className: 'a',
        points: percents.map((percentile) => [place(percentile), whole.percentile(percentile)]),
        hasDots: true,
      },
    ],
  });
}

function statuses(report: LoadReport): string {
  const rows = Object.entries(report.by_status).map(([status, count]) => [
    status,
    number(count),
    percent(count / Math.max(1, report.requests_total)),
  ]);
  return `<h2>Answers</h2>${table(['status, or what went wrong', 'requests', 'share'], rows)}`;
}

function paths(report: LoadReport): string {
  const rows = Object.entries(report.by_path).map(([label, { requests, errors, refused, latency_ms: latency }]) => [
    label,
    number(requests),
    number(errors),
    number(refused),
    ...[latency.p50, latency.p90, latency.p95, latency.p99, latency.p999, latency.max].map(plainMs),
  ]);
  const head = ['what was asked for', 'requests', 'errors', '4xx', 'p50 ms', 'p90', 'p95', 'p99', 'p99.9', 'highest'];
  return `<h2>By path</h2>${table(head, rows)}`;
}

function queue({ queue: watched }: LoadReport): string {
  if (watched === null) return '';
  if (watched.unknown !== null) return `<h2>Queues</h2><p>Not known: ${escapeHtml(watched.unknown)}</p>`;
  const names = [...new Set([watched.before, watched.peak, watched.after].flatMap(Object.keys))];
  const rows = names.map((name) => [
    name,
    ...[watched.before, watched.peak, watched.after].map((depths) => number(depths[name] ?? 0)),
  ]);
  const recovery =
    watched.recovery_seconds !== null
      ? `Back to normal ${number(watched.recovery_seconds)} s after the end of the load.`
      : `Not back to normal within ${number(watched.recovery_limit_seconds)} s.`;
  return `<h2>Queues</h2><p>${watched.recovery_limit_seconds === 0 ? 'Nobody waited for them.' : recovery}</p>
<div class="charts">${lineChart({
    title: 'Depth of tasks and outbox',
    unit: 'items',
    xName: 'seconds since the load began, the warm-up included',
    series: [
      { name: 'depth', className: 'a', points: watched.samples.map(({ at_seconds, depth }) => [at_seconds, depth]) },
    ],
  })}</div>
${table(['queue', 'before', 'at most', 'afterwards'], rows)}`;
}

function knee({ knee: found }: LoadReport): string {
  if (found === null) return '';
  // Of two tries at one rate the second is the one that is believed.
  const steps = [...new Map(found.steps.map((step) => [step.rate_rps, step])).values()].toSorted(
    (a, b) => a.rate_rps - b.rate_rps,
  );
  const words =
    found.rate_rps === null
      ? `No rate was answered with a p99 of ${found.p99_limit_ms} ms or less.`
      : `${number(found.rate_rps)} requests per second is the highest rate with a p99 of ${found.p99_limit_ms} ms or less; more was limited by: ${found.limited_by}.`;
  return `<h2>Knee</h2><p>${escapeHtml(words)} The figures of this page are of that rate.</p>
<div class="charts">${lineChart({
    title: 'p99 by rate',
    unit: 'ms',
    xName: 'requests per second, offered',
    limit: { at: found.p99_limit_ms, label: `${found.p99_limit_ms} ms` },
    series: [
      { name: 'p99', className: 'c', points: steps.map(({ rate_rps, p99_ms }) => [rate_rps, p99_ms]), hasDots: true },
    ],
  })}</div>
${table(
  ['offered /s', 'answered /s', 'p99 ms', '', 'because of'],
  found.steps.map((step) => [
    number(step.rate_rps),
    number(step.achieved_rps),
    plainMs(step.p99_ms),
    step.passed ? 'passed' : 'failed',
    step.reason ?? '',
  ]),
)}`;
}

function comparison({ comparison: compared }: LoadReport): string {
  if (compared === null) return '';
  const rows = compared.figures.map(({ name, baseline, is, ratio, interval, judgement }) => [
    name,
    plainMs(baseline),
    plainMs(is),
    ratio.toFixed(3),
    interval === null ? 'run too short' : `${interval.low.toFixed(3)} to ${interval.high.toFixed(3)}`,
    judgement,
  ]);
  return `<h2>Against the baseline</h2><p>${escapeHtml(`${compared.baseline}, of ${compared.baseline_started_at}`)}</p>${
    compared.other_machine.length > 0
      ? `\n<p class="note">${escapeHtml(`The baseline is of another machine: ${compared.other_machine.join('; ')}`)}</p>`
      : ''
  }
${table(['figure', 'baseline', 'now', 'ratio', 'interval', ''], rows)}
<p>The intervals hold for all four figures together in 95 % of comparisons, for the noise within a run.</p>`;
}

function sampleErrors({ sample_errors: samples }: LoadReport): string {
  if (samples.length === 0) return '';
  return `<h2>The first errors</h2>${table(
    ['path', 'at', 'kind', 'what happened'],
    samples.map(({ path, at, kind, message }) => [path, at, kind, message]),
  )}`;
}

function surroundings(report: LoadReport): string {
  const { machine, dataset, generator, tool, target_version: version, seed, mix, left_out: leftOut, votes } = report;
  const rows = [
    [
      'machine',
      `${machine.host}: ${machine.cores} cores, ${machine.cpu}, ${machine.memory_gib} GiB, Linux ${machine.kernel}`,
    ],
    ['load average before', machine.load_before.toFixed(2)],
    [
      'catalogue',
      dataset === null ? 'not known' : `${number(dataset.packs)} packs, ${number(dataset.stickers)} stickers`,
    ],
    ['target', version ?? 'not known'],
    ['tool', `${tool.version}, Node.js ${machine.node}`],
    [
      'generator',
      `${generator.workers} threads, ${number(generator.connections)} connections, busy ${percent(generator.utilisation)}, held up ${ms(generator.loop_delay_p99_ms)} (p99), ${percent(generator.late_share)} sent late, ${number(generator.unsent)} never sent`,
    ],
    ['mix and seed', `${mix}, ${seed}`],
    ...(leftOut.length > 0 ? [['left out', `${leftOut.join(', ')}: the catalogue has nothing for it`]] : []),
    ...(votes === null
      ? []
      : [['opens and likes', `${number(votes.sent)}, of which at most ${number(votes.can_count)} could count`]]),
  ];
  const cells = rows.map(
    ([name, text]) =>
      `<tr><th scope="row">${escapeHtml(name ?? '')}</th><td class="words">${escapeHtml(text ?? '')}</td></tr>`,
  );
  return `<h2>Where and how</h2><div class="scroll"><table><tbody>${cells.join('')}</tbody></table></div>`;
}

function table(head: string[], rows: string[][]): string {
  const cells = (row: string[]): string =>
    row
      .map((cell) =>
        ['passed', 'failed', 'worse', 'better'].includes(cell)
          ? `<td class="${toneOf(cell)}">${cell}</td>`
          : `<td>${escapeHtml(cell)}</td>`,
      )
      .join('');
  const named = `<thead><tr>${head.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join('')}</tr></thead>`;
  return `<div class="scroll"><table>${named}<tbody>${rows.map((row) => `<tr>${cells(row)}</tr>`).join('')}</tbody></table></div>`;
}

const toneOf = (word: string): string => (word === 'passed' || word === 'better' ? 'passed' : 'failed');
const number = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 1 });
const plainMs = (value: number): string => (value >= 100 ? number(Math.round(value)) : value.toFixed(1));
const ms = (value: number): string => `${plainMs(value)} ms`;
const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
