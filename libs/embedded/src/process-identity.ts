/**
 * A pid alone does not name a process: after a reboot or a long day the number belongs to somebody else. Lock files therefore
 * keep the pid together with the moment at which that process started.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** True when a process with this pid runs, whoever owns it. One that ended and was not yet collected by its parent does not. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return process.platform !== 'linux' || readLinuxStat(pid)?.[0] !== 'Z';
}

/**
 * A text that differs between two processes that had the same pid: boot and start tick on Linux, the start date elsewhere.
 * Null when there is no such process, or when it is only waiting to be reaped.
 */
export function readProcessStart(pid: number): string | null {
  return process.platform === 'linux' ? readLinuxStart(pid) : readStartByPs(pid);
}

/** The parent's pid, null when the process is gone. */
export function readParentPid(pid: number): number | null {
  if (process.platform === 'linux') return Number(readLinuxStat(pid)?.[1] ?? 0) || null;
  return Number(askPs(pid, 'ppid')) || null;
}

function readLinuxStart(pid: number): string | null {
  const fields = readLinuxStat(pid);
  if (fields === null || fields[0] === 'Z') return null;
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${fields[19] ?? ''}`;
}

/** The fields of proc(5) `stat` from the state on. The command before them may itself contain spaces and parentheses. */
function readLinuxStat(pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

function readStartByPs(pid: number): string | null {
  return askPs(pid, 'lstart') || null;
}

function askPs(pid: number, column: string): string {
  try {
    return execFileSync('ps', ['-o', `${column}=`, '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return '';
  }
}
