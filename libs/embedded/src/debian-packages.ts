/** Packages of Debian in a folder of ours: apt fetches and verifies them, dpkg unpacks. Nothing is installed and no root is needed. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const APT_TIMEOUT_MS = 180_000;
const MAX_OUTPUT_BYTES = 8 * 1_024 * 1_024;
/** Every system has it, and a second one does not go with the system's loader. */
const C_LIBRARY = 'libc6';

type Packages = {
  /** Appears whole, and replaces what was there. */
  into: string;
  packages: string[];
  /** Also everything that they need: `missing`, what this system does not have; `all`, for a system whose own does not fit. */
  withDependencies?: 'missing' | 'all';
  /** Under whichever of these names they exist: no release has all of them, and most systems have most of what they hold. */
  extras: string[];
  /** Changes what was unpacked before it appears. */
  prepare?: (root: string) => Promise<void>;
};

export async function canFetchPackages(): Promise<boolean> {
  return await run('sh', ['-c', 'command -v apt-get && command -v dpkg']).then(
    () => true,
    () => false,
  );
}

/** @throws Error with apt's reason */
export async function unpackPackages(wanted: Packages): Promise<void> {
  const { into } = wanted;
  const parent = path.dirname(into);
  await mkdir(parent, { recursive: true });
  const work = await mkdtemp(path.join(parent, 'fetching-'));
  try {
    const root = path.join(work, 'root');
    await download(work, wanted);
    for (const name of await readdir(work)) {
      if (name.endsWith('.deb')) await run('dpkg', ['-x', path.join(work, name), root]);
    }
    await wanted.prepare?.(root);
    await rm(into, { recursive: true, force: true });
    await rename(root, into);
  } catch (error) {
    throw new Error(describe(error), { cause: error });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Where the libraries of unpacked packages are. */
export async function libraryDirsOf(root: string): Promise<string[]> {
  const found: string[] = [];
  for (const parent of [path.join(root, 'usr', 'lib'), path.join(root, 'lib')]) {
    const names = await readdir(parent).catch(() => []);
    found.push(...names.filter((name) => name.includes('-linux-')).map((name) => path.join(parent, name)));
  }
  return found;
}

/** `NAME=value` for env(1), or nothing. */
export function libraryVariable(libraryDirs: string[]): string[] {
  return libraryDirs.length === 0 ? [] : [`LD_LIBRARY_PATH=${libraryDirs.join(':')}`];
}

/** With the system's package lists when they are there and fresh enough, else with lists of our own: an ordinary user may not update the system's. */
async function download(work: string, wanted: Packages): Promise<void> {
  try {
    await downloadAll(work, [], wanted);
  } catch {
    const state = path.join(work, 'state');
    const cache = path.join(work, 'cache');
    await mkdir(path.join(state, 'lists', 'partial'), { recursive: true });
    await mkdir(path.join(cache, 'archives', 'partial'), { recursive: true });
    const lists = `Dir::State::Lists=${path.join(state, 'lists')}`;
    const own = ['-o', `Dir::State=${state}`, '-o', lists, '-o', `Dir::Cache=${cache}`];
    await aptGet(work, own, ['update']);
    await downloadAll(work, own, wanted);
  }
}

async function downloadAll(work: string, options: string[], wanted: Packages): Promise<void> {
  const { packages, extras, withDependencies } = wanted;
  const all = withDependencies
    ? await packagesWithDependencies(work, options, packages, withDependencies === 'all')
    : packages;
  await aptGet(work, options, ['download', ...all]);
  for (const name of extras) await aptGet(work, options, ['download', name]).catch(() => undefined);
}

/** Those packages and what apt would install with them: it only says so. What is installed already is named only on demand. */
async function packagesWithDependencies(
  work: string,
  options: string[],
  packages: string[],
  withInstalled: boolean,
): Promise<string[]> {
  const emptyStatus = path.join(work, 'nothing-installed');
  if (withInstalled) await writeFile(emptyStatus, '');
  const status = withInstalled ? ['-o', `Dir::State::status=${emptyStatus}`] : [];
  const install = ['install', '--simulate', '--no-install-recommends', ...packages];
  const plan = await aptGet(work, [...options, ...status], install);
  const named = Array.from(plan.matchAll(/^Inst (\S+)/gm), ([, name = '']) => name);
  return [...new Set([...packages, ...named.filter((name) => name !== C_LIBRARY)])];
}

async function aptGet(cwd: string, options: string[], args: string[]): Promise<string> {
  // Without the sandbox user, root could not write into a private folder.
  const sandbox = process.getuid?.() === 0 ? ['-o', 'APT::Sandbox::User=root'] : [];
  const { stdout } = await run(
    'apt-get',
    ['-q', '-o', 'Acquire::Retries=2', '-o', 'Acquire::http::Timeout=20', ...sandbox, ...options, ...args],
    { cwd, timeout: APT_TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES },
  );
  return stdout;
}

function describe(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (
    (stderr?.trim() || message).split('\n').findLast((line) => line.startsWith('E:')) ?? message.split('\n')[0] ?? ''
  );
}
