/**
 * Finds a mariadbd for tests: an installed one, else Debian's packages unpacked into a cache folder. Nothing is installed and no
 * root is needed: apt fetches and verifies, dpkg unpacks. Null, with the reason in the log, where that is impossible.
 */
import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const SERVER_PACKAGE = 'mariadb-server-core';
/** The server's libraries that a minimal system lacks, under the names of Debian 12 and of the releases after it. */
const LIBRARY_PACKAGES = ['libaio1', 'libaio1t64', 'liburing2', 'libnuma1', 'libpcre2-8-0', 'libsnappy1v5'];
const APT_TIMEOUT_MS = 180_000;

export type MariadbInstallation = {
  server: string;
  /** Folder of the SQL scripts that fill a new server's system tables. */
  shareDir: string;
  /** For servers outside of the system's folders, else null. */
  basedir: string | null;
  libraryDirs: string[];
  version: string;
};

type Options = { cacheDir: string; log?: (line: string) => void };

/** The installed server, the cached one, or a freshly fetched one. */
export async function locateMariadb({ cacheDir, log = () => undefined }: Options): Promise<MariadbInstallation | null> {
  const installed = await findInstalled();
  if (installed !== null) return installed;
  const unpacked = path.resolve(cacheDir, `${process.platform}-${process.arch}`);
  const cached = await inspectUnpacked(unpacked);
  if (cached !== null) return cached;
  if (!(await hasCommands('apt-get', 'dpkg'))) {
    log('there is no mariadbd on PATH, and this system has no apt-get and dpkg to fetch one');
    return null;
  }
  try {
    log(`fetching ${SERVER_PACKAGE} into the cache (once)`);
    await fetchPackages(unpacked);
  } catch (error) {
    log(`${SERVER_PACKAGE} could not be fetched: ${describe(error)}`);
    return null;
  }
  const fetched = await inspectUnpacked(unpacked);
  if (fetched === null) log(`the mariadbd unpacked in ${unpacked} does not run here`);
  return fetched;
}

async function findInstalled(): Promise<MariadbInstallation | null> {
  // Debian keeps the server in /usr/sbin, which an ordinary user's PATH leaves out.
  const search = 'PATH="$PATH:/usr/sbin:/usr/local/sbin"; command -v mariadbd || command -v mysqld';
  const server = await run('sh', ['-c', search]).then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );
  if (server === '') return null;
  const prefix = path.resolve(path.dirname(server), '..');
  return await inspect(server, [prefix, '/usr', '/usr/local'], null, []);
}

async function inspectUnpacked(root: string): Promise<MariadbInstallation | null> {
  const usr = path.join(root, 'usr');
  const libraryDirs: string[] = [];
  for (const parent of [path.join(usr, 'lib'), path.join(root, 'lib')]) {
    const names = await readdir(parent).catch(() => []);
    libraryDirs.push(...names.filter((name) => name.includes('-linux-')).map((name) => path.join(parent, name)));
  }
  return await inspect(path.join(usr, 'sbin', 'mariadbd'), [usr], usr, libraryDirs);
}

async function inspect(
  server: string,
  prefixes: string[],
  basedir: string | null,
  libraryDirs: string[],
): Promise<MariadbInstallation | null> {
  const version = await run('env', [...libraryVariable(libraryDirs), server, '--no-defaults', '--version']).then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );
  if (!version.includes('MariaDB')) return null;
  for (const prefix of prefixes) {
    for (const name of ['mysql', 'mariadb']) {
      const shareDir = path.join(prefix, 'share', name);
      const names = await readdir(shareDir).catch(() => []);
      if (names.some((file) => file.endsWith('_system_tables.sql')))
        return { server, shareDir, basedir, libraryDirs, version };
    }
  }
  return null;
}

/** `NAME=value` for env(1), or nothing. */
export function libraryVariable(libraryDirs: string[]): string[] {
  return libraryDirs.length === 0 ? [] : [`LD_LIBRARY_PATH=${libraryDirs.join(':')}`];
}

async function fetchPackages(unpacked: string): Promise<void> {
  const parent = path.dirname(unpacked);
  await mkdir(parent, { recursive: true });
  const work = await mkdtemp(path.join(parent, 'fetching-'));
  try {
    const root = path.join(work, 'root');
    await download(work);
    for (const name of await readdir(work)) {
      if (name.endsWith('.deb')) await run('dpkg', ['-x', path.join(work, name), root]);
    }
    await access(path.join(root, 'usr', 'sbin', 'mariadbd'));
    await rm(unpacked, { recursive: true, force: true });
    await rename(root, unpacked);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** With the system's package lists when they are there and fresh enough, else with lists of our own: an ordinary user may not update the system's. */
async function download(work: string): Promise<void> {
  try {
    await aptGet(work, [], ['download', SERVER_PACKAGE]);
    await downloadLibraries(work, []);
  } catch {
    const state = path.join(work, 'state');
    const cache = path.join(work, 'cache');
    await mkdir(path.join(state, 'lists', 'partial'), { recursive: true });
    await mkdir(path.join(cache, 'archives', 'partial'), { recursive: true });
    const lists = `Dir::State::Lists=${path.join(state, 'lists')}`;
    const own = ['-o', `Dir::State=${state}`, '-o', lists, '-o', `Dir::Cache=${cache}`];
    await aptGet(work, own, ['update']);
    await aptGet(work, own, ['download', SERVER_PACKAGE]);
    await downloadLibraries(work, own);
  }
}

/** One by one: no release has all of these names, and most systems have most of the libraries. */
async function downloadLibraries(work: string, options: string[]): Promise<void> {
  for (const name of LIBRARY_PACKAGES) await aptGet(work, options, ['download', name]).catch(() => undefined);
}

async function aptGet(cwd: string, options: string[], args: string[]): Promise<void> {
  // Without the sandbox user, root could not write into a private folder.
  const sandbox = process.getuid?.() === 0 ? ['-o', 'APT::Sandbox::User=root'] : [];
  await run(
    'apt-get',
    ['-q', '-o', 'Acquire::Retries=2', '-o', 'Acquire::http::Timeout=20', ...sandbox, ...options, ...args],
    { cwd, timeout: APT_TIMEOUT_MS },
  );
}

async function hasCommands(...names: string[]): Promise<boolean> {
  const script = names.map((name) => `command -v ${name}`).join(' && ');
  return await run('sh', ['-c', script]).then(
    () => true,
    () => false,
  );
}

function describe(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (
    (stderr?.trim() || message).split('\n').findLast((line) => line.startsWith('E:')) ?? message.split('\n')[0] ?? ''
  );
}
