import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import {
  createApiKeys,
  createCatalogueReader,
  createDeadLetters,
  createEngagement,
  createPacks,
  createUploads,
  rankingTopic,
  taskSettings,
} from '@omnizap/catalog';
import { configureImaging, parseEmojis } from '@omnizap/imaging';
import type { Component, ProcessContext } from '@omnizap/runtime';
import { createDiskStore } from '@omnizap/storage';
import { createHintSender } from '@omnizap/tasks';
import { createApp } from './app.ts';

/** A stranger's slow request must not hold a socket for ever; an upload of 20 MiB on a phone needs its time. */
const requestTimeoutMs = 120_000;
const headersTimeoutMs = 10_000;
/** Without progress in either direction; a reader that stalls must not hold a file open. */
const stalledTimeoutMs = 30_000;
const maxRequestsPerSocket = 1_000;
/** Far below the usual limit of open files, with one file per answer. */
const maxConnections = 2_000;

export async function composeApi(context: ProcessContext): Promise<{ components: Component[]; server: Server }> {
  const { config, database, log, wakeups } = context;
  const store = createDiskStore(join(config.STICKER_DATA_DIR, 'stickers'));
  await store.prepare();
  configureImaging();
  parseEmojis(['😀']);

  const reader = createCatalogueReader({ database }, { ageDecayDays: config.STICKER_PACK_AGE_DECAY_DAYS });
  wakeups.on(rankingTopic, () => reader.forgetCurrentGeneration());
  const queues = createHintSender(taskSettings, {
    queueUrl: config.QUEUE_DATABASE_URL,
    log,
    wakeups,
    applicationName: 'omnizap api tasks',
  });
  const app = createApp({
    ...context,
    store,
    reader,
    packs: createPacks({ database, wakeups }),
    uploads: createUploads({ database, wakeups, store, maxItems: config.STICKER_PACK_MAX_ITEMS }),
    engagement: createEngagement({ database, wakeups }),
    apiKeys: createApiKeys({ database }),
    deadLetters: createDeadLetters({ database, queues, wakeups, log }),
  });
  const server = createServer(
    { requestTimeout: requestTimeoutMs, headersTimeout: headersTimeoutMs, maxHeaderSize: 16_384 },
    app,
  );
  server.timeout = stalledTimeoutMs;
  server.maxRequestsPerSocket = maxRequestsPerSocket;
  server.maxConnections = maxConnections;
  const sender: Component = { name: 'hint sender', start: () => Promise.resolve(), stop: queues.stop };
  return { components: [sender], server };
}
