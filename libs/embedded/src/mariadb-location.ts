/**
 * Finds a mariadbd for tests: an installed one, else Debian's packages unpacked into a cache folder. Nothing is installed and no
 * root is needed: apt fetches and verifies, dpkg unpacks. Null, with the reason in the log, where that is impossible.
 */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { canFetchPackages, libraryDirsOf, libraryVariable, unpackPackages } from './debian-packages.ts';

const run = promisify(execFile);

const SERVER_PACKAGE = 'mariadb-server-core';
/** The server's libraries that a minimal system lacks, under the names of Debian 12 and of the releases after it. */
const LIBRARY_PACKAGES = ['libaio1', 'libaio1t64', 'liburing2', 'libnuma1', 'libpcre2-8-0', 'libsnappy1v5'];

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
  if (!(await canFetchPackages())) {
    log('there is no mariadbd on PATH, and this system has no apt-get and dpkg to fetch one');
    return null;
  }
  try {
    log(`fetching ${SERVER_PACKAGE} into the cache (once)`);
    await unpackPackages({ into: unpacked, packages: [SERVER_PACKAGE], extras: LIBRARY_PACKAGES });
  } catch (error) {
    log(`${SERVER_PACKAGE} could not be fetched: ${error instanceof Error ? error.message : String(error)}`);
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
  const libraryDirs = await libraryDirsOf(root);
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
