/** All runs of one call: the servers and the pictures are made once, databases and fleets for each run. */
import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isProcessAlive, locateMariadb } from '@omnizap/embedded';
import { replayCommand } from './chaos-options.ts';
import type { ChaosOptions } from './chaos-options.ts';
import { startMariadbServer, startPostgresServer } from './database-server.ts';
import type { DatabaseServer, ServerOptions } from './database-server.ts';
import { drawPicturePool } from './pictures.ts';
import { runChaos } from './run-chaos.ts';
import type { RunReport } from './run-chaos.ts';
import type { Summary } from './report.ts';

const folderPrefix = 'omnizap-chaos-';
const keptPrefix = 'omnizap-chaos-kept-';
const pictureCount = 16;

export type SeriesContext = {
  signal: AbortSignal;
  say: (line: string) => void;
  progress: (line: string) => void;
  onRun: (run: RunReport, replay: string) => void;
};

/** Throws when it cannot run at all; then, and when interrupted, nothing is left behind but folders of runs with findings. */
export async function runSeries(options: ChaosOptions, context: SeriesContext): Promise<Summary> {
  const { signal, say, progress, onRun } = context;
  await removeAbandoned();
  const folder = await mkdtemp(path.join(tmpdir(), `${folderPrefix}${process.pid}-`));
  const servers: DatabaseServer[] = [];
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
    const [pictures, started] = await Promise.all([
      drawPicturePool(pictureCount),
      startServers(options, folder, servers, context),
    ]);
    for (let index = 0; index < options.runs; index += 1) {
      signal.throwIfAborted();
      const seed = options.seed + index;
      const runFolder = await mkdtemp(path.join(tmpdir(), `${keptPrefix}${seed}-`));
      let isKept = options.isKept;
      try {
        const run = await untilAborted(
          runChaos({
            seed,
            kind: options.database,
            faults: options.faults,
            durationSeconds: options.durationSeconds,
            servers: started,
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
        if (!isKept) await rm(runFolder, { recursive: true, force: true, maxRetries: 5 });
      }
    }
    return summary;
  } finally {
    await Promise.allSettled(servers.map((server) => server.close()));
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function startServers(
  { database }: ChaosOptions,
  folder: string,
  servers: DatabaseServer[],
  { signal, say }: SeriesContext,
): Promise<{ catalogue: DatabaseServer; queue: DatabaseServer }> {
  const optionsFor = (name: string): ServerOptions => {
    const log = createWriteStream(path.join(folder, `${name}.log`), { flags: 'a' });
    return { dataDir: folder, log: (line) => void log.write(`${line}\n`), signal };
  };
  const queue = await startPostgresServer(optionsFor('postgres'));
  servers.push(queue);
  if (database === 'postgres') return { catalogue: queue, queue };
  const installation = await locateMariadb({
    cacheDir: path.join(import.meta.dirname, '..', '..', '.cache', 'mariadb'),
    log: (line) => say(`MariaDB: ${line}`),
  });
  if (installation === null) throw new Error('there is no MariaDB here and none could be fetched');
  const catalogue = await startMariadbServer(optionsFor('mariadb'), installation);
  servers.push(catalogue);
  return { catalogue, queue };
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

/** What a call that was SIGKILLed could not remove itself. Folders that were kept on purpose stay. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(new RegExp(`^${folderPrefix}(\\d+)-`).exec(name)?.[1]);
    if (pid > 0 && !isProcessAlive(pid))
      await rm(path.join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
}
