/**
 * A private Prometheus, or Alertmanager, held like the databases: own folder, own port on 127.0.0.1, gone with this process. What
 * they are to do stands in a configuration file of the caller's.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '@omnizap/runtime';
import { freePort } from './free-port.ts';
import type { MonitoringInstallation } from './monitoring-location.ts';
import { spawnServer } from './server-process.ts';
import type { ProcessExit, ServerProcess } from './server-process.ts';

const START_TIMEOUT_MS = 60_000;
const READY_POLL_MS = 50;
/** Somebody else may take a port that was free a moment ago. */
const START_ATTEMPTS = 3;

export type MonitoringOptions = {
  installation: MonitoringInstallation;
  /** For what the server keeps; made when it is not there. */
  dataDir: string;
  configFile: string;
  log?: (line: string) => void;
  signal?: AbortSignal;
};

export type EmbeddedMonitoring = {
  /** `http://127.0.0.1:<port>` */
  url: string;
  pid: number;
  /** The last lines that it printed. */
  tail: () => string[];
  stop: () => Promise<void>;
  /** Calls the listener when the process ends without having been asked to. */
  onExit: (listener: (exit: ProcessExit) => void) => void;
};

/** Resolves when it answers queries. Throws AppError `unavailable`, with what it complained about; nothing is left running then. */
export async function startPrometheus(options: MonitoringOptions): Promise<EmbeddedMonitoring> {
  const { installation, configFile, dataDir } = options;
  return await start('Prometheus', path.resolve(dataDir), options, (address) => [
    installation.prometheus,
    `--config.file=${path.resolve(configFile)}`,
    `--storage.tsdb.path=${path.resolve(dataDir)}`,
    `--web.listen-address=${address}`,
    '--web.enable-lifecycle',
    // Debian's defaults are files of a package that is not installed.
    ...['templates', 'libraries'].map((kind) => `--web.console.${kind}=${path.resolve(dataDir)}`),
    '--log.level=warn',
  ]);
}

/** Alone, not in a cluster. Resolves and throws as `startPrometheus` does. */
export async function startAlertmanager(options: MonitoringOptions): Promise<EmbeddedMonitoring> {
  const { installation, configFile, dataDir } = options;
  return await start('Alertmanager', installation.home, options, (address) => [
    installation.alertmanager,
    `--config.file=${path.resolve(configFile)}`,
    `--storage.path=${path.resolve(dataDir)}`,
    `--web.listen-address=${address}`,
    '--cluster.listen-address=',
    '--log.level=warn',
  ]);
}

async function start(
  name: string,
  cwd: string,
  { dataDir, log = () => undefined, signal }: MonitoringOptions,
  commandAt: (address: string) => string[],
): Promise<EmbeddedMonitoring> {
  await mkdir(dataDir, { recursive: true });
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    const port = await freePort();
    const command = commandAt(`127.0.0.1:${port}`);
    const server = await spawnServer({ command, cwd, deathSignal: 'SIGTERM', log });
    const url = `http://127.0.0.1:${port}`;
    try {
      await waitUntilReady(name, server, url, signal);
    } catch (error) {
      await stopServer(server);
      if (attempt < START_ATTEMPTS && server.tail().some((line) => line.includes('address already in use'))) continue;
      throw error;
    }
    return {
      url,
      pid: server.pid,
      tail: server.tail,
      stop: async () => await stopServer(server),
      onExit: server.onExit,
    };
  }
}

async function stopServer(server: ServerProcess): Promise<void> {
  await server.stop([{ signal: 'SIGTERM', waitMs: 5_000 }]);
}

async function waitUntilReady(name: string, server: ServerProcess, url: string, signal?: AbortSignal): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    signal?.throwIfAborted();
    if (server.hasExited())
      throw new AppError('unavailable', `${name} did not start: ${server.tail().at(-1) ?? 'it printed nothing'}`);
    if (performance.now() > deadline)
      throw new AppError('unavailable', `${name} was not ready after ${START_TIMEOUT_MS / 1_000} s`);
    const isReady = await fetch(`${url}/-/ready`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (isReady) return;
    await delay(READY_POLL_MS);
  }
}
