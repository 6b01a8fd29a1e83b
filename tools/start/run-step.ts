/** A command that runs to its end while the fleet starts: migrations, credentials, the demo catalogue. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { AppError } from '@omnizap/runtime';
import type { ConsoleOutput } from './console-output.ts';
import type { Environment } from './start-settings.ts';

/** For a step that is told to stop; then it is killed. */
const STOP_MS = 5_000;

export type Step = {
  name: string;
  root: string;
  /** Below `root`. */
  file: string;
  args: string[];
  env: Environment;
  output: ConsoleOutput;
  signal: AbortSignal;
  /** Prints by itself, so that it can draw a progress bar. */
  isInteractive?: boolean;
};

/** Throws `unavailable` with the step's last line when it fails, and the signal's reason when it was told to stop. */
export async function runStep({
  name,
  root,
  file,
  args,
  env,
  output,
  signal,
  isInteractive = false,
}: Step): Promise<void> {
  signal.throwIfAborted();
  const printing = isInteractive ? 'inherit' : 'pipe';
  const child = spawn(process.execPath, [path.join(root, file), ...args], {
    cwd: root,
    env,
    detached: true,
    stdio: ['ignore', printing, printing, 'ipc'],
  });
  let lastLine = '';
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) output.follow(name, stream, (line) => (lastLine = line.trim() || lastLine));
  }
  let killTimer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    child.kill('SIGTERM');
    killTimer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    const reason = await new Promise<string | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, killedBy) => resolve(code === 0 ? null : (killedBy ?? `code ${String(code)}`)));
    });
    signal.throwIfAborted();
    if (reason !== null)
      throw new AppError('unavailable', `${name} failed (${reason})${lastLine === '' ? '' : `: ${lastLine}`}`);
  } finally {
    clearTimeout(killTimer);
    signal.removeEventListener('abort', stop);
  }
}
