/**
 * A private MariaDB for tests, held like the embedded PostgreSQL: own folder, own port on 127.0.0.1, gone with this process.
 * Strict where a production server is: byte-wise utf8mb4, no anonymous users.
 */
import { spawn } from 'node:child_process';
import { mkdir, readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError, isAppError } from '@omnizap/runtime';
import mysql from 'mysql2/promise';
import { freePort } from './free-port.ts';
import { libraryVariable } from './debian-packages.ts';
import type { MariadbInstallation } from './mariadb-location.ts';
import { ensureDataDir, openServerDirectory } from './server-directory.ts';
import type { Stage } from './server-directory.ts';
import { spawnServer } from './server-process.ts';
import type { ProcessExit, ServerProcess, StopOptions } from './server-process.ts';

const START_TIMEOUT_MS = 60_000;
const READY_POLL_MS = 25;
const START_ATTEMPTS = 5;
const NAME = 'omnizap';
/** The scripts of a new server, in the order in which they build on each other; releases differ in the prefix of their names. */
const SCRIPTS = [
  '_system_tables.sql',
  '_performance_tables.sql',
  '_system_tables_data.sql',
  '_add_gis_sp_bootstrap.sql',
];

export type MariadbOptions = {
  installation: MariadbInstallation;
  dataDir: string;
  /** 0: any free one. */
  port?: number;
  log?: (line: string) => void;
  durable?: boolean;
  signal?: AbortSignal;
};

export type EmbeddedMariadb = {
  /** `mysql://` with password and without a database; its user may create them. */
  url: string;
  port: number;
  pid: number;
  exited: Promise<ProcessExit>;
  tail: () => string[];
  stop: (options?: StopOptions) => Promise<void>;
  onExit: (listener: (exit: ProcessExit) => void) => void;
};

/** Starts the server; resolves when it answers. Throws AppError `unavailable`; nothing is left running then. */
export async function startMariadb(options: MariadbOptions): Promise<EmbeddedMariadb> {
  const { installation, port: wantedPort = 0, log = () => undefined, durable = false, signal } = options;
  const dataDir = path.resolve(options.dataDir);
  await ensureDataDir(dataDir);
  const { filesDir, password } = await openServerDirectory(dataDir, null, async (stage) => {
    await initialise(installation, stage, signal);
  });

  await mkdir(temporaryDirOf(filesDir), { recursive: true });

  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    const port = wantedPort === 0 ? await freePort() : wantedPort;
    // A socket's path may have 107 bytes: a name relative to the working directory always fits.
    const network = [
      '--bind-address=127.0.0.1',
      `--port=${port}`,
      '--socket=mariadb.sock',
      '--pid-file=mariadb.pid',
      '--skip-name-resolve',
    ];
    const command = [
      ...serverCommand(installation, filesDir, durable),
      ...network,
      '--skip-log-bin',
      '--max-connections=300',
    ];
    const server = await spawnServer({ command, cwd: filesDir, deathSignal: 'SIGTERM', log });
    const url = `mysql://${NAME}:${password}@127.0.0.1:${port}/`;
    const stop = async ({ hurry = false }: StopOptions = {}): Promise<void> => {
      await server.stop([{ signal: 'SIGTERM', waitMs: hurry ? 1_500 : 10_000 }]);
    };
    try {
      await waitUntilReady(server, url, signal);
    } catch (error) {
      await stop({ hurry: true });
      const isPortTaken = server.tail().some((line) => /Can't start server: Bind on TCP/.test(line));
      if (attempt < START_ATTEMPTS && wantedPort === 0 && isPortTaken && isAppError(error, 'unavailable')) continue;
      throw error;
    }
    return { url, port, pid: server.pid, exited: server.exited, tail: server.tail, onExit: server.onExit, stop };
  }
}

/** Of this server alone: one that starts removes the temporary tables of all others that share its folder. */
function temporaryDirOf(filesDir: string): string {
  return path.join(path.dirname(filesDir), 'tmp');
}

function serverCommand(
  { server, basedir, shareDir, libraryDirs }: MariadbInstallation,
  filesDir: string,
  durable: boolean,
): string[] {
  const library = libraryVariable(libraryDirs);
  return [
    ...(library.length === 0 ? [] : ['env', ...library]),
    server,
    '--no-defaults',
    ...(basedir === null
      ? []
      : [`--basedir=${basedir}`, `--plugin-dir=${path.join(basedir, 'lib', 'mysql', 'plugin')}`]),
    `--lc-messages-dir=${shareDir}`,
    `--character-sets-dir=${path.join(shareDir, 'charsets')}`,
    `--datadir=${filesDir}`,
    `--tmpdir=${temporaryDirOf(filesDir)}`,
    ...(process.getuid?.() === 0 ? ['--user=root'] : []),
    '--character-set-server=utf8mb4',
    '--collation-server=utf8mb4_bin',
    '--innodb-buffer-pool-size=64M',
    '--innodb-log-file-size=32M',
    ...(durable ? [] : ['--innodb-flush-method=nosync', '--innodb-flush-log-at-trx-commit=0']),
  ];
}

/** Feeds the system tables' scripts to the server itself: the packaged set-up script cannot cope with a space in a path. */
async function initialise(
  installation: MariadbInstallation,
  { filesDir, password }: Stage,
  signal?: AbortSignal,
): Promise<void> {
  await mkdir(path.join(filesDir, 'mysql'), { recursive: true });
  await mkdir(temporaryDirOf(filesDir), { recursive: true });
  const names = await readdir(installation.shareDir);
  const statements = ['USE mysql;', 'SET @auth_root_socket = NULL;', 'SET @skip_auth_anonymous = 1;'];
  for (const suffix of SCRIPTS) {
    const name = names.find((file) => file.endsWith(suffix));
    if (name !== undefined) statements.push(await readFile(path.join(installation.shareDir, name), 'utf8'));
  }
  statements.push(
    "DELETE FROM mysql.global_priv WHERE User = 'root';",
    'FLUSH PRIVILEGES;',
    `CREATE USER '${NAME}'@'%' IDENTIFIED BY '${password}';`,
    `GRANT ALL PRIVILEGES ON *.* TO '${NAME}'@'%' WITH GRANT OPTION;`,
  );
  const [file = '', ...args] = [...serverCommand(installation, filesDir, false), '--bootstrap', '--skip-networking'];
  const child = spawn(file, args, { cwd: filesDir, stdio: ['pipe', 'ignore', 'pipe'], ...(signal && { signal }) });
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  // A server that fails early closes its input; its exit code tells.
  child.stdin.on('error', () => undefined);
  child.stdin.end(`${statements.join('\n')}\n`);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) {
    const reason = complaints.split('\n').find((line) => /ERROR/.test(line)) ?? `exit code ${String(code)}`;
    throw new AppError('unavailable', `MariaDB could not create its files in ${filesDir}: ${reason}`);
  }
}

async function waitUntilReady(server: ServerProcess, url: string, signal?: AbortSignal): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    signal?.throwIfAborted();
    if (server.hasExited()) {
      const reason =
        server.tail().findLast((line) => line.includes('[ERROR]')) ?? server.tail().at(-1) ?? 'it printed nothing';
      throw new AppError('unavailable', `MariaDB did not start: ${reason}`);
    }
    if (performance.now() > deadline)
      throw new AppError('unavailable', `MariaDB was not ready after ${START_TIMEOUT_MS / 1000} s`);
    try {
      const connection = await mysql.createConnection(url);
      await connection.end();
      return;
    } catch {
      await delay(READY_POLL_MS);
    }
  }
}
