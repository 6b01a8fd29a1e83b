/**
 * The private fleet: real processes, more than one of most kinds, each with a proxy of its own to each database, each started
 * again when it dies. Every start and end is kept, with whether it was asked for.
 */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createProxy } from './proxy.ts';
import type { Proxy } from './proxy.ts';

const projectRoot = path.resolve(import.meta.dirname, '../..');
const passedOn = ['PATH', 'HOME', 'USER', 'TMPDIR', 'LANG'];
const firstRestartMs = 250;
const longestRestartMs = 4_000;
/** One that stayed up this long is healthy. */
const healthyAfterMs = 10_000;
const readyTimeoutMs = 90_000;
/** The contract's 15 s, and a little for the exit itself. */
const stopTimeoutMs = 16_000;

type Plan = { app: string; args: string[]; portVariable: string; count: number };

const plans: Record<string, Plan> = {
  api: { app: 'api', args: [], portVariable: 'PORT', count: 2 },
  relay: { app: 'relay', args: [], portVariable: 'RELAY_PORT', count: 2 },
  classification: { app: 'worker', args: ['classification'], portVariable: 'WORKER_PORT', count: 2 },
  curation: { app: 'worker', args: ['curation'], portVariable: 'WORKER_PORT', count: 2 },
  rebuild: { app: 'worker', args: ['rebuild'], portVariable: 'WORKER_PORT', count: 2 },
  maintenance: { app: 'maintenance', args: [], portVariable: 'MAINTENANCE_PORT', count: 2 },
};

/** One life of one process. */
export type Life = {
  slot: string;
  pid: number;
  startedAt: number;
  readyAt: number | null;
  endedAt: number | null;
  /** What the harness did to it last that ends a process. */
  asked: 'kill' | 'stop' | null;
  askedAt: number | null;
  code: number | null;
  signal: NodeJS.Signals | null;
};

export type Slot = {
  name: string;
  kind: string;
  catalogue: Proxy;
  queue: Proxy;
  /** Null while it is down. */
  current: () => (Life & { url: string | null; isPaused: boolean }) | null;
};

export type Fleet = {
  slots: Slot[];
  lives: Life[];
  /** Base URLs of API processes that said that they are ready. */
  apiUrls: () => string[];
  kill: (slot: Slot) => Life | null;
  pause: (slot: Slot) => Life | null;
  /** Only if that life still lasts. */
  resume: (life: Life) => void;
  /** SIGTERM; resolves when it ended, and it is started again. */
  terminate: (slot: Slot) => Promise<void>;
  whenReady: () => Promise<void>;
  /** Everything passes again and nobody is paused. */
  heal: () => void;
  stop: () => Promise<void>;
  close: () => Promise<void>;
};

export type FleetOptions = {
  /** As seen past the proxies. */
  catalogueUrl: string;
  queueUrl: string;
  env: Record<string, string>;
  logDir: string;
  /** Tells of starts and ends. */
  note: (entry: object) => void;
  signal: AbortSignal;
  /** Switches for Node.js of all but the API, such as a module to load first; `slot` names the process. */
  nodeOptions: (slot: string) => string;
};

type Running = {
  slot: Slot;
  child: ChildProcess | null;
  life: Life | null;
  url: string | null;
  isPaused: boolean;
  restartMs: number;
  timer: NodeJS.Timeout | undefined;
};

