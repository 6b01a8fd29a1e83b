/**
 * Finds Docker Compose for checks of docker-compose.yml: an installed one, else Debian's package with what it needs, unpacked into a
 * cache folder. Only what reads files is of use then (`config`): there is no Docker behind it. Nothing is installed, no root and,
 * once it is unpacked, no network is needed. Null, with the reason in the log, where that is impossible.
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { locateUnpackedPython } from './python-program.ts';

const run = promisify(execFile);

const COMPOSE_PACKAGE = 'docker-compose';
/** The package asks for it without a version; Python 3.12 no longer brings it. */
const EXTRAS = ['python3-distutils', 'python3-yaml'];
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
  return await locateUnpackedPython({
    ...{ cacheDir, log, packageName: COMPOSE_PACKAGE, extras: EXTRAS, megabytes: { missing: 1, all: 20 } },
    inspect: async (python, root) => await inspect([...python, path.join(root, 'usr/bin/docker-compose')]),
  });
}

async function inspect(command: string[]): Promise<ComposeInstallation | null> {
  const [file = '', ...args] = [...command, 'version', '--short'];
  return await run(file, args).then(
    ({ stdout }) => ({ command, version: stdout.trim() }),
    () => null,
  );
}
