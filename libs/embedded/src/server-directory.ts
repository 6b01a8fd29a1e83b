/**
 * The folder of one embedded server: `<dataDir>/server/files` (the server's own) and `<dataDir>/server/password` (0600). It
 * appears whole, by one rename, or not at all: a kill while it is made leaves only a temporary folder, which the next start removes.
 */
import { randomBytes } from 'node:crypto';
import { chown, mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Owner } from './launcher.ts';

const STAGE_PREFIX = 'unfinished-';

export type ServerDirectory = { filesDir: string; password: string };

/** What `create` is given: it must make `filesDir` (which does not exist) and set the server's password. */
export type Stage = { filesDir: string; password: string; passwordFile: string };

/** Where the server's files are, or will be. */
export function filesDirOf(dataDir: string): string {
  return path.join(dataDir, 'server', 'files');
}

/** The directory as it is, or a new one from `create`. One caller per `dataDir` at a time. */
export async function openServerDirectory(
  dataDir: string,
  owner: Owner | null,
  create: (stage: Stage) => Promise<void>,
): Promise<ServerDirectory> {
  await removeUnfinished(dataDir);
  const filesDir = filesDirOf(dataDir);
  const passwordFile = path.join(dataDir, 'server', 'password');
  if (!(await exists(filesDir))) {
    const stage = await mkdtemp(path.join(dataDir, STAGE_PREFIX));
    const password = randomBytes(24).toString('base64url');
    const stagedPasswordFile = path.join(stage, 'password');
    await writeFile(stagedPasswordFile, password, { mode: 0o600 });
    for (const made of owner === null ? [] : [stage, stagedPasswordFile])
      await chown(made, owner?.uid ?? 0, owner?.gid ?? 0);
    try {
      await create({ filesDir: path.join(stage, 'files'), password, passwordFile: stagedPasswordFile });
    } catch (error) {
      // On a full disk, half a server would keep what little space there is.
      await rm(stage, { recursive: true, force: true });
      throw error;
    }
    await rename(stage, path.join(dataDir, 'server'));
  }
  return { filesDir, password: (await readFile(passwordFile, 'utf8')).trim() };
}

/** Makes `dataDir` for the user who runs this. */
export async function ensureDataDir(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
}

async function removeUnfinished(dataDir: string): Promise<void> {
  for (const name of await readdir(dataDir)) {
    if (name.startsWith(STAGE_PREFIX)) await rm(path.join(dataDir, name), { recursive: true, force: true });
  }
}

async function exists(file: string): Promise<boolean> {
  return await stat(file).then(
    () => true,
    () => false,
  );
}