export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const lives: Life[] = [];
  const all: Running[] = [];
  let isStopping = false;

  for (const [kind, plan] of Object.entries(plans)) {
    for (let index = 1; index <= plan.count; index += 1) {
      const running: Running = {
        slot: {
          name: `${kind}-${index}`,
          kind,
          catalogue: await proxyTo(options.catalogueUrl),
          queue: await proxyTo(options.queueUrl),
          current: () =>
            running.life === null ? null : { ...running.life, url: running.url, isPaused: running.isPaused },
        },
        child: null,
        life: null,
        url: null,
        isPaused: false,
        restartMs: firstRestartMs,
        timer: undefined,
      };
      all.push(running);
    }
  }
  for (const running of all) launch(running);

  function launch(running: Running): void {
    if (isStopping || options.signal.aborted) return;
    const { slot } = running;
    const plan = plans[slot.kind] as Plan;
    const log = createWriteStream(path.join(options.logDir, `${slot.name}.log`), { flags: 'a' });
    // Without its log a run is worth less, not nothing.
    log.on('error', () => undefined);
    const nodeOptions = slot.kind === 'api' ? '' : options.nodeOptions(slot.name);
    const child = spawnGuarded(path.join(projectRoot, 'apps', plan.app, 'main.ts'), plan.args, {
      ...options.env,
      ...(nodeOptions === '' ? {} : { NODE_OPTIONS: nodeOptions }),
      DATABASE_URL: through(options.catalogueUrl, slot.catalogue),
      QUEUE_DATABASE_URL: through(options.queueUrl, slot.queue),
      [plan.portVariable]: '0',
    });
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    const life: Life = {
      slot: slot.name,
      pid: child.pid ?? 0,
      startedAt: Date.now(),
      readyAt: null,
      endedAt: null,
      asked: null,
      askedAt: null,
      code: null,
      signal: null,
    };
    lives.push(life);
    Object.assign(running, { child, life, url: null, isPaused: false });
    options.note({ event: 'started', slot: slot.name, pid: life.pid });
    child.on('message', (message: { type?: string; url?: string }) => {
      if (message.type !== 'ready') return;
      running.url = message.url ?? '';
      life.readyAt = Date.now();
      options.note({ event: 'ready', slot: slot.name, pid: life.pid });
    });
    const end = (code: number | null, signal: NodeJS.Signals | null): void => {
      if (life.endedAt !== null) return;
      Object.assign(life, { endedAt: Date.now(), code, signal });
      log.end();
      options.note({ event: 'ended', slot: slot.name, pid: life.pid, code, signal, asked: life.asked });
      if (running.life === life) Object.assign(running, { child: null, life: null, url: null, isPaused: false });
      if (isStopping) return;
      if (life.endedAt === null || Date.now() - life.startedAt > healthyAfterMs || life.asked !== null)
        running.restartMs = firstRestartMs;
      running.timer = setTimeout(() => launch(running), running.restartMs);
      running.restartMs = Math.min(longestRestartMs, running.restartMs * 2);
    };
    child.once('error', () => end(null, null));
    child.once('exit', end);
  }

  const runningOf = (slot: Slot): Running => all.find((entry) => entry.slot === slot) as Running;

  function ask(running: Running, asked: 'kill' | 'stop', signal: NodeJS.Signals): Life | null {
    const { child, life } = running;
    if (!child || !life) return null;
    life.asked = asked;
    life.askedAt = Date.now();
    child.kill(signal);
    return life;
  }

  function resume(life: Life): void {
    const running = all.find((entry) => entry.life === life);
    if (!running?.isPaused) return;
    running.child?.kill('SIGCONT');
    running.isPaused = false;
  }

  async function whenGone(life: Life): Promise<void> {
    while (life.endedAt === null) await delay(20);
  }

  const heal = (): void => {
    for (const running of all) {
      running.slot.catalogue.heal();
      running.slot.queue.heal();
      if (running.life) resume(running.life);
    }
  };

  return {
    slots: all.map(({ slot }) => slot),
    lives,
    apiUrls: () => all.flatMap(({ slot, url }) => (slot.kind === 'api' && url ? [url] : [])),
    kill: (slot) => ask(runningOf(slot), 'kill', 'SIGKILL'),
    pause(slot) {
      const running = runningOf(slot);
      if (!running.child || !running.life || running.isPaused) return null;
      running.child.kill('SIGSTOP');
      running.isPaused = true;
      return running.life;
    },
    resume,
    async terminate(slot) {
      const life = ask(runningOf(slot), 'stop', 'SIGTERM');
      if (life) await Promise.race([whenGone(life), delay(stopTimeoutMs + 4_000)]);
    },
    async whenReady() {
      const deadline = performance.now() + readyTimeoutMs;
      while (all.some(({ url }) => url === null)) {
        options.signal.throwIfAborted();
        if (performance.now() > deadline) {
          const waiting = all.filter(({ url }) => url === null).map(({ slot }) => slot.name);
          throw new Error(`Not ready after ${readyTimeoutMs / 1_000} s: ${waiting.join(', ')} (see ${options.logDir})`);
        }
        await delay(50);
      }
    },
    heal,
    async stop() {
      isStopping = true;
      for (const running of all) clearTimeout(running.timer);
      heal();
      const ending = all.map((running) => ask(running, 'stop', 'SIGTERM')).filter((life) => life !== null);
      await Promise.race([Promise.all(ending.map(whenGone)), delay(stopTimeoutMs)]);
    },
    async close() {
      isStopping = true;
      for (const running of all) {
        clearTimeout(running.timer);
        running.child?.kill('SIGKILL');
      }
      await Promise.all(lives.map(whenGone));
      await Promise.all(all.flatMap(({ slot }) => [slot.catalogue.close(), slot.queue.close()]));
    },
  };
}

async function proxyTo(url: string): Promise<Proxy> {
  const { hostname, port, protocol } = new URL(url);
  return await createProxy(protocol === 'mysql:' ? 'mysql' : 'postgres', () => ({
    host: hostname,
    port: Number(port),
  }));
}

function through(url: string, proxy: Proxy): string {
  const changed = new URL(url);
  changed.port = String(proxy.port);
  return changed.href;
}

/**
 * The child ends with this process, whatever ends this process and even while the child is stopped: the kernel kills it. Where
 * that cannot be had, the end of the IPC channel tells it.
 */
function spawnGuarded(file: string, args: string[], env: Record<string, string>): ChildProcess {
  const surroundings = Object.fromEntries(
    passedOn.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
  const command = [process.execPath, file, ...args];
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
