/**
 * Finds Docker Compose for checks of docker-compose.yml: an installed one, else Debian's package with what it needs, unpacked into a
 * cache folder. Only what reads files is of use then (`config`): there is no Docker behind it. Nothing is installed, no root and,
 * once it is unpacked, no network is needed. Null, with the reason in the log, where that is impossible.
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { canFetchPackages, libraryDirsOf, unpackPackages } from './debian-packages.ts';
import { libraryVariable } from './mariadb-location.ts';

const run = promisify(execFile);

const COMPOSE_PACKAGE = 'docker-compose';
/** The package asks for it without a version; Python 3.12 no longer brings it. */
const EXTRAS = ['python3-distutils', 'python3-yaml'];
const SYSTEM_PYTHON = '/usr/bin/python3';
const INSTALLED = [['docker', 'compose'], ['docker-compose']];

export type ComposeInstallation = {
  /** Words to put before a subcommand. */
  command: string[];
  version: string;
};

type Options = { cacheDir: string; log?: (line: string) => void };

/** The installed one (Docker's plugin first), the cached one, or a freshly fetched one. */
export async function locateCompose({ cacheDir, log = () => undefined }: Options): Promise<ComposeInstallation | null> {
  for (const command of INSTALLED) {
    const installed = await inspect(command);
    if (installed !== null) return installed;
  }
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
      log(`fetching ${COMPOSE_PACKAGE} into the cache (once, about ${withDependencies === 'all' ? 20 : 1} MB)`);
      await unpackPackages({ into: unpacked, packages: [COMPOSE_PACKAGE], withDependencies, extras: EXTRAS });
    } catch (error) {
      log(`${COMPOSE_PACKAGE} could not be fetched: ${error instanceof Error ? error.message : String(error)}`);
      return null;
    }
    const fetched = await inspectUnpacked(unpacked);
    if (fetched !== null) return fetched;
  }
  log(`the ${COMPOSE_PACKAGE} unpacked in ${unpacked} does not run here`);
  return null;
}

/** With the system's Python, which finds its own packages too: only those that the system lacks were unpacked. */
async function inspectUnpacked(root: string): Promise<ComposeInstallation | null> {
  const variables = [
    ...libraryVariable(await libraryDirsOf(root)),
    `PYTHONPATH=${path.join(root, 'usr/lib/python3/dist-packages')}`,
  ];
  for (const python of [SYSTEM_PYTHON, path.join(root, SYSTEM_PYTHON)]) {
    // What the user has set up for another Python, or installed for this one, is not part of it.
    const clean = ['env', '-u', 'PYTHONHOME', '-u', 'PYTHONPATH', ...variables, python, '-s'];
    const found = await inspect([...clean, path.join(root, 'usr/bin/docker-compose')]);
    if (found !== null) return found;
  }
  return null;
}

async function inspect(command: string[]): Promise<ComposeInstallation | null> {
  const [file = '', ...args] = [...command, 'version', '--short'];
  return await run(file, args).then(
    ({ stdout }) => ({ command, version: stdout.trim() }),
    () => null,
  );
}
