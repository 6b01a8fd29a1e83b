/** All runs of one call: the servers and the pictures are made once, databases and fleets for each run. */
import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isProcessAlive, locateMariadb } from '@omnizap/embedded';
import type { SwiftInstallation } from '@omnizap/embedded';
import { replayCommand } from './chaos-options.ts';
import type { ChaosOptions } from './chaos-options.ts';
import { startMariadbServer, startPostgresServer } from './database-server.ts';
import type { DatabaseServer, ServerOptions } from './database-server.ts';
import { drawPicturePool } from './pictures.ts';
import { runChaos } from './run-chaos.ts';
import type { RunOptions, RunReport } from './run-chaos.ts';
import { planFaults } from './schedule.ts';
import { mountSmallDisk } from './small-disk.ts';
import type { SmallDisk } from './small-disk.ts';
import { startStorageServer } from './storage/storage-server.ts';
import type { StorageServer } from './storage/storage-server.ts';
import type { Summary } from './report.ts';

const folderPrefix = 'omnizap-chaos-';
const keptPrefix = 'omnizap-chaos-kept-';
const pictureCount = 16;

export type SeriesContext = {
  signal: AbortSignal;
  /** Null where no fault needs it. */
  storage: SwiftInstallation | null;
  say: (line: string) => void;
  progress: (line: string) => void;
  onRun: (run: RunReport, replay: string) => void;
};

/** Throws when it cannot run at all; then, and when interrupted, nothing is left behind but folders of runs with findings. */
export async function runSeries(options: ChaosOptions, context: SeriesContext): Promise<Summary> {
  const { signal, say, progress, onRun } = context;
  await removeAbandoned();
  const folder = await mkdtemp(path.join(tmpdir(), `${folderPrefix}${process.pid}-`));
  const host = createHost(options, folder, context);
  const summary: Summary = {
    seed: options.seed,
    database: options.database,
    faults: options.faults,
    durationSeconds: options.durationSeconds,
    runs: [],
  };
  try {
    progress(
      `seed ${options.seed}, ${options.runs} ${options.runs === 1 ? 'run' : 'runs'} of ${options.durationSeconds} s on ${options.database}`,
    );
    const pictures = await drawPicturePool(pictureCount);
    for (let index = 0; index < options.runs; index += 1) {
      signal.throwIfAborted();
      const seed = options.seed + index;
      const plan = planFaults(seed, options.faults, options.durationSeconds * 1_000);
      const needs = new Set(plan.map(({ fault }) => fault.needs));
      const hosted = await host.serversFor({
        onSmallDisk: needs.has('small disk'),
        withStorage: needs.has('object storage'),
      });
      const runFolder = await mkdtemp(path.join(tmpdir(), `${keptPrefix}${seed}-`));
      let isKept = options.isKept;
      try {
        const run = await untilAborted(
          runChaos({
            seed,
            kind: options.database,
            faults: options.faults,
            durationSeconds: options.durationSeconds,
            requestsPerSecond: options.requestsPerSecond,
            flips: options.flips,
            storageMode: options.storageMode,
            ...hosted,
            pictures,
            folder: runFolder,
            signal,
            say,
          }),
          signal,
        );
        summary.runs.push(run);
        isKept ||= run.violations.length > 0;
        onRun(run, replayCommand(options, seed));
      } catch (error) {
        isKept ||= !signal.aborted;
        if (isKept) say(`the run with seed ${seed} broke off; its folder is ${runFolder}`);
        throw error;
      } finally {
        if (!isKept) await removeAllBut(options.runs === 1 ? 'history.jsonl' : null, runFolder);
      }
    }
    return summary;
  } finally {
    await host.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

type Hosted = Pick<RunOptions, 'servers' | 'fillDisk' | 'storage'>;
type Wanted = { onSmallDisk: boolean; withStorage: boolean };

/** Starts each server when a run needs it for the first time, and keeps it for the next ones. */
function createHost(
  { database }: ChaosOptions,
  folder: string,
  { signal, say, storage: installation }: SeriesContext,
): { serversFor: (wanted: Wanted) => Promise<Hosted>; close: () => Promise<void> } {
  const servers: DatabaseServer[] = [];
  const optionsFor = (name: string, dataDir: string): ServerOptions => {
    const log = createWriteStream(path.join(folder, `${name}.log`), { flags: 'a' });
    log.on('error', () => undefined);
    return { dataDir, log: (line) => void log.write(`${line}\n`), signal };
  };
  const keep = async (starting: Promise<DatabaseServer>): Promise<DatabaseServer> => {
    const server = await starting;
    servers.push(server);
    return server;
  };
  let postgres: Promise<DatabaseServer> | undefined;
  let small: Promise<{ server: DatabaseServer; disk: SmallDisk }> | undefined;
  let mariadb: Promise<DatabaseServer> | undefined;
  let storage: Promise<StorageServer> | undefined;

  async function startSmall(): Promise<{ server: DatabaseServer; disk: SmallDisk }> {
    const disk = mountSmallDisk(path.join(folder, 'small-disk'));
    const server = await keep(startPostgresServer(optionsFor('postgres-on-small-disk', path.join(disk.path, 'data'))));
    return { server, disk };
  }

  async function startMaria(): Promise<DatabaseServer> {
    const installation = await locateMariadb({
      cacheDir: path.join(import.meta.dirname, '..', '..', '.cache', 'mariadb'),
      log: (line) => say(`MariaDB: ${line}`),
    });
    if (installation === null) throw new Error('there is no MariaDB here and none could be fetched');
    return await keep(startMariadbServer(optionsFor('mariadb', folder), installation));
  }

  function startStorage(): Promise<StorageServer> | undefined {
    return installation === null
      ? undefined
      : startStorageServer({ installation, ...optionsFor('object-storage', path.join(folder, 'object-storage')) });
  }

  return {
    async close() {
      await storage?.then((server) => server.close()).catch(() => undefined);
      await Promise.allSettled(servers.map((server) => server.close()));
      await small?.then(({ disk }) => disk.unmount()).catch(() => undefined);
    },
    async serversFor({ onSmallDisk, withStorage }) {
      if (onSmallDisk) small ??= startSmall();
      else postgres ??= keep(startPostgresServer(optionsFor('postgres', folder)));
      const limited = onSmallDisk ? await small : undefined;
      const queue = limited?.server ?? (await postgres);
      if (!queue) throw new Error('no PostgreSQL was started');
      if (database === 'mariadb') mariadb ??= startMaria();
      if (withStorage) storage ??= startStorage();
      return {
        servers: { catalogue: (await mariadb) ?? queue, queue },
        fillDisk: limited?.disk.fill,
        storage: withStorage ? await storage : undefined,
      };
    },
  };
}

/** The run cleans up after itself when it is interrupted; this waits for that, and not for what it was in the middle of. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await work;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

/** The history of a single run is small and may be wanted; those of hundreds without a finding are not. */
async function removeAllBut(kept: string | null, folder: string): Promise<void> {
  const options = { recursive: true, force: true, maxRetries: 5 };
  if (kept === null) await rm(folder, options);
  else for (const name of await readdir(folder)) if (name !== kept) await rm(path.join(folder, name), options);
}

/** What a call that was SIGKILLed could not remove itself. Folders that were kept on purpose stay. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(new RegExp(`^${folderPrefix}(\\d+)-`).exec(name)?.[1]);
    if (pid > 0 && !isProcessAlive(pid))
      await rm(path.join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
}
