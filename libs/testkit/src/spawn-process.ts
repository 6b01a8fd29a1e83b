/**
 * Real processes for tests. A process is told nothing of the developer's own environment, reports itself ready over IPC as it
 * does to the supervisor, and a test run that leaves one behind fails (tools/test.ts looks at the register).
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import path from 'node:path';
import { registerProcess } from './register-process.ts';

const PROJECT_ROOT = path.resolve(import.meta.dirname, '../../..');
/** What a process needs of its surroundings; settings come from the test alone. */
const PASSED_ON = ['PATH', 'HOME', 'USER', 'TMPDIR', 'LANG', 'CI'];
/** A loaded machine needs a while for seven processes at once. */
const READY_TIMEOUT_MS = 30_000;
/** The contract's 15 s, and a little for the exit itself. */
const STOP_TIMEOUT_MS = 16_000;

export type ProcessExit = { code: number | null; signal: NodeJS.Signals | null };

export type SpawnedProcess = {
  pid: number;
  /** From the ready message; empty when the process has none. */
  url: string;
  /** SIGTERM, then waits for the end. Throws when it takes longer than the contract allows; the process is killed then. */
  stop: () => Promise<ProcessExit>;
  kill: (signal: NodeJS.Signals) => void;
  exited: Promise<ProcessExit>;
  /** Everything printed so far, stdout and stderr as they came. */
  output: () => string;
};

export type SpawnOptions = {
  readyTimeoutMs?: number;
  /** False: return at once, for processes that never become ready. */
  waitForReady?: boolean;
};

/** Starts `entry` (relative to the project, or absolute) and waits until it says that it is ready. */
export async function spawnProcess(
  entry: string,
  args: string[] = [],
  env: Record<string, string> = {},
  options: SpawnOptions = {},
): Promise<SpawnedProcess> {
  const { readyTimeoutMs = READY_TIMEOUT_MS, waitForReady = true } = options;
  const surroundings: Record<string, string | undefined> = {};
  for (const name of PASSED_ON) surroundings[name] = process.env[name];
  const child: ChildProcess = spawn(process.execPath, [path.resolve(PROJECT_ROOT, entry), ...args], {
    cwd: PROJECT_ROOT,
    env: { ...surroundings, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  // A forgotten process must not keep the test run from ending: it is found in the register afterwards.
  child.unref();
  child.channel?.unref();
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    if (stream instanceof Socket) stream.unref();
  }

  const pid = child.pid ?? 0;
  const deregister = registerProcess(pid, [entry, ...args].join(' '));
  const exited = new Promise<ProcessExit>((resolve) => {
    child.once('exit', (code, signal) => {
      deregister();
      resolve({ code, signal });
    });
    child.once('error', () => resolve({ code: null, signal: null }));
  });
  const spawned: SpawnedProcess = {
    pid,
    url: '',
    exited,
    output: () => output,
    kill: (signal) => void child.kill(signal),
    stop: async () => {
      child.kill('SIGTERM');
      const exit = await within(exited, STOP_TIMEOUT_MS);
      if (exit !== null) return exit;
      child.kill('SIGKILL');
      await exited;
      throw new Error(`${entry} did not stop within ${STOP_TIMEOUT_MS} ms. It printed:\n${output}`);
    },
  };
  if (!waitForReady) return spawned;

  const ready = new Promise<string>((resolve) => {
    child.on('message', (message) => {
      if (isReadyMessage(message)) resolve(message.url ?? '');
    });
  });
  child.channel?.unref();
  const outcome = await within(Promise.race([ready, exited]), readyTimeoutMs);
  if (typeof outcome === 'string') return { ...spawned, url: outcome };
  child.kill('SIGKILL');
  await exited;
  const reason =
    outcome === null
      ? `was not ready after ${readyTimeoutMs} ms`
      : `ended with ${outcome.signal ?? `code ${String(outcome.code)}`} before it was ready`;
  throw new Error(`${[entry, ...args].join(' ')} ${reason}. It printed:\n${output}`);
}

function isReadyMessage(message: unknown): message is { type: 'ready'; url?: string } {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'ready';
}

/** Null when time is up first. */
async function within<T>(promise: Promise<T>, timeoutMs: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<null>((resolve) => (timer = setTimeout(resolve, timeoutMs, null)));
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
