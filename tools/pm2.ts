/**
 * `npm run pm2 -- <command>`: the pinned pm2, a program of its own, on the pinned Node.js. What it must not do is switched off
 * by its own variables: asking its makers for newer versions (at its first start, then daily), starting their agent. It acts on
 * one process after the other, so that also `reload all` never has both API processes down.
 */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

const program = path.resolve(import.meta.dirname, '../node_modules/pm2/bin/pm2');

// The list of processes that `pm2 save` writes there has their environment, passwords included.
mkdirSync(process.env.PM2_HOME ?? path.join(homedir(), '.pm2'), { recursive: true, mode: 0o700 });

const child = spawn(process.execPath, [program, ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: {
    ...process.env,
    PM2_DISCRETE_MODE: 'true',
    PM2_DISABLE_VERSION_CHECK: 'true',
    PM2_NO_INTERACTION: 'true',
    PM2_CONCURRENT_ACTIONS: '1',
  },
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
process.on('disconnect', () => child.kill('SIGTERM'));
process.channel?.unref();
child.once('error', (error) => {
  process.stderr.write(`pm2 cannot be started (${error.message}).\n`);
  process.exit(1);
});
child.once('exit', (code) => process.exit(code ?? 1));
