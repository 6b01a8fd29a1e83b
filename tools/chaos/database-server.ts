/**
 * A private database server with safe commits, as in production: an immediate stop must not lose what it has acknowledged. One
 * that ends by itself (PostgreSQL does on a full disk) is started again, as a supervisor would.
 */
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startEmbeddedPostgres, startMariadb } from '@omnizap/embedded';
import type { MariadbInstallation, ProcessExit } from '@omnizap/embedded';

export type DatabaseServer = {
  name: 'PostgreSQL' | 'MariaDB';
  /** Of the server, without a database. */
  url: () => string;
  isUp: () => boolean;
  /** No goodbye to anybody: PostgreSQL's immediate shutdown, SIGKILL for MariaDB. */
  stopAtOnce: () => Promise<void>;
  /** Resolves when it answers again, after its recovery. */
  start: () => Promise<void>;
  close: () => Promise<void>;
  /** How often it ended without having been asked to. */
  ownEnds: () => number;
};

type Running = {
  url: string;
  port: number;
  pid: number;
  exited: Promise<ProcessExit>;
  stop: (options?: { hurry?: boolean }) => Promise<void>;
  onExit: (listener: () => void) => void;
};

const restartPauseMs = 500;

export type ServerOptions = {
  dataDir: string;
  log: (line: string) => void;
  signal: AbortSignal;
};

export async function startPostgresServer({ dataDir, log, signal }: ServerOptions): Promise<DatabaseServer> {
  return await keepServer('PostgreSQL', 'SIGQUIT', signal, (port) =>
    startEmbeddedPostgres({ dataDir: path.join(dataDir, 'postgres'), port, log, durable: true, signal }),
  );
}

export async function startMariadbServer(
  { dataDir, log, signal }: ServerOptions,
  installation: MariadbInstallation,
): Promise<DatabaseServer> {
  return await keepServer('MariaDB', 'SIGKILL', signal, (port) =>
    startMariadb({ installation, dataDir: path.join(dataDir, 'mariadb'), port, log, durable: true, signal }),
  );
}

async function keepServer(
  name: DatabaseServer['name'],
  immediate: NodeJS.Signals,
  signal: AbortSignal,
  launch: (port: number) => Promise<Running>,
): Promise<DatabaseServer> {
  let running = await launch(0);
  const { port, url } = running;
  let isUp = true;
  let isWanted = true;
  let ownEnds = 0;
  let starting: Promise<void> | undefined;

  const watch = (server: Running): void =>
    server.onExit(() => {
      if (server !== running) return;
      isUp = false;
      if (!isWanted) return;
      ownEnds += 1;
      void bringUp();
    });
  watch(running);

  /** Until it runs, is no longer wanted, or the whole tool ends. */
  function bringUp(): Promise<void> {
    starting ??= (async () => {
      while (isWanted && !isUp && !signal.aborted) {
        try {
          // The port stays: clients of a restarted server find it where it was.
          running = await launch(port);
          isUp = true;
          watch(running);
        } catch {
          await delay(restartPauseMs);
        }
      }
    })().finally(() => (starting = undefined));
    return starting;
  }

  return {
    name,
    url: () => url,
    isUp: () => isUp,
    ownEnds: () => ownEnds,
    async stopAtOnce() {
      isWanted = false;
      await starting;
      if (!isUp) return;
      process.kill(running.pid, immediate);
      await running.exited;
      isUp = false;
    },
    async start() {
      isWanted = true;
      await bringUp();
    },
    async close() {
      isWanted = false;
      await starting?.catch(() => undefined);
      await running.stop({ hurry: true });
      isUp = false;
    },
  };
}

export function withDatabase(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}
