import {
  createClassificationMetrics,
  createTaskDefinitions,
  keepDeadTask,
  taskSettings,
  taskTypesOf,
  workerKinds,
  type WorkerKind,
} from '@omnizap/catalog';
import { createFlags } from '@omnizap/rollout';
import type { Component, ProcessContext } from '@omnizap/runtime';
import { openStickerStorage } from '@omnizap/storage';
import { createTaskQueues, createWorker } from '@omnizap/tasks';

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
  const flags = createFlags({ database, wakeups, log, metrics });
  const queues = createTaskQueues(taskSettings, {
    queueUrl: config.QUEUE_DATABASE_URL,
    log,
    wakeups,
    applicationName: `omnizap ${kind} tasks`,
    processId: membership.processId,
    lanes: flags,
    observer: metrics.ofDatabase('queue'),
  });
  context.health.addCheck({ name: 'queue', check: () => queues.ping() });
  const { store, objects, purge, storesObjects } = await openStickerStorage(config);
  await store.prepare();

  const isClassification = kind === 'classification';
  const worker = createWorker(
    { queues, wakeups, log, metrics },
    {
      lane: config.WORKER_RELEASE,
      definitions: createTaskDefinitions({ database, flags, wakeups, store, storesObjects }, taskTypesOf[kind], {
        ...{ objects, purge },
        webhooks: {
          isEnabled: config.STICKER_WEBHOOKS_ENABLED,
          allowPrivate: config.STICKER_WEBHOOK_ALLOW_PRIVATE,
        },
      }),
      concurrency: isClassification ? config.STICKER_CLASSIFICATION_CONCURRENCY : databaseConcurrency,
      pollIntervalMs: isClassification
        ? config.STICKER_DEDICATED_WORKER_POLL_INTERVAL_MS
        : Math.min(coalescedPollMs, config.STICKER_DEDICATED_WORKER_POLL_INTERVAL_MS),
      mayClaim: () => membership.isCurrent(),
      onDead: (task) => keepDeadTask(database, task),
      ...(isClassification ? createClassificationMetrics(metrics) : {}),
    },
  );
  return { components: [flags, { name: 'task queues', ...queues }, worker] };
}
