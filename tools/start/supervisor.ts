/**
 * The fleet in the foreground: database, migrations, then every process, each its own. It prefers not starting at all over
 * running half, and on the way out it leaves no process behind, within 15 seconds whatever hangs.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { checkPorts } from './check-ports.ts';
import { createConsoleOutput } from './console-output.ts';
import { lockDataDir } from './data-dir-lock.ts';
import type { DataDirLock } from './data-dir-lock.ts';
import { createManagedPostgres } from './managed-postgres.ts';
import type { ManagedPostgres } from './managed-postgres.ts';
import { createManagedProcess } from './managed-process.ts';
import type { ManagedProcess } from './managed-process.ts';
import { runStep } from './run-step.ts';
import { createRuntimeFile } from './runtime-file.ts';
import { readStartSettings } from './start-settings.ts';
import type { Environment, StartSettings } from './start-settings.ts';

/** An orderly stop of the processes may take this long, then they are killed; PostgreSQL needs the rest of the 15 s. */
const KILL_AFTER_MS = 12_000;
/** A phase that takes longer no longer holds up the next one. */
const PHASE_MS = 3_500;
/** PostgreSQL gets an unhurried checkpoint only when the processes were quick. */
const UNHURRIED_MS = 2_000;
/** Processes of a killed supervisor drain for up to 15 s and hold their ports meanwhile. */
const LEFTOVER_PATIENCE_MS = 20_000;
const READY_TIMEOUT_MS = 120_000;
const CREDENTIALS_FILE = 'dev-credentials.json';

export type SupervisorOptions = {
  /** Where apps/ and tools/ are. */
  root: string;
  environment: Environment;
  target: NodeJS.WriteStream;
  /** Aborted: stop in order. */
  stopSignal: AbortSignal;
  /** Aborted: stop at once. */
  hurrySignal: AbortSignal;
  /** Called once, when everything runs. */
  onReady?: (apiUrl: string) => void;
};

/** Runs until `stopSignal`; resolves with the exit code: 0 after a stop that was asked for, 1 when the start failed. */
export async function runSupervisor({
  root,
  environment,
  target,
  stopSignal,
  hurrySignal,
  onReady,
}: SupervisorOptions): Promise<number> {
  const startedAt = performance.now();
  const output = createConsoleOutput(target, 'worker-classification'.length);
  let lock: DataDirLock | null = null;
  let postgres: ManagedPostgres | null = null;
  let processes: ManagedProcess[] = [];
  let settings: StartSettings | null = null;
  let exitCode = 0;
  try {
    settings = readStartSettings(environment);
    const { dataDir } = settings;
    await mkdir(dataDir, { recursive: true });
    lock = await lockDataDir(dataDir);
    const runtimeFile = createRuntimeFile(dataDir);
    await runtimeFile.remove();
    if (lock.wasStale) output.say('The last run was cut short; taking over from it.');
    const patienceMs = lock.wasStale ? LEFTOVER_PATIENCE_MS : 0;
    await checkPorts({ processes: settings.processes, host: settings.bindAddress, patienceMs, signal: stopSignal });

    let { databaseUrl, queueDatabaseUrl } = settings;
    if (databaseUrl === null || queueDatabaseUrl === null) {
      output.say(`Starting PostgreSQL in ${path.join(dataDir, 'postgres')}`);
      postgres = createManagedPostgres({
        dataDir: path.join(dataDir, 'postgres'),
        port: settings.embeddedPort,
        output,
      });
      const embeddedUrl = await abortable(postgres.start(), stopSignal);
      databaseUrl ??= embeddedUrl;
      queueDatabaseUrl ??= embeddedUrl;
    }

    const env: Environment = {
      ...environment,
      DATABASE_URL: databaseUrl,
      QUEUE_DATABASE_URL: queueDatabaseUrl,
      STICKER_DATA_DIR: dataDir,
    };
    if (target.isTTY) {
      env.LOG_FORMAT ??= 'pretty';
      // A line for each sticker would bury the progress bar; LOG_LEVEL=info brings them back.
      env.LOG_LEVEL ??= 'warn';
    }
    // Compiled code is kept between starts: it halves the time that six processes take to load on two cores.
    env.NODE_COMPILE_CACHE ??= path.join(root, '.cache', 'node');
    // glibc keeps an arena per thread; image buffers freed in one of many would look like a leak.
    env.MALLOC_ARENA_MAX ??= '2';
    const step = { root, env, output, signal: stopSignal };
    await runStep({ ...step, name: 'migrate', file: 'tools/migrate.ts', args: ['up'] });
    if (settings.hasDemo) {
      await runStep({ ...step, name: 'credentials', file: 'tools/seed.ts', args: ['credentials'] });
      env.ADMIN_TOKEN ??= await readAdminToken(dataDir);
    }

    const urls = { database_url: databaseUrl, queue_database_url: queueDatabaseUrl };
    const describeFleet = (): void => {
      const running = processes.flatMap(({ name, current }) => {
        const state = current();
        return state === null ? [] : [{ name, url: state.url, pid: state.pid }];
      });
      const api_url = running.find(({ name }) => name === 'api')?.url ?? null;
      runtimeFile.write({ pid: process.pid, ...urls, api_url, processes: running }).catch((error: Error) => {
        output.say(`runtime.json could not be written: ${error.message}`);
      });
    };
    processes = settings.processes.map((plan) =>
      createManagedProcess({
        name: plan.name,
        file: path.join(root, plan.entry),
        args: plan.args,
        cwd: root,
        env: { ...env, [plan.portVariable]: String(plan.port) },
        output,
        onChange: () => {
          if (!stopSignal.aborted) describeFleet();
        },
      }),
    );
    describeFleet();
    for (const managed of processes) managed.start();
    await abortable(allReady(processes), stopSignal);

    if (settings.hasDemo) {
      await runStep({ ...step, name: 'demo', file: 'tools/seed.ts', args: ['demo'], isInteractive: true }).catch(
        (error: Error) => {
          if (!stopSignal.aborted)
            output.say(
              `The demo catalogue is incomplete (${error.message}). The fleet runs; npm start tries again next time.`,
            );
        },
      );
    }
    stopSignal.throwIfAborted();
    announce(processes, dataDir, (performance.now() - startedAt) / 1000, output.say);
    onReady?.(apiUrl(processes));
    await new Promise<void>((resolve) => stopSignal.addEventListener('abort', () => resolve(), { once: true }));
  } catch (error) {
    if (!stopSignal.aborted) {
      exitCode = 1;
      output.say(`npm start: ${explain(error, settings?.dataDir ?? null)}`);
    }
  }

  if (processes.length > 0) output.say('Stopping...');
  const stoppingAt = performance.now();
  await stopProcesses(processes, settings, hurrySignal);
  await postgres?.stop(hurrySignal.aborted || performance.now() - stoppingAt > UNHURRIED_MS);
  if (lock !== null && settings !== null) {
    await createRuntimeFile(settings.dataDir)
      .remove()
      .catch(() => undefined);
    await lock.release().catch(() => undefined);
  }
  if (processes.length > 0) output.say(`Stopped in ${((performance.now() - stoppingAt) / 1000).toFixed(1)} s.`);
  return exitCode;
}

