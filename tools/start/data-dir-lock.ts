/**
 * One supervisor per data directory. The lock names its holder by pid and start time, so one that a kill or a power cut left
 * behind never blocks the next start.
 */
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isProcessAlive, readProcessStart } from '@omnizap/embedded';
import { AppError } from '@omnizap/runtime';

const ATTEMPTS = 5;

export type DataDirLock = {
  /** True when an earlier holder ended without giving its lock back. */
  wasStale: boolean;
  release: () => Promise<void>;
};

/** Throws `unavailable` when a living supervisor holds the directory, and file system errors as they are. */
export async function lockDataDir(dataDir: string): Promise<DataDirLock> {
  const file = path.join(dataDir, 'start.lock');
  const draft = `${file}.${process.pid}`;
  const self = JSON.stringify({ pid: process.pid, start: readProcessStart(process.pid) });
  let wasStale = false;
  try {
    await writeFile(draft, self, { mode: 0o600 });
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const holder = await readFile(file, 'utf8').catch(() => null);
      if (holder !== null) {
        const pid = livingHolder(holder);
        if (pid !== null) {
          throw new AppError(
            'unavailable',
            `npm start already runs on ${dataDir} (pid ${pid}): stop it, or set STICKER_DATA_DIR to another folder`,
          );
        }
        wasStale = true;
        await removeStale(file, holder);
      }
      // A link appears together with its content: nobody can read a half-written lock.
      const isTaken = await link(draft, file).then(
        () => false,
        (error: NodeJS.ErrnoException) => {
          if (error.code === 'EEXIST') return true;
          throw error;
        },
      );
      if (!isTaken) return { wasStale, release: async () => await release(file, self) };
    }
  } finally {
    await rm(draft, { force: true });
  }
  throw new AppError('unavailable', `Several starts on ${dataDir} at once: try again`);
}

function livingHolder(content: string): number | null {
  try {
    const { pid, start } = JSON.parse(content) as { pid: number; start: string | null };
    return isProcessAlive(pid) && readProcessStart(pid) === start ? pid : null;
  } catch {
    return null;
  }
}

/** Moved aside first: of two that find the same stale lock one succeeds, and a lock renewed meanwhile is put back. */
async function removeStale(file: string, content: string): Promise<void> {
  const aside = `${file}.stale.${process.pid}`;
  try {
    await rename(file, aside);
    if ((await readFile(aside, 'utf8')) !== content) await link(aside, file);
  } catch {
    // Another start was quicker; the next round sees what it made.
  }
  await rm(aside, { force: true });
}

async function release(file: string, self: string): Promise<void> {
  if ((await readFile(file, 'utf8').catch(() => null)) === self) await rm(file, { force: true });
}
