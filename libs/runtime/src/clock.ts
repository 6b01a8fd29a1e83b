/**
 * Time as long-lived parts see it. They are handed a clock so that the simulation can run thousands of schedules with time of its
 * own; processes use the system's. Who is late is never decided by it: that is the database's clock alone.
 */
import { setTimeout as delay } from 'node:timers/promises';

export type Clock = {
  /** Milliseconds that only grow; no relation to the time of day. */
  now(): number;
  /** Resolves after `milliseconds`, or as soon as `signal` is aborted; never rejects. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** Calls `work` once after `milliseconds`. Returns what cancels that. Does not keep the process alive. */
  after(milliseconds: number, work: () => void): () => void;
};

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (milliseconds, signal) => delay(milliseconds, undefined, { signal }).catch(() => undefined),
  after(milliseconds, work) {
    const timer = setTimeout(work, milliseconds);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
