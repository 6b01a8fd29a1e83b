/** Ranking, flags, object storage, caches and upkeep. */
import type { Alert } from '../alert.ts';
import {
  because,
  becauseOf,
  becauseOfSame,
  blindness,
  catalogueFailing,
  catalogueTrouble,
  leaderGone,
} from './causes.ts';

/** Look-ups per second below which a share of hits says nothing. */
const enoughLookups = 'and sum by (cache) (rate(omnizap_cache_requests_total[10m])) > 1';

const lastSuccess = 'max by (policy) (omnizap_retention_last_success_timestamp_seconds)';
const removed = (offset = ''): string => `max by (policy) (omnizap_retention_removed_rows_total${offset})`;

export const catalogueAlerts: readonly Alert[] = [
  {
    name: 'SnapshotStale',
    group: 'catalogue',
    severity: 'high',
    expression: 'time() - max(omnizap_ranking_snapshot_timestamp_seconds) > $limit',
    limit: 900,
    fires: 'above',
    for: '5m',
    summary: 'The ranking is older than a quarter of an hour',
    condition:
      'the newest generation is older than 900 s: three times STICKER_SCORE_SNAPSHOT_REFRESH_INTERVAL_MS as delivered',
    action: 'See whether a maintenance process leads, and what its log says of publishing.',
    inhibitedBy: [...blindness, ...leaderGone, ...catalogueTrouble],
  },
  {
    name: 'FlagDisagreement',
    group: 'catalogue',
    severity: 'high',
    expression:
      'max by (flag) (omnizap_feature_flag_rollout_percent) - min by (flag) (omnizap_feature_flag_rollout_percent) > $limit',
    limit: 0,
    fires: 'above',
    for: '2m',
    summary: 'Processes disagree about {{ $labels.flag }}',
    condition: 'two processes know different percentages of one flag for 2 minutes; they learn a change within 2 s',
    action: 'Find the process that is behind, and restart it.',
    inhibitedBy: [...blindness, ...catalogueFailing],
  },
  {
    name: 'ObjectStorageDown',
    group: 'catalogue',
    severity: 'high',
    expression: 'min by (instance, process) (omnizap_object_storage_usable) == $limit',
    limit: 0,
    fires: 'at',
    for: '5m',
    summary: '{{ $labels.process }} at {{ $labels.instance }} cannot use the bucket: the disk answers',
    condition: 'a process has not been able to use the bucket for 5 minutes',
    action: 'Run the doctor on that host: key, clock, network, bucket; sticker bytes come from the disk meanwhile.',
    inhibitedBy: blindness,
  },
  {
    name: 'StorageFallback',
    group: 'catalogue',
    severity: 'high',
    expression:
      'sum(rate(omnizap_asset_delivery_total{source="bucket",outcome!="ok"}[5m])) / sum(rate(omnizap_asset_delivery_total{source="bucket"}[5m])) > $limit and sum(rate(omnizap_asset_delivery_total{source="bucket"}[5m])) > 0.2',
    limit: 0.05,
    fires: 'above',
    for: '10m',
    summary: 'The disk answers for a bucket that is slow, incomplete or away',
    condition: 'the bucket failed to give more than 5 % of what it was asked for, with more than 12 looks a minute',
    action: 'Compare bucket and catalogue; lower the flag when the bucket is slow.',
    inhibitedBy: [...blindness, ...becauseOf({ process: 'api' }, 'ObjectStorageDown')],
  },
  {
    name: 'CacheHitsCritical',
    group: 'catalogue',
    severity: 'high',
    expression: `cache:omnizap_cache_hits:ratio_rate10m < $limit ${enoughLookups}`,
    limit: 0.5,
    fires: 'below',
    for: '10m',
    summary: 'The cache {{ $labels.cache }} misses more often than it hits',
    condition: 'less than 50 % hits over 10 minutes, with more than 1 look-up per second',
    action: 'See whether the snapshot flag is up and whether one client asks for ever new pages.',
    inhibitedBy: [...blindness, ...because('SnapshotStale')],
  },
  {
    name: 'CacheHitsLow',
    group: 'catalogue',
    severity: 'medium',
    expression: `cache:omnizap_cache_hits:ratio_rate10m < $limit ${enoughLookups}`,
    limit: 0.7,
    fires: 'below',
    for: '15m',
    summary: 'The cache {{ $labels.cache }} hits less often than it should',
    condition: 'less than 70 % hits over 10 minutes, with more than 1 look-up per second',
    action: 'See which lists are asked for: searches and far pages are not worth keeping.',
    inhibitedBy: [...blindness, ...becauseOfSame('cache', 'CacheHitsCritical'), ...because('SnapshotStale')],
  },
  {
    name: 'PartitionsMissing',
    group: 'catalogue',
    severity: 'high',
    expression: 'min by (table) (omnizap_partitions_end_timestamp_seconds) - time() < $limit',
    limit: 172_800,
    fires: 'below',
    for: '15m',
    summary: 'New rows of {{ $labels.table }} have partitions for less than two days',
    condition: 'the last partition of a table that is divided by day ends in less than 172800 s',
    action: 'Run retention by hand: it adds partitions; then see why the leader has not.',
    inhibitedBy: [...blindness, ...leaderGone],
  },
  {
    name: 'RetentionOverdue',
    group: 'catalogue',
    severity: 'medium',
    // Of a policy that never came to its end there is no such time: it is late when it was there so long ago, and still is.
    expression: `time() - ${lastSuccess} > $limit or ${removed()} and on (policy) ${removed(' offset 26h')} unless on (policy) ${lastSuccess}`,
    limit: 93_600,
    fires: 'above',
    for: '15m',
    summary: 'Retention of {{ $labels.policy }} has not come to its end for more than a day',
    condition:
      'the last complete run of a policy ended more than 93600 s (26 h) ago, or there is a policy since then that never had one',
    action: 'Look at what the last run says, then run the policy by hand.',
    inhibitedBy: [...blindness, ...leaderGone, ...catalogueTrouble],
  },
];
