/** What visitors get: the objectives and what is left of them first, then where it comes from. */
import { burnWindows, objectives, periodDays, slowReadMs } from '../../slo.ts';
import type { Board } from '../board.ts';
import { budgetLimits, floorAt, limitsOf } from '../limits.ts';
import type { Panel } from '../panel.ts';
import { perSecond, quantile } from '../queries.ts';
import { failedRequests, inObjective, slowReads } from './http-matchers.ts';

const histogram = 'omnizap_http_request_duration_ms';
const shortest = burnWindows[0]?.short ?? '5m';
const longest = burnWindows.at(-1)?.long ?? '3d';
const windows = [...new Set(burnWindows.flatMap(({ long, short }) => [long, short]))];

export const httpAndSlo: Board = {
  uid: 'http-and-slo',
  title: 'HTTP and SLO',
  description: 'Are the objectives kept, how fast is their budget spent, and on which routes?',
  rows: [
    {
      title: `Objectives over ${periodDays} days`,
      panels: [
        ...objectives.map(({ title, recorded, target, bad }): Panel => ({
          kind: 'stat',
          title: `Budget left of ${periodDays} days: ${title}`,
          description: `What decides whether to deploy (sticker-catalog-slo.md): the part of the budget that the last ${periodDays} days have left, as recorded; ${percent(1 - target)} of what counts may be ${bad}. With less history it is of what there is: a bad day of a young fleet takes it all. Below 0 more was spent than there was.`,
          unit: 'percentunit',
          decimals: 1,
          width: 4,
          targets: [
            {
              // Means of one and the same window are to each other as the sums over all of the time.
              expr: `1 - avg_over_time(${recorded.bad}:increase${shortest}[${periodDays}d]) / avg_over_time(${recorded.all}:increase${shortest}[${periodDays}d]) / ${rounded(1 - target)}`,
              legend: 'left',
              emptyWhile: 'no requests',
            },
          ],
          limits: budgetLimits,
        })),
        ...objectives.map(({ title, recorded, target, bad }): Panel => ({
          kind: 'stat',
          title: `Budget spent in ${longest}: ${title}`,
          description: `The part of the budget of ${periodDays} days that the last ${longest} took, as recorded: ${percent(1 - target)} of what counts may be ${bad}. At ${percent(Number.parseInt(longest) / periodDays)} it lasts exactly.`,
          unit: 'percentunit',
          decimals: 1,
          width: 4,
          targets: [
            {
              expr: `${recorded.bad}:ratio_increase${longest} / ${rounded(1 - target)} * ${rounded(Number.parseInt(longest) / periodDays)}`,
              legend: 'spent',
              emptyWhile: 'no requests',
            },
          ],
          limits: [floorAt(Number.parseInt(longest) / periodDays)],
        })),
        {
          kind: 'stat',
          title: 'Failed requests',
          description: 'Of the groups that the objective covers, in parts of all requests, now.',
          unit: 'percentunit',
          decimals: 2,
          width: 4,
          targets: [{ expr: failedRequests([]), legend: 'failed', emptyWhile: 'no requests' }],
          limits: limitsOf(['HttpErrorsHigh', 'HttpErrorsCritical']),
        },
        {
          kind: 'stat',
          title: 'Slow reads',
          description: `GET and HEAD that took longer than ${slowReadMs} ms, in parts of all that were answered 2xx or 3xx, given up, or timed out, now. One that was given up counts by how long it was waited for.`,
          unit: 'percentunit',
          decimals: 2,
          width: 4,
          targets: [{ expr: slowReads([]), legend: 'slow', emptyWhile: 'no reads' }],
        },
        ...objectives.map(({ title, recorded, target }): Panel => ({
          kind: 'timeseries',
          title: `Burn rate: ${title}`,
          description: `How many times faster than allowed the budget is spent, by window; whole fleet, as recorded. Alerts fire where both windows of a pair are above: ${burnWindows.map(({ factor, long, short }) => `${factor} over ${long} and ${short}`).join('; ')}.`,
          unit: 'short',
          width: 12,
          targets: windows.map((window) => ({
            expr: `${recorded.bad}:ratio_increase${window} / ${rounded(1 - target)}`,
            legend: window,
          })),
          limits: burnWindows.map(({ factor, severity }) => ({
            value: factor,
            fires: 'above',
            color: severity === 'critical' ? 'red' : 'yellow',
          })),
        })),
      ],
    },
    {
      title: 'How long answers take',
      panels: [
        {
          kind: 'timeseries',
          title: 'Percentiles',
          description: 'Of the groups that the objective covers. The lines are where alerts fire.',
          unit: 'ms',
          width: 8,
          targets: [0.5, 0.9, 0.95, 0.99].map((part) => ({
            expr: quantile(part, [], histogram, inObjective),
            legend: `p${part * 100}`,
          })),
          limits: limitsOf(['HttpLatencyHigh', 'HttpLatencyCritical']),
        },
        {
          kind: 'timeseries',
          title: 'p95 by route group',
          description: 'Which kind of route is slow. Uploads and sticker bytes have other sizes than lists.',
          unit: 'ms',
          width: 8,
          targets: [{ expr: quantile(0.95, ['route_group'], histogram), legend: '{{route_group}}' }],
          limits: limitsOf(['HttpLatencyHigh', 'HttpLatencyCritical']),
        },
        {
          kind: 'timeseries',
          title: 'p95 by process',
          description: 'One API process that is slower than the others is starved, or has a cold cache.',
          unit: 'ms',
          width: 8,
          targets: [{ expr: quantile(0.95, ['instance'], histogram, inObjective), legend: '{{instance}}' }],
          limits: limitsOf(['HttpLatencyHigh', 'HttpLatencyCritical']),
        },
        {
          kind: 'timeseries',
          title: 'Slower than the target, or failed',
          description:
            'Requests per second that took longer than HTTP_SLO_TARGET_MS or were answered 5xx, by route group; of the groups that the objective covers.',
          unit: 'reqps',
          width: 8,
          targets: [
            {
              expr: perSecond(['route_group'], 'omnizap_http_slo_violation_total'),
              legend: '{{route_group}}',
              emptyWhile: 'none was slower or failed',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Slow reads over time',
          description: `Reads that took longer than ${slowReadMs} ms in parts of all reads, by route group; those that were given up by how long they were waited for.`,
          unit: 'percentunit',
          width: 8,
          targets: [{ expr: slowReads(['route_group']), legend: '{{route_group}}' }],
        },
        {
          kind: 'timeseries',
          title: 'Writes, p95',
          description: 'Of the methods that change something. They wait for the database, and for pictures to be read.',
          unit: 'ms',
          width: 8,
          targets: [
            {
              expr: quantile(0.95, ['method'], histogram, inObjective, 'method!~"GET|HEAD|OPTIONS"'),
              legend: '{{method}}',
              emptyWhile: 'nothing was changed',
            },
          ],
        },
      ],
    },
    {
      title: 'What is answered',
      panels: [
        {
          kind: 'timeseries',
          title: 'Answers',
          description:
            'Per second by class. timeout: no answer after ten seconds or more, a failure of ours; aborted: the client left before, or held it up.',
          unit: 'reqps',
          width: 8,
          isStacked: true,
          targets: [{ expr: perSecond(['status_class'], 'omnizap_http_requests_total'), legend: '{{status_class}}' }],
        },
        {
          kind: 'timeseries',
          title: 'Failures by route group',
          description: '5xx and timeouts, in parts of all requests.',
          unit: 'percentunit',
          width: 8,
          targets: [{ expr: failedRequests(['route_group']), legend: '{{route_group}}' }],
          limits: limitsOf(['HttpErrorsHigh', 'HttpErrorsCritical']),
        },
        {
          kind: 'timeseries',
          title: 'Requests by method',
          description: 'Requests per second by method.',
          unit: 'reqps',
          width: 8,
          targets: [{ expr: perSecond(['method'], 'omnizap_http_requests_total'), legend: '{{method}}' }],
        },
        {
          kind: 'timeseries',
          title: 'Refused requests',
          description:
            '4xx per second by route group: bad input, missing keys, limits. A step up is a broken client, or somebody who tries.',
          unit: 'reqps',
          width: 8,
          targets: [
            {
              expr: perSecond(['route_group'], 'omnizap_http_requests_total', 'status_class="4xx"'),
              legend: '{{route_group}}',
              emptyWhile: 'none was refused',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Against a day and a week ago',
          description:
            'Requests per second of the objective now, and in the hour around this time of day then; as recorded, of the whole fleet. Alerts fire at twice the busier and at half of the quieter.',
          unit: 'reqps',
          width: 16,
          targets: [
            { expr: 'fleet:omnizap_http_requests:rate5m', legend: 'now' },
            { expr: 'fleet:omnizap_http_requests:rate1h_day_ago', legend: 'a day ago', emptyWhile: 'no history yet' },
            { expr: 'fleet:omnizap_http_requests:rate1h_week_ago', legend: 'a week ago', emptyWhile: 'no history yet' },
          ],
        },
      ],
    },
  ],
};

function percent(part: number): string {
  return `${rounded(part * 100)} %`;
}

/** 1 - 0.995 is 0.0050000000000000044 to a computer. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
