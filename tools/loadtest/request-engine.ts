/**
 * Sends the requests of one worker and keeps count. In the open model a request is due at its moment, whatever became of the ones
 * before it, and its latency counts from there: when it has to wait, for the server, a connection or this process, that is time that a
 * visitor would have waited. A request that takes longer than the timeout is given up, and counts as an error and with its time.
 *
 * A process can hold only so many open requests. Those beyond are not sent, and count as errors of the kind `unsent`, as if they had
 * timed out: to leave them out would make a server that stands still look better than it is.
 */
import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Pool, type Dispatcher } from 'undici';
import { createArrivals } from './arrival-schedule.ts';
import type { LoadModel } from './load-options.ts';
import { createRequestMix, type RequestGroup } from './request-mix.ts';
import { addToTally, createTally, isUseful, type Outcome, type Tally } from './tally.ts';
import { pinnedLookup, type TargetAddress } from './target-host.ts';

/** How late a request may be handed over by a process that is not busy: timers and collections of garbage. */
const lateMs = 50;
/** How often requests are looked at that may have timed out. */
const timeoutPollMs = 20;
/** After an error or a 429 a client of the closed model rests, as a person does; else it would ask as fast as refusals come. */
const errorRestMs = 100;
/** Who catches up with what is due must also hear answers, look at timeouts, and be told to stop. */
const sendsPerTurn = 200;
/** Some 2 KiB each. */
const mostOpenRequests = 50_000;

export type EngineOptions = {
  baseUrl: string;
  target: TargetAddress;
  /** The share of this worker: its clients, or the whole rate of all. */
  model: LoadModel;
  worker: number;
  workers: number;
  connections: number;
  warmupMs: number;
  durationMs: number;
  timeoutMs: number;
  /** Of equal length, over the time after the warm-up. */
  slices: number;
  groups: RequestGroup[];
  random: () => number;
  /** Open requests, `mostOpenRequests` unless a test says otherwise. */
  mostOpen?: number;
};

export type Engine = {
  /** Resolves when the time is up and every request of it has ended. */
  run: () => Promise<void>;
  /** Ends early: what is under way is given up, and counts as open for at least so long. */
  stop: () => void;
  /** From the next request on; the same groups as before, in the same order. */
  replaceRequests: (groups: RequestGroup[]) => void;
  tally: () => Tally;
};

type Pending = {
  group: number;
  path: string;
  dueMs: number;
  sentMs: number | null;
  isLate: boolean;
  isOver: boolean;
  controller: Dispatcher.DispatchController | null;
  ended: (isWell: boolean) => void;
};

class GivenUpError extends Error {}

