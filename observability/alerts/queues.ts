/** Work that does not get done: the backlog, its age, dead letters, the relay, classification. */
import type { Alert } from '../alert.ts';
import { backlogFloor, classificationFloor } from '../objectives.ts';
import { because, becauseOf, blindness, databaseTrouble } from './causes.ts';

const causes = [...blindness, ...databaseTrouble];
const classification = { process: 'worker-classification' };

export const queueAlerts: readonly Alert[] = [
  {
    name: 'QueueBacklogGrowing',
    group: 'queues',
    severity: 'high',
    expression:
      'deriv(queue:omnizap_queue_depth:max{queue=~"sticker_worker_tasks_pending|domain_event_outbox_pending|delivery_pending"}[10m]) * 60 > $limit and queue:omnizap_queue_depth:max > 100',
    limit: 10,
    fires: 'above',
    for: '15m',
    summary: '{{ $labels.queue }} has been growing for a quarter of an hour',
    condition: 'more than 100 wait, and by the trend of 10 minutes 10 more each minute, for 15 minutes',
    action: 'See what came in and who works it: a bulk change ends by itself, too few workers do not.',
    inhibitedBy: [...causes, ...because('RelayDown')],
  },
  {
    name: 'OldestItemTooOld',
    group: 'queues',
    severity: 'high',
    expression: 'queue:omnizap_queue_oldest_age_seconds:max{queue="sticker_worker_tasks_pending"} > $limit',
    limit: backlogFloor.recoverySeconds,
    fires: 'above',
    for: '5m',
    summary: 'The oldest unfinished task waits for more than a quarter of an hour',
    condition:
      'the oldest unfinished task is older than 900 s, the longest time that a backlog may take to be normal again',
    action: 'List tasks by type and lane: paused, unowned, retried, or too many.',
    inhibitedBy: causes,
  },
  {
    name: 'DlqGrowing',
    group: 'queues',
    severity: 'high',
    expression:
      'queue:omnizap_queue_depth:max{queue=~".+_dlq"} - min_over_time(queue:omnizap_queue_depth:max{queue=~".+_dlq"}[15m]) > $limit',
    limit: 0,
    fires: 'above',
    for: '0s',
    summary: 'New dead letters in {{ $labels.queue }}',
    condition: 'more dead letters that nobody has settled than at some time in the last 15 minutes',
    action: 'Group them by cause, mend the cause, redrive.',
    inhibitedBy: blindness,
  },
  {
    name: 'OutboxRelayLag',
    group: 'queues',
    severity: 'high',
    expression:
      'max(omnizap_outbox_relay_lag_seconds) > $limit or max(queue:omnizap_queue_oldest_age_seconds:max{queue="domain_event_outbox_pending"}) > $limit',
    limit: 60,
    fires: 'above',
    for: '5m',
    summary: 'Events leave the outbox more than a minute late',
    condition: 'the newest relayed event, or the oldest that waits, is older than 60 s',
    action: 'See who holds the shards and whether one event blocks its aggregate.',
    inhibitedBy: [...causes, ...because('RelayDown')],
  },
  {
    name: 'ClassificationSlow',
    group: 'queues',
    severity: 'medium',
    expression:
      'fleet:omnizap_sticker_classification_cycle_duration_ms:mean_15m > $limit and on () fleet:omnizap_sticker_classification_cycles:increase15m >= 5',
    limit: classificationFloor.meanCycleMs,
    fires: 'above',
    for: '10m',
    summary: 'A cycle of classification takes more than ten seconds',
    condition: 'the mean cycle of 15 minutes takes more than 10000 ms, with at least 5 cycles',
    action: 'See whether the processor, the disk or one kind of file is slow; lower the concurrency or add a worker.',
    inhibitedBy: [...causes, ...becauseOf(classification, 'WorkerTypeDown', 'EventLoopLag')],
  },
  {
    name: 'ClassificationThroughputLow',
    group: 'queues',
    severity: 'medium',
    expression:
      'fleet:omnizap_sticker_classification_assets:rate10m * 60 < $limit and on () sum(max by (lane) (omnizap_task_depth{task_type="classification"})) > 600',
    limit: classificationFloor.assetsPerMinute,
    fires: 'below',
    for: '10m',
    summary: 'Stickers wait, and fewer than 300 a minute are classified',
    condition:
      'fewer than 300 assets a minute over 10 minutes while more than 600 tasks of classification are unfinished',
    action: 'Add a classification worker on a host with a free core.',
    inhibitedBy: [...causes, ...becauseOf(classification, 'WorkerTypeDown'), ...because('ClassificationSlow')],
  },
];
