import { constant, growing } from './alert-case.ts';
import type { CasesOf, Series } from './alert-case.ts';

const depth = (queue: string, samples: string): Series => ({
  [`omnizap_queue_depth{queue="${queue}",instance="m:9115"}`]: samples,
});
const age = (queue: string, samples: string): Series => ({
  [`omnizap_queue_oldest_age_seconds{queue="${queue}",instance="m:9115"}`]: samples,
});

/** Cycles of so many milliseconds, two a minute, and empty passes beside them. */
const cycles = (meanMs: number, perMinute: number): Series => ({
  'omnizap_sticker_classification_cycle_duration_ms_sum{status="ok"}': growing(meanMs * perMinute),
  'omnizap_sticker_classification_cycle_duration_ms_count{status="ok"}': growing(perMinute),
  'omnizap_sticker_classification_cycle_duration_ms_sum{status="empty"}': growing(60),
  'omnizap_sticker_classification_cycle_duration_ms_count{status="empty"}': growing(60),
});

const classified = (perMinute: number, waiting: number): Series => ({
  'omnizap_sticker_classification_assets_total{outcome="classified"}': growing(perMinute),
  'omnizap_sticker_classification_assets_total{outcome="skipped"}': growing(1_000),
  'omnizap_task_depth{task_type="classification",lane="stable",instance="m:9115"}': constant(waiting),
});

export const queueCases: CasesOf = {
  QueueBacklogGrowing: {
    fires: [
      {
        title: 'twenty tasks more each minute',
        series: depth('sticker_worker_tasks_pending', '100+20x60'),
        at: '20m',
        notYetAt: '10m',
      },
      { title: 'events pile up', series: depth('domain_event_outbox_pending', '0+20x60'), at: '30m' },
    ],
    silent: [
      { title: 'five tasks more each minute', series: depth('sticker_worker_tasks_pending', '200+5x60'), at: '40m' },
      {
        title: 'a peak that is being worked off',
        series: depth('sticker_worker_tasks_pending', '0+500x10 5000-100x40'),
        at: '25m',
      },
      { title: 'a small queue that grows', series: depth('sticker_worker_tasks_pending', '0x20 0+20x4'), at: '24m' },
      {
        title: 'assets to classify again, which are many',
        series: depth('sticker_reprocess_pending', '0+900x60'),
        at: '40m',
      },
    ],
  },
  OldestItemTooOld: {
    fires: [
      {
        title: 'a task of half an hour',
        series: age('sticker_worker_tasks_pending', constant(1_800)),
        at: '7m',
        notYetAt: '3m',
      },
    ],
    silent: [
      { title: 'a task of eight minutes', series: age('sticker_worker_tasks_pending', constant(500)), at: '30m' },
      {
        title: 'a message of hours, whose receiver is away',
        series: age('delivery_pending', constant(9_000)),
        at: '30m',
      },
    ],
  },
  DlqGrowing: {
    fires: [
      { title: 'a dead task', series: depth('sticker_worker_tasks_dlq', '0x30 1x30'), at: '40m' },
      {
        title: 'more than after the last redrive',
        series: depth('domain_event_outbox_dlq', '9x30 0x5 2x30'),
        at: '40m',
      },
    ],
    silent: [
      {
        title: 'old dead letters that nobody has settled',
        series: depth('sticker_worker_tasks_dlq', '7x60'),
        at: '40m',
      },
      { title: 'a redrive', series: depth('sticker_worker_tasks_dlq', '7x30 0x30'), at: '35m' },
    ],
  },
  OutboxRelayLag: {
    fires: [
      {
        title: 'relayed two minutes late',
        series: { 'omnizap_outbox_relay_lag_seconds{instance="r:9110"}': constant(120) },
        at: '7m',
        notYetAt: '3m',
      },
      { title: 'an event that nobody relays', series: age('domain_event_outbox_pending', '0+60x60'), at: '12m' },
    ],
    silent: [
      {
        title: 'half a minute late',
        series: {
          'omnizap_outbox_relay_lag_seconds{instance="r:9110"}': constant(30),
          ...age('domain_event_outbox_pending', constant(30)),
        },
        at: '30m',
      },
    ],
  },
  ClassificationSlow: {
    fires: [{ title: 'cycles of 20 s', series: cycles(20_000, 2), at: '25m', notYetAt: '8m' }],
    silent: [
      { title: 'cycles of 6 s', series: cycles(6_000, 2), at: '40m' },
      { title: 'a slow cycle every five minutes', series: cycles(60_000, 0.2), at: '40m' },
    ],
  },
  ClassificationThroughputLow: {
    fires: [{ title: '150 a minute while thousands wait', series: classified(150, 5_000), at: '25m', notYetAt: '8m' }],
    silent: [
      { title: '400 a minute while thousands wait', series: classified(400, 5_000), at: '40m' },
      { title: '150 a minute, and nothing else to do', series: classified(150, 20), at: '40m' },
    ],
  },
};
