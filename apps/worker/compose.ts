import { join } from 'node:path';
import {
  createClassifySticker,
  createCurateTheme,
  createDeriveSticker,
  createRebuildPack,
  keepDeadTask,
  taskSettings,
  type TaskType,
} from '@omnizap/catalog';
import { configureImaging, createEmojiClassifier, keywordsOfEmoji, parseEmojis } from '@omnizap/imaging';
import { Counter, Histogram, type Component, type ProcessContext } from '@omnizap/runtime';
import { createDiskStore } from '@omnizap/storage';
import {
  createTaskQueues,
  createWorker,
  type OutcomeName,
  type TaskDefinition,
  type TaskHandler,
} from '@omnizap/tasks';

export const workerKinds = ['classification', 'curation', 'rebuild'] as const;
export type WorkerKind = (typeof workerKinds)[number];

export const defaultPorts: Record<WorkerKind, number> = { classification: 9111, curation: 9112, rebuild: 9113 };

export function isWorkerKind(value: string): value is WorkerKind {
  return (workerKinds as readonly string[]).includes(value);
}

/** Due tasks that were put off by a second or two are not announced again: these workers look for them once a second. */
const coalescedPollMs = 1_000;
/** Mostly waiting for the database; within the pool. */
const databaseConcurrency = 4;

export async function composeWorker(context: ProcessContext, kind: WorkerKind): Promise<{ components: Component[] }> {
  const { config, database, log, membership, metrics, wakeups } = context;
  const queues = createTaskQueues(taskSettings, {
    queueUrl: config.QUEUE_DATABASE_URL,
    log,
    wakeups,
    applicationName: `omnizap ${kind} tasks`,
    processId: membership.processId,
  });
  context.health.addCheck({ name: 'queue', check: () => queues.ping() });
  const store = createDiskStore(join(config.STICKER_DATA_DIR, 'stickers'));
  await store.prepare();
  configureImaging();
  // Loading the emoji data takes 0.2 s: before the first sticker, not during it.
  parseEmojis(['😀']).forEach(keywordsOfEmoji);

  const handlers: Record<TaskType, TaskHandler> = {
    classification: createClassifySticker({ database, wakeups, store }, createEmojiClassifier()),
    derivative: createDeriveSticker({ database, wakeups, store }),
    curation: createCurateTheme({ database, wakeups }),
    rebuild: createRebuildPack({ database, wakeups }),
  };
  const define = (type: TaskType): TaskDefinition => {
    const settings = taskSettings.find((entry) => entry.type === type);
    if (!settings) throw new Error(`No settings for task type ${type}`);
    return { settings, handle: handlers[type] };
  };
  const isClassification = kind === 'classification';
  const worker = createWorker(
    { queues, wakeups, log, metrics },
    {
      lane: config.WORKER_RELEASE,
      definitions: isClassification ? [define('classification'), define('derivative')] : [define(kind)],
      concurrency: isClassification ? config.STICKER_CLASSIFICATION_CONCURRENCY : databaseConcurrency,
      pollIntervalMs: isClassification
        ? config.STICKER_DEDICATED_WORKER_POLL_INTERVAL_MS
        : Math.min(coalescedPollMs, config.STICKER_DEDICATED_WORKER_POLL_INTERVAL_MS),
      mayClaim: () => membership.isCurrent(),
      onDead: (task) => keepDeadTask(database, task),
      ...(isClassification ? classificationMetrics(context) : {}),
    },
  );
  return { components: [{ name: 'task queues', ...queues }, worker] };
}

/** The contract's classification metrics: a cycle is one claimed batch. */
function classificationMetrics({ metrics }: ProcessContext) {
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
