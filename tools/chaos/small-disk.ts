/**
 * A disk that can be filled without harm to anybody: a tmpfs in a mount namespace of this tool's own, which ends with it. The tool
 * starts itself again inside that namespace; where namespaces are forbidden there is no such disk.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { constants } from 'node:os';
import path from 'node:path';

const insideVariable = 'OMNIZAP_CHAOS_NAMESPACE';
/** A new cluster takes 40 MB, its log up to 512 MB. */
const sizeMegabytes = 768;
const chunkBytes = [4_194_304, 4_096];

/** Words that run a command in a mount namespace; null where that is not allowed. */
function namespaceCommand(): string[] | null {
  const asRoot = ['unshare', '--mount', '--propagation', 'private', '--'];
  const asUser = ['unshare', '--user', '--map-root-user', '--mount', '--propagation', 'private', '--'];
  for (const [file = '', ...args] of [asRoot, asUser]) {
    try {
      execFileSync(file, [...args, 'sh', '-c', 'mount -t tmpfs -o size=1m tmpfs /mnt'], { stdio: 'ignore' });
      return [file, ...args];
    } catch {
      // The next way, or none.
    }
  }
  return null;
}

export function isInsideNamespace(): boolean {
  return process.env[insideVariable] === '1';
}

/** Runs this tool once more, inside. Resolves to its exit code; null where there are no namespaces, and nothing was run. */
export async function runInsideNamespace(args: string[]): Promise<number | null> {
  const command = namespaceCommand();
  if (command === null) return null;
  const [file = '', ...before] = command;
  const child = spawn(file, [...before, process.execPath, process.argv[1] ?? '', ...args], {
    env: { ...process.env, [insideVariable]: '1' },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  process.on('disconnect', () => child.kill('SIGTERM'));
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
  });
}

export type SmallDisk = {
  path: string;
  /** Takes all space that is left; resolves to what gives it back. */
  fill: () => Promise<() => Promise<void>>;
  /** Once nobody uses it any more; a mount that is left goes with the namespace. */
  unmount: () => void;
};

/** Mounts it at `folder`; only inside of the namespace. */
export function mountSmallDisk(folder: string): SmallDisk {
  mkdirSync(folder, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMegabytes}m,mode=0711`, 'tmpfs', folder]);
  const filler = path.join(folder, 'filler');
  return {
    path: folder,
    async fill() {
      const file = await open(filler, 'w');
      try {
        for (const size of chunkBytes) await writeUntilFull(file, Buffer.alloc(size));
      } finally {
        await file.close();
      }
      return async () => await rm(filler, { force: true });
    },
    unmount: () => void execFileSync('umount', ['--lazy', folder], { stdio: 'ignore' }),
  };
}

async function writeUntilFull(file: { write: (bytes: Buffer) => Promise<unknown> }, chunk: Buffer): Promise<void> {
  for (;;) {
    try {
      await file.write(chunk);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return;
      throw error;
    }
  }
}
