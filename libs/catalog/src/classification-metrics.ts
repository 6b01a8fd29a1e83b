/** The contract's classification metrics, of whoever works stickers: a cycle is one claimed batch. */
import { Counter, Histogram, type Metrics } from '@omnizap/runtime';
import type { OutcomeName } from '@omnizap/tasks';

export function createClassificationMetrics(metrics: Metrics) {
  const registers = [metrics.registry];
  const seconds = new Histogram({
    name: 'omnizap_sticker_classification_cycle_duration_ms',
    help: 'Time from claiming a batch of stickers to its last one, milliseconds.',
    labelNames: ['status'],
    buckets: [10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000],
    registers,
  });
  const cycles = new Counter({
    name: 'omnizap_sticker_classification_cycle_total',
    help: 'Claimed batches by how they went.',
    labelNames: ['status'],
    registers,
  });
  const assets = new Counter({
    name: 'omnizap_sticker_classification_assets_total',
    help: 'Stickers looked at, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  const outcomes = {
    done: 'classified',
    skipped: 'skipped',
    rejected: 'rejected',
    retried: 'retried',
    postponed: 'retried',
  } as const satisfies Record<OutcomeName, string>;
  return {
    onOutcome(taskType: string, outcome: OutcomeName): void {
      if (taskType === 'classification') assets.inc({ outcome: outcomes[outcome] });
    },
    onBatch(taskType: string, batchSeconds: number, counts: { total: number; failed: number }): void {
      if (taskType !== 'classification') return;
      const status = counts.failed === 0 ? 'ok' : counts.failed === counts.total ? 'failed' : 'partial';
      seconds.observe({ status }, batchSeconds * 1_000);
      cycles.inc({ status });
    },
  };
}
