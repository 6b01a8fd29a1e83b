/**
 * A private OpenStack Swift with its S3 interface for tests, held like the databases: own folder, own ports on 127.0.0.1, gone with
 * this process. One process of Python is all of it. It checks signatures, clocks and expiry as S3 does; it does not sync its files,
 * which outlive a SIGKILL but not a power cut.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '@omnizap/runtime';
import { ensureDataDir, openServerDirectory } from './server-directory.ts';
import { spawnServer } from './server-process.ts';
import type { ProcessExit, ServerProcess, StopOptions } from './server-process.ts';
import type { SwiftInstallation } from './swift-location.ts';

const START_TIMEOUT_MS = 60_000;
const READY_POLL_MS = 25;
const REGION = 'us-east-1';
/** Swift's form of it: an account and one of its users. */
const ACCESS_KEY = 'omnizap:tests';
const SCRIPT = path.join(import.meta.dirname, 'swift-server.py');

export type SwiftOptions = {
  installation: SwiftInstallation;
  dataDir: string;
  log?: (line: string) => void;
  signal?: AbortSignal;
};

export type EmbeddedSwift = {
  /** `http://127.0.0.1:<port>`, for clients that put the bucket into the path. The same after a restart. */
  endpoint: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  pids: () => number[];
  /** The last lines that the running process printed, or the last one that ran. */
  tail: () => string[];
  /** SIGKILL: from now on the endpoint refuses connections. Resolves when it does. */
  kill: () => Promise<void>;
  /** Starts it again at the same endpoint with the same data; stops it first when it runs. @throws AppError `unavailable` */
  restart: () => Promise<void>;
  stop: (options?: StopOptions) => Promise<void>;
  /** Calls the listener when the process ends without having been asked to. */
  onExit: (listener: (exit: ProcessExit) => void) => void;
};

/** Starts the servers; resolves when a signed request is answered. Throws AppError `unavailable`; nothing is left running then. */
export async function startSwift(options: SwiftOptions): Promise<EmbeddedSwift> {
  const { installation, log = () => undefined, signal } = options;
  const dataDir = path.resolve(options.dataDir);
  await ensureDataDir(dataDir);
  const { filesDir, password } = await openServerDirectory(dataDir, null, async (stage) => {
    await mkdir(stage.filesDir);
  });
  const listeners: ((exit: ProcessExit) => void)[] = [];

  let { server, port } = await start(0);

  async function start(wantedPort: number): Promise<{ server: ServerProcess; port: number }> {
    signal?.throwIfAborted();
    let boundPort: number | null = null;
    const started = await spawnServer({
      command: [...installation.command, SCRIPT, String(wantedPort), ACCESS_KEY, path.join('..', 'password')],
      cwd: filesDir,
      deathSignal: 'SIGTERM',
      log: (line) => {
        const said = /^listening on (\d+)$/.exec(line)?.[1];
        if (said !== undefined) boundPort = Number(said);
        log(line);
      },
    });
    try {
      const bound = await waitUntilReady(started, () => boundPort, password, signal);
      started.onExit((exit) => {
        for (const listener of listeners) listener(exit);
      });
      return { server: started, port: bound };
    } catch (error) {
      await stopServer(started);
      throw error;
    }
  }

  return {
    endpoint: endpointOf(port),
    region: REGION,
    accessKeyId: ACCESS_KEY,
    secretAccessKey: password,
    pids: () => (server.hasExited() ? [] : [server.pid]),
    tail: () => server.tail(),
    kill: async () => await server.stop([{ signal: 'SIGKILL', waitMs: 1_000 }]),
    restart: async () => {
      await stopServer(server);
      ({ server, port } = await start(port));
    },
    stop: async () => await stopServer(server),
    onExit: (listener) => void listeners.push(listener),
  };
}

/** It has nothing to put in order: what it has answered for is in its files. */
async function stopServer(server: ServerProcess): Promise<void> {
  await server.stop([{ signal: 'SIGTERM', waitMs: 1_500 }]);
}

function endpointOf(port: number): string {
  return `http://127.0.0.1:${port}`;
}

async function waitUntilReady(
  server: ServerProcess,
  portOf: () => number | null,
  secretAccessKey: string,
  signal?: AbortSignal,
): Promise<number> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  // Of all that import this lib, only those that start a Swift load the client.
  const { ListBucketsCommand, S3Client } = await import('@aws-sdk/client-s3');
  for (;;) {
    signal?.throwIfAborted();
    if (server.hasExited())
      throw new AppError('unavailable', `Swift did not start: ${server.tail().at(-1) ?? 'it printed nothing'}`);
    if (performance.now() > deadline)
      throw new AppError('unavailable', `Swift was not ready after ${START_TIMEOUT_MS / 1000} s`);
    const port = portOf();
    if (port !== null) {
      const credentials = { accessKeyId: ACCESS_KEY, secretAccessKey };
      const client = new S3Client({
        endpoint: endpointOf(port),
        region: REGION,
        forcePathStyle: true,
        credentials,
        maxAttempts: 1,
      });
      const isAnswered = await client.send(new ListBucketsCommand()).then(
        () => true,
        () => false,
      );
      client.destroy();
      if (isAnswered) return port;
    }
    await delay(READY_POLL_MS);
  }
}
