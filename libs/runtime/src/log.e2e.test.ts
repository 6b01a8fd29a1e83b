import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { waitFor } from '@omnizap/testkit';

const logModule = path.join(import.meta.dirname, 'log.ts');
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'omnizap log '));
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

/** Writes its pid, logs once, and goes on logging when its parent is gone; ends by itself soon after. */
const child = `
  import { writeFileSync } from 'node:fs';
  const { createLogger } = await import(process.argv[2]);
  const log = createLogger({ level: 'info', format: 'json', process: 'child' });
  log.info('never read by the parent');
  process.on('uncaughtException', (error) => { log.error({ err: error }, 'uncaught'); process.exit(1); });
  process.on('disconnect', () => { for (let line = 0; line < 5; line += 1) log.info('to nobody'); process.exit(0); });
  writeFileSync(process.argv[3], String(process.pid));
`;
/** Never reads what its child prints. */
const parent = `
  import { spawn } from 'node:child_process';
  spawn(process.execPath, process.argv.slice(2), { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  setInterval(() => undefined, 1000);
`;

it('does not keep a process from ending whose parent died with unread log lines', async () => {
  const [parentFile, childFile, pidFile] = ['parent.mjs', 'child.mjs', 'pid'].map((name) =>
    path.join(folder, name),
  ) as [string, string, string];
  await writeFile(parentFile, parent);
  await writeFile(childFile, child);
  const started = spawn(process.execPath, [parentFile, childFile, logModule, pidFile], { stdio: 'ignore' });
  const pid = Number(await waitFor(async () => await readFile(pidFile, 'utf8')));

  started.kill('SIGKILL');

  const hasEnded = async (): Promise<boolean> =>
    // A zombie that nobody collects has ended as well.
    /^State:\s+Z/m.test(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => 'State: Z'));
  try {
    await waitFor(hasEnded, { timeoutMs: 15_000, description: 'the end of the child' });
  } catch (error) {
    process.kill(pid, 'SIGKILL');
    throw error;
  }
  expect(await hasEnded()).toBe(true);
});
