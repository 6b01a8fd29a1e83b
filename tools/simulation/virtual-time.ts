/**
 * Time that only moves when nothing is left to do at the present instant. Whatever is due at one instant happens in an order drawn
 * from the seed, so the same seed gives the same schedule, on any machine and at any load.
 *
 * Between two steps every promise that can settle has settled: `process.nextTick` called from a microtask is served when the
 * microtask queue is empty, at a tenth of the price of a turn of the event loop.
 */
import type { Clock } from '@omnizap/runtime';

/** Whoever an instant belongs to: the dead never see it, the paused see it when they wake. */
export type Owner = { isDead: boolean; pausedUntilMs: number };

type Entry = { atMs: number; tie: number; owner: Owner | null; work: (() => void) | null };

export type VirtualTime = ReturnType<typeof createVirtualTime>;

export function createVirtualTime(random: () => number) {
  const heap: Entry[] = [];
  const asleep = new Set<() => void>();
  let nowMs = 0;
  let steps = 0;

  function isBefore(a: Entry, b: Entry): boolean {
    return a.atMs < b.atMs || (a.atMs === b.atMs && a.tie < b.tie);
  }

  function push(entry: Entry): void {
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Entry;
      if (!isBefore(entry, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  function pop(): Entry | undefined {
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      const right = child + 1;
      if (right < heap.length && isBefore(heap[right] as Entry, heap[child] as Entry)) child = right;
      if (!isBefore(heap[child] as Entry, last)) break;
      heap[index] = heap[child] as Entry;
      index = child;
    }
    heap[index] = last;
    return first;
  }

  /** Calls `work` after `delayMs`. Returns what cancels that. */
  function after(delayMs: number, owner: Owner | null, work: () => void): () => void {
    const entry: Entry = { atMs: nowMs + Math.max(0, delayMs), tie: random(), owner, work };
    push(entry);
    return () => {
      entry.work = null;
    };
  }

  /** One step; false when nothing is planned any more. */
  function step(): boolean {
    for (;;) {
      const entry = pop();
      if (!entry) return false;
      const { owner, work } = entry;
      if (work === null || owner?.isDead === true) continue;
      if (owner !== null && owner.pausedUntilMs > entry.atMs) {
        entry.atMs = owner.pausedUntilMs;
        entry.tie = random();
        push(entry);
        continue;
      }
      nowMs = entry.atMs;
      steps += 1;
      work();
      return true;
    }
  }

  return {
    now: () => nowMs,
    steps: () => steps,
    after,

    /** Steps until `isOver`, or until nothing is planned any more. */
    async run(isOver: () => boolean): Promise<void> {
      while (!isOver() && step()) await allSettled();
    },

    /** To be called at the end: whoever still sleeps is forgotten. Node.js keeps a combined signal for as long as it is listened to. */
    end(): void {
      for (const letGo of asleep) letGo();
      heap.length = 0;
    },

    /** Time as one process sees it. */
    clockOf(owner: Owner): Clock {
      return {
        now: () => nowMs,
        sleep: (milliseconds, signal) =>
          new Promise((resolve) => {
            if (signal?.aborted === true) return resolve();
            const finish = (): void => {
              cancel();
              letGo();
              resolve();
            };
            const letGo = (): void => {
              signal?.removeEventListener('abort', finish);
              asleep.delete(letGo);
            };
            const cancel = after(milliseconds, owner, finish);
            signal?.addEventListener('abort', finish);
            asleep.add(letGo);
          }),
        after: (milliseconds, work) => after(milliseconds, owner, work),
      };
    },
  };
}

function allSettled(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
