/**
 * The private fleet: real processes, more than one of most kinds, each with a proxy of its own to each database, each started
 * again when it dies. Every start and end is kept, with whether it was asked for.
 */
import type { ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createProxy } from './proxy.ts';
import type { Proxy } from './proxy.ts';
import { quietPort, spawnApp } from './spawn-app.ts';

const firstRestartMs = 250;
const longestRestartMs = 4_000;
/** One that stayed up this long is healthy. */
const healthyAfterMs = 10_000;
const readyTimeoutMs = 90_000;
/** The contract's 15 s, and a little for the exit itself. */
const stopTimeoutMs = 16_000;
/** What the pm2 profiles give a process to stop before it is killed. */
const killLimitMs = 20_000;

type Release = 'stable' | 'canary';
type Plan = { app: string; args: string[]; portVariable: string; count: number; canaries: number };

const plans: Record<string, Plan> = {
  api: { app: 'api', args: [], portVariable: 'PORT', count: 2, canaries: 0 },
  relay: { app: 'relay', args: [], portVariable: 'RELAY_PORT', count: 2, canaries: 0 },
  classification: { app: 'worker', args: ['classification'], portVariable: 'WORKER_PORT', count: 2, canaries: 1 },
  curation: { app: 'worker', args: ['curation'], portVariable: 'WORKER_PORT', count: 2, canaries: 1 },
  rebuild: { app: 'worker', args: ['rebuild'], portVariable: 'WORKER_PORT', count: 2, canaries: 1 },
  maintenance: { app: 'maintenance', args: [], portVariable: 'MAINTENANCE_PORT', count: 2, canaries: 0 },
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
  release: Release;
  catalogue: Proxy;
  queue: Proxy;
  /** Null while it is down. `ownUrl` is nobody else's, which the URL of an API process is. */
  current: () => (Life & { url: string | null; ownUrl: string | null; isPaused: boolean }) | null;
};

/** One process replaced by a new one that was ready first. */
export type Replacement = {
  slot: string;
  kind: string;
  readyAt: number;
  /** SIGTERM to the old one, right after that. */
  askedAt: number;
  endedAt: number;
  /** SIGKILL after 20 s. */
  isKilled: boolean;
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
  /** What dies stays dead until it is let up. */
  keepDown: (slot: Slot) => void;
  letUp: (slot: Slot) => void;
  /** A new process is started and, once it is ready, the old one asked to stop. Null when that could not be done. */
  replace: (slot: Slot) => Promise<Replacement | null>;
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
  /** Workers of a second release beside the others. */
  hasCanary: boolean;
};

type Started = { child: ChildProcess; life: Life; url: string | null; ownUrl: string | null; isPaused: boolean };

type Running = {
  slot: Slot;
  process: Started | null;
  isKeptDown: boolean;
  /** Another process of the slot is on its way. */
  isReplaced: boolean;
  restartMs: number;
  timer: NodeJS.Timeout | undefined;
};

