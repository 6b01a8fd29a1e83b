/**
 * Finds OpenStack Swift for tests: an installed one, else Debian's packages unpacked into a cache folder, with Python where the
 * system has none. Nothing is installed and no root is needed. Null, with the reason in the log, where that is impossible.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { cleanPython, locateUnpackedPython } from './python-program.ts';

const run = promisify(execFile);

/** It holds all the servers; the packages named after these only add service files, and a web server that is not needed. */
const SERVER_PACKAGE = 'python3-swift';
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
  const installed = await inspect(cleanPython());
  if (installed !== null) return installed;
  return await locateUnpackedPython({
    ...{ cacheDir, log, packageName: SERVER_PACKAGE, extras: [], megabytes: { missing: 8, all: 25 } },
    inspect,
  });
}

async function inspect(command: string[]): Promise<SwiftInstallation | null> {
  const [file = '', ...args] = [...command, '-c', PROBE];
  return await run(file, args).then(
    ({ stdout }) => ({ command, version: stdout.trim() }),
    () => null,
  );
}
