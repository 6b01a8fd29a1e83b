/** Looks at all ports before anything starts: half a fleet that then fails is worse than none. */
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '@omnizap/runtime';
import type { ProcessPlan } from './start-settings.ts';

const POLL_MS = 200;

export type PortCheck = {
  processes: ProcessPlan[];
  host: string;
  /** How long to wait for processes of an earlier run that are on their way out; 0: not at all. */
  patienceMs: number;
  signal: AbortSignal;
};

/** Throws `configuration-invalid`, one line per port that cannot be had, naming the variable that moves it. */
export async function checkPorts({ processes, host, patienceMs, signal }: PortCheck): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const problems: string[] = [];
    for (const { name, port, userVariable } of processes) {
      const problem = await tryPort(host, port);
      if (problem !== null) problems.push(`Port ${port} of ${name} ${problem}: set ${userVariable} to another port`);
    }
    if (problems.length === 0) return;
    if (performance.now() >= deadline) throw new AppError('configuration-invalid', problems.join('\n'));
    await delay(POLL_MS, undefined, { signal });
  }
}

/** Null when the port can be had. */
export async function tryPort(host: string, port: number): Promise<string | null> {
  return await new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', ({ code = '' }: NodeJS.ErrnoException) => {
      if (code === 'EADDRINUSE') resolve('is taken by another program');
      else if (code === 'EACCES') resolve('needs more rights than this user has');
      else resolve(`cannot be opened on ${host} (${code})`);
    });
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(null)));
  });
}
