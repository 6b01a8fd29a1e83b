/**
 * A real PostgreSQL that belongs to this process: it starts on any state that an earlier run left, listens on 127.0.0.1 only,
 * asks for a password that is kept in a 0600 file, and goes when this process goes. It prefers refusing to start over running
 * two servers on the same files.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { AppError, isAppError } from '@omnizap/runtime';
import pg from 'pg';
import { freePort } from './free-port.ts';
import { planLaunch } from './launcher.ts';
import { clearPostgresLeftovers } from './postgres-leftovers.ts';
import { locatePostgres } from './postgres-binaries.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';
import { ensureDataDir, filesDirOf, openServerDirectory } from './server-directory.ts';
import type { Stage } from './server-directory.ts';
import { spawnServer } from './server-process.ts';
import type { ProcessExit, ServerProcess, StopOptions, StopStep } from './server-process.ts';

/** Recovery replays up to max_wal_size of log after a crash: minutes on a slow disk, and killing it would start it over. */
const START_TIMEOUT_MS = 180_000;
const READY_POLL_MS = 20;
const START_ATTEMPTS = 5;
/** SIGINT rolls open transactions back, SIGQUIT leaves the rest to recovery. */
const ORDERLY_STOP: StopStep[] = [
  { signal: 'SIGINT', waitMs: 10_000 },
  { signal: 'SIGQUIT', waitMs: 3_000 },
];
const HURRIED_STOP: StopStep[] = [
  { signal: 'SIGINT', waitMs: 1_500 },
  { signal: 'SIGQUIT', waitMs: 1_000 },
];
const NAME = 'omnizap';
/** Older ones have the locales of the operating system only. */
const BUILTIN_LOCALE_VERSION = 17;

export type EmbeddedPostgresOptions = {
  /** Holds everything of this server; made when missing. One server per folder. */
  dataDir: string;
  /** 0: any free one. */
  port?: number;
  log?: (line: string) => void;
  /** False trades the data's safety at a power cut for speed: tests only. */
  durable?: boolean;
  /** Another release than the embedded one. */
  release?: { initdb: string; postgres: string; majorVersion: number };
  /** Gives up a start in progress and cleans up. */
  signal?: AbortSignal;
};

export type EmbeddedPostgres = {
  /** `postgres://` with password, of the database `omnizap`; its user may create others. */
  url: string;
  port: number;
  pid: number;
  exited: Promise<ProcessExit>;
  /** The last lines of the server's log. */
  tail: () => string[];
  stop: (options?: StopOptions) => Promise<void>;
  /** Tells of an end that `stop` did not ask for. */
  onExit: (listener: (exit: ProcessExit) => void) => void;
};

