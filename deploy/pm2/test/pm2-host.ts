/** A host with a pm2 of its own, as an operator's shell sees it: a private database, free ports, and nothing of the developer's. */
import { freePort, waitFor, type TestDatabase } from '@omnizap/testkit';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runCommand } from './run-command.ts';

export type Listed = {
  name: string;
  pid: number;
  pm2_env: { status: string; restart_time: number; unstable_restarts: number };
};

export type Pm2Host = {
  /** For releases and whatever else goes with the host. Its name has a space. */
  folder: string;
  database: TestDatabase;
  /** The operator's settings. */
  env: Record<string, string>;
  listed: () => Promise<Listed[]>;
  /** After the first start: a daemon that this test leaves behind is found, and ended, by `npm test`; its processes end with it. */
  markDaemon: () => Promise<void>;
  /** Ends pm2 with all its processes. */
  close: () => Promise<void>;
};

export const stableFolder = path.resolve(import.meta.dirname, '../../..');

const portVariables = [
  ...['PORT', 'RELAY_PORT', 'MAINTENANCE_PORT'],
  ...['CLASSIFICATION', 'CURATION', 'REBUILD'].flatMap((kind) => [`WORKER_${kind}_PORT`, `WORKER_CANARY_${kind}_PORT`]),
];

/** On an empty database: whoever starts the fleet migrates it first. `own`: settings over those of the kit. */
export async function openPm2Host(database: TestDatabase, own: Record<string, string> = {}): Promise<Pm2Host> {
  const folder = await mkdtemp(path.join(tmpdir(), 'omnizap pm2 '));
  const home = path.join(folder, 'empty-home');
  await mkdir(home);
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? '',
    HOME: home,
    PM2_HOME: path.join(folder, 'pm2'),
    DATABASE_URL: database.databaseUrl,
    QUEUE_DATABASE_URL: database.queueUrl,
    STICKER_DATA_DIR: path.join(folder, 'data'),
    ARCHIVE_DIR: path.join(folder, 'archives'),
    NODE_COMPILE_CACHE: path.join(stableFolder, '.cache/node'),
    API_METRICS_PORT: '0',
    // npm itself: nothing outside of the folder, and nobody asked for a newer one.
    npm_config_cache: path.join(folder, 'npm'),
    npm_config_update_notifier: 'false',
    ...own,
  };
  for (const variable of portVariables) env[variable] = String(await freePort());
  const pm2 = (...args: string[]) => runCommand(stableFolder, 'pm2', args, env);
  const listed = async (): Promise<Listed[]> => (await pm2('jlist')).json<Listed[]>();
  let mark: string | undefined;

  return {
    folder,
    database,
    env,
    listed,
    async markDaemon() {
      const register = process.env.OMNIZAP_TEST_PROCESSES;
      if (register === undefined) return;
      const pid = (await readFile(path.join(folder, 'pm2', 'pm2.pid'), 'utf8')).trim();
      mark = path.join(register, pid);
      await writeFile(mark, 'the pm2 daemon');
    },
    async close() {
      const pids = (await listed()).map(({ pid }) => pid).filter((pid) => pid > 0);
      await pm2('kill');
      await waitFor(() => !pids.some(isAlive), { timeoutMs: 20_000, description: 'the end of the fleet' });
      if (mark !== undefined) await rm(mark, { force: true });
      await database.drop();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
