/**
 * `npm test`: private databases, then jest, then nothing left behind. Arguments: `unit` (no database, no process), `e2e` (only
 * those), neither (everything); the rest goes to jest. The exit code is jest's, or 1 when a test left a process running.
 */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import {
  isProcessAlive,
  locateChromium,
  locateMariadb,
  locateMonitoring,
  locateSwift,
  startEmbeddedPostgres,
  startMariadb,
} from '@omnizap/embedded';
import mysql from 'mysql2/promise';

const PROJECT_ROOT = path.resolve(import.meta.dirname, '..');
/** Programs that some tests need, and that are handed to them as JSON. */
const programs: Program[] = [
  {
    name: 'Chromium',
    locate: locateChromium,
    cache: 'chromium',
    variable: 'OMNIZAP_TEST_CHROMIUM',
    tests: '\\.browser\\.e2e\\.test\\.ts$',
    missing: 'THE PAGES ARE NOT TESTED IN A BROWSER in this run.  Install Chromium.',
    remedy: 'Install the package "chromium", or put it on PATH',
  },
  {
    name: 'OpenStack Swift',
    locate: locateSwift,
    cache: 'object-storage',
    variable: 'OMNIZAP_TEST_SWIFT',
    tests: '\\.s3\\.e2e\\.test\\.ts$',
    missing: 'OBJECT STORAGE IS NOT TESTED in this run.  Install python3-swift.',
    remedy: 'Install the package "python3-swift"',
  },
  {
    name: 'Prometheus and Alertmanager',
    locate: locateMonitoring,
    cache: 'monitoring',
    variable: 'OMNIZAP_TEST_MONITORING',
    tests: '\\.monitoring\\.e2e\\.test\\.ts$',
    missing: 'RULES AND ALERTS ARE NOT TESTED in this run.  Install prometheus.',
    remedy: 'Install the packages "prometheus" and "prometheus-alertmanager"',
  },
];
const TEMPORARY_PREFIX = 'omnizap-test-';
/** How long jest may take to put its workers away after a Ctrl-C. */
const JEST_STOP_MS = 5_000;
/** Ctrl-C reaches the whole group and is passed on by npm as well: one press, several signals. */
const SAME_KEYPRESS_MS = 1_000;

type Server = {
  url: string;
  stop: (options?: { hurry?: boolean }) => Promise<void>;
  tail: () => string[];
  onExit: (listener: () => void) => void;
};

type Program = {
  name: string;
  locate: (options: { cacheDir: string; log: (line: string) => void }) => Promise<object | null>;
  /** Folder below .cache. */
  cache: string;
  variable: string;
  /** Pattern of the test files that need it. */
  tests: string;
  /** What a run without it has to shout. */
  missing: string;
  remedy: string;
};

const testMatch: Record<string, string[]> = {
  unit: ['**/*.test.ts', '!**/*.db.test.ts', '!**/*.e2e.test.ts'],
  e2e: ['**/*.e2e.test.ts'],
};

const abort = new AbortController();
let stopSignal: NodeJS.Signals | null = null;
let firstSignalAt = 0;
let isHurrying = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => requestStop(signal));
process.on('disconnect', () => requestStop('SIGTERM'));
if (process.connected === false) requestStop('SIGTERM');
process.channel?.unref();

process.exit(await main(process.argv.slice(2)));

function requestStop(signal: NodeJS.Signals): void {
  if (stopSignal !== null) {
    isHurrying ||= performance.now() - firstSignalAt > SAME_KEYPRESS_MS;
    return;
  }
  stopSignal = signal;
  firstSignalAt = performance.now();
  abort.abort();
}

