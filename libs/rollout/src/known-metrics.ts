/**
 * The metrics that a gate may name: those of the contract, with their labels. A gate that names anything else is refused when the
 * plans are read, because at run time a metric that nobody exports looks exactly like one that is quiet.
 */
type KnownMetric = { type: 'counter' | 'gauge' | 'histogram'; labels: readonly string[] };

const httpLabels = ['route_group', 'method', 'status_class'] as const;

/** Made by the controller itself at each sample: unfinished tasks of lanes that no live process works. */
export const unownedTasks = 'omnizap_rollout_unowned_tasks';

export const knownMetrics: Readonly<Record<string, KnownMetric>> = {
  omnizap_http_requests_total: { type: 'counter', labels: httpLabels },
  omnizap_http_request_duration_ms: { type: 'histogram', labels: httpLabels },
  omnizap_http_slo_violation_total: { type: 'counter', labels: ['route_group', 'method'] },
  omnizap_sticker_classification_cycle_total: { type: 'counter', labels: ['status'] },
  omnizap_sticker_classification_assets_total: { type: 'counter', labels: ['outcome'] },
  omnizap_queue_depth: { type: 'gauge', labels: ['queue'] },
  omnizap_queue_oldest_age_seconds: { type: 'gauge', labels: ['queue'] },
  omnizap_task_depth: { type: 'gauge', labels: ['task_type', 'lane'] },
  omnizap_worker_task_duration_seconds: { type: 'histogram', labels: ['task_type', 'outcome', 'lane'] },
  omnizap_worker_task_wait_seconds: { type: 'histogram', labels: ['task_type', 'lane'] },
  omnizap_outbox_relay_lag_seconds: { type: 'gauge', labels: [] },
  omnizap_ranking_snapshot_timestamp_seconds: { type: 'gauge', labels: [] },
  omnizap_asset_delivery_total: { type: 'counter', labels: ['source', 'outcome'] },
  omnizap_cache_requests_total: { type: 'counter', labels: ['cache', 'result'] },
  [unownedTasks]: { type: 'gauge', labels: [] },
};
