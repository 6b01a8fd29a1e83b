import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import {
  adminOwnerId,
  createApiKeys,
  createAutoCollect,
  createBans,
  createCatalogueReader,
  createClassificationMetrics,
  createDeadLetters,
  createEngagement,
  createMarketplaceActivity,
  createModeration,
  createOwnerReader,
  createOwnerSessions,
  createOwnerTurns,
  createPackClone,
  createPackEdits,
  createPackAnalytics,
  createPackExports,
  createPackImports,
  createPacks,
  createReplaceSticker,
  createReports,
  createStickerObjects,
  createTaskDefinitions,
  createUploads,
  createWebhooks,
  keepDeadTask,
  rankingTopic,
  taskSettings,
  taskTypes,
} from '@omnizap/catalog';
import { createFlagStore, createFlags, createTaskPauses } from '@omnizap/rollout';
import type { Component, ProcessContext } from '@omnizap/runtime';
import { createBucketReader, createBuildCache, openStickerStorage, type ObjectStore } from '@omnizap/storage';
import { createHintSender, createWorker } from '@omnizap/tasks';
import { createApp } from './app.ts';
import { createAssetDelivery } from './asset-delivery.ts';
import { answerUnreadable } from './unreadable-request.ts';
import { drawnArt } from './web/drawn-art.ts';
import { loadWebAssets } from './web/web-assets.ts';
import { createContinueAnswer } from './expect-continue.ts';
import { createIdempotency } from './idempotency.ts';
import { createRateLimiter } from './rate-limiter.ts';
import { createSignedPaths } from './signed-paths.ts';

/** Beside the tools that the project fetches; where it cannot be written, the pictures are kept with the data. */
const cachedArt = join(import.meta.dirname, '../../.cache/art');

/** A stranger's slow request must not hold a socket for ever; an upload of 20 MiB on a phone needs its time. */
const requestTimeoutMs = 120_000;
const headersTimeoutMs = 10_000;
/** Without progress in either direction; a reader that stalls must not hold a file open. */
const stalledTimeoutMs = 30_000;
const maxRequestsPerSocket = 1_000;
/** Far below the usual limit of open files, with one file per answer. */
const maxConnections = 2_000;

/** The inline poller works one task at a time and rests as long as that took: requests come first. */
const inlineRestRatio = 1;
/** Somebody waits for what is read here: the disk is asked instead of the bucket a second time. */
const bucketLimits = { attempts: 1, timeoutMs: 5_000 };
const inlineStopGraceMs = 3_000;

/**
 * A few thousand packs of 25 stickers; a build takes a fraction of a second and holds one sticker at a time. They wait rather than
 * take the processor from other requests.
 */
const exportCache = { maxBytes: 1_024 ** 3, maxBuilds: 2, maxWaiting: 64 };