async function main(args: string[]): Promise<number> {
  const group = args[0] !== undefined && args[0] in testMatch ? args[0] : null;
  const jestArgs = group === null ? args : [...args.slice(1), '--testMatch', ...(testMatch[group] ?? [])];
  const servers: Server[] = [];
  let temporary: string | null = null;
  let exitCode = 1;
  try {
    await removeAbandoned();
    temporary = await mkdtemp(path.join(tmpdir(), `${TEMPORARY_PREFIX}${process.pid}-`));
    const processes = path.join(temporary, 'processes');
    await mkdir(processes);
    const env: Record<string, string> = { OMNIZAP_TEST_PROCESSES: processes };
    if (group !== 'unit') Object.assign(env, await startDatabases(temporary, servers));
    const leftOut: string[] = [];
    for (const program of programs) {
      const found = group === 'unit' ? null : await findProgram(program);
      if (found === null) leftOut.push('--testPathIgnorePatterns', program.tests);
      else env[program.variable] = JSON.stringify(found);
    }
    exitCode = await runJest([...jestArgs, ...leftOut], env);
    exitCode = (await reportLeaks(processes)) ? Math.max(exitCode, 1) : exitCode;
  } catch (error) {
    if (!abort.signal.aborted) say(`npm test: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    await Promise.allSettled(servers.map(async (server) => await server.stop({ hurry: true })));
    if (temporary !== null) await rm(temporary, { recursive: true, force: true, maxRetries: 5 });
  }
  return stopSignal === null ? exitCode : 128 + constants.signals[stopSignal];
}

async function startDatabases(temporary: string, servers: Server[]): Promise<Record<string, string>> {
  const { signal } = abort;
  const postgres = await startEmbeddedPostgres({ dataDir: path.join(temporary, 'postgres'), durable: false, signal });
  servers.push(watch('PostgreSQL', postgres));
  const env: Record<string, string> = { OMNIZAP_TEST_POSTGRES_URL: postgres.url };
  const given = process.env.STICKER_TEST_MYSQL_URL;
  if (given) {
    await checkMysql(given);
    return { ...env, OMNIZAP_TEST_MYSQL_URL: given };
  }

  const reasons: string[] = [];
  const installation = await locateMariadb({
    cacheDir: path.join(PROJECT_ROOT, '.cache', 'mariadb'),
    log: (line) => {
      reasons.push(line);
      say(`npm test: MariaDB: ${line}`);
    },
  });
  signal.throwIfAborted();
  if (installation === null) {
    const reason = reasons.at(-1) ?? 'not found';
    if (isContinuousIntegration())
      throw new Error(`MariaDB is required when CI is set: ${reason}. Set STICKER_TEST_MYSQL_URL`);
    say('');
    say('  ##########################################################################');
    say('  #  MySQL / MariaDB IS NOT TESTED in this run.  Set STICKER_TEST_MYSQL_URL  #');
    say('  ##########################################################################');
    say('');
    return env;
  }
  const mariadb = await startMariadb({ installation, dataDir: path.join(temporary, 'mariadb'), signal });
  servers.push(watch('MariaDB', mariadb));
  return { ...env, OMNIZAP_TEST_MYSQL_URL: mariadb.url };
}

/** Null: there is none, and the tests that need one are left out. @throws Error instead where all tests have to run */
async function findProgram({ name, locate, cache, missing, remedy }: Program): Promise<object | null> {
  const reasons: string[] = [];
  const found = await locate({
    cacheDir: path.join(PROJECT_ROOT, '.cache', cache),
    log: (line) => {
      reasons.push(line);
      say(`npm test: ${name}: ${line}`);
    },
  });
  abort.signal.throwIfAborted();
  if (found !== null) return found;
  const reason = reasons.at(-1) ?? 'not found';
  if (isContinuousIntegration()) throw new Error(`${name} is required when CI is set: ${reason}. ${remedy}`);
  say('');
  say('  ##########################################################################');
  say(`  #  ${missing.padEnd(70)}#`);
  say('  ##########################################################################');
  say('');
  return null;
}

function watch(name: string, server: Server): Server {
  server.onExit(() => say(`npm test: ${name} died during the tests. Its last lines:\n${server.tail().join('\n')}`));
  return server;
}

async function checkMysql(url: string): Promise<void> {
  try {
    const connection = await mysql.createConnection(url);
    await connection.end();
  } catch (cause) {
    throw new Error(`STICKER_TEST_MYSQL_URL does not answer: ${(cause as Error).message}`, { cause });
  }
}

async function runJest(args: string[], env: Record<string, string>): Promise<number> {
  abort.signal.throwIfAborted();
  const jest = path.join(PROJECT_ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
  const child = spawn(
    process.execPath,
    ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jest, ...args],
    {
      cwd: PROJECT_ROOT,
      env: { ...process.env, NODE_ENV: 'test', ...env },
      // A group of its own, so that its workers can be ended with it.
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  const killGroup = (signal: NodeJS.Signals): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // Already gone.
    }
  };
  abort.signal.addEventListener('abort', () => {
    killGroup('SIGTERM');
    const startedAt = performance.now();
    setInterval(() => {
      if (isHurrying || performance.now() - startedAt > JEST_STOP_MS) killGroup('SIGKILL');
    }, 100).unref();
  });
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exitCode, signal) => resolve(exitCode ?? 128 + constants.signals[signal ?? 'SIGKILL']));
  });
  if (abort.signal.aborted) killGroup('SIGKILL');
  return code;
}

/** Processes that were still running when their test file had ended: named, ended, and a failure of the run. */
async function reportLeaks(folder: string): Promise<boolean> {
  if (abort.signal.aborted) return false;
  let hasLeak = false;
  for (const name of await readdir(folder)) {
    const title = await readFile(path.join(folder, name), 'utf8');
    say(`npm test: a test left a process running: ${title} (pid ${name})`);
    if (isProcessAlive(Number(name))) process.kill(Number(name), 'SIGKILL');
    hasLeak = true;
  }
  return hasLeak;
}

/** What a run that was SIGKILLed could not remove itself. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(new RegExp(`^${TEMPORARY_PREFIX}(\\d+)-`).exec(name)?.[1]);
    if (pid > 0 && !isProcessAlive(pid))
      await rm(path.join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
}

function isContinuousIntegration(): boolean {
  return !['', '0', 'false'].includes((process.env.CI ?? '').toLowerCase());
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
