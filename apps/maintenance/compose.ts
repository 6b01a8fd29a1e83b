import {
  bansTopic,
  createBans,
  createCatalogueDepth,
  createHealthSources,
  createRankingPublisher,
  createStickerObjects,
  createSweeper,
  createUnusedStickers,
  keepDeadTask,
  retentionPolicies,
  scoresTopic,
  taskSettings,
} from '@omnizap/catalog';
import { createEmojiClassifier } from '@omnizap/imaging';
import {
  createFlagStore,
  createFlags,
  createFleetSource,
  createPrometheusSource,
  createRolloutController,
  loadPlans,
  rolloutRetention,
  sampleIntervalMs,
} from '@omnizap/rollout';
import {
  connectDatabase,
  createLoop,
  createRetention,
  createServerFigures,
  readPartitionEnds,
  type Component,
  type ProcessContext,
} from '@omnizap/runtime';
import { openStickerStorage } from '@omnizap/storage';
import { createTaskQueues } from '@omnizap/tasks';
import { addFleetGauges } from './fleet-gauges.ts';
import { createLeaderFigures, figuresIntervalMs } from './leader-figures.ts';
import { createLeadership } from './leadership.ts';
import { addQueueGauges } from './queue-gauges.ts';

/** A ranking that is being published, or a batch of retention. */
const stopLimitMs = 6_000;
const passIntervalMs = 2_000;
/** Tasks past their time, and retention of finished ones. */
const superviseIntervalMs = 30_000;
/** Hints of somebody who saw a flag's old value come until everybody has seen the new one. */
const watchfulMs = 15_000;
const unchangedIntervalMs = 10_000;
/** Longer than any figure takes to count. */
const figuresSilenceMs = 20_000;
const pruneIntervalMs = 600_000;
/** After a grace period of days, minutes do not matter. */
const unusedIntervalMs = 180_000;
/** Without the wake-up that rebuilt scores send. */
const rankingLookMs = 6_000;