export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const lives: Life[] = [];
  const all: Running[] = [];
  /** Of all processes that live, also those that are being replaced. */
  const children = new Map<Life, ChildProcess>();
  const apiPort = await quietPort();
  let isStopping = false;

  for (const [kind, plan] of Object.entries(plans)) {
    const releases: Release[] = [
      ...Array.from({ length: plan.count }, () => 'stable' as const),
      ...Array.from({ length: options.hasCanary ? plan.canaries : 0 }, () => 'canary' as const),
    ];
    for (const [index, release] of releases.entries()) {
      const running: Running = {
        slot: {
          name: release === 'canary' ? `${kind}-canary` : `${kind}-${index + 1}`,
          kind,
          release,
          catalogue: await proxyTo(options.catalogueUrl),
          queue: await proxyTo(options.queueUrl),
          current: () =>
            running.process === null
              ? null
              : {
                  ...running.process.life,
                  url: running.process.url,
                  ownUrl: running.process.ownUrl,
                  isPaused: running.process.isPaused,
                },
        },
        process: null,
        isKeptDown: false,
        isReplaced: false,
        restartMs: firstRestartMs,
        timer: undefined,
      };
      all.push(running);
    }
  }
  await Promise.all(all.map(launch));

  async function launch(running: Running): Promise<void> {
    const started = await start(running);
    if (started === null) return;
    // Two ways lead here after a replacement: one of the two is too many.
    if (running.process === null) running.process = started;
    else ask(started, 'stop', 'SIGTERM');
  }

  async function start(running: Running): Promise<Started | null> {
    const { slot } = running;
    const plan = plans[slot.kind] as Plan;
    // API processes share a port, as in production; each has one of its own for its metrics.
    const isApi = slot.kind === 'api';
    const ownPort = isApi ? await quietPort() : 0;
    if (isStopping || options.signal.aborted) return null;
    const log = createWriteStream(path.join(options.logDir, `${slot.name}.log`), { flags: 'a' });
    // Without its log a run is worth less, not nothing.
    log.on('error', () => undefined);
    const nodeOptions = isApi ? '' : options.nodeOptions(slot.name);
    const child = spawnApp(plan.app, plan.args, {
      ...options.env,
      ...(nodeOptions === '' ? {} : { NODE_OPTIONS: nodeOptions }),
      DATABASE_URL: through(options.catalogueUrl, slot.catalogue),
      QUEUE_DATABASE_URL: through(options.queueUrl, slot.queue),
      WORKER_RELEASE: slot.release,
      [plan.portVariable]: isApi ? String(apiPort) : '0',
      ...(isApi ? { API_METRICS_PORT: String(ownPort) } : {}),
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
    children.set(life, child);
    const started: Started = { child, life, url: null, ownUrl: null, isPaused: false };
    options.note({ event: 'started', slot: slot.name, pid: life.pid });
    child.on('message', (message: { type?: string; url?: string }) => {
      if (message.type !== 'ready') return;
      started.url = message.url ?? '';
      started.ownUrl = isApi ? `http://127.0.0.1:${ownPort}` : started.url;
      life.readyAt = Date.now();
      options.note({ event: 'ready', slot: slot.name, pid: life.pid });
    });
    const end = (code: number | null, signal: NodeJS.Signals | null): void => {
      if (life.endedAt !== null) return;
      Object.assign(life, { endedAt: Date.now(), code, signal });
      children.delete(life);
      log.end();
      options.note({ event: 'ended', slot: slot.name, pid: life.pid, code, signal, asked: life.asked });
      if (running.process !== started) return;
      running.process = null;
      if (isStopping || running.isKeptDown) return;
      if (Date.now() - life.startedAt > healthyAfterMs || life.asked !== null) running.restartMs = firstRestartMs;
      running.timer = setTimeout(() => void launch(running), running.restartMs);
      running.restartMs = Math.min(longestRestartMs, running.restartMs * 2);
    };
    child.once('error', () => end(null, null));
    child.once('exit', end);
    return started;
  }

  const runningOf = (slot: Slot): Running => all.find((entry) => entry.slot === slot) as Running;

  function ask(started: Started | null, asked: 'kill' | 'stop', signal: NodeJS.Signals): Life | null {
    if (!started || started.life.endedAt !== null) return null;
    started.life.asked = asked;
    started.life.askedAt = Date.now();
    started.child.kill(signal);
    return started.life;
  }

  function resume(life: Life): void {
    const started = all.find((entry) => entry.process?.life === life)?.process;
    if (!started?.isPaused) return;
    started.child.kill('SIGCONT');
    started.isPaused = false;
  }

  async function whenGone(life: Life): Promise<void> {
    while (life.endedAt === null) await delay(20);
  }

  function letUp(slot: Slot): void {
    const running = runningOf(slot);
    if (!running.isKeptDown) return;
    running.isKeptDown = false;
    if (running.process === null) void launch(running);
  }

  async function replace(slot: Slot): Promise<Replacement | null> {
    const running = runningOf(slot);
    const old = running.process;
    if (!old?.url || old.isPaused || old.life.asked !== null || running.isKeptDown || running.isReplaced) return null;
    running.isReplaced = true;
    try {
      return await replaceBy(running, old);
    } finally {
      running.isReplaced = false;
    }
  }

  async function replaceBy(running: Running, old: Started): Promise<Replacement | null> {
    const { slot } = running;
    const next = await start(running);
    if (next === null) return null;
    while (next.life.readyAt === null && next.life.endedAt === null) await delay(20);
    if (next.life.readyAt === null) return null;
    const wasReplaced = running.process !== null && running.process !== old;
    if (running.isKeptDown || wasReplaced) {
      ask(next, 'stop', 'SIGTERM');
      return null;
    }
    clearTimeout(running.timer);
    running.process = next;
    // One that is frozen by now would not hear it.
    if (old.isPaused) old.child.kill('SIGCONT');
    if (ask(old, 'stop', 'SIGTERM') === null) return null;
    await Promise.race([whenGone(old.life), delay(killLimitMs)]);
    const isKilled = old.life.endedAt === null;
    if (isKilled) old.child.kill('SIGKILL');
    await whenGone(old.life);
    return {
      slot: slot.name,
      kind: slot.kind,
      readyAt: next.life.readyAt,
      askedAt: old.life.askedAt ?? 0,
      endedAt: old.life.endedAt ?? 0,
      isKilled,
    };
  }

  const heal = (): void => {
    for (const running of all) {
      running.slot.catalogue.heal();
      running.slot.queue.heal();
      if (running.process) resume(running.process.life);
      letUp(running.slot);
    }
  };

  return {
    slots: all.map(({ slot }) => slot),
    lives,
    apiUrls: () => all.flatMap(({ slot, process }) => (slot.kind === 'api' && process?.url ? [process.url] : [])),
    kill: (slot) => ask(runningOf(slot).process, 'kill', 'SIGKILL'),
    pause(slot) {
      const started = runningOf(slot).process;
      if (!started || started.isPaused) return null;
      started.child.kill('SIGSTOP');
      started.isPaused = true;
      return started.life;
    },
    resume,
    async terminate(slot) {
      const life = ask(runningOf(slot).process, 'stop', 'SIGTERM');
      if (life) await Promise.race([whenGone(life), delay(stopTimeoutMs + 4_000)]);
    },
    keepDown: (slot) => void (runningOf(slot).isKeptDown = true),
    letUp,
    replace,
    async whenReady() {
      const deadline = performance.now() + readyTimeoutMs;
      const waiting = (): string[] => all.filter(({ process }) => !process?.url).map(({ slot }) => slot.name);
      while (waiting().length > 0) {
        options.signal.throwIfAborted();
        if (performance.now() > deadline)
          throw new Error(
            `Not ready after ${readyTimeoutMs / 1_000} s: ${waiting().join(', ')} (see ${options.logDir})`,
          );
        await delay(50);
      }
    },
    heal,
    async stop() {
      isStopping = true;
      for (const running of all) clearTimeout(running.timer);
      heal();
      for (const [life, child] of children) {
        if (life.asked === 'stop') continue;
        Object.assign(life, { asked: 'stop', askedAt: Date.now() });
        child.kill('SIGTERM');
      }
      await Promise.race([Promise.all([...children.keys()].map(whenGone)), delay(stopTimeoutMs)]);
    },
    async close() {
      isStopping = true;
      for (const running of all) clearTimeout(running.timer);
      for (const child of children.values()) child.kill('SIGKILL');
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
