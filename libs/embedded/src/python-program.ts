/**
 * Finds what a Debian package written in Python brings: an unpacked copy in a cache folder, else a freshly fetched one. Only Debian's
 * own Python fits Debian's compiled modules: another one that comes first on PATH is of another version.
 */
import path from 'node:path';
import { canFetchPackages, libraryDirsOf, libraryVariable, unpackPackages } from './debian-packages.ts';

const SYSTEM_PYTHON = '/usr/bin/python3';

type PythonProgram<Installation> = {
  cacheDir: string;
  log: (line: string) => void;
  packageName: string;
  /** See `unpackPackages`. */
  extras: string[];
  /** To be fetched: what the system lacks, and all of it. */
  megabytes: { missing: number; all: number };
  /** `python`: the words that start it; `root`: the folder of what was unpacked. Null when it does not run. */
  inspect: (python: string[], root: string) => Promise<Installation | null>;
};

/** What the user has set up for another Python, or installed for this one, is not part of it. */
export function cleanPython(python = SYSTEM_PYTHON, variables: string[] = []): string[] {
  return ['env', '-u', 'PYTHONHOME', '-u', 'PYTHONPATH', ...variables, python, '-s'];
}

/** Null, with the reason in the log, where it is not to be had. */
export async function locateUnpackedPython<Installation>(
  wanted: PythonProgram<Installation>,
): Promise<Installation | null> {
  const { cacheDir, log, packageName, extras, megabytes } = wanted;
  const unpacked = path.resolve(cacheDir, `${process.platform}-${process.arch}`);
  const cached = await inspectUnpacked(unpacked, wanted.inspect);
  if (cached !== null) return cached;
  if (!(await canFetchPackages())) {
    log('it is not installed, and this system has no apt-get and dpkg to fetch it');
    return null;
  }
  // Where the system's Python is not the one that its packages are for, all of Debian's Python is fetched in a second attempt.
  for (const withDependencies of ['missing', 'all'] as const) {
    try {
      log(`fetching ${packageName} into the cache (once, about ${megabytes[withDependencies]} MB)`);
      await unpackPackages({ into: unpacked, packages: [packageName], withDependencies, extras });
    } catch (error) {
      log(`${packageName} could not be fetched: ${error instanceof Error ? error.message : String(error)}`);
      return null;
    }
    const fetched = await inspectUnpacked(unpacked, wanted.inspect);
    if (fetched !== null) return fetched;
  }
  log(`the ${packageName} unpacked in ${unpacked} does not run here`);
  return null;
}

/** With the system's Python, which finds its own packages too: only those that the system lacks were unpacked. */
async function inspectUnpacked<Installation>(
  root: string,
  inspect: PythonProgram<Installation>['inspect'],
): Promise<Installation | null> {
  const variables = [
    ...libraryVariable(await libraryDirsOf(root)),
    `PYTHONPATH=${path.join(root, 'usr/lib/python3/dist-packages')}`,
  ];
  for (const python of [SYSTEM_PYTHON, path.join(root, SYSTEM_PYTHON)]) {
    const found = await inspect(cleanPython(python, variables), root);
    if (found !== null) return found;
  }
  return null;
}