async function allReady(processes: ManagedProcess[]): Promise<void> {
  const timeout = new AbortController();
  const late = delay(READY_TIMEOUT_MS, undefined, { signal: timeout.signal }).then(
    () => {
      const names = processes.filter(({ current }) => current() === null).map(({ name }) => name);
      throw new Error(`not ready after ${READY_TIMEOUT_MS / 1000} s: ${names.join(', ')}`);
    },
    () => undefined,
  );
  try {
    await Promise.race([Promise.all(processes.map(({ whenReady }) => whenReady)), late]);
  } finally {
    timeout.abort();
  }
}

/** Phase by phase; whoever is left at the end of the time is killed. */
async function stopProcesses(
  processes: ManagedProcess[],
  settings: StartSettings | null,
  hurrySignal: AbortSignal,
): Promise<void> {
  const killAll = (): void => {
    for (const managed of processes) managed.kill();
  };
  const hurried = new Promise<void>((resolve) => {
    if (hurrySignal.aborted) resolve();
    hurrySignal.addEventListener('abort', () => resolve(), { once: true });
  });
  const killTimer = setTimeout(killAll, KILL_AFTER_MS);
  hurried.then(killAll, () => undefined);
  const phaseOf = new Map(settings?.processes.map(({ name, stopPhase }) => [name, stopPhase]));
  const phases = [...new Set(phaseOf.values())].sort((a, b) => a - b);
  for (const phase of phases) {
    const timeout = new AbortController();
    const stopped = Promise.all(
      processes.filter(({ name }) => phaseOf.get(name) === phase).map(async ({ stop }) => await stop()),
    );
    await Promise.race([
      stopped,
      hurried,
      delay(PHASE_MS, undefined, { signal: timeout.signal }).catch(() => undefined),
    ]);
    timeout.abort();
  }
  await Promise.all(processes.map(async ({ stop }) => await stop()));
  clearTimeout(killTimer);
}

function announce(processes: ManagedProcess[], dataDir: string, seconds: number, say: (line: string) => void): void {
  const api = apiUrl(processes);
  const credentials = path.join(dataDir, CREDENTIALS_FILE);
  say('');
  say(`OmniZap Stickers is ready after ${seconds.toFixed(1)} s: ${processes.length} processes`);
  say(`  Packs        ${api}/api/sticker-packs`);
  say(`  API          ${api}/openapi.json`);
  say(`  Processes    ${api}/api/ops/targets`);
  if (existsSync(credentials)) say(`  Credentials  ${credentials}`);
  say('  Ctrl-C stops everything.');
  say('');
}

/** Made by the credentials step just before. */
async function readAdminToken(dataDir: string): Promise<string | undefined> {
  const text = await readFile(path.join(dataDir, CREDENTIALS_FILE), 'utf8').catch(() => '{}');
  return (JSON.parse(text) as { admin_token?: string }).admin_token;
}

function apiUrl(processes: ManagedProcess[]): string {
  return processes.find(({ name }) => name === 'api')?.current()?.url ?? '';
}

/** What was started is stopped by the caller; this only stops waiting for it. */
async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  promise.catch(() => undefined);
  signal.throwIfAborted();
  return await Promise.race([
    promise,
    new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
    ),
  ]);
}

/** One line for what people meet: a full disk, a folder that is not theirs. */
function explain(error: unknown, dataDir: string | null): string {
  const { code = '', message = String(error) } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT' || message.includes('No space left on device'))
    return `the disk of ${dataDir ?? 'the data folder'} is full: free some space, or set STICKER_DATA_DIR to another folder`;
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOTDIR') {
    return `${dataDir ?? 'the data folder'} cannot be written (${code}): check who owns it, or set STICKER_DATA_DIR to another folder`;
  }
  return message;
}
