/**
 * Seconds in which the machine did not give the fleet the processors that it wanted: then neither it nor a promise about seconds is
 * what is tested. From the kernel's own account of how long each process waited in a run queue; nothing where there is none.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Fleet } from './fleet.ts';

/** A process that waits for more than this share of a second gets little done in it. */
const starvedShare = 0.5;
const sampleMs = 1_000;
/** Who leads, relays, or takes over. */
const watchedKinds = ['api', 'relay', 'maintenance'];

export type Span = { fromMs: number; toMs: number };

export type StarvationWatch = {
  /** Without overlaps, in the order of time. */
  spans: Span[];
  stop: () => void;
};

export function watchStarvation(fleet: Fleet): StarvationWatch {
  const spans: Span[] = [];
  let isStopped = false;

  async function run(): Promise<void> {
    let before = new Map<number, number>();
    let lookedAt = Date.now();
    while (!isStopped) {
      await delay(sampleMs);
      const waited = new Map<number, number>();
      const pids = fleet.slots.flatMap((slot) => {
        const process = watchedKinds.includes(slot.kind) ? slot.current() : null;
        return process && !process.isPaused && process.readyAt !== null ? [process.pid] : [];
      });
      for (const pid of pids) {
        const waitedMs = await readWaitedMs(pid);
        if (waitedMs !== null) waited.set(pid, waitedMs);
      }
      const now = Date.now();
      const longest = Math.max(0, ...[...waited].map(([pid, ms]) => ms - (before.get(pid) ?? ms)));
      if (longest > starvedShare * (now - lookedAt)) spans.push({ fromMs: lookedAt, toMs: now });
      before = waited;
      lookedAt = now;
    }
  }

  void run();
  return { spans, stop: () => void (isStopped = true) };
}

/** How long the process has waited for a processor so far; null when it is gone, or the kernel keeps no account. */
async function readWaitedMs(pid: number): Promise<number | null> {
  try {
    const [, waitedNs] = (await readFile(`/proc/${pid}/schedstat`, 'utf8')).split(' ');
    return waitedNs === undefined ? null : Number(waitedNs) / 1_000_000;
  } catch {
    return null;
  }
}

/** Milliseconds of a span that lie in one of the others, which do not overlap. */
export function overlapMs({ fromMs, toMs }: Span, spans: Span[]): number {
  return spans.reduce((sum, span) => sum + Math.max(0, Math.min(toMs, span.toMs) - Math.max(fromMs, span.fromMs)), 0);
}
