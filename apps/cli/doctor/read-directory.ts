/**
 * Looks at one directory, in a process of its own: a network disk whose server is gone holds whoever asks, and a process that is
 * held cannot even end. Prints `DirectoryFacts` as JSON.
 */
import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import type { DirectoryFacts } from './directories.ts';

/** NFS, SMB, CIFS, SMB2, FUSE, 9p, Ceph, AFS: whoever serves them watches them. */
const networkTypes = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x65735546, 0x01021997, 0x00c36400, 0x5346414f]);

async function isWritable(folder: string): Promise<boolean> {
  return await access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The folder itself or, while it is not made, the one that it would be made in. */
async function nearest(folder: string): Promise<string> {
  const isThere = await stat(folder).then(
    () => true,
    ({ code }: NodeJS.ErrnoException) => code !== 'ENOENT',
  );
  const parent = path.dirname(folder);
  return isThere || parent === folder ? folder : await nearest(parent);
}

async function readDirectory(folder: string): Promise<DirectoryFacts> {
  const found = await nearest(folder);
  const known = await stat(found).catch(() => null);
  if (known?.isDirectory() !== true) return { state: known && found === folder ? 'not-a-directory' : 'unreachable' };
  const { type, bsize, blocks, bavail, files, ffree } = await statfs(found);
  return {
    state: found === folder ? 'there' : 'absent',
    isWritable: await isWritable(found),
    isLocal: !networkTypes.has(type >>> 0),
    device: known.dev,
    bytes: { free: bavail * bsize, total: blocks * bsize },
    inodes: { free: ffree, total: files },
  };
}

process.stdout.write(JSON.stringify(await readDirectory(process.argv[2] ?? '.')));
