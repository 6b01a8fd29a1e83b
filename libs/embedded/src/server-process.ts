/**
 * One database server as a child process that never outlives its parent, not even a parent that was SIGKILLed: a stray server
 * would hold the port and the data files against the next start. It lives in a session of its own, so that a terminal's Ctrl-C
 * reaches only the supervisor, which stops databases last.
 */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

/** Enough for a server's last words; the whole log is not kept. */
const TAIL_LINES = 40;

export type ProcessExit = { code: number | null; signal: NodeJS.Signals | null };

/** `hurry`: skip the orderly phase; the next start recovers from the log. */
export type StopOptions = { hurry?: boolean };

export type StopStep = { signal: NodeJS.Signals; waitMs: number };

export type ServerProcess = {
  pid: number;
  exited: Promise<ProcessExit>;
  hasExited: () => boolean;
  /** The last lines that it printed. */
  tail: () => string[];
  /** Sends one signal after the other, each when the one before did not help in time. Resolves when the process is gone. */
  stop: (steps: StopStep[]) => Promise<void>;
  /** Calls the listener when the process ends without having been asked to. */
  onExit: (listener: (exit: ProcessExit) => void) => void;
};

export type ServerCommand = {
  /** Words that change the user first; what the kernel is told about a parent's death does not survive that change. */
  prefix?: string[];
  command: string[];
  cwd: string;
  /** What the server gets when this process dies. */
  deathSignal: 'SIGINT' | 'SIGTERM';
  log: (line: string) => void;
};

/** Starts the command; rejects when it cannot be executed at all. */
export async function spawnServer({
  prefix = [],
  command,
  cwd,
  deathSignal,
  log,
}: ServerCommand): Promise<ServerProcess> {
  const guarded = isParentDeathSignalAvailable()
    ? ['setpriv', '--pdeathsig', deathSignal.slice(3), '--', ...command]
    : guardByPipe(command, deathSignal);
  const [file = '', ...args] = [...prefix, ...guarded];
  const child = spawn(file, args, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const tail: string[] = [];
  const listeners: ((exit: ProcessExit) => void)[] = [];
  let exit: ProcessExit | null = null;
  let isStopping = false;

  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      tail.push(line);
      if (tail.length > TAIL_LINES) tail.shift();
      log(line);
    });
  }
  const exited = new Promise<ProcessExit>((resolve) => {
    child.once('exit', (code, signal) => {
      exit = { code, signal };
      releaseGuard(child);
      resolve(exit);
      if (!isStopping) for (const listener of listeners) listener(exit);
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });

  return {
    pid: child.pid ?? 0,
    exited,
    hasExited: () => exit !== null,
    tail: () => [...tail],
    onExit: (listener) => void listeners.push(listener),
    stop: async (steps) => {
      isStopping = true;
      for (const { signal, waitMs } of steps) {
        if (exit !== null) return;
        child.kill(signal);
        const timeout = new AbortController();
        await Promise.race([exited, delay(waitMs, undefined, { signal: timeout.signal }).catch(() => undefined)]);
        timeout.abort();
      }
      if (exit === null) child.kill('SIGKILL');
      await exited;
    },
  };
}

let parentDeathSignal: boolean | null = null;

/** util-linux's setpriv has it since 2.33; busybox's and macOS have not. */
function isParentDeathSignalAvailable(): boolean {
  parentDeathSignal ??= (() => {
    try {
      execFileSync('setpriv', ['--pdeathsig', 'INT', '--', 'true'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  })();
  return parentDeathSignal;
}

/**
 * The second way: a small shell reads a pipe that only this process holds open. The end of the pipe without a line on it means
 * that the holder died. `exec` keeps the pid, so `$$` is the server.
 */
function guardByPipe(command: string[], signal: NodeJS.Signals): string[] {
  const script = `(read -r _ <&3 || kill -s ${signal.slice(3)} $$) >/dev/null 2>&1 & exec "$@" 3<&-`;
  return ['sh', '-c', script, 'sh', ...command];
}

function releaseGuard(child: ChildProcess): void {
  const pipe = child.stdio[3];
  if (pipe && 'end' in pipe) {
    pipe.on('error', () => undefined);
    pipe.end('gone\n');
  }
}
