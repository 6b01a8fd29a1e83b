/**
 * What an earlier run may have left in a PostgreSQL data directory: a pid file whose number now belongs to another program (then
 * PostgreSQL refuses to start), or a server that is still on its way out. Two servers on the same files must never happen, so a
 * server that somebody else looks after is an error, not something to end.
 */
import { execFileSync } from 'node:child_process';
import { readFile, readlink, realpath, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '@omnizap/runtime';
import { isProcessAlive, readParentPid, readProcessStart } from './process-identity.ts';

/** A fast shutdown with a busy checkpoint takes a few seconds. */
const LEAVE_WAIT_MS = 10_000;
const POLL_MS = 50;

/** Waits for a leaving server, stops an orphaned one, removes a stale pid file. Throws `unavailable` when another owner runs it. */
export async function clearPostgresLeftovers(filesDir: string, log: (line: string) => void): Promise<void> {
  const pidFile = path.join(filesDir, 'postmaster.pid');
  const pid = await readPid(pidFile);
  if (pid === null) return;
  if (await isPostmasterOf(pid, filesDir)) {
    if (readParentPid(pid) === process.pid)
      throw new AppError('unavailable', `The database files in ${filesDir} are already in use by this process`);
    log(`PostgreSQL of an earlier run is still there (pid ${pid}); waiting for it to leave`);
    if (!(await hasLeft(pid, filesDir))) {
      if (readParentPid(pid) !== 1) {
        throw new AppError(
          'unavailable',
          `Another running process uses the database files in ${filesDir} (PostgreSQL pid ${pid}): stop it first`,
        );
      }
      process.kill(pid, 'SIGINT');
      if (!(await hasLeft(pid, filesDir))) {
        throw new AppError('unavailable', `PostgreSQL pid ${pid} on ${filesDir} does not stop: end it by hand`);
      }
    }
  }
  await rm(pidFile, { force: true });
}

async function readPid(pidFile: string): Promise<number | null> {
  const text = await readFile(pidFile, 'utf8').catch(() => '');
  const pid = Number.parseInt(text, 10);
  return pid > 0 ? pid : null;
}

/** A postmaster's working directory is its data directory; where that cannot be read, its name must do. */
async function isPostmasterOf(pid: number, filesDir: string): Promise<boolean> {
  if (pid === process.pid || !isProcessAlive(pid) || readProcessStart(pid) === null) return false;
  if (process.platform === 'linux') {
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => null);
    return cwd !== null && cwd === (await realpath(filesDir));
  }
  try {
    const command = execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
    return command.includes('postgres') && command.includes(filesDir);
  } catch {
    return false;
  }
}

async function hasLeft(pid: number, filesDir: string): Promise<boolean> {
  const deadline = performance.now() + LEAVE_WAIT_MS;
  while (performance.now() < deadline) {
    if (!(await isPostmasterOf(pid, filesDir))) return true;
    await delay(POLL_MS);
  }
  return false;
}
