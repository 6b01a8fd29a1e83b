/** How long the rollout's tables keep their rows. */
import type { RetentionPolicy } from '@omnizap/runtime';

export const rolloutRetention: RetentionPolicy[] = [
  {
    name: 'metric-minutes',
    table: 'metric_minute',
    keep: { days: 30 },
    action: 'drop',
    createdColumn: 'minute_at',
    reason:
      'A month of minutes to compare with. Dropped: they are sums of what Prometheus keeps in full where it runs.',
  },
  {
    name: 'rollout-decisions',
    table: 'rollout_decision',
    keep: { days: 365 },
    action: 'archive',
    reason:
      'A year to see why something was raised or rolled back. Archived: with its samples each can be derived again.',
  },
  {
    name: 'rollout-requests',
    table: 'rollout_request',
    keep: { days: 90 },
    action: 'drop',
    reason: 'Who asked for what is in the audit trail as well.',
  },
  {
    name: 'rollout-runs',
    table: 'rollout_run',
    keep: 'for-ever',
    createdColumn: 'started_at',
    reason: 'A few rows a month: what was rolled out when.',
  },
];
