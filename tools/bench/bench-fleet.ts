/**
 * A fleet to measure: embedded PostgreSQL with safe commits and every process of `npm start`, each with the settings that users
 * get by default, on free ports. Whatever was started is stopped by the clean-up, also when the start was interrupted.
 */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { startEmbeddedPostgres } from '@omnizap/embedded';
import { spawnProcess, waitFor, type SpawnedProcess } from '@omnizap/testkit';
import pg from 'pg';
import { readCpuSeconds } from './process-cpu.ts';
import { childrenOf } from './process-tree.ts';
import { readStartSettings, type ProcessPlan } from '../start/start-settings.ts';

/** Longest time that a backlog of these benches may take to be worked off. */
const quietTimeoutMs = 300_000;
const quietPollMs = 250;
/** A machine that does other things as well may need a minute for seven processes at once. */
const readyTimeoutMs = 120_000;

export type BenchFleet = {
  dataDir: string;
  apiUrl: string;
  adminToken: string;
  databaseUrl: string;
  postgresPid: number;
  /** What every process of it is started with. */
  env: Record<string, string>;
  /** Names as `npm start` prints them. */
  processes: () => { name: string; pid: number }[];
  /** Resolves when the process says that it is ready. */
  start: (name: string) => Promise<void>;
  stop: (name: string) => Promise<void>;
  /** One more process of that kind, with settings that differ from the others'; it is stopped with the fleet. */
  startBeside: (name: string, settings: Record<string, string>) => Promise<SpawnedProcess>;
  query: <Row extends object>(sql: string, values?: unknown[]) => Promise<Row[]>;
  /** Calls `listener` with each line of the database server's log; returns the unsubscriber. */
  onDatabaseLog: (listener: (line: string) => void) => () => void;
  /** Resolves when no event, task or wanted work is left. */
  whenQuiet: () => Promise<void>;
  /** Processor seconds so far of the processes that run now, and of PostgreSQL with its connections. */
  cpuSeconds: (names?: string[]) => Promise<{ processes: number; database: number }>;
};

type FleetOptions = {
  folder: string;
  /** Environment variables beside those that every fleet needs. */
  settings: Record<string, string>;
  cleanUp: (work: () => Promise<void>) => void;
  signal: AbortSignal;
  /** Each process writes a CPU profile there when it ends. */
  profileDir?: string | undefined;
};

export async function startBenchFleet({
  folder,
  settings,
  cleanUp,
  signal,
  profileDir,
}: FleetOptions): Promise<BenchFleet> {
  const dataDir = path.join(folder, 'data');
  const logListeners = new Set<(line: string) => void>();
  const log = (line: string): void => {
    for (const listener of logListeners) listener(line);
  };
  const startingPostgres = startEmbeddedPostgres({ dataDir: path.join(dataDir, 'postgres'), signal, log });
  cleanUp(
    async () =>
      await startingPostgres.then(
        (server) => server.stop(),
        () => undefined,
      ),
  );
  const postgres = await startingPostgres;

  const adminToken = randomBytes(24).toString('base64url');
  const env: Record<string, string> = {
    ...settings,
    DATABASE_URL: postgres.url,
    STICKER_DATA_DIR: dataDir,
    ADMIN_TOKEN: adminToken,
    // The load is one client's.
    STICKER_RATE_LIMIT_WRITES_PER_MINUTE: '0',
    STICKER_RATE_LIMIT_UPLOADS_PER_MINUTE: '0',
    STICKER_RATE_LIMIT_COUNTS_PER_MINUTE: '0',
    ...(profileDir === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${JSON.stringify(profileDir)}` }),
  };
  await migrate(env, signal);

  const plans = new Map(readStartSettings({}).processes.map((plan) => [plan.name, plan]));
  const running = new Map<string, SpawnedProcess>();
  cleanUp(async () => {
    await Promise.all([...running.values()].map(async (process) => await process.stop()));
  });
  const start = async (name: string): Promise<void> => {
    signal.throwIfAborted();
    running.set(name, await startProcess(planOf(plans, name), env, cleanUp));
  };
  await Promise.all([...plans.keys()].map(start));

  const client = new pg.Client({ connectionString: postgres.url, application_name: 'bench' });
  // Only an interrupted bench loses its connection: the server is stopped under it.
  client.on('error', () => undefined);
  await client.connect();
  cleanUp(async () => await client.end());
  let last: Promise<unknown> = Promise.resolve();
  /** One after the other: a connection takes no second statement while it has one. */
  const query = async <Row extends object>(sql: string, values: unknown[] = []): Promise<Row[]> => {
    const asking = last.then(async () => await client.query<Row>(sql, values));
    last = asking.catch(() => undefined);
    return (await asking).rows;
  };

  return {
    dataDir,
    apiUrl: running.get('api')?.url ?? '',
    adminToken,
    databaseUrl: postgres.url,
    postgresPid: postgres.pid,
    env,
    processes: () => [...running].map(([name, { pid }]) => ({ name, pid })),
    start,
    startBeside: async (name, others) => await startProcess(planOf(plans, name), { ...env, ...others }, cleanUp),
    stop: async (name) => {
      await running.get(name)?.stop();
      running.delete(name);
    },
    query,
    onDatabaseLog: (listener) => {
      logListeners.add(listener);
      return () => logListeners.delete(listener);
    },
    cpuSeconds: async (names) => ({
      processes: await readCpuSeconds(
        [...running].filter(([name]) => names?.includes(name) ?? true).map(([, { pid }]) => pid),
      ),
      database: await readCpuSeconds([postgres.pid, ...(await childrenOf(postgres.pid))]),
    }),
    whenQuiet: async () => {
      await waitFor(
        async () => {
          signal.throwIfAborted();
          const [row] = await query<{ left: number }>(
            `SELECT (SELECT COUNT(*) FROM work_state WHERE is_due = 1)::int
                + (SELECT COUNT(*) FROM domain_event_outbox WHERE status <> 'completed')::int
                + (SELECT COUNT(*) FROM pgboss.job WHERE state IN ('created', 'retry', 'active') AND name LIKE '%.stable')::int AS left`,
          );
          return row?.left === 0;
        },
        { timeoutMs: quietTimeoutMs, intervalMs: quietPollMs, description: 'the fleet to have nothing left to do' },
      );
    },
  };
}

function planOf(plans: Map<string, ProcessPlan>, name: string): ProcessPlan {
  const plan = plans.get(name);
  if (!plan) throw new Error(`There is no process "${name}"; there are: ${[...plans.keys()].join(', ')}`);
  return plan;
}

async function migrate(env: Record<string, string>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const migration = await spawnProcess('tools/migrate.ts', ['up'], env, { waitForReady: false });
  const { code } = await migration.exited;
  if (code !== 0) throw new Error(`The migrations failed: ${migration.output()}`);
}

/** Registered before it is ready: an interruption in between must not leave it behind. */
async function startProcess(
  plan: ProcessPlan,
  env: Record<string, string>,
  cleanUp: (work: () => Promise<void>) => void,
): Promise<SpawnedProcess> {
  const starting = spawnProcess(plan.entry, plan.args, { ...env, [plan.portVariable]: '0' }, { readyTimeoutMs });
  cleanUp(async () => {
    const process = await starting.catch(() => null);
    await process?.stop();
  });
  return await starting;
}
