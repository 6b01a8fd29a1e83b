/**
 * Finds OpenStack Swift for tests: an installed one, else Debian's packages unpacked into a cache folder, with Python where the
 * system has none. Nothing is installed and no root is needed. Null, with the reason in the log, where that is impossible.
 *
 * Only Debian's own Python fits Debian's compiled modules: another one that comes first on PATH is of another version.
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { canFetchPackages, libraryDirsOf, unpackPackages } from './debian-packages.ts';
import { libraryVariable } from './mariadb-location.ts';

const run = promisify(execFile);

/** It holds all the servers; the packages named after these only add service files, and a web server that is not needed. */
const SERVER_PACKAGE = 'python3-swift';
const SYSTEM_PYTHON = '/usr/bin/python3';
/** Loads every compiled module that the servers need, and says the release. */
const PROBE = [
  'import os',
  'os.environ["EVENTLET_NO_GREENDNS"] = "yes"',
  'import swift, lxml.etree, pyeclib.ec_iface, xattr',
  'from swift.common.middleware.s3api import s3api',
  'from swift.obj import server',
  'print(swift.__version__)',
].join('\n');

export type SwiftInstallation = {
  /** Words to put before the name of a Python script. */
  command: string[];
  version: string;
};

type Options = { cacheDir: string; log?: (line: string) => void };

/** The installed servers, the cached ones, or freshly fetched ones. */
export async function locateSwift({ cacheDir, log = () => undefined }: Options): Promise<SwiftInstallation | null> {
  const installed = await inspect(SYSTEM_PYTHON, []);
  if (installed !== null) return installed;
  const unpacked = path.resolve(cacheDir, `${process.platform}-${process.arch}`);
  const cached = await inspectUnpacked(unpacked);
  if (cached !== null) return cached;
  if (!(await canFetchPackages())) {
    log('it is not installed, and this system has no apt-get and dpkg to fetch it');
    return null;
  }
  // Where the system's Python is not the one that its packages are for, all of Debian's Python is fetched in a second attempt.
  for (const withDependencies of ['missing', 'all'] as const) {
    try {
      log(`fetching ${SERVER_PACKAGE} into the cache (once, about ${withDependencies === 'all' ? 25 : 8} MB)`);
      await unpackPackages({ into: unpacked, packages: [SERVER_PACKAGE], withDependencies, extras: [] });
    } catch (error) {
      log(`${SERVER_PACKAGE} could not be fetched: ${error instanceof Error ? error.message : String(error)}`);
      return null;
    }
    const fetched = await inspectUnpacked(unpacked);
    if (fetched !== null) return fetched;
  }
  log(`the servers unpacked in ${unpacked} do not run here`);
  return null;
}

/** With the system's Python, which finds its own packages too: only those that the system lacks were unpacked. */
async function inspectUnpacked(root: string): Promise<SwiftInstallation | null> {
  const variables = [
    ...libraryVariable(await libraryDirsOf(root)),
    `PYTHONPATH=${path.join(root, 'usr/lib/python3/dist-packages')}`,
  ];
  for (const python of [SYSTEM_PYTHON, path.join(root, SYSTEM_PYTHON)]) {
    const found = await inspect(python, variables);
    if (found !== null) return found;
  }
  return null;
}

async function inspect(python: string, variables: string[]): Promise<SwiftInstallation | null> {
  // What the user has set up for another Python, or installed for this one, is not part of it.
  const command = ['env', '-u', 'PYTHONHOME', '-u', 'PYTHONPATH', ...variables, python, '-s'];
  const [file = '', ...args] = [...command, '-c', PROBE];
  return await run(file, args).then(
    ({ stdout }) => ({ command, version: stdout.trim() }),
    () => null,
  );
}
