/**
 * One process of the fleet: started with an IPC channel (its end tells the process that the supervisor is gone), started again
 * when it dies, stopped by SIGTERM. It has a process group of its own, so that a terminal's Ctrl-C leaves the order of stopping
 * to the supervisor.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { AppError } from '@omnizap/runtime';
import { createBackoff } from './backoff.ts';
import type { ConsoleOutput } from './console-output.ts';

/** Early ends that may still heal by themselves (a port or a database that is not there yet). */
const START_ATTEMPTS = 3;
/** The processes' word for "my settings are wrong": trying again is no use. */
const CONFIGURATION_EXIT_CODE = 2;

export type ManagedProcess = {
  name: string;
  start: () => void;
  /** Resolves at the first ready message; rejects with `unavailable` when the process cannot be brought up. */
  whenReady: Promise<void>;
  /** Null while it is down. */
  current: () => { pid: number; url: string } | null;
  /** Asks it to stop; resolves when it has. */
  stop: () => Promise<void>;
  /** Ends it and whatever it started, at once. */
  kill: () => void;
};

export type ManagedProcessOptions = {
  name: string;
  file: string;
  args: string[];
  cwd: string;
  env: Record<string, string | undefined>;
  output: ConsoleOutput;
  /** After each ready message and each end. */
  onChange: () => void;
};

/** Nothing runs until `start`. */
export function createManagedProcess({
  name,
  file,
  args,
  cwd,
  env,
  output,
  onChange,
}: ManagedProcessOptions): ManagedProcess {
  const ready = Promise.withResolvers<void>();
  // Whoever waits gets the rejection; nobody waiting must not end the supervisor.
  ready.promise.catch(() => undefined);
  const backoff = createBackoff();
  let child: ChildProcess | null = null;
  let gone: Promise<void> = Promise.resolve();
  let url: string | null = null;
  let restartTimer: NodeJS.Timeout | undefined;
  let isStopping = false;
  let hasBeenReady = false;
  let attempts = 0;

  function start(): void {
    if (isStopping || child !== null) return;
    attempts += 1;
    const startedAt = performance.now();
    let lastLine = '';
    const started = spawn(process.execPath, [file, ...args], {
      cwd,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    child = started;
    for (const stream of [started.stdout, started.stderr]) {
      if (stream !== null) output.follow(name, stream, (line) => (lastLine = line.trim() || lastLine));
    }
    started.on('message', (message) => {
      if (!isReadyMessage(message)) return;
      url = message.url;
      if (!hasBeenReady)
        output.write(
          name,
          `ready at ${url} (pid ${started.pid ?? 0}, ${((performance.now() - startedAt) / 1000).toFixed(1)} s)`,
        );
      else output.write(name, `ready again at ${url} (pid ${started.pid ?? 0})`);
      hasBeenReady = true;
      ready.resolve();
      onChange();
    });
    gone = new Promise((resolve) => {
      const end = (reason: string, code: number | null): void => {
        if (child !== started) return;
        child = null;
        url = null;
        resolve();
        onChange();
        if (!isStopping) restart(reason, code, lastLine, performance.now() - startedAt);
      };
      started.once('error', (error) => end(error.message, null));
      started.once('exit', (code, signal) => end(signal ?? `code ${String(code)}`, code));
    });
  }

  function restart(reason: string, code: number | null, lastLine: string, upMs: number): void {
    if (!hasBeenReady && (code === CONFIGURATION_EXIT_CODE || attempts >= START_ATTEMPTS)) {
      const said = lastLine === '' ? '' : `: ${lastLine}`;
      ready.reject(new AppError('unavailable', `${name} does not start (${reason})${said}`));
      return;
    }
    const pauseMs = backoff.next(upMs);
    output.write(name, `ended (${reason}); starting it again in ${pauseMs / 1000} s`);
    restartTimer = setTimeout(start, pauseMs);
  }

  return {
    name,
    start,
    whenReady: ready.promise,
    current: () => (child?.pid !== undefined && url !== null ? { pid: child.pid, url } : null),
    stop: async () => {
      if (!isStopping) {
        isStopping = true;
        clearTimeout(restartTimer);
        child?.kill('SIGTERM');
      }
      await gone;
    },
    kill: () => {
      isStopping = true;
      clearTimeout(restartTimer);
      if (child?.pid === undefined) return;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        child.kill('SIGKILL');
      }
    },
  };
}

function isReadyMessage(message: unknown): message is { type: 'ready'; url: string } {
  return (
    typeof message === 'object' &&
    message !== null &&
    'type' in message &&
    message.type === 'ready' &&
    'url' in message &&
    typeof message.url === 'string'
  );
}
