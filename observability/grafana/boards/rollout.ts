/** A change on its way out: which flags are where, what the controller did, what its gates see, and how the canary compares. */
import type { Board } from '../board.ts';
import { floorAt, limitsOf } from '../limits.ts';
import { countOf, fromLeader, greatest, mean, perSecond, quantile, ratio, series } from '../queries.ts';
import { gatePanels } from './gate-panels.ts';
import { failedRequests, inObjective } from './http-matchers.ts';

const duration = 'omnizap_worker_task_duration_seconds';
const noRun = 'no rollout is active';

export const rollout: Board = {
  uid: 'rollout',
  title: 'Rollout',
  description: 'How far is the change, is it held or taken back and why, and is the canary worse than the rest?',
  rows: [
    {
      title: 'Flags and runs',
      panels: [
        {
          kind: 'timeseries',
          title: 'Flags',
          description: 'Percentage of each flag, as the processes know it. Marks on the time axis are changes.',
          unit: 'percent',
          width: 8,
          targets: [{ expr: greatest(['flag'], 'omnizap_feature_flag_rollout_percent'), legend: '{{flag}}' }],
        },
        {
          kind: 'timeseries',
          title: 'Processes disagree',
          description:
            'Difference between the highest and the lowest percentage that processes know. More than 2 s of it: one is behind.',
          unit: 'percent',
          width: 8,
          targets: [
            {
              expr: `${greatest(['flag'], 'omnizap_feature_flag_rollout_percent')} - min by (flag) (${series('omnizap_feature_flag_rollout_percent')})`,
              legend: '{{flag}}',
            },
          ],
          limits: limitsOf(['FlagDisagreement']),
        },
        {
          kind: 'timeseries',
          title: 'Last change of a flag',
          description:
            'How long ago a process first learned what all know now; of processes that were started since, when they were.',
          unit: 's',
          width: 8,
          targets: [
            {
              expr: `time() - min by (flag) (${series('omnizap_feature_flag_changed_timestamp_seconds')})`,
              legend: '{{flag}}',
            },
          ],
        },
        {
          kind: 'timeline',
          title: 'Active run',
          description: 'Plan and state of the run that the leader works on: watching, raising, rolling-back.',
          unit: 'bool_yes_no',
          width: 8,
          targets: [
            {
              expr: `${fromLeader(['plan', 'state'], 'omnizap_rollout_run_state')} == 1`,
              legend: '{{plan}}: {{state}}',
              emptyWhile: noRun,
            },
          ],
          states: { 1: { text: 'active', color: 'blue' } },
        },
        {
          kind: 'timeseries',
          title: 'Stage',
          description: 'Percentage that the active run has raised its flag to.',
          unit: 'percent',
          width: 8,
          targets: [
            { expr: fromLeader(['plan'], 'omnizap_rollout_stage_percent'), legend: '{{plan}}', emptyWhile: noRun },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Decisions',
          description:
            'Of the controller, in each interval: watch and hold are most of them; `npm run ops -- rollout explain` says why.',
          unit: 'short',
          width: 8,
          isStacked: true,
          targets: [
            { expr: countOf(['action'], 'omnizap_rollout_decisions_total'), legend: '{{action}}', emptyWhile: noRun },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Tasks without an owner',
          description:
            'Unfinished tasks of lanes that no live process works. The leader empties such a lane within 15 s.',
          unit: 'short',
          width: 12,
          targets: [{ expr: fromLeader([], 'omnizap_rollout_unowned_tasks'), legend: 'tasks' }],
          limits: [floorAt(1)],
        },
        {
          kind: 'timeseries',
          title: 'Age of the sample',
          description: 'How long ago the controller last sampled the fleet. It decides nothing without samples.',
          unit: 's',
          width: 12,
          targets: [{ expr: `time() - ${fromLeader([], 'omnizap_rollout_sample_timestamp_seconds')}`, legend: 'age' }],
        },
      ],
    },
    { title: 'Gates', panels: gatePanels() },
    {
      title: 'Stable against canary',
      panels: [
        {
          kind: 'table',
          title: 'Who runs',
          description: 'Processes by release and version.',
          unit: 'short',
          width: 8,
          targets: [
            {
              expr: `count by (release, version, process) (${series('omnizap_build_info')})`,
              legend: '{{release}} {{version}} {{process}}',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Tasks by lane',
          description: 'Tasks that ended, per second by lane: the share of the canary is what its flag says.',
          unit: 'ops',
          width: 8,
          isStacked: true,
          targets: [{ expr: perSecond(['lane'], `${duration}_count`), legend: '{{lane}}' }],
        },
        {
          kind: 'timeseries',
          title: 'Failed attempts by lane',
          description: 'The part of the attempts that failed and are tried again.',
          unit: 'percentunit',
          width: 8,
          targets: [
            {
              expr: ratio(
                perSecond(['lane'], `${duration}_count`, 'outcome="retried"'),
                perSecond(['lane'], `${duration}_count`),
              ),
              legend: '{{lane}}',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Handlers take, by type and lane',
          description: 'Mean time of the attempts that were done, so that what fails fast does not look quick.',
          unit: 's',
          width: 8,
          targets: [
            { expr: mean(['task_type', 'lane'], duration, 'outcome="done"'), legend: '{{task_type}} {{lane}}' },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Change to start, p95, by lane',
          description: 'A canary with too few processes makes its share of the work wait.',
          unit: 's',
          width: 8,
          targets: [{ expr: quantile(0.95, ['lane'], 'omnizap_worker_task_wait_seconds'), legend: '{{lane}}' }],
        },
        {
          kind: 'timeseries',
          title: 'Answers take, p95, by release and version',
          description: 'Of the API processes, for the groups that the objective covers.',
          unit: 'ms',
          width: 8,
          targets: [
            {
              expr: quantile(0.95, ['release', 'version'], 'omnizap_http_request_duration_ms', inObjective),
              legend: '{{release}} {{version}}',
            },
          ],
          limits: limitsOf(['HttpLatencyHigh', 'HttpLatencyCritical']),
        },
        {
          kind: 'timeseries',
          title: 'Failed requests by release and version',
          description: '5xx and timeouts in parts of all requests.',
          unit: 'percentunit',
          width: 8,
          targets: [{ expr: failedRequests(['release', 'version']), legend: '{{release}} {{version}}' }],
          limits: limitsOf(['HttpErrorsHigh', 'HttpErrorsCritical']),
        },
        {
          kind: 'timeseries',
          title: 'Memory by release and version',
          description: 'Mean resident memory of a process, by kind: a leak in a new version shows here first.',
          unit: 'bytes',
          width: 8,
          targets: [
            {
              expr: `avg by (process, release, version) (${series('process_resident_memory_bytes', 'process!=""')})`,
              legend: '{{process}} {{release}} {{version}}',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Processor by release and version',
          description: 'Mean cores that a process uses, by kind.',
          unit: 'short',
          decimals: 2,
          width: 8,
          targets: [
            {
              expr: `avg by (process, release, version) (rate(${series('process_cpu_seconds_total', 'process!=""')}[$__rate_interval]))`,
              legend: '{{process}} {{release}} {{version}}',
            },
          ],
        },
      ],
    },
  ],
};