export async function composeMaintenance(context: ProcessContext): Promise<{ components: Component[] }> {
  const { config, database, log, membership, metrics, wakeups } = context;
  const flags = createFlags({ database, wakeups, log, metrics });
  const flagStore = createFlagStore(database);
  const queues = createTaskQueues(taskSettings, {
    queueUrl: config.QUEUE_DATABASE_URL,
    log,
    wakeups,
    applicationName: 'omnizap maintenance tasks',
    lanes: flags,
    observer: metrics.ofDatabase('queue'),
  });
  context.health.addCheck({ name: 'queue', check: () => queues.ping() });
  const provider = createEmojiClassifier();
  const sweeper = createSweeper(
    { database, queues, log },
    {
      cadenceMs: {
        classification: config.STICKER_WORKER_CLASSIFICATION_CADENCE_MS,
        derivative: config.STICKER_WORKER_CLASSIFICATION_CADENCE_MS,
        curation: config.STICKER_WORKER_CURATION_CADENCE_MS,
        rebuild: config.STICKER_WORKER_REBUILD_CADENCE_MS,
        storage: config.STICKER_WORKER_REBUILD_CADENCE_MS,
        webhook: config.STICKER_WORKER_REBUILD_CADENCE_MS,
      },
      provider,
    },
  );
  const publisher = createRankingPublisher(
    { database, wakeups, log, metrics },
    {
      refreshIntervalMs: config.STICKER_SCORE_SNAPSHOT_REFRESH_INTERVAL_MS,
      ageDecayDays: config.STICKER_PACK_AGE_DECAY_DAYS,
      mayPublish: () => membership.isCurrent(),
    },
  );
  const figures = createLeaderFigures({ metrics, log });
  const counted = connectFigures(config.DATABASE_URL);
  addQueueGauges({
    metrics,
    figures,
    catalogueDepth: createCatalogueDepth(counted, provider),
    taskCounts: queues.counts,
  });
  const queueServer =
    config.QUEUE_DATABASE_URL === config.DATABASE_URL ? undefined : connectFigures(config.QUEUE_DATABASE_URL);
  addFleetGauges({
    metrics,
    figures,
    processes: membership.processes,
    servers: queueServer
      ? [
          { databases: ['catalogue'], figures: createServerFigures(counted) },
          { databases: ['queue'], figures: createServerFigures(queueServer) },
        ]
      : [{ databases: ['catalogue', 'queue'], figures: createServerFigures(counted) }],
    partitionEnds: (today) => readPartitionEnds(counted, today),
  });

  const retention = createRetention(
    { database, log, metrics },
    {
      policies: [...retentionPolicies(database.kind), ...rolloutRetention],
      archiveDir: config.ARCHIVE_DIR,
      mayRun: () => membership.isCurrent(),
    },
  );

  const { store, objects, purge, storesObjects } = await openStickerStorage(config);
  const unusedStickers = createUnusedStickers(
    {
      ...{ database, store, purge, log },
      stickerObjects: objects && createStickerObjects({ database, store, objects }),
    },
    { graceDays: config.STICKER_STORAGE_GRACE_DAYS },
  );

  const rollout = createRolloutController(
    {
      ...{ database, log, metrics, wakeups, processes: membership.processes },
      ...createHealthSources(database),
      source:
        config.PROMETHEUS_URL === undefined
          ? createFleetSource({ metricsToken: config.METRICS_TOKEN })
          : createPrometheusSource({ url: config.PROMETHEUS_URL }),
    },
    { ...readPlans(config.ROLLOUT_PLANS_DIR, log), mayAct: () => leadership.leads() },
  );

  const every = (intervalMs: number, work: () => Promise<unknown>): (() => Promise<void>) => {
    let doneAt = -Infinity;
    return async () => {
      if (performance.now() - doneAt < intervalMs) return;
      doneAt = performance.now();
      await work();
    };
  };
  const lookAtRanking = every(rankingLookMs, () => publisher.pass());
  const duties: ((signal: AbortSignal) => Promise<unknown>)[] = [
    async () => {
      if (!areScoresChanged) return lookAtRanking();
      areScoresChanged = false;
      if (!(await publisher.pass())) areScoresChanged = true;
    },
    every(superviseIntervalMs, async () => {
      await queues.supervise();
      await queues.drainDead((task) => keepDeadTask(database, task));
    }),
    () => sweeper.pass(),
    every(pruneIntervalMs, () => membership.prune()),
    // Bounded: what is left goes on in the next pass, after everybody else's turn.
    (signal) => retention.pass(signal),
  ];

  let areScoresChanged = false;
  const leadership = createLeadership(membership, {
    lookMs: passIntervalMs,
    onChange(isLeading) {
      log.info(isLeading ? 'leading' : 'no longer leading');
      if (isLeading) {
        figuresLoop.wake();
        unusedLoop.wake();
        return;
      }
      figures.clear();
      rollout.clear();
    },
  });

  const loop = createLoop({
    name: 'maintenance',
    intervalMs: () => passIntervalMs,
    log,
    async pass(signal) {
      await leadership.keep();
      for (const duty of duties) {
        if (!leadership.leads()) return false;
        // One duty that fails must not keep the others from their turn.
        await duty(signal).catch((error: unknown) =>
          log.warn({ err: error }, 'a maintenance duty failed; trying again'),
        );
      }
      return false;
    },
  });
  let changedAt = -Infinity;
  const urgentDuties: (() => Promise<unknown>)[] = [
    async () => {
      const live = async (): Promise<string[]> => (await membership.processes()).map((entry) => entry.processId);
      const rescued = await queues.rescue(live, (task) => keepDeadTask(database, task));
      if (rescued > 0) log.warn({ tasks: rescued }, 'gave the tasks of dead processes to others');
    },
    whenChanged(async () => {
      const moved = await queues.keepLanes();
      if (moved > 0) log.info({ tasks: moved }, 'moved waiting tasks to the lanes that have to work them now');
    }),
    whenChanged(async () => {
      for (const flag of await flagStore.noticeForeignChanges())
        log.warn({ flag }, 'a flag was changed in the table by hand, or its row was missing');
    }),
  ];
  /** In every pass for a while after a flag, or who works a lane, was changed; now and then otherwise. */
  function whenChanged(work: () => Promise<void>): () => Promise<void> {
    const nowAndThen = every(unchangedIntervalMs, work);
    return () => (performance.now() - changedAt < watchfulMs ? work() : nowAndThen());
  }
  /** On its own: a long ranking or a sweep of thousands must not keep the tasks of the dead, or of a flip, waiting. */
  const urgent = createLoop({
    name: 'urgent duties',
    intervalMs: () => passIntervalMs,
    log,
    async pass() {
      if (!leadership.leads()) return false;
      for (const duty of urgentDuties)
        await duty().catch((error: unknown) => log.warn({ err: error }, 'a maintenance duty failed; trying again'));
      return false;
    },
  });
  /** On its own: what a pass waits for are the answers of other processes. */
  const rolloutLoop = createLoop({
    name: 'rollout',
    intervalMs: () => sampleIntervalMs,
    log,
    async pass() {
      if (leadership.leads()) await rollout.pass();
      return false;
    },
  });
  const bans = createBans({ database, flags, wakeups, storesObjects });
  /** On its own: a search through millions of pictures takes its time. */
  const bansLoop = createLoop({
    name: 'bans',
    intervalMs: () => passIntervalMs,
    log,
    pass: async () => leadership.leads() && (await bans.pass()),
  });
  /** On its own: a bucket that does not answer takes its time. */
  const unusedLoop = createLoop({
    name: 'unused stickers',
    intervalMs: () => unusedIntervalMs,
    log,
    async pass(signal) {
      if (config.STICKER_STORAGE_GRACE_DAYS > 0 && leadership.leads()) await unusedStickers.pass(signal);
      return false;
    },
  });
  /** On its own: while a pass takes long, the figures that tell so must not be missing. */
  const figuresLoop = createLoop({
    name: 'figures',
    intervalMs: () => figuresIntervalMs,
    log,
    async pass() {
      // Another loop may be in the midst of something long since the lease was lost, and somebody else leads.
      await leadership.keep();
      if (leadership.leads()) await figures.refresh();
      return false;
    },
  });
  const loops = [loop, urgent, rolloutLoop, bansLoop, unusedLoop, figuresLoop];
  const leader: Component = {
    name: 'maintenance',
    stopLimitMs,
    async start() {
      wakeups.on(scoresTopic, () => {
        areScoresChanged = true;
        loop.wake();
      });
      wakeups.on(bansTopic, () => bansLoop.wake());
      flags.onChange(() => {
        changedAt = performance.now();
        urgent.wake();
      });
      await Promise.all(loops.map((one) => one.start()));
    },
    async stop() {
      await Promise.all(loops.map((one) => one.stop()));
      await Promise.all([counted.close(), queueServer?.close()]);
      objects?.close();
    },
  };
  return { components: [flags, { name: 'task queues', ...queues }, leader] };
}

/**
 * One connection, for the figures alone, and told of to no metric: how long it takes to count everything is nothing that a request
 * waits for, and four counts a minute would be slow queries enough for an alert.
 */
function connectFigures(url: string): ReturnType<typeof connectDatabase> {
  return connectDatabase(url, {
    poolMax: 1,
    applicationName: 'omnizap maintenance figures',
    silenceLimitMs: figuresSilenceMs,
  });
}

/** A plan that cannot be read must not keep the tasks of dead processes waiting: it only cannot be rolled out. */
function readPlans(
  directory: string | undefined,
  log: ProcessContext['log'],
): { plans: ReturnType<typeof loadPlans>; planProblem?: string } {
  try {
    return { plans: loadPlans(directory) };
  } catch (error) {
    log.error({ err: error }, 'the rollout plans cannot be read: see "npm run ops -- rollout plan"');
    return { plans: new Map(), planProblem: error instanceof Error ? error.message : String(error) };
  }
}
