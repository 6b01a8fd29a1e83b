/** Reads the facts of each check. Every check stands alone: what one needs and cannot have is "not checked" there, and no more. */
import { userInfo } from 'node:os';
import { countDeadTasks, rankingAgeSeconds, taskSettings, taskTypesOf } from '@omnizap/catalog';
import { createOutboxStore } from '@omnizap/outbox';
import { createFlagStore, createRollout, createTaskPauses, loadPlans, positionOf } from '@omnizap/rollout';
import {
  buildVersion,
  connectDatabase,
  createLeaseStore,
  deniedTables,
  missingMigrations,
  readServerClock,
  readServerFacts,
  readStaleProcesses,
  unknownMigrations,
  type ConfigView,
  type Database,
} from '@omnizap/runtime';
import { readQueueState } from '@omnizap/tasks';
import { probeProcess } from '../probe-process.ts';
import { judgeClocks } from './clocks.ts';
import { judgeConfiguration } from './configuration.ts';
import { judgeRoom, judgeWritable, readDirectory, type Directory } from './directories.ts';
import { NotCheckedError, within, type Check, type Finding } from './finding.ts';
import { judgeFlags } from './flags.ts';
import { createMending } from './mending.ts';
import { judgeMigrations, judgeQueueSchema } from './migrations.ts';
import { judgeProcesses } from './processes.ts';
import { judgeOutbox, judgeTasks } from './queues.ts';
import { judgeRollout } from './rollout.ts';
import { judgeServer, judgeUnreachable, type Server, type ServerName } from './servers.ts';

/** Longer than any statement of ours; a network that drops everything is noticed by it. */
const silenceLimitMs = 6_000;
const poolMax = 3;
const closeLimitMs = 2_000;
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
  'clocks',
] as const;
export type CheckName = (typeof checkNames)[number];

type Connection = Server & {
  name: ServerName;
  database: Database;
  /** @throws what the first connection failed with; tried once */
  reach: () => Promise<void>;
};

