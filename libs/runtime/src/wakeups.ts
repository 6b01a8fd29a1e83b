/**
 * Wake-ups between processes: NOTIFY through the queue's PostgreSQL, after commit, debounced. They are hints only. Whoever
 * listens also polls, so a lost one costs latency, never work; a reconnect wakes every listener because some may have been lost.
 */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from './log.ts';

const channel = 'omnizap_wakeup';
/** NOTIFY serialises commits in PostgreSQL, so bursts are merged; short enough not to be felt. */
const debounceMs = 3;
const longestReconnectMs = 5_000;
/** A half-open connection looks healthy until something is asked on it. */
const heartbeatIntervalMs = 10_000;
const answerTimeoutMs = 5_000;

export type Wakeups = {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Calls `listener` when `topic` is announced by any process (this one included). Returns the unsubscriber. */
  on(topic: string, listener: () => void): () => void;
  /** Announces `topic`; never throws, never waits. */
  notify(topic: string): void;
};

export function createWakeups(deps: { queueUrl: string; log: Logger }): Wakeups {
  const listeners = new Map<string, Set<() => void>>();
  const pending = new Set<string>();
  const stopping = new AbortController();
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isSending = false;
  let loop: Promise<void> | undefined;

  function wake(topic: string): void {
    for (const listener of listeners.get(topic) ?? []) listener();
  }

  async function connect(): Promise<pg.Client> {
    const next = new pg.Client({
      connectionString: deps.queueUrl,
      application_name: 'omnizap wakeups',
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
      query_timeout: answerTimeoutMs,
    });
    // A second error of one broken connection would otherwise end the process; the loop below sees the first.
    next.on('error', (error) => deps.log.debug({ err: error }, 'the connection of the wake-ups broke'));
    next.on('notification', (message) => wake(message.payload ?? ''));
    await next.connect();
    await next.query(`LISTEN ${channel}`);
    return next;
  }

  /** Keeps one connection until stopped; resolves `firstTry` after the first attempt whatever came of it. */
  async function keepConnected(firstTry: () => void): Promise<void> {
    let reconnectMs = 100;
    while (!stopping.signal.aborted) {
      try {
        const next = await connect();
        const closed = new Promise<void>((resolve) => {
          next.once('end', () => resolve());
          next.on('error', () => resolve());
        });
        client = next;
        reconnectMs = 100;
        firstTry();
        for (const topic of listeners.keys()) wake(topic);
        await Promise.race([closed, aborted(stopping.signal), unanswered(next)]);
        client = undefined;
        await Promise.race([next.end().catch(() => undefined), delay(answerTimeoutMs, undefined, { ref: false })]);
      } catch (error) {
        deps.log.warn({ err: error }, 'wake-ups are not connected; polling goes on');
      }
      firstTry();
      await delay(reconnectMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      reconnectMs = Math.min(longestReconnectMs, reconnectMs * 2);
    }
  }

  /** Resolves when the connection no longer answers. */
  async function unanswered(connection: pg.Client): Promise<void> {
    while (client === connection) {
      await delay(heartbeatIntervalMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted || client !== connection) return;
      const isAlive = await connection.query('SELECT 1').then(
        () => true,
        () => false,
      );
      if (!isAlive) return;
    }
  }

  /** One statement at a time on the connection; what is announced meanwhile goes with the next one. */
  async function flush(): Promise<void> {
    timer = undefined;
    if (isSending) return;
    isSending = true;
    while (client && pending.size > 0) {
      const topics = [...pending];
      pending.clear();
      await client
        .query('SELECT pg_notify($1, topic) FROM unnest($2::text[]) AS topic', [channel, topics])
        .catch((error: unknown) => deps.log.debug({ err: error }, 'a wake-up was not sent'));
    }
    pending.clear();
    isSending = false;
  }

  return {
    async start() {
      await new Promise<void>((resolve) => {
        loop = keepConnected(resolve);
      });
    },
    async stop() {
      if (timer) clearTimeout(timer);
      await flush();
      stopping.abort();
      await loop;
    },
    on(topic, listener) {
      const set = listeners.get(topic) ?? new Set();
      listeners.set(topic, set.add(listener));
      return () => set.delete(listener);
    },
    notify(topic) {
      pending.add(topic);
      timer ??= setTimeout(() => void flush(), debounceMs);
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