/** Starts the server; resolves when it answers. Throws AppError `configuration-invalid` or `unavailable`; nothing is left running then. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { port: wantedPort = 0, log = () => undefined, durable = true, signal } = options;
  const dataDir = path.resolve(options.dataDir);
  await ensureDataDir(dataDir);
  const binaries = options.release
    ? { ...options.release, libraryPrefix: [] }
    : await locatePostgres(path.join(dataDir, 'libraries'));
  const hasBuiltinLocale = (options.release?.majorVersion ?? BUILTIN_LOCALE_VERSION) >= BUILTIN_LOCALE_VERSION;
  const { prefix, owner } = await planLaunch(binaries.postgres, dataDir, filesDirOf(dataDir));
  const launcher = [...prefix, ...binaries.libraryPrefix];
  const { filesDir, password } = await openServerDirectory(dataDir, owner, async (stage) => {
    await initialise(launcher, binaries, stage, { durable, hasBuiltinLocale, signal });
  });

  for (let attempt = 1; ; attempt += 1) {
    await clearPostgresLeftovers(filesDir, log);
    signal?.throwIfAborted();
    const port = wantedPort === 0 ? await freePort() : wantedPort;
    const command = [...binaries.libraryPrefix, binaries.postgres, '-D', filesDir, ...settings(port, durable)];
    const server = await spawnServer({ prefix, command, cwd: dataDir, deathSignal: 'SIGINT', log });
    const url = `postgres://${NAME}:${password}@127.0.0.1:${port}/${NAME}`;
    try {
      await waitUntilReady(server, filesDir, signal);
      await ensureDatabase(url);
    } catch (error) {
      await server.stop(HURRIED_STOP);
      if (
        attempt < START_ATTEMPTS &&
        isAppError(error, 'unavailable') &&
        isWorthAnotherTry(server.tail(), wantedPort === 0)
      ) {
        await delay(200 * attempt);
        continue;
      }
      throw error;
    }
    return {
      url,
      port,
      pid: server.pid,
      exited: server.exited,
      tail: server.tail,
      onExit: server.onExit,
      stop: async ({ hurry = false } = {}) => await server.stop(hurry ? HURRIED_STOP : ORDERLY_STOP),
    };
  }
}

/** Byte order and Unicode case rules that depend on no operating system locale: the same answers on every machine. */
async function initialise(
  launcher: string[],
  { initdb }: PostgresBinaries,
  stage: Stage,
  {
    durable,
    hasBuiltinLocale,
    signal,
  }: { durable: boolean; hasBuiltinLocale: boolean; signal: AbortSignal | undefined },
): Promise<void> {
  const builtin = hasBuiltinLocale ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : [];
  const locale = ['--encoding=UTF8', '--locale=C', ...builtin];
  const access = [`--username=${NAME}`, '--auth=scram-sha-256', `--pwfile=${stage.passwordFile}`];
  const [file = '', ...args] = [
    ...launcher,
    initdb,
    '-D',
    stage.filesDir,
    ...locale,
    ...access,
    ...(durable ? [] : ['--no-sync']),
  ];
  try {
    await promisify(execFile)(file, args, { cwd: path.dirname(stage.filesDir), ...(signal && { signal }) });
  } catch (cause) {
    signal?.throwIfAborted();
    const { stderr = '', message } = cause as { stderr?: string; message: string };
    const reason =
      stderr
        .trim()
        .split('\n')
        .findLast((line) => /error|fatal/i.test(line)) ?? message;
    throw new AppError(
      'unavailable',
      `The embedded PostgreSQL could not create its files in ${path.dirname(stage.filesDir)}: ${reason}`,
      { cause },
    );
  }
}

function settings(port: number, durable: boolean): string[] {
  const values: Record<string, string | number> = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    max_connections: 200,
    shared_buffers: '64MB',
    max_wal_size: '512MB',
    // One machine, no standby: less log to write and to keep.
    wal_level: 'minimal',
    max_wal_senders: 0,
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_checkpoints: 'off',
    lc_messages: 'C',
    // Commits stay synchronous: a test that SIGKILLs the server must not lose one. Only a power cut would.
    ...(durable ? {} : { fsync: 'off', full_page_writes: 'off' }),
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** Reads the server's own status line rather than connecting, which a recovering server would log as an error each time. */
async function waitUntilReady(server: ServerProcess, filesDir: string, signal?: AbortSignal): Promise<void> {
  const pidFile = path.join(filesDir, 'postmaster.pid');
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    signal?.throwIfAborted();
    if (server.hasExited())
      throw new AppError('unavailable', `The embedded PostgreSQL did not start: ${lastComplaint(server.tail())}`);
    if (performance.now() > deadline)
      throw new AppError('unavailable', `The embedded PostgreSQL was not ready after ${START_TIMEOUT_MS / 1000} s`);
    const lines = (await readFile(pidFile, 'utf8').catch(() => '')).split('\n');
    if (Number(lines[0]) === server.pid && lines[7]?.trim() === 'ready') return;
    await delay(READY_POLL_MS);
  }
}

async function ensureDatabase(url: string): Promise<void> {
  const maintenance = new URL(url);
  maintenance.pathname = '/postgres';
  const client = new pg.Client({ connectionString: maintenance.href, ssl: false });
  try {
    await client.connect();
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [NAME]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${NAME}`);
  } catch (cause) {
    throw new AppError('unavailable', `The embedded PostgreSQL does not answer: ${(cause as Error).message}`, {
      cause,
    });
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Backends of a killed server hold its shared memory for a moment; a free port may be taken before it is bound. */
function isWorthAnotherTry(lines: string[], isAnyPortGood: boolean): boolean {
  const text = lines.join('\n');
  return /pre-existing shared memory block/.test(text) || (isAnyPortGood && /could not bind/i.test(text));
}

function lastComplaint(lines: string[]): string {
  return (
    lines.findLast((line) => /PANIC|FATAL|error while loading|denied/.test(line)) ??
    lines.at(-1) ??
    'it printed nothing'
  );
}
