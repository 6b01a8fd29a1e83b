import { constant, growing } from './alert-case.ts';
import type { CasesOf, Series } from './alert-case.ts';

const flag = (process: string, samples: string): Series => ({
  [`omnizap_feature_flag_rollout_percent{flag="enable_ranking_snapshot_read",process="${process}"}`]: samples,
});
const lookups = (hits: number, misses: number): Series => ({
  'omnizap_cache_requests_total{cache="lists",result="hit"}': growing(hits),
  'omnizap_cache_requests_total{cache="lists",result="miss"}': growing(misses),
});
const delivered = (ok: number, slow: number): Series => ({
  'omnizap_asset_delivery_total{source="bucket",outcome="ok"}': growing(ok),
  'omnizap_asset_delivery_total{source="bucket",outcome="slow"}': growing(slow),
  'omnizap_asset_delivery_total{source="disk",outcome="ok"}': growing(500),
});
const usable = (samples: string): Series => ({
  'omnizap_object_storage_usable{process="api",instance="a:9102"}': samples,
});
const since = (metric: string, samples: string): Series => ({ [metric]: samples });

const hour = 3_600;

export const catalogueCases: CasesOf = {
  SnapshotStale: {
    fires: [
      {
        title: 'nothing has been published for a while',
        series: since('omnizap_ranking_snapshot_timestamp_seconds', constant(0)),
        at: '22m',
        notYetAt: '17m',
      },
    ],
    silent: [
      {
        title: 'published eight minutes ago at each look',
        series: since('omnizap_ranking_snapshot_timestamp_seconds', '0x8 0+60x60'),
        at: '40m',
      },
    ],
  },
  FlagDisagreement: {
    fires: [
      {
        title: 'one process has not learnt of a change',
        series: { ...flag('api', '5x5 50x30'), ...flag('relay', '5x40') },
        at: '9m',
        notYetAt: '6m',
      },
    ],
    silent: [
      {
        title: 'one learns it a minute later',
        series: { ...flag('api', '5x5 50x30'), ...flag('relay', '5x6 50x30') },
        at: '8m',
      },
    ],
  },
  ObjectStorageDown: {
    fires: [{ title: 'the bucket is away', series: usable('1x5 0x30'), at: '13m', notYetAt: '9m' }],
    silent: [
      { title: 'the bucket works', series: usable(constant(1)), at: '30m' },
      { title: 'away for three minutes', series: usable('1x5 0x2 1x30'), at: '12m' },
      { title: 'no bucket at all', series: {}, at: '30m' },
    ],
  },
  StorageFallback: {
    fires: [{ title: 'a tenth is slow', series: delivered(90, 10), at: '14m', notYetAt: '8m' }],
    silent: [
      { title: 'three of a hundred are slow', series: delivered(97, 3), at: '30m' },
      { title: 'two slow ones in a quiet night', series: delivered(1, 1), at: '30m' },
    ],
  },
  CacheHitsCritical: {
    fires: [{ title: 'three misses for each hit', series: lookups(75, 225), at: '14m', notYetAt: '8m' }],
    silent: [
      { title: 'three hits of five', series: lookups(180, 120), at: '30m' },
      { title: 'misses in a quiet night', series: lookups(0, 30), at: '30m' },
    ],
  },
  CacheHitsLow: {
    fires: [{ title: 'three hits of five', series: lookups(180, 120), at: '19m', notYetAt: '12m' }],
    silent: [
      { title: 'four hits of five', series: lookups(240, 60), at: '30m' },
      { title: 'misses in a quiet night', series: lookups(0, 30), at: '30m' },
    ],
  },
  PartitionsMissing: {
    fires: [
      {
        title: 'partitions for one more day',
        series: since('omnizap_partitions_end_timestamp_seconds{table="interaction"}', constant(24 * hour)),
        at: '18m',
        notYetAt: '12m',
      },
    ],
    silent: [
      {
        title: 'partitions for four days',
        series: since('omnizap_partitions_end_timestamp_seconds{table="interaction"}', constant(96 * hour)),
        at: '40m',
      },
    ],
  },
  RetentionOverdue: {
    fires: [
      {
        title: 'no run for a day and three hours',
        series: since('omnizap_retention_last_success_timestamp_seconds{policy="events"}', constant(0, 400)),
        step: '5m',
        at: '27h',
        notYetAt: '1565m',
      },
      {
        title: 'a policy that never comes to its end, whoever leads',
        series: {
          'omnizap_retention_removed_rows_total{policy="events",instance="a:9115"}': constant(0, 150),
          'omnizap_retention_removed_rows_total{policy="events",instance="b:9115"}': `_x149 ${constant(0, 250)}`,
        },
        step: '5m',
        at: '1600m',
        notYetAt: '1565m',
      },
    ],
    silent: [
      {
        title: 'a new policy that comes to its end after twenty hours',
        series: {
          'omnizap_retention_removed_rows_total{policy="events"}': constant(0, 400),
          ...since('omnizap_retention_last_success_timestamp_seconds{policy="events"}', `_x240 ${20 * hour}x100`),
        },
        step: '5m',
        at: '28h',
      },
      {
        title: 'a policy that never came to its end, and was given up',
        series: { 'omnizap_retention_removed_rows_total{policy="events"}': constant(0, 200) },
        step: '5m',
        at: '30h',
      },
      {
        title: 'a run twenty hours ago',
        series: since('omnizap_retention_last_success_timestamp_seconds{policy="events"}', `0x200 ${10 * hour}x300`),
        step: '5m',
        at: '30h',
      },
    ],
  },
};
