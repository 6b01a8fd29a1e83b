/** Reads the facts of each check. Every check stands alone: what one needs and cannot have is "not checked" there, and no more. */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import {
  countDeadTasks,
  createHealthSources,
  rankingAgeSeconds,
  readBucketFacts,
  taskSettings,
  taskTypesOf,
  type BucketFacts,
} from '@omnizap/catalog';
import { createOutboxStore } from '@omnizap/outbox';
import { createFlagStore, createRollout, createTaskPauses, loadPlans, positionOf } from '@omnizap/rollout';
import {
  buildVersion,
  connectDatabase,
  databaseErrorCode,
  createLeaseStore,
  deniedTables,
  missingMigrations,
  readServerClock,
  readServerFacts,
  readStaleProcesses,
  unknownMigrations,
  type ConfigView,
  type Database,
  type LiveProcess,
} from '@omnizap/runtime';
import { explainStorageError, objectStorageDigest, openStickerStorage, type StickerStorage } from '@omnizap/storage';
import { readQueueState, type QueueState } from '@omnizap/tasks';
import { probeProcess } from '../probe-process.ts';
import type { Probe } from '../release-findings.ts';
import { judgeClocks, type ClockFacts } from './clocks.ts';
import { judgeConfiguration } from './configuration.ts';
import { judgeRoom, judgeWritable, readDirectory, type Directory, type DirectoryFacts } from './directories.ts';
import { NotCheckedError, within, type Check, type Finding } from './finding.ts';
import { judgeFlags } from './flags.ts';
import { createMending } from './mending.ts';
import { judgeMigrations, judgeQueueSchema } from './migrations.ts';
import { readProcessClock } from './process-clock.ts';
import { judgeAgreement, judgeBucket, judgeDelivery } from './object-storage.ts';
import { judgeProcesses } from './processes.ts';
import { judgeDeadTasks, judgeOutbox, judgePauses, judgeTasks } from './queues.ts';
import { judgeRollout, type RolloutFacts } from './rollout.ts';
import { judgeServer, judgeUnreachable, type Server, type ServerName } from './servers.ts';

/** Longer than any statement of ours; a network that drops everything is noticed by it. */
const silenceLimitMs = 6_000;
const poolMax = 3;
const closeLimitMs = 2_000;
/** Of one question to the bucket; asked once: a second attempt would correct the clock and say nothing. */
const bucketLimits = { attempts: 1, timeoutMs: 4_000 };
/** Processes whose lease ran out longer ago are gone, or somebody else has their port. */
const recentSeconds = 600;

export const checkNames = [
  'configuration',
  'disk',
  'database',
  'migrations',
  'processes',
  'flags',
  'rollout',
  'tasks',
  'outbox',
  'object-storage',
  'clocks',
] as const;
export type CheckName = (typeof checkNames)[number];

/** No such table, no such column. */
const absentCodes = new Set(['42P01', '42703', 'ER_NO_SUCH_TABLE', 'ER_BAD_FIELD_ERROR']);

type Connection = Server & {
  name: ServerName;
  database: Database;
  /** @throws what the first connection failed with; tried once */
  reach: () => Promise<void>;
};