export function createRequestEngine(options: EngineOptions): Engine {
  const { model, timeoutMs, warmupMs, durationMs, random, mostOpen = mostOpenRequests } = options;
  const endMs = warmupMs + durationMs;
  const sliceMs = durationMs / options.slices;
  const { origin, pathname } = new URL(options.baseUrl);
  const prefix = pathname.replace(/\/$/, '');
  const pool = new Pool(origin, {
    connections: options.connections,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { lookup: pinnedLookup(options.target), timeout: timeoutMs },
  });
  const tally = createTally(options.groups.length, options.slices);
  /** In the order in which they are due, and so in which they time out. */
  const pending: Pending[] = [];
  let draw = createRequestMix(options.groups, random);
  let startedAt = 0;
  let startedAtEpoch = 0;
  let open = 0;
  let isStopped = false;
  /** Ends every rest. (A race against one promise for the whole run would keep something of each race.) */
  const wakeUps = new Set<() => void>();
  const now = (): number => performance.now() - startedAt;

  function sliceAt(ms: number): number {
    return Math.floor((ms - warmupMs) / sliceMs);
  }

  function end(request: Pending, outcome: Outcome): void {
    if (request.isOver) return;
    request.isOver = true;
    open -= 1;
    const at = now();
    const isUnsent = outcome.kind === 'failed' && outcome.error === 'unsent';
    const isCounted = request.dueMs >= warmupMs && request.dueMs < endMs && !isStopped;
    if (at >= warmupMs && at < endMs && !isStopped && isUseful(outcome)) {
      const slice = tally.slices[sliceAt(at)];
      if (slice) slice.ended += 1;
    }
    if (isCounted) {
      addToTally(
        tally,
        {
          group: request.group,
          path: request.path,
          slice: sliceAt(request.dueMs),
          latencyMs: isUnsent ? timeoutMs : at - request.dueMs,
          fromSendMs: request.sentMs === null ? null : at - request.sentMs,
          isLate: request.isLate,
          at: new Date(startedAtEpoch + at),
        },
        outcome,
      );
    }
    request.ended(outcome.kind === 'answered' && outcome.status < 500 && outcome.status !== 429);
  }

  function send(dueMs: number, ended: Pending['ended']): void {
    const { group, request } = draw();
    const isLate = now() - dueMs > lateMs;
    const entry: Pending = {
      group,
      path: request.path,
      dueMs,
      sentMs: null,
      isLate,
      isOver: false,
      controller: null,
      ended,
    };
    open += 1;
    if (open > mostOpen) {
      end(entry, { kind: 'failed', error: 'unsent', message: `${mostOpen} requests were open already` });
      return;
    }
    pending.push(entry);
    let status = 0;
    pool.dispatch(
      {
        path: `${prefix}${request.path}`,
        method: request.method,
        headers: { 'accept-encoding': 'br, gzip', 'user-agent': 'omnizap-loadtest', ...request.headers },
      },
      {
        onRequestStart(controller) {
          if (entry.isOver) controller.abort(new GivenUpError('given up before it was sent'));
          entry.controller = controller;
          entry.sentMs ??= now();
        },
        onResponseStart(_controller, statusCode) {
          status = statusCode;
        },
        onResponseData(_controller, chunk) {
          tally.bytes += chunk.length;
        },
        onResponseEnd() {
          end(entry, { kind: 'answered', status });
        },
        onResponseError(_controller, error) {
          end(entry, { kind: 'failed', error: errorKind(error), message: error.message });
        },
      },
    );
  }

  /** Entries leave from the front when they are over. */
  function giveUpLate(): void {
    const lastDue = now() - timeoutMs;
    let over = 0;
    for (const entry of pending) {
      if (!entry.isOver && entry.dueMs > lastDue) break;
      over += 1;
      if (entry.isOver) continue;
      const where = entry.sentMs === null ? 'no connection was free' : 'no whole answer';
      end(entry, { kind: 'failed', error: 'timeout', message: `${where} within ${timeoutMs} ms` });
      entry.controller?.abort(new GivenUpError('timeout'));
    }
    pending.splice(0, over);
  }

  async function rest(ms: number): Promise<void> {
    if (isStopped) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        wakeUps.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      wakeUps.add(wake);
    });
  }

  async function runOpen(ratePerSecond: number): Promise<void> {
    const { arrivals } = model as LoadModel & { kind: 'open' };
    const next = createArrivals(ratePerSecond, arrivals, { random, worker: options.worker, workers: options.workers });
    let underWay = 0;
    let whenIdle = (): void => undefined;
    const ended = (): void => {
      underWay -= 1;
      if (underWay === 0) whenIdle();
    };
    let dueMs = next();
    while (dueMs < endMs && !isStopped) {
      const waitMs = dueMs - now();
      if (waitMs > 0) await rest(waitMs);
      else await nextTurn();
      for (let sent = 0; sent < sendsPerTurn && dueMs <= now() && dueMs < endMs && !isStopped; sent += 1) {
        underWay += 1;
        send(dueMs, ended);
        dueMs = next();
      }
    }
    if (underWay > 0) await new Promise<void>((resolve) => (whenIdle = resolve));
  }

  async function runClosed(clients: number): Promise<void> {
    const client = async (): Promise<void> => {
      while (!isStopped && now() < endMs) {
        const isWell = await new Promise<boolean>((resolve) => send(now(), resolve));
        if (!isWell) await rest(errorRestMs);
      }
    };
    await Promise.all(Array.from({ length: clients }, client));
  }

  return {
    async run() {
      startedAt = performance.now();
      startedAtEpoch = Date.now();
      const timer = setInterval(giveUpLate, timeoutPollMs);
      try {
        if (model.kind === 'open') await runOpen(model.ratePerSecond);
        else await runClosed(model.concurrency);
      } finally {
        clearInterval(timer);
        await pool.destroy(new GivenUpError('the time is up'));
      }
    },
    stop() {
      if (isStopped) return;
      for (const entry of pending) end(entry, { kind: 'open' });
      isStopped = true;
      for (const wake of wakeUps) wake();
    },
    replaceRequests(groups) {
      draw = createRequestMix(groups, random);
    },
    tally: () => tally,
  };
}

/** The words of the report for what a connection can do wrong; `generator` is what this machine has no more of. */
export function errorKind(error: NodeJS.ErrnoException): string {
  const { code = '' } = error;
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') return 'timeout';
  if (['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM'].includes(code)) return 'generator';
  if (['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH'].includes(code)) return 'connect';
  if (['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(code)) return 'reset';
  if (code.startsWith('HPE_') || error.name === 'HTTPParserError') return 'protocol';
  return code === '' ? error.name : code;
}
