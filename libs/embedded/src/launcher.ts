/**
 * PostgreSQL refuses to run as root. Started by root it therefore runs either inside a user namespace, where root's own files
 * belong to "nobody" and a 0700 home stays reachable, or, where namespaces are forbidden (chroot, hardened container), as
 * another user. No system user is ever created.
 */
import { execFile } from 'node:child_process';
import { chown, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { AppError } from '@omnizap/runtime';

const run = promisify(execFile);

/** `nobody` on Linux distributions; initdb wants a uid that /etc/passwd knows. */
const NOBODY = 65534;

const namespace = ['unshare', '--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, '--'];

export type Owner = { uid: number; gid: number };

export type Launch = {
  /** Words to put before the server's command. */
  prefix: string[];
  /** To whom its files must belong, null when that is whoever creates them. */
  owner: Owner | null;
};

/**
 * How to run `binary` so that it may write `directory` (which exists) and accepts the files already in `filesDir`.
 * Throws `configuration-invalid` when no way leads there.
 */
export async function planLaunch(binary: string, directory: string, filesDir: string): Promise<Launch> {
  const existing = await ownerOf(filesDir);
  const self = process.getuid?.() ?? -1;
  if (self !== 0) {
    if (existing !== null && self >= 0 && existing.uid !== self) {
      throw new AppError(
        'configuration-invalid',
        `The database files in ${filesDir} belong to user id ${existing.uid}, this is user id ${self}: start as that user, or set STICKER_DATA_DIR to a folder of your own`,
      );
    }
    // Containers run as numbers that /etc/passwd does not know, which initdb refuses.
    const prefix = !hasAccount() && (await reaches(namespace, binary, directory)) ? namespace : [];
    return { prefix, owner: null };
  }

  if ((existing === null || existing.uid === 0) && (await reaches(namespace, binary, directory))) {
    return { prefix: namespace, owner: null };
  }
  for (const owner of await otherOwners(existing, directory, binary)) {
    const prefix = ['setpriv', `--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups', '--'];
    if (!(await reaches(prefix, binary, path.dirname(directory), 'x'))) continue;
    await handOver(directory, owner);
    return { prefix, owner };
  }
  throw new AppError(
    'configuration-invalid',
    `PostgreSQL does not run as root, user namespaces are forbidden here, and no other user can reach both ${binary} and ${directory}: start as an ordinary user, or set DATABASE_URL`,
  );
}

function hasAccount(): boolean {
  try {
    userInfo();
    return true;
  } catch {
    return false;
  }
}

async function otherOwners(existing: Owner | null, directory: string, binary: string): Promise<Owner[]> {
  const candidates = [
    existing,
    await ownerOf(directory),
    await ownerOf(path.dirname(directory)),
    await ownerOf(binary),
    { uid: NOBODY, gid: NOBODY },
  ];
  return candidates.filter((owner) => owner !== null && owner.uid !== 0) as Owner[];
}

async function reaches(prefix: string[], binary: string, directory: string, need: 'w' | 'x' = 'w'): Promise<boolean> {
  const [file = '', ...args] = [...prefix, 'sh', '-c', `test -x "$1" && test -${need} "$2"`, 'sh', binary, directory];
  return await run(file, args).then(
    () => true,
    () => false,
  );
}

/** Everything in it, because the files of an earlier start may belong to root. */
async function handOver(directory: string, owner: Owner): Promise<void> {
  await chown(directory, owner.uid, owner.gid);
  await run('chown', ['-R', `${owner.uid}:${owner.gid}`, '--', directory]);
}

async function ownerOf(file: string): Promise<Owner | null> {
  return await stat(file).then(
    ({ uid, gid }) => ({ uid, gid }),
    () => null,
  );
}
