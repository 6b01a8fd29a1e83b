/**
 * The whole product for a test: a private database, the schema, and the processes of the fleet as their own OS processes on free
 * ports. What the test is given is what an operator has: URLs, credentials, process ids, and the database.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connectDatabase, processNames } from '@omnizap/runtime';
import type { Database } from '@omnizap/runtime';
import { ask } from './builders/ask.ts';
import { spawnProcess } from './spawn-process.ts';
import type { SpawnedProcess } from './spawn-process.ts';
import { createTestDatabase } from './test-database.ts';
import type { TestDatabase, TestDatabaseKind } from './test-database.ts';

/** Compiled code is kept between starts: it halves the processor time of a start, and a suite starts some dozens. */
const compileCache = path.resolve(import.meta.dirname, '../../../.cache/node');

export const fleetProcesses = processNames;
export type FleetProcess = (typeof fleetProcesses)[number];

/** Six processes start at once, on a machine that may be busy with other things. */
const readyTimeoutMs = 90_000;

/** Everything comes from one address, and faster than a household would: what is refused for that is a test of its own. */
const unlimited = Object.fromEntries(
  ['READS', 'WRITES', 'UPLOADS', 'COUNTS', 'ADMIN', 'SIGN_INS'].map((kind) => [
    `STICKER_RATE_LIMIT_${kind}_PER_MINUTE`,
    '1000000',
  ]),
);

export type FleetOptions = {
  /** Settings of every process, over those of the kit. */
  env?: Record<string, string>;
  /** Default: one of each. */
  processes?: FleetProcess[];
  /** Default: a new one on the servers of the test run. */
  database?: TestDatabase;
  /** How many migrations run; they and the processes start together. Default: one, before the processes. */
  migrationsAtOnce?: number;
};

export type Owner = { ownerId: string; keyId: string; key: string };

export type Fleet = {
  kind: TestDatabaseKind;
  apiUrl: string;
  adminToken: string;
  dataDir: string;
  /** The catalogue, for assertions. */
  database: Database;
  queueUrl: string;
  /** Environment of the processes, for a test that starts one itself. */
  env: Record<string, string>;
  /** The running process of that name: of several, the one started first. @throws Error when there is none */
  process: (name: FleetProcess) => SpawnedProcess;
  all: () => { name: FleetProcess; process: SpawnedProcess }[];
  /** Starts one more, with settings of its own over those of the fleet. */
  start: (name: FleetProcess, ownEnv?: Record<string, string>) => Promise<SpawnedProcess>;
  /** SIGKILL: the process is gone, and `stop` no longer asks how it ended. */
  kill: (process: SpawnedProcess) => Promise<void>;
  /** Makes an API key for a new owner. */
  createOwner: (scopes?: string[]) => Promise<Owner>;
  /** Ends everything. @throws Error when a process did not exit with 0 within 15 s of SIGTERM */
  stop: () => Promise<void>;
};

/** Starts the fleet on a new, migrated database of that kind. */
export async function startFleet(kind: TestDatabaseKind, options: FleetOptions = {}): Promise<Fleet> {
  const testDatabase = options.database ?? (await createTestDatabase(kind));
  const dataDir = await mkdtemp(path.join(tmpdir(), 'omnizap-fleet-'));
  const adminToken = randomBytes(24).toString('base64url');
  const env: Record<string, string> = {
    DATABASE_URL: testDatabase.databaseUrl,
    QUEUE_DATABASE_URL: testDatabase.queueUrl,
    STICKER_DATA_DIR: dataDir,
    ADMIN_TOKEN: adminToken,
    PORT: '0',
    RELAY_PORT: '0',
    WORKER_PORT: '0',
    MAINTENANCE_PORT: '0',
    ...unlimited,
    LOG_FORMAT: 'json',
    NODE_COMPILE_CACHE: compileCache,
    ...options.env,
  };
  const database = connectDatabase(testDatabase.databaseUrl, { poolMax: 2, applicationName: 'omnizap test' });
  const running: { name: FleetProcess; process: SpawnedProcess }[] = [];

  async function start(name: FleetProcess, ownEnv: Record<string, string> = {}): Promise<SpawnedProcess> {
    const [app = name, ...args] = name.split('-');
    const process = await spawnProcess(`apps/${app}/main.ts`, args, { ...env, ...ownEnv }, { readyTimeoutMs });
    running.push({ name, process });
    return process;
  }

  function processOf(name: FleetProcess): SpawnedProcess {
    const found = running.find((entry) => entry.name === name);
    if (!found) throw new Error(`No ${name} is running`);
    return found.process;
  }

  async function stop(): Promise<void> {
    const problems = await Promise.all(
      running.splice(0).map(async ({ name, process }) => {
        try {
          const { code, signal } = await process.stop();
          return code === 0 ? null : `${name} ended with ${signal ?? `code ${String(code)}`}:\n${lastLines(process)}`;
        } catch (error) {
          return error instanceof Error ? error.message : String(error);
        }
      }),
    );
    await database.close();
    await testDatabase.drop();
    await rm(dataDir, { recursive: true, force: true });
    const found = problems.filter((problem) => problem !== null);
    if (found.length > 0) throw new Error(`The fleet did not stop cleanly.\n${found.join('\n')}`);
  }

  try {
    const { processes = fleetProcesses, migrationsAtOnce = 0 } = options;
    if (migrationsAtOnce === 0) await migrate(env);
    const started = await Promise.allSettled([
      ...Array.from({ length: migrationsAtOnce }, () => migrate(env)),
      ...processes.map((name) => start(name)),
    ]);
    const failed = started.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }

  return {
    kind,
    apiUrl: running.find((entry) => entry.name === 'api')?.process.url ?? '',
    adminToken,
    dataDir,
    database,
    queueUrl: testDatabase.queueUrl,
    env,
    process: processOf,
    all: () => [...running],
    start,
    async kill(process) {
      running.splice(0, running.length, ...running.filter((entry) => entry.process !== process));
      process.kill('SIGKILL');
      await process.exited;
    },
    async createOwner(scopes = ['catalog:write']) {
      const ownerId = `owner-${randomBytes(9).toString('hex')}`;
      const answer = await ask(`${processOf('api').url}/api/admin/api-keys`, {
        method: 'POST',
        key: adminToken,
        body: { owner_id: ownerId, scopes },
      });
      if (answer.status !== 201)
        throw new Error(`No API key for a test: ${answer.status} ${answer.bytes.toString('utf8')}`);
      const { data } = answer.json<{ data: { key_id: string; key: string } }>();
      return { ownerId, keyId: data.key_id, key: data.key };
    },
    stop,
  };
}

async function migrate(env: Record<string, string>): Promise<void> {
  const migration = await spawnProcess('tools/migrate.ts', ['up'], env, { waitForReady: false });
  const { code } = await migration.exited;
  if (code !== 0) throw new Error(`The migration ended with code ${String(code)}:\n${migration.output()}`);
}

function lastLines(process: SpawnedProcess): string {
  return process.output().split('\n').slice(-20).join('\n');
}
