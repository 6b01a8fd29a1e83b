/**
 * A loop that does one pass at a time: at once when woken, else after its interval. A pass that throws is logged and tried
 * again with backoff, so a database that is away costs log lines, not the process.
 */
import { systemClock, type Clock } from './clock.ts';
import type { Logger } from './log.ts';

const longestBackoffMs = 5_000;

type LoopOptions = {
  name: string;
  /** Longest time between two passes when nobody wakes it. */
  intervalMs: () => number;
  /** One pass. `true` means that more work is waiting: the next pass starts at once. */
  pass: (signal: AbortSignal) => Promise<boolean>;
  log: Logger;
  clock?: Clock;
  /** 0 inclusive to 1 exclusive. */
  random?: () => number;
};

export type Loop = { start(): Promise<void>; stop(): Promise<void>; wake(): void };

export function createLoop(options: LoopOptions): Loop {
  const { clock = systemClock, random = Math.random } = options;
  const stopping = new AbortController();
  let pause = new AbortController();
  let isWoken = false;
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    let failures = 0;
    while (!stopping.signal.aborted) {
      isWoken = false;
      let hasMore = false;
      try {
        hasMore = await options.pass(stopping.signal);
        failures = 0;
      } catch (error) {
        if (stopping.signal.aborted) return;
        failures += 1;
        options.log.warn({ err: error, failures }, `${options.name}: a pass failed; trying again`);
      }
      if (hasMore || (isWoken && failures === 0)) continue;
      const backoffMs = Math.min(longestBackoffMs, 100 * 2 ** failures);
      await rest(failures === 0 ? options.intervalMs() : backoffMs / 2 + (random() * backoffMs) / 2);
    }
  }

  async function rest(milliseconds: number): Promise<void> {
    pause = new AbortController();
    await clock.sleep(milliseconds, AbortSignal.any([pause.signal, stopping.signal]));
  }

  return {
    start() {
      running ??= run();
      return Promise.resolve();
    },
    async stop() {
      stopping.abort();
      await running;
    },
    wake() {
      isWoken = true;
      pause.abort();
    },
  };
}