export function createDoctorChecks(view: ConfigView): { checks: Check[]; close: () => Promise<void> } {
  const { settings, isLentByFleet } = view;
  const mending = createMending({ isUnderStart: isLentByFleet });
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

  /** As `open`, for what reads tables. */
  async function openCatalogue(): Promise<Database> {
    const catalogue = await open('catalogue');
    const missing = await missingMigrations(catalogue);
    if (missing.length > 0) throw new NotCheckedError('the catalogue lacks migrations');
    return catalogue;
  }

  async function directory(variable: 'STICKER_DATA_DIR' | 'ARCHIVE_DIR'): Promise<Directory> {
    return { variable, folder: settings[variable], facts: await readDirectory(settings[variable]) };
  }

  const readers: Record<CheckName, () => Promise<Finding[]>> = {
    async configuration() {
      const plansDir = settings.ROLLOUT_PLANS_DIR;
      // Reading plans is not to be interrupted: only when their disk answers.
      if (plansDir !== undefined) await readDirectory(plansDir);
      return judgeConfiguration({ view, planProblems: problemsOfPlans(plansDir) }, mending);
    },

    async disk() {
      const { username } = userInfo();
      const directories = await Promise.all([directory('STICKER_DATA_DIR'), directory('ARCHIVE_DIR')]);
      return [...directories.map((one) => judgeWritable(one, username)), ...judgeRoom(directories)];
    },

    async database() {
      if (connections.length === 0) throw new NotCheckedError('no database is configured');
      const isOne = view.databaseUrl === view.queueUrl;
      const servers = isOne ? connections.slice(0, 1) : connections;
      const findings = await Promise.all(
        servers.map(async (server): Promise<Finding[]> => {
          const title = isOne ? 'catalogue and queue' : server.name;
          try {
            await server.reach();
          } catch (error) {
            return [judgeUnreachable({ ...server, title }, error, mending, isLentByFleet)];
          }
          const { database, name } = server;
          const denied = await deniedTables(database);
          const deniedQueues = isOne || name === 'queue' ? await deniedTables(database, 'pgboss') : [];
          const facts = { ...(await readServerFacts(database)), denied: [...denied, ...deniedQueues] };
          return judgeServer({ ...server, title }, facts, mending);
        }),
      );
      return findings.flat();
    },

    async migrations() {
      const catalogue = await open('catalogue');
      const facts = { missing: await missingMigrations(catalogue), unknown: await unknownMigrations(catalogue) };
      const queues = open('queue').then((queue) => readQueueState(queue, taskSettings));
      return [...judgeMigrations(facts), ...judgeQueueSchema(await queues)];
    },

    async processes() {
      const catalogue = await openCatalogue();
      const live = await createLeaseStore(catalogue).liveProcesses();
      const stale = (await readStaleProcesses(catalogue)).filter(
        ({ expiredSecondsAgo }) => expiredSecondsAgo < recentSeconds,
      );
      const probed = await Promise.all(
        live.map(async (process) => ({ ...process, probe: await probeProcess(String(process.status.url)) })),
      );
      const asked = await Promise.all(
        stale.map(async (process) => ({
          ...process,
          answers: (await probeProcess(String(process.status.url))).isAlive,
        })),
      );
      return judgeProcesses({ live: probed, stale: asked, ownVersion: buildVersion }, mending);
    },

    async flags() {
      const catalogue = await openCatalogue();
      const store = createFlagStore(catalogue);
      return judgeFlags(
        {
          flags: await store.list(),
          unnoticed: await store.unnoticed(),
          isSchemaNewer: (await unknownMigrations(catalogue)).length > 0,
          live: await createLeaseStore(catalogue).liveProcesses(),
          taskTypesOf,
          rankingAgeSeconds: await rankingAgeSeconds(catalogue),
          rankingRefreshSeconds: settings.STICKER_SCORE_SNAPSHOT_REFRESH_INTERVAL_MS / 1_000,
        },
        mending,
      );
    },

    async rollout() {
      const catalogue = await openCatalogue();
      const { active, frozen } = await createRollout({
        database: catalogue,
        outboxDepth: createOutboxStore(catalogue).depth,
      }).status();
      const live = await createLeaseStore(catalogue).liveProcesses();
      const now = Date.now() + (await readServerClock(catalogue)).aheadMs;
      const secondsSince = (ms: number): number => (now - ms) / 1_000;
      const hold = active?.state.hold;
      return judgeRollout(
        {
          active: active && {
            id: active.id,
            planName: active.planName,
            state: active.state.state,
            position: positionOf(active),
            idleSeconds: secondsSince(active.updatedAt.getTime()),
            hold: hold ? { by: hold.by, reason: hold.reason, seconds: secondsSince(hold.since) } : null,
          },
          frozen,
          hasMaintenance: live.some(({ processName }) => processName === 'maintenance'),
        },
        mending,
      );
    },

    async tasks() {
      const catalogue = await openCatalogue();
      const queue = await open('queue');
      const { counts, waiting } = await readQueueState(queue, taskSettings);
      return judgeTasks(
        {
          ...{ counts, waiting, taskTypesOf },
          pauses: await createTaskPauses(catalogue).list(),
          live: await createLeaseStore(catalogue).liveProcesses(),
          deadTasks: await countDeadTasks(catalogue.knex),
        },
        mending,
      );
    },

    async outbox() {
      const catalogue = await openCatalogue();
      const live = await createLeaseStore(catalogue).liveProcesses();
      const depth = await createOutboxStore(catalogue).depth();
      return judgeOutbox({ ...depth, hasRelay: live.some(({ processName }) => processName === 'relay') }, mending);
    },

    async clocks() {
      const clocks = await Promise.all(
        connections.map(async ({ name, url }) => ({
          name,
          host: new URL(url).hostname,
          clock: await readServerClock(await open(name)),
        })),
      );
      if (clocks.length === 0) throw new NotCheckedError('no database is configured');
      return judgeClocks(clocks);
    },
  };

  return {
    checks: checkNames.map((name) => ({ name, run: readers[name] })),
    /** Does not wait for a server that gives no answer. */
    async close() {
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

function problemsOfPlans(folder: string | undefined): string[] {
  try {
    loadPlans(folder);
    return [];
  } catch (error) {
    const [first = '', ...lines] = error instanceof Error ? error.message.split('\n') : [String(error)];
    return lines.length > 0 ? lines : [first];
  }
}
