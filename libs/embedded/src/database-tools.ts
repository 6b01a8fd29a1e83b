/**
 * Finds what dumps and restores a database, for tests of backups: installed programs, else Debian's, unpacked into a cache folder.
 * pg_dump refuses servers that are newer than itself, and no npm package has one as new as the embedded server: so PostgreSQL's
 * tools come with the server of their own release.
 */
import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { canFetchPackages, libraryDirsOf, libraryVariable, unpackPackages } from './debian-packages.ts';

const run = promisify(execFile);

const POSTGRES_PROGRAMS = ['postgres', 'initdb', 'pg_dump', 'pg_restore', 'psql'];
const MARIADB_PROGRAMS = ['mariadb', 'mariadb-dump'];
/** Of Debian 12 and of the releases after and before it. */
const POSTGRES_RELEASES = [15, 17, 13];
/** What a minimal system lacks. */
const POSTGRES_LIBRARIES = [
  ...['libpq5', 'libxml2', 'libicu72', 'libicu76', 'liblz4-1', 'libzstd1', 'libpam0g', 'libssl3', 'libssl3t64'],
  ...['libldap-2.5-0', 'libldap2', 'libsasl2-2', 'libgssapi-krb5-2', 'libkrb5-3', 'libk5crypto3', 'libkrb5support0'],
  'libkeyutils1',
];

export type DatabaseTools = {
  /** Folder with `programs`; for PATH. */
  binDir: string;
};

export type PostgresRelease = DatabaseTools & { initdb: string; postgres: string; majorVersion: number };

type Options = { cacheDir: string; log?: (line: string) => void };

/** pg_dump, pg_restore and psql, with a server that they can dump. Null, with the reason in the log, where there is none to be had. */
export async function locatePostgresRelease({
  cacheDir,
  log = () => undefined,
}: Options): Promise<PostgresRelease | null> {
  const installed = await readdir('/usr/lib/postgresql').catch(() => []);
  for (const version of installed.toSorted((a, b) => Number(b) - Number(a))) {
    const found = await inspect(path.join('/usr/lib/postgresql', version, 'bin'));
    if (found !== null) return found;
  }
  const unpacked = path.resolve(cacheDir, `postgresql-${process.platform}-${process.arch}`);
  const wrappers = path.join(unpacked, 'omnizap-bin');
  const cached = await inspect(wrappers);
  if (cached !== null) return cached;
  for (const version of (await canFetchPackages()) ? POSTGRES_RELEASES : []) {
    const packages = [`postgresql-${version}`, `postgresql-client-${version}`];
    const isThere = await fetchInto(unpacked, { packages, extras: POSTGRES_LIBRARIES, log });
    if (!isThere) continue;
    await wrap(unpacked, path.join(unpacked, `usr/lib/postgresql/${version}/bin`), POSTGRES_PROGRAMS, wrappers);
    const found = await inspect(wrappers);
    if (found !== null) return found;
    log(`the PostgreSQL ${version} unpacked in ${unpacked} does not run here`);
  }
  log('there is no PostgreSQL with its pg_dump in /usr/lib/postgresql, and none could be fetched');
  return null;
}

/** mariadb and mariadb-dump. Null, with the reason in the log, where they cannot be had. */
export async function locateMariadbClient({ cacheDir, log = () => undefined }: Options): Promise<DatabaseTools | null> {
  const installed = await run('sh', ['-c', 'command -v mariadb && command -v mariadb-dump']).then(
    ({ stdout }) => path.dirname(stdout.split('\n')[0] ?? ''),
    () => null,
  );
  if (installed !== null) return { binDir: installed };
  const unpacked = path.resolve(cacheDir, `mariadb-client-${process.platform}-${process.arch}`);
  const wrappers = path.join(unpacked, 'omnizap-bin');
  if ((await versionOf(path.join(wrappers, 'mariadb-dump'))) !== null) return { binDir: wrappers };
  const extras = [
    'libssl3',
    'libssl3t64',
    'libreadline8',
    'libreadline8t64',
    'libzstd1',
    'libncurses6',
    'libtinfo6',
    'libmariadb3',
  ];
  const packages = ['mariadb-client', 'mariadb-client-core'];
  if (!(await canFetchPackages()) || !(await fetchInto(unpacked, { packages, extras, log }))) {
    log('there is no mariadb-dump on PATH, and none could be fetched');
    return null;
  }
  await wrap(unpacked, path.join(unpacked, 'usr/bin'), MARIADB_PROGRAMS, wrappers);
  if ((await versionOf(path.join(wrappers, 'mariadb-dump'))) !== null) return { binDir: wrappers };
  log(`the mariadb-dump unpacked in ${unpacked} does not run here`);
  return null;
}

async function inspect(binDir: string): Promise<PostgresRelease | null> {
  const versions = await Promise.all(POSTGRES_PROGRAMS.map((name) => versionOf(path.join(binDir, name))));
  const majorVersion = Number(/ (\d+)\./.exec(versions[0] ?? '')?.[1]);
  if (versions.includes(null) || !(majorVersion >= 14)) return null;
  return { binDir, initdb: path.join(binDir, 'initdb'), postgres: path.join(binDir, 'postgres'), majorVersion };
}

async function versionOf(program: string): Promise<string | null> {
  return await run(program, ['--version']).then(
    ({ stdout }) => stdout,
    () => null,
  );
}

async function fetchInto(
  into: string,
  { packages, extras, log }: { packages: string[]; extras: string[]; log: (line: string) => void },
): Promise<boolean> {
  log(`fetching ${packages.join(' and ')} into the cache (once)`);
  return await unpackPackages({ into, packages, extras }).then(
    () => true,
    (error: unknown) => {
      log(`${packages.join(' and ')} could not be fetched: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    },
  );
}

/** One small script for each program, that shows it its libraries. */
async function wrap(root: string, from: string, programs: string[], wrappers: string): Promise<void> {
  const env = libraryVariable(await libraryDirsOf(root));
  await mkdir(wrappers, { recursive: true });
  for (const program of programs) {
    const words = ['exec', ...(env.length === 0 ? [] : ['env', ...env]), path.join(from, program)];
    const quoted = words.map((word) =>
      /^[\w./:=-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`,
    );
    const file = path.join(wrappers, program);
    await writeFile(file, `#!/bin/sh\n${quoted.join(' ')} "$@"\n`);
    await chmod(file, 0o755);
  }
}