export async function composeApi(context: ProcessContext): Promise<{ components: Component[]; server: Server }> {
  const { config, log, membership, metrics, wakeups } = context;
  const idempotency = createIdempotency({ database: context.database, processId: membership.processId, log });
  const { database } = idempotency;
  const storage = await openStickerStorage(config, bucketLimits);
  const { store, objects, purge, storesObjects } = storage;
  await store.prepare();

  const reader = createCatalogueReader({ database }, { ageDecayDays: config.STICKER_PACK_AGE_DECAY_DAYS });
  wakeups.on(rankingTopic, () => reader.forgetCurrentGeneration());
  const flags = createFlags({ database, wakeups, log, metrics });
  const queues = createHintSender(taskSettings, {
    queueUrl: config.QUEUE_DATABASE_URL,
    log,
    wakeups,
    applicationName: 'omnizap api tasks',
    processId: membership.processId,
    lanes: flags,
    observer: metrics.ofDatabase('queue'),
  });
  const webhooks = {
    isEnabled: config.STICKER_WEBHOOKS_ENABLED,
    allowPrivate: config.STICKER_WEBHOOK_ALLOW_PRIVATE,
  };
  const inlinePoller = createWorker(
    { queues: queues.source, wakeups, log, metrics },
    {
      lane: 'inline',
      definitions: createTaskDefinitions({ database, flags, wakeups, store, storesObjects }, [...taskTypes], {
        ...{ webhooks, objects, purge },
      }),
      concurrency: 1,
      pollIntervalMs: config.STICKER_DEDICATED_WORKER_POLL_INTERVAL_MS,
      restRatio: inlineRestRatio,
      stopGraceMs: inlineStopGraceMs,
      mayClaim: () => membership.isCurrent(),
      onDead: (task) => keepDeadTask(database, task),
      ...createClassificationMetrics(metrics),
    },
  );
  function openBucket(of: ObjectStore) {
    const stickerObjects = createStickerObjects({ database, store, objects: of });
    const reader = createBucketReader(
      { objects: of, log, metrics },
      {
        isInUse: () => flags.percentOf('enable_object_storage_delivery') > 0,
        onMissing: stickerObjects.distrust,
      },
    );
    return { objects: of, reader, stickerObjects };
  }
  const bucket = objects && openBucket(objects);
  const assetDelivery = createAssetDelivery({
    ...{ store, flags, metrics, log, bucket },
    signedUrlTtlSeconds: config.STICKER_OBJECT_STORAGE_SIGNED_URL_TTL_SECONDS,
  });
  const deciding = { database, flags, wakeups, storesObjects };
  const intake = {
    ...{ database, flags, wakeups, store, storesObjects, maxItems: config.STICKER_PACK_MAX_ITEMS },
    moderationPolicy: config.STICKER_MODERATION_POLICY,
  };
  const turns = createOwnerTurns(database);
  const apiKeys = createApiKeys({ database });
  const maxPerOwner = config.STICKER_PACK_MAX_PER_OWNER;
  const app = createApp({
    ...context,
    database,
    idempotency,
    rateLimiter: createRateLimiter(database, config),
    store,
    assetDelivery,
    signedPaths: createSignedPaths({
      secrets: config.STICKER_SIGNED_URL_SECRET,
      ttlSeconds: config.STICKER_OBJECT_STORAGE_SIGNED_URL_TTL_SECONDS,
    }),
    imageOrigins: await assetDelivery.imageOrigins(),
    reader,
    packs: createPacks({ ...intake, turns }, { maxPerOwner }),
    packEdits: createPackEdits(intake),
    packClone: createPackClone({ ...intake, turns }, { maxPerOwner }),
    ownerReader: createOwnerReader({ database }),
    uploads: createUploads(intake),
    replaceSticker: createReplaceSticker(intake),
    autoCollect: createAutoCollect(
      { ...intake, turns },
      {
        isEnabled: config.STICKER_PACK_AUTO_COLLECT_ENABLED,
        baseName: config.STICKER_PACK_AUTO_PACK_NAME,
        maxPerOwner,
      },
    ),
    packExports: createPackExports({
      reader,
      store,
      cache: createBuildCache(join(store.root, 'exports'), exportCache),
    }),
    packImports: createPackImports({ ...intake, turns }, { maxPerOwner }),
    engagement: createEngagement({ database, flags, wakeups }),
    analytics: createPackAnalytics({ database }),
    activity: createMarketplaceActivity({ database }),
    moderation: createModeration(deciding),
    bans: createBans({ ...deciding, reservedOwners: [adminOwnerId] }),
    reports: createReports({ ...deciding, holdAt: config.STICKER_REPORTS_HOLD_AT }),
    webhooks: createWebhooks({ database, turns }, webhooks),
    apiKeys,
    ownerSessions: createOwnerSessions({ database, apiKeys }),
    deadLetters: createDeadLetters({ database, queues, wakeups, log }),
    flags,
    flagStore: createFlagStore(database),
    taskPauses: createTaskPauses(database),
    taskCounts: async () => (await queues.connected()).counts(),
    webAssets: await loadWebAssets({
      assetVersion: config.STICKER_WEB_ASSET_VERSION,
      artFolder: await drawnArt([cachedArt, join(config.STICKER_DATA_DIR, 'art')]),
    }),
  });
  const server = createServer(
    { requestTimeout: requestTimeoutMs, headersTimeout: headersTimeoutMs, maxHeaderSize: 16_384 },
    app,
  );
  server.on('clientError', answerUnreadable);
  server.on('checkContinue', createContinueAnswer(app));
  server.timeout = stalledTimeoutMs;
  server.maxRequestsPerSocket = maxRequestsPerSocket;
  server.maxConnections = maxConnections;
  const sender: Component = { name: 'hint sender', start: () => Promise.resolve(), stop: queues.stop };
  const components = [flags, sender, ...(bucket ? [bucket.reader] : []), { ...inlinePoller, name: 'inline poller' }];
  return { components, server };
}