export function createDoctorChecks(view: ConfigView): { checks: Check[]; close: () => Promise<void> } {
  const { settings, isLentByFleet } = view;
  const mending = createMending({ isUnderStart: isLentByFleet, catalogueUrl: view.databaseUrl });
  const connections = [
    connectionOf('catalogue', 'DATABASE_URL', view.databaseUrl),
    connectionOf('queue', 'QUEUE_DATABASE_URL', view.queueUrl),
  ].filter((connection) => connection !== null);

  /** @throws NotCheckedError, in place of the reason that the check of the database gives */
  async function open(name: ServerName): Promise<Database> {
    const connection = connections.find((one) => one.name === name);
    if (!connection) throw new NotCheckedError(`no ${name} database is configured`);
    await connection.reach().catch(() => {
      throw new NotCheckedError(`the ${name} database does not answer`);
    });
    return connection.database;
  }

  /** Reads tables of the catalogue. @throws NotCheckedError when it is not there, or lacks some of them */
  async function read<T>(work: (catalogue: Database) => Promise<T>): Promise<T> {
    const catalogue = await open('catalogue');
    try {
      return await work(catalogue);
    } catch (error) {
      if (!absentCodes.has(databaseErrorCode(error) ?? '')) throw error;
      throw new NotCheckedError('the catalogue lacks a table or column that this release has');
    }
  }
  /** One look for all checks: a lease that runs out meanwhile must not be dead in one and alive in another. */
  let lookedAt: Promise<LiveProcess[]> | undefined;
  const liveProcesses = (): Promise<LiveProcess[]> =>
    (lookedAt ??= read((catalogue) => createLeaseStore(catalogue).liveProcesses()));
  const hasLive = async (kind: string): Promise<boolean> =>
    (await liveProcesses()).some(({ processName }) => processName === kind);

  /** As above, and counting a million tasks takes its time. */
  let readState: Promise<QueueState> | undefined;
  const queueState = (): Promise<QueueState> =>
    (readState ??= open('queue').then((queue) => readQueueState(queue, taskSettings)));

  const folders = (['STICKER_DATA_DIR', 'ARCHIVE_DIR'] as const).map((variable) => {
    const folder = settings[variable];
    let facts: Promise<DirectoryFacts> | undefined;
    return async (): Promise<Directory> => ({ variable, folder, facts: await (facts ??= readDirectory(folder)) });
  });

  let opened: Promise<StickerStorage> | undefined;
  const storage = (): Promise<StickerStorage> => (opened ??= openStickerStorage(settings, bucketLimits));
  let bucketRead: Promise<BucketFacts> | undefined;
  const bucketFacts = (): Promise<BucketFacts> => (bucketRead ??= read(readBucketFacts));
  const deliveryPercent = (): Promise<number> =>
    read(async (catalogue) => {
      const flags = await createFlagStore(catalogue).list();
      const flag = flags.find(({ flagName }) => flagName === 'enable_object_storage_delivery');
      return flag?.isEnabled === true ? flag.rolloutPercent : 0;
    });

  /** Only lists and reads: whoever looks does not change anything. */
  async function examineBucket(): Promise<Finding[]> {
    const { objects } = await storage();
    if (objects === null) return [];
    const { timeoutMs } = bucketLimits;
    // The bucket may be looked at while the database cannot.
    const sample = await bucketFacts().then(
      (facts) => facts.sample,
      () => null,
    );
    const problem = await objects
      .probeInWords(timeoutMs)
      .then(async () => sample && (await objects.read(sample.kind, sample.sha256, sample.sizeBytes, { timeoutMs })))
      .then(
        () => null,
        (error: unknown) => explainStorageError(error),
      );
    const percent = await deliveryPercent().catch(() => 0);
    return judgeBucket({ settings, problem, percent, hasRead: sample !== null }, mending);
  }

  const isOneServer = view.databaseUrl === view.queueUrl;
  async function examineServer(server: Connection): Promise<Finding[]> {
    const title = isOneServer ? 'catalogue and queue' : server.name;
    try {
      await server.reach();
    } catch (error) {
      return [judgeUnreachable({ ...server, title }, error, mending, isLentByFleet)];
    }
    const { database, name } = server;
    const hasQueues = isOneServer || name === 'queue';
    const denied = [
      ...(name === 'catalogue' ? await deniedTables(database) : []),
      ...(hasQueues ? await deniedTables(database, 'pgboss') : []),
    ];
    const schemas = [...(name === 'catalogue' ? ['public'] : []), ...(hasQueues ? ['pgboss'] : [])];
    return judgeServer({ ...server, title }, { ...(await readServerFacts(database)), denied, schemas }, mending);
  }

  async function processClocks(): Promise<ClockFacts> {
    const live = (await liveProcesses()).map(({ processName, status }) => ({ processName, url: String(status.url) }));
    // One on each host: they have the same clock.
    const onHosts = Map.groupBy(live, ({ url }) => new URL(url).hostname);
    const read = [...onHosts].map(async ([host, [first]]) => {
      const clock = first && (await readProcessClock(first.url));
      return clock ? [{ name: `${first.processName} on ${host}`, host, clock }] : [];
    });
    return (await Promise.all(read)).flat();
  }

  const readers: Record<CheckName, (() => Promise<Finding[]>)[]> = {
    configuration: [
      async () => {
        const plansDir = settings.ROLLOUT_PLANS_DIR;
        // Reading plans is not to be interrupted: only when their disk answers.
        const isThere = plansDir === undefined || (await readDirectory(plansDir)).state === 'there';
        const facts = { view, isPlansDirThere: isThere, planProblems: isThere ? problemsOfPlans(plansDir) : [] };
        return judgeConfiguration(facts, mending);
      },
    ],
    disk: [
      ...folders.map((look) => async () => [judgeWritable(await look(), userInfo().username)]),
      async () => judgeRoom(await Promise.all(folders.map((look) => look()))),
    ],
    database: connections
      .filter(({ name }) => name === 'catalogue' || !isOneServer)
      .map((server) => () => examineServer(server)),
    migrations: [
      async () => {
        const catalogue = await open('catalogue');
        return judgeMigrations({
          missing: await missingMigrations(catalogue),
          unknown: await unknownMigrations(catalogue),
        });
      },
      async () => judgeQueueSchema(await queueState()),
    ],
    processes: [
      async () => {
        const live = await liveProcesses();
        const stale = (await read(readStaleProcesses)).filter(
          ({ expiredSecondsAgo }) => expiredSecondsAgo < recentSeconds,
        );
        const ask = ({ status }: LiveProcess): Promise<Probe> => probeProcess(String(status.url));
        const probed = live.map(async (process) => ({ ...process, probe: await ask(process) }));
        const isLivePid = (pid: unknown): boolean => live.some(({ status }) => status.pid === pid);
        const asked = stale.map(async (process) => ({
          ...process,
          answers: (await ask(process)).isAlive,
          isHere: !isLivePid(process.status.pid) && isRunningHere(process),
        }));
        return judgeProcesses(
          { live: await Promise.all(probed), stale: await Promise.all(asked), ownVersion: buildVersion },
          mending,
        );
      },
    ],
    flags: [
      () =>
        read(async (catalogue) => {
          const store = createFlagStore(catalogue);
          return judgeFlags(
            {
              flags: await store.list(),
              unnoticed: await store.unnoticed(),
              isSchemaNewer: (await unknownMigrations(catalogue)).length > 0,
              live: await liveProcesses(),
              taskTypesOf,
              rankingAgeSeconds: await rankingAgeSeconds(catalogue),
              rankingRefreshSeconds: settings.STICKER_SCORE_SNAPSHOT_REFRESH_INTERVAL_MS / 1_000,
            },
            mending,
          );
        }),
    ],
    rollout: [
      () =>
        read(async (catalogue) => {
          const rollout = createRollout({ database: catalogue, ...createHealthSources(catalogue) });
          const { active, frozen } = await rollout.status();
          const now = Date.now() + (await readServerClock(catalogue)).aheadMs;
          const secondsSince = (ms: number): number => (now - ms) / 1_000;
          const hold = active?.state.hold;
          const facts: RolloutFacts['active'] = active && {
            id: active.id,
            planName: active.planName,
            state: active.state.state,
            position: positionOf(active),
            idleSeconds: secondsSince(active.updatedAt.getTime()),
            hold: hold ? { by: hold.by, reason: hold.reason, seconds: secondsSince(hold.since) } : null,
          };
          return judgeRollout({ active: facts, frozen, hasMaintenance: await hasLive('maintenance') }, mending);
        }),
    ],
    tasks: [
      async () => {
        const pauses = await read((catalogue) => createTaskPauses(catalogue).list());
        return judgePauses(
          pauses,
          await queueState().then(
            ({ waiting }) => waiting,
            () => null,
          ),
        );
      },
      async () => judgeDeadTasks(await read(({ knex }) => countDeadTasks(knex))),
      async () => {
        const { counts, waiting } = await queueState();
        const pauses = await read((catalogue) => createTaskPauses(catalogue).list());
        return judgeTasks({ counts, waiting, taskTypesOf, pauses, live: await liveProcesses() }, mending);
      },
    ],
    outbox: [
      () =>
        read(async (catalogue) => {
          const { pending, failed, dlq, oldestSeconds } = await createOutboxStore(catalogue).depth();
          return judgeOutbox({ pending, failed, dlq, oldestSeconds, hasRelay: await hasLive('relay') }, mending);
        }),
    ],
    'object-storage': [
      examineBucket,
      async () =>
        judgeDelivery(
          {
            settings,
            percent: await deliveryPercent(),
            bucket: await bucketFacts(),
            deadTasks: await read(({ knex }) => countDeadTasks(knex, ['storage'])),
            live: await liveProcesses(),
          },
          mending,
        ),
      async () => judgeAgreement({ live: await liveProcesses(), own: objectStorageDigest(settings) }, mending),
    ],
    clocks: [
      async () => {
        const read = connections.map(async ({ name, url }) => {
          const clock = await readServerClock(await open(name));
          return { name: `the ${name} database`, host: new URL(url).hostname, clock };
        });
        const known = (await Promise.allSettled(read)).flatMap((result) =>
          result.status === 'fulfilled' ? [result.value] : [],
        );
        if (known.length === 0) throw new NotCheckedError('no database answers');
        return judgeClocks([...known, ...(await processClocks().catch(() => []))]);
      },
    ],
  };
  if (connections.length === 0)
    readers.database.push(() => Promise.reject(new NotCheckedError('no database is configured')));

  return {
    checks: checkNames.map((name) => ({ name, parts: readers[name] })),
    /** Does not wait for a server that gives no answer. */
    async close() {
      (await opened)?.objects?.close();
      await within(Promise.allSettled(connections.map(({ database }) => database.close())), closeLimitMs, []);
    },
  };
}

export function isCheckName(name: string): name is CheckName {
  return (checkNames as readonly string[]).includes(name);
}

function connectionOf(name: ServerName, variable: Server['variable'], url: string | null): Connection | null {
  if (url === null) return null;
  const database = connectDatabase(url, { poolMax, applicationName: 'omnizap doctor', silenceLimitMs });
  let reached: Promise<void> | undefined;
  return {
    ...{ name, title: name, variable, url, database },
    reach: () => (reached ??= database.knex.raw('SELECT 1').then(() => undefined)),
  };
}

/** Whether that pid is, on this host, such a process. False where there is no /proc to tell. */
function isRunningHere({ processName, status }: LiveProcess): boolean {
  try {
    const [app = ''] = processName.split('-');
    const commandLine = readFileSync(`/proc/${Number(status.pid)}/cmdline`, 'utf8');
    return commandLine.includes(`apps/${app}/main.ts`);
  } catch {
    return false;
  }
}

function problemsOfPlans(folder: string | undefined): string[] {
  try {
    loadPlans(folder);
    return [];
  } catch (error) {
    const [first = '', ...lines] = error instanceof Error ? error.message.split('\n') : [String(error)];
    return lines.length > 0 ? lines : [first];
  }
}
