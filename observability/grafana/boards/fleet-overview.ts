/** The first look of whoever is called: is anything wrong, since when, and where to look next. */
import type { Board } from '../board.ts';
import { limitsOf } from '../limits.ts';
import { fromLeader, greatest, mean, perSecond, quantile, series, sumOf } from '../queries.ts';
import { failedRequests, inObjective } from './http-matchers.ts';

/** Prometheus and the exporters have such metrics, too; what our targets say they are, they do not. */
const ours = 'process!=""';

export const fleetOverview: Board = {
  uid: 'fleet-overview',
  title: 'Fleet overview',
  description: 'Is anything wrong, since when, and which dashboard says more?',
  rows: [
    {
      title: 'Is anything wrong?',
      panels: [
        {
          kind: 'stat',
          title: 'Critical alerts',
          description: 'Alerts of severity critical that fire now. Each has a page of its name in runbooks/alerts.',
          unit: 'short',
          width: 4,
          targets: [
            { expr: 'count(ALERTS{alertstate="firing",severity="critical"}) or vector(0)', legend: 'critical' },
          ],
          limits: [{ value: 1, fires: 'above', color: 'red' }],
        },
        {
          kind: 'stat',
          title: 'Other alerts',
          description: 'Alerts of severity high (today) and medium (this week) that fire now.',
          unit: 'short',
          width: 4,
          targets: [{ expr: 'count(ALERTS{alertstate="firing",severity!="critical"}) or vector(0)', legend: 'others' }],
          limits: [{ value: 1, fires: 'above', color: 'orange' }],
        },
        {
          kind: 'stat',
          title: 'Processes that do not answer',
          description:
            'Listed by /api/ops/targets, and not scraped. 0 is good. While no API answers, the list is the last one that there was.',
          unit: 'short',
          width: 4,
          targets: [{ expr: `count(${series('up', ours)}) - sum(${series('up', ours)})`, legend: 'not answering' }],
          limits: [{ value: 1, fires: 'above', color: 'orange' }],
        },
        {
          kind: 'stat',
          title: 'Failed requests',
          leadsTo: 'http-and-slo',
          description:
            'Of the groups that the objective covers: 5xx, and no answer after ten seconds or more, in parts of all requests.',
          unit: 'percentunit',
          decimals: 2,
          width: 4,
          targets: [{ expr: failedRequests([]), legend: 'failed', emptyWhile: 'no requests' }],
          limits: limitsOf(['HttpErrorsHigh', 'HttpErrorsCritical']),
        },
        {
          kind: 'stat',
          title: 'Dead letters',
          leadsTo: 'queues-and-outbox',
          description: 'Tasks and events that were given up and wait for a person: runbooks/dlq-triage.md.',
          unit: 'short',
          width: 4,
          targets: [
            { expr: `sum(${fromLeader(['queue'], 'omnizap_queue_depth', 'queue=~".+_dlq"')})`, legend: 'dead letters' },
          ],
          limits: [{ value: 1, fires: 'above', color: 'orange' }],
        },
        {
          kind: 'stat',
          title: 'Age of the figures',
          description:
            'How long ago the leading maintenance process read depths, ages and the databases. After 60 s it leaves them out, and panels that show them end.',
          unit: 's',
          width: 4,
          targets: [
            { expr: `time() - ${fromLeader([], 'omnizap_gauges_refreshed_timestamp_seconds')}`, legend: 'age' },
          ],
          limits: limitsOf(['GaugesStale']),
        },
        {
          kind: 'table',
          title: 'Alerts now',
          description:
            'Everything that fires or is about to (pending), whatever was chosen above. Silences are made in Alertmanager.',
          unit: 'short',
          width: 24,
          height: 7,
          targets: [
            {
              expr: 'max without (job, version, release) (ALERTS)',
              legend: '{{alertname}} {{instance}}',
              emptyWhile: 'no alert fires or is pending',
            },
          ],
          hiddenColumns: ['Value', 'service'],
        },
      ],
    },
    {
      title: 'What visitors see',
      panels: [
        {
          kind: 'timeseries',
          title: 'Requests',
          leadsTo: 'http-and-slo',
          description: 'Requests per second by route group.',
          unit: 'reqps',
          width: 8,
          isStacked: true,
          targets: [{ expr: perSecond(['route_group'], 'omnizap_http_requests_total'), legend: '{{route_group}}' }],
        },
        {
          kind: 'timeseries',
          title: 'Answers take',
          leadsTo: 'http-and-slo',
          description: 'Of the groups that the objective covers, all methods. The lines are where alerts fire.',
          unit: 'ms',
          width: 8,
          targets: [0.5, 0.95, 0.99].map((part) => ({
            expr: quantile(part, [], 'omnizap_http_request_duration_ms', inObjective),
            legend: `p${part * 100}`,
          })),
          limits: limitsOf(['HttpLatencyHigh', 'HttpLatencyCritical']),
        },
        {
          kind: 'timeseries',
          title: 'Failed requests over time',
          leadsTo: 'http-and-slo',
          description:
            'Parts of all requests of the groups that the objective covers: 5xx, and timeouts of ten seconds or more.',
          unit: 'percentunit',
          width: 8,
          targets: [{ expr: failedRequests([]), legend: 'failed' }],
          limits: limitsOf(['HttpErrorsHigh', 'HttpErrorsCritical']),
        },
      ],
    },
    {
      title: 'What waits',
      panels: [
        {
          kind: 'timeseries',
          title: 'Waiting',
          leadsTo: 'queues-and-outbox',
          description: 'Tasks, events and webhooks that wait. Queues and outbox says more of each.',
          unit: 'short',
          width: 8,
          targets: [{ expr: fromLeader(['queue'], 'omnizap_queue_depth', 'queue=~".+_pending"'), legend: '{{queue}}' }],
        },
        {
          kind: 'timeseries',
          title: 'The oldest has waited',
          leadsTo: 'queues-and-outbox',
          description:
            'Age of the oldest that waits. This is what people notice; a long queue that moves is none of their business.',
          unit: 's',
          width: 8,
          targets: [{ expr: fromLeader(['queue'], 'omnizap_queue_oldest_age_seconds'), legend: '{{queue}}' }],
          limits: limitsOf(['OldestItemTooOld']),
        },
        {
          kind: 'timeseries',
          title: 'Tasks done',
          leadsTo: 'sticker-work',
          description: 'Tasks that came to an end, per second by type, with whatever outcome.',
          unit: 'ops',
          width: 8,
          isStacked: true,
          targets: [
            { expr: perSecond(['task_type'], 'omnizap_worker_task_duration_seconds_count'), legend: '{{task_type}}' },
          ],
        },
      ],
    },
    {
      title: 'Processes',
      panels: [
        {
          kind: 'timeseries',
          title: 'Live processes',
          description: 'By their leases, as the leader sees them. 0: there is none of a kind that a whole fleet has.',
          unit: 'short',
          decimals: 0,
          width: 8,
          targets: [{ expr: fromLeader(['process'], 'omnizap_processes'), legend: '{{process}}' }],
        },
        {
          kind: 'timeseries',
          title: 'Event loop lag',
          description:
            '99th percentile of how late a process gets to what it has to do: above half a second it is starved or blocked.',
          unit: 's',
          width: 8,
          targets: [
            {
              expr: greatest(['process', 'instance'], 'nodejs_eventloop_lag_p99_seconds', ours),
              legend: '{{process}} {{instance}}',
            },
          ],
          limits: limitsOf(['EventLoopLag']),
        },
        {
          kind: 'timeseries',
          title: 'Processor',
          description: 'Cores that each process uses.',
          unit: 'short',
          decimals: 2,
          width: 8,
          targets: [
            {
              expr: perSecond(['process', 'instance'], 'process_cpu_seconds_total', ours),
              legend: '{{process}} {{instance}}',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Memory',
          description: 'Resident memory of each process. A line that only ever rises is a leak.',
          unit: 'bytes',
          width: 8,
          targets: [
            {
              expr: greatest(['process', 'instance'], 'process_resident_memory_bytes', ours),
              legend: '{{process}} {{instance}}',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Running for',
          description:
            'Time since each process was started: a line that falls to 0 again and again is a process that dies.',
          unit: 's',
          width: 8,
          targets: [
            {
              expr: `time() - ${greatest(['process', 'instance'], 'process_start_time_seconds', ours)}`,
              legend: '{{process}} {{instance}}',
            },
          ],
        },
        {
          kind: 'table',
          title: 'Versions',
          leadsTo: 'rollout',
          description:
            'What runs now. After a deployment there is one version; while a canary is out there are two releases.',
          unit: 'short',
          width: 8,
          targets: [
            {
              expr: `count by (process, release, version) (${series('omnizap_build_info')})`,
              legend: '{{process}} {{release}} {{version}}',
            },
          ],
        },
      ],
    },
    {
      title: 'What everything needs',
      panels: [
        {
          kind: 'timeseries',
          title: 'Database answers take',
          leadsTo: 'database',
          description: 'Mean time of a query as the processes see it, waiting for the server included.',
          unit: 's',
          width: 8,
          targets: [{ expr: mean(['database'], 'omnizap_database_query_duration_seconds'), legend: '{{database}}' }],
          limits: limitsOf(['DatabaseQueriesSlow']),
        },
        {
          kind: 'timeseries',
          title: 'Callers without a connection',
          leadsTo: 'database',
          description:
            'Requests and tasks that wait for a connection of their process, all processes together. 0 is good.',
          unit: 'short',
          width: 8,
          targets: [
            {
              expr: sumOf(['database', 'process'], 'omnizap_database_pool_connections', 'state="waiting"'),
              legend: '{{database}} {{process}}',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Ranking',
          leadsTo: 'sticker-work',
          description: 'Age of the newest published ranking, which lists are read from.',
          unit: 's',
          width: 8,
          targets: [
            {
              expr: `time() - ${fromLeader([], 'omnizap_ranking_snapshot_timestamp_seconds')}`,
              legend: 'age of the ranking',
            },
          ],
          limits: limitsOf(['SnapshotStale']),
        },
      ],
    },
  ],
};
