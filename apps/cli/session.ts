/**
 * What commands work with, each connected at its first use: a command needs no API, and one that only looks into the catalogue
 * needs no task queues. Wake-ups are sent at the end; whoever waits for one polls as well.
 */
import {
  adminOwnerId,
  createBans,
  createCatalogueReader,
  createDeadLetters,
  createHealthSources,
  createModeration,
  createReports,
  retentionPolicies,
  taskSettings,
  type Bans,
  type CatalogueReader,
  type DeadLetters,
  type Moderation,
  type Reports,
} from '@omnizap/catalog';
import {
  createFlagStore,
  createRollout,
  createTaskPauses,
  loadPlans,
  rolloutRetention,
  storedEvaluation,
  type FlagStore,
  type Rollout,
  type TaskPauses,
} from '@omnizap/rollout';
import {
  AppError,
  connectDatabase,
  createLogger,
  createRetention,
  createWakeups,
  loadConfig,
  missingMigrations,
  type Config,
  type Database,
  type Logger,
  type Retention,
} from '@omnizap/runtime';
import { openStickerStorage, type StickerStorage } from '@omnizap/storage';
import { createHintSender, type TaskQueues } from '@omnizap/tasks';

export type Session = {
  /** @throws AppError `schema-outdated` */
  database(): Promise<Database>;
  /** The task queues' database, for looking into it: nothing is waited for. */
  queueDatabase(): Database;
  deadLetters(): Promise<DeadLetters>;
  /** Packs as their owners and administrators see them. */
  reader(): Promise<CatalogueReader>;
  moderation(): Promise<{ moderation: Moderation; bans: Bans; reports: Reports }>;
  /** @throws AppError `unavailable` */
  taskQueues(): Promise<TaskQueues>;
  /** The bytes of stickers: on this host, in the bucket, and kept by others. */
  stickerStorage(): Promise<StickerStorage>;
  /** `STICKER_STORAGE_GRACE_DAYS` */
  storageGraceDays(): number;
  retention(): Promise<Retention>;
  flagStore(): Promise<FlagStore>;
  taskPauses(): Promise<TaskPauses>;
  rollout(): Promise<Rollout>;
  /** @throws AppError `configuration-invalid` listing what is wrong with the files */
  plans(): ReturnType<typeof loadPlans>;
  /** Wakes whoever listens, when the command is done. */
  announce(topic: string): void;
  /** Sends the wake-ups and ends every connection. */
  close(): Promise<void>;
};

/** Made as they are needed: most commands need one. */
const poolMax = 8;

type Parts = { config: Config; log: Logger; sender: ReturnType<typeof createHintSender> };

export function createSession(): Session {
  const topics = new Set<string>();
  const later = { notify: (topic: string) => void topics.add(topic) };
  let made: Parts | undefined;
  let connected: Database | undefined;
  let queues: Database | undefined;
  let opened: Promise<StickerStorage> | undefined;

  /** @throws AppError `configuration-invalid` */
  function parts(): Parts {
    if (made) return made;
    const config = loadConfig();
    const log = createLogger({
      // What a process tells about itself all the time is noise here.
      level: config.LOG_LEVEL === 'info' ? 'warn' : config.LOG_LEVEL,
      format: config.LOG_FORMAT,
      process: 'ops',
      stream: 'stderr',
    });
    const sender = createHintSender(taskSettings, {
      queueUrl: config.QUEUE_DATABASE_URL,
      log,
      wakeups: later,
      applicationName: 'omnizap ops tasks',
    });
    return (made = { config, log, sender });
  }

  async function database(): Promise<Database> {
    if (connected) return connected;
    connected = connectDatabase(parts().config.DATABASE_URL, { poolMax, applicationName: 'omnizap ops' });
    const missing = await missingMigrations(connected);
    if (missing.length > 0)
      throw new AppError(
        'schema-outdated',
        `${missing.length} migrations are missing: run "npm run db:migrate" first.`,
      );
    return connected;
  }

  return {
    database,
    queueDatabase: () =>
      (queues ??= connectDatabase(parts().config.QUEUE_DATABASE_URL, { poolMax: 1, applicationName: 'omnizap ops' })),
    async deadLetters() {
      const { log, sender } = parts();
      return createDeadLetters({ database: await database(), queues: sender, wakeups: later, log });
    },
    async reader() {
      return createCatalogueReader(
        { database: await database() },
        { ageDecayDays: parts().config.STICKER_PACK_AGE_DECAY_DAYS },
      );
    },
    async moderation() {
      const catalogue = await database();
      const stored = storedEvaluation(await createFlagStore(catalogue).list());
      // A command is over before a flag that changes meanwhile would be known to a process that runs.
      const flags = { isOn: (...of: Parameters<typeof stored.evaluate>) => stored.evaluate(...of).enabled };
      const { storesObjects } = await openStickerStorage(parts().config);
      const deps = { database: catalogue, flags, wakeups: later, storesObjects };
      return {
        moderation: createModeration(deps),
        bans: createBans({ ...deps, reservedOwners: [adminOwnerId] }),
        reports: createReports({ ...deps, holdAt: parts().config.STICKER_REPORTS_HOLD_AT }),
      };
    },
    taskQueues: () => parts().sender.connected(),
    stickerStorage: () => (opened ??= openStickerStorage(parts().config)),
    storageGraceDays: () => parts().config.STICKER_STORAGE_GRACE_DAYS,
    async retention() {
      const { config, log } = parts();
      const catalogue = await database();
      return createRetention(
        { database: catalogue, log },
        { policies: [...retentionPolicies(catalogue.kind), ...rolloutRetention], archiveDir: config.ARCHIVE_DIR },
      );
    },
    async flagStore() {
      return createFlagStore(await database());
    },
    async taskPauses() {
      return createTaskPauses(await database());
    },
    async rollout() {
      const catalogue = await database();
      return createRollout({ database: catalogue, ...createHealthSources(catalogue) });
    },
    plans: () => loadPlans(parts().config.ROLLOUT_PLANS_DIR),
    announce: later.notify,
    async close() {
      if (made && topics.size > 0) {
        const wakeups = createWakeups({ queueUrl: made.config.QUEUE_DATABASE_URL, log: made.log });
        await wakeups.start();
        for (const topic of topics) wakeups.notify(topic);
        await wakeups.stop();
      }
      await made?.sender.stop();
      await queues?.close();
      await connected?.close();
      (await opened)?.objects?.close();
    },
  };
}
