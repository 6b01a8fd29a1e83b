/** Processes of a private fleet: what they may know of this one's surroundings, and that they end with it. */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import path from 'node:path';

const projectRoot = path.resolve(import.meta.dirname, '../..');
const passedOn = ['PATH', 'HOME', 'USER', 'TMPDIR', 'LANG'];
/** Below those that systems give out by themselves, above those that services have. */
const quietPorts = { low: 20_000, high: 30_000 };

/** A free port that the kernel gives to nobody who asks for any: it is still free when its process starts again. */
export async function quietPort(): Promise<number> {
  for (;;) {
    const port = randomInt(quietPorts.low, quietPorts.high);
    const probe = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen({ host: '127.0.0.1', port, exclusive: true }, () => probe.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}

/**
 * The child ends with this process, whatever ends this process and even while the child is stopped: the kernel kills it. Where
 * that cannot be had, the end of the IPC channel tells it.
 */
export function spawnApp(app: string, args: string[], env: Record<string, string>): ChildProcess {
  const surroundings = Object.fromEntries(
    passedOn.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
  const command = [process.execPath, path.join(projectRoot, 'apps', app, 'main.ts'), ...args];
  const [program = '', ...rest] = isKillWithParentAvailable()
    ? ['setpriv', '--pdeathsig', 'KILL', '--', ...command]
    : command;
  return spawn(program, rest, {
    cwd: projectRoot,
    env: { ...surroundings, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
}

let isAvailable: boolean | undefined;
function isKillWithParentAvailable(): boolean {
  if (isAvailable !== undefined) return isAvailable;
  try {
    execFileSync('setpriv', ['--pdeathsig', 'KILL', '--', 'true'], { stdio: 'ignore' });
    isAvailable = true;
  } catch {
    isAvailable = false;
  }
  return isAvailable;
}
