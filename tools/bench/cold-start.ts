/** `npm start` in a fresh clone, as somebody meets it who has just heard of the project; npm's own cache is warm. */
import { spawn } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Bench, BenchContext, Measurement } from './bench-types.ts';

const firstStartSeconds = 120;
const secondStartSeconds = 10;
/** A start that takes longer than this is broken, not slow. */
const giveUpMs = 600_000;
const stopMs = 20_000;

/** What `npm start` prints when a stage is over. */
const stages = [
  { name: 'dependencies installed', pattern: /^Installed in / },
  { name: 'PostgreSQL ready', pattern: /\bpostgres\b.*\bready on / },
  { name: 'API ready', pattern: /\bapi\b.*\bready at / },
  { name: 'demo pushed and ranked', pattern: /Demo catalogue: \d+ packs with / },
  { name: 'ready', pattern: /is ready after / },
];

export const startBench: Bench = {
  name: 'start',
  summary:
    '`npm start` in a fresh clone of HEAD to its ready line, then once more; only when named, because it installs.',
  rounds: 1,
  isOnRequest: true,
  prepare(context) {
    return Promise.resolve(async (round) => {
      const clone = path.join(context.folder, `clone-${round}`);
      await mkdir(context.folder, { recursive: true });
      await run('git', ['clone', '--quiet', '--local', context.root, clone], context.folder, context);
      const first = await timeStart(clone, context);
      const second = await timeStart(clone, context);
      await rm(clone, { recursive: true, force: true });
      return [...named('first start', first, firstStartSeconds), ...named('second start', second, secondStartSeconds)];
    });
  },
};

function named(start: string, seconds: Map<string, number>, atMost: number): Measurement[] {
  return [...seconds].map(([stage, value]) => ({
    name: `${start}: ${stage}`,
    unit: 's',
    value,
    ...(stage === 'ready' ? { target: { atMost } } : {}),
  }));
}

/** Seconds from the command to the end of each stage. The fleet is stopped again. */
async function timeStart(clone: string, { signal, cleanUp }: BenchContext): Promise<Map<string, number>> {
  signal.throwIfAborted();
  const startedAt = performance.now();
  const child = spawn('npm', ['start', '--silent'], {
    cwd: clone,
    env: freeEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, killedBy) => resolve(killedBy ?? `code ${String(code)}`));
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const killTimer = setTimeout(() => child.kill('SIGKILL'), stopMs);
    await exited;
    clearTimeout(killTimer);
  };
  cleanUp(stop);

  const seconds = new Map<string, number>();
  const printed: string[] = [];
  const ready = Promise.withResolvers<void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      printed.push(line);
      for (const { name, pattern } of stages) {
        if (!seconds.has(name) && pattern.test(line)) seconds.set(name, (performance.now() - startedAt) / 1_000);
      }
      if (seconds.has('ready')) ready.resolve();
    });
  }
  const timer = setTimeout(() => ready.reject(new Error('npm start is not ready after ten minutes')), giveUpMs);
  void exited.then((reason) =>
    ready.reject(new Error(`npm start ended (${reason}):\n${printed.slice(-20).join('\n')}`)),
  );
  await ready.promise.finally(() => clearTimeout(timer));
  await stop();
  return seconds;
}

/** This machine may run another fleet; and what a developer has set for their own is not what a newcomer has. */
function freeEnvironment(): Record<string, string | undefined> {
  const kept = [
    'PATH',
    'HOME',
    'USER',
    'TMPDIR',
    'LANG',
    'http_proxy',
    'https_proxy',
    'no_proxy',
    'HTTP_PROXY',
    'HTTPS_PROXY',
    'NO_PROXY',
  ];
  const inherited = Object.entries(process.env).filter(
    ([name]) => kept.includes(name) || /^npm_config_(cache|userconfig|registry)$/.test(name),
  );
  const ports = [
    'PORT',
    'RELAY_PORT',
    'WORKER_CLASSIFICATION_PORT',
    'WORKER_CURATION_PORT',
    'WORKER_REBUILD_PORT',
    'MAINTENANCE_PORT',
    'EMBEDDED_POSTGRES_PORT',
  ];
  return { ...Object.fromEntries(inherited), ...Object.fromEntries(ports.map((name) => [name, '0'])) };
}

async function run(file: string, args: string[], cwd: string, { signal }: BenchContext): Promise<void> {
  const child = spawn(file, args, { cwd, signal, stdio: ['ignore', 'ignore', 'inherit'] });
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${file} ${args[0]} failed with code ${String(code)}`)),
    );
  });
}
