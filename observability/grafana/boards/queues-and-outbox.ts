/** Work that waits: how much, how long, whose, and whether it moves. */
import { backlogFloor } from '../../slo.ts';
import type { Board } from '../board.ts';
import { floorAt, limitsOf } from '../limits.ts';
import { countOf, fromLeader, mean, perSecond, quantile, ratio, series } from '../queries.ts';

const duration = 'omnizap_worker_task_duration_seconds';
const wait = 'omnizap_worker_task_wait_seconds';

const depths = (title: string, description: string, queues: string, width = 8) =>
  ({
    kind: 'timeseries',
    title,
    description,
    unit: 'short',
    width,
    targets: [{ expr: fromLeader(['queue'], 'omnizap_queue_depth', queues), legend: '{{queue}}' }],
  }) as const;

export const queuesAndOutbox: Board = {
  uid: 'queues-and-outbox',
  title: 'Queues and outbox',
  description: 'What waits, since when, and is it getting less?',
  rows: [
    {
      title: 'Now',
      panels: [
        {
          kind: 'stat',
          title: 'The oldest has waited',
          description: `The oldest task that waits. After a peak it is younger than ${backlogFloor.recoverySeconds} s again within that time.`,
          unit: 's',
          width: 6,
          targets: [
            {
              expr: fromLeader([], 'omnizap_queue_oldest_age_seconds', 'queue="sticker_worker_tasks_pending"'),
              legend: 'oldest task',
            },
          ],
          limits: limitsOf(['OldestItemTooOld']),
        },
        {
          kind: 'stat',
          title: 'Relay lag',
          description:
            'How far the relay is behind the newest event, as it says itself. Events older than that have been handed over.',
          unit: 's',
          decimals: 2,
          width: 6,
          targets: [{ expr: `max(${series('omnizap_outbox_relay_lag_seconds')})`, legend: 'lag' }],
          limits: limitsOf(['OutboxRelayLag']),
        },
        {
          kind: 'stat',
          title: 'Dead letters',
          description: 'Given up after all attempts: see with `npm run ops -- dlq list`, and runbooks/dlq-triage.md.',
          unit: 'short',
          width: 6,
          targets: [{ expr: fromLeader(['queue'], 'omnizap_queue_depth', 'queue=~".+_dlq"'), legend: '{{queue}}' }],
          limits: [{ value: 1, fires: 'above', color: 'orange' }],
        },
        {
          kind: 'stat',
          title: 'Empty at this pace in',
          description:
            'Waiting tasks divided by tasks that ended per second; what comes in meanwhile is not counted. Nothing, while no task ends.',
          unit: 's',
          width: 6,
          targets: [
            {
              expr: `${fromLeader([], 'omnizap_queue_depth', 'queue="sticker_worker_tasks_pending"')} / (${perSecond([], `${duration}_count`, 'task_type!="webhook"')} > 0)`,
              legend: 'time to empty',
              emptyWhile: 'no task ends',
            },
          ],
          limits: [floorAt(backlogFloor.recoverySeconds)],
        },
      ],
    },
    {
      title: 'How much waits',
      panels: [
        depths(
          'Tasks',
          'Hints for the workers: pending wait, processing are being worked, failed wait for another attempt. Those of webhooks are not counted.',
          'queue=~"sticker_worker_tasks_(pending|processing|failed)"',
        ),
        depths(
          'Outbox',
          'Events that were committed and not yet handed to the queues.',
          'queue=~"domain_event_outbox_(pending|processing|failed)"',
        ),
        depths(
          'Other work',
          'Assets to classify again, packs whose place in the ranking is to be counted again, webhooks to send.',
          'queue=~"sticker_reprocess_pending|sticker_pack_score_snapshot_pending|delivery_pending"',
        ),
        {
          kind: 'timeseries',
          title: 'Growth',
          description: 'By how many a minute each backlog grew over the last ten minutes; below 0 it shrinks.',
          unit: 'cpm',
          width: 8,
          targets: [
            {
              expr: `60 * max by (queue) (deriv(${series('omnizap_queue_depth', 'queue=~".+_pending"')}[10m]))`,
              legend: '{{queue}}',
            },
          ],
          limits: limitsOf(['QueueBacklogGrowing']),
        },
        {
          kind: 'timeseries',
          title: 'The oldest of each queue has waited',
          description: 'Age of the oldest that waits; 0 while nothing does.',
          unit: 's',
          width: 8,
          targets: [{ expr: fromLeader(['queue'], 'omnizap_queue_oldest_age_seconds'), legend: '{{queue}}' }],
          limits: limitsOf(['OldestItemTooOld']),
        },
        {
          kind: 'timeseries',
          title: 'Relay lag over time',
          description: 'By relay: with several, each has its own part of the subjects.',
          unit: 's',
          width: 8,
          targets: [
            { expr: `max by (instance) (${series('omnizap_outbox_relay_lag_seconds')})`, legend: '{{instance}}' },
          ],
          limits: limitsOf(['OutboxRelayLag']),
        },
        depths(
          'Dead letters over time',
          'A step up is a task or an event that was given up then: look what was deployed, and which type it is.',
          'queue=~".+_dlq"',
          24,
        ),
      ],
    },
    {
      title: 'Whose work it is',
      panels: [
        {
          kind: 'timeseries',
          title: 'Tasks by type',
          description: 'Unfinished tasks of each type, in all lanes.',
          unit: 'short',
          width: 12,
          isStacked: true,
          targets: [
            {
              expr: `sum by (task_type) (${fromLeader(['task_type', 'lane'], 'omnizap_task_depth')})`,
              legend: '{{task_type}}',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Tasks by type and lane',
          description:
            'inline: worked by the inline poller; stable: by the dedicated processes; canary: by those of a new release. A lane that nobody works only grows.',
          unit: 'short',
          width: 12,
          targets: [
            {
              expr: fromLeader(['task_type', 'lane'], 'omnizap_task_depth'),
              legend: '{{task_type}} {{lane}}',
            },
          ],
        },
      ],
    },
    {
      title: 'How it is worked',
      panels: [
        {
          kind: 'timeseries',
          title: 'Ended',
          description: 'Tasks that ended, per second, by type.',
          unit: 'ops',
          width: 8,
          isStacked: true,
          targets: [{ expr: perSecond(['task_type'], `${duration}_count`), legend: '{{task_type}}' }],
        },
        {
          kind: 'timeseries',
          title: 'Outcomes',
          description:
            'done; skipped: there was nothing to do any more; rejected: the subject is at fault; postponed: asked to be tried later; retried: failed.',
          unit: 'short',
          width: 8,
          isStacked: true,
          targets: [{ expr: countOf(['outcome'], `${duration}_count`), legend: '{{outcome}}' }],
        },
        {
          kind: 'timeseries',
          title: 'Failed attempts',
          description: 'The part of the attempts that failed and are tried again, by type.',
          unit: 'percentunit',
          width: 8,
          targets: [
            {
              expr: ratio(
                perSecond(['task_type'], `${duration}_count`, 'outcome="retried"'),
                perSecond(['task_type'], `${duration}_count`),
              ),
              legend: '{{task_type}}',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Change to start, p95',
          description:
            'From the commit of a change to the start of its first task, by type and lane: what an owner waits for.',
          unit: 's',
          width: 8,
          targets: [{ expr: quantile(0.95, ['task_type', 'lane'], wait), legend: '{{task_type}} {{lane}}' }],
        },
        {
          kind: 'timeseries',
          title: 'Handlers take, p95',
          description: 'How long an attempt takes, by type and lane.',
          unit: 's',
          width: 8,
          targets: [{ expr: quantile(0.95, ['task_type', 'lane'], duration), legend: '{{task_type}} {{lane}}' }],
        },
        {
          kind: 'timeseries',
          title: 'Handlers take, mean',
          description: 'Times the rate of their tasks, this is how many attempts go on at once.',
          unit: 's',
          width: 8,
          targets: [{ expr: mean(['task_type'], duration), legend: '{{task_type}}' }],
        },
      ],
    },
  ],
};
