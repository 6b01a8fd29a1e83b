/** Spreads seeds over threads, a batch at a time. The threads share nothing, so the result is that of one after the other. */
import { Worker } from 'node:worker_threads';
import type { Range, RangeResult } from './run-range.ts';

/** Long enough that asking costs nothing, short enough that both cores end together. */
const seedsPerBatch = 50;

type Options = {
  from: number;
  count: number;
  mutant: string | null;
  traceLength: number;
  threads: number;
  /** Go on after the first violation. */
  isComplete: boolean;
  onProgress: (seeds: number) => void;
  signal: AbortSignal;
};

/** In the order of the seeds. Without `isComplete` it ends with the batches that were under way at the first violation. */
export async function runSeeds(options: Options): Promise<RangeResult[]> {
  const { from, count, mutant, traceLength, signal } = options;
  const ranges: Range[] = [];
  for (let start = 0; start < count; start += seedsPerBatch)
    ranges.push({ from: from + start, count: Math.min(seedsPerBatch, count - start), mutant, traceLength });
  const results = new Map<Range, RangeResult>();
  const waiting = [...ranges];
  let hasViolation = false;
  let done = 0;

  async function work(): Promise<void> {
    const thread = new Worker(new URL('./seed-worker.ts', import.meta.url));
    const stop = (): void => void thread.terminate();
    signal.addEventListener('abort', stop);
    try {
      while (!signal.aborted && !(hasViolation && !options.isComplete)) {
        const range = waiting.shift();
        if (!range) return;
        const result = await answerOf(thread, range);
        results.set(range, result);
        hasViolation ||= result.findings.length > 0;
        done += result.seeds;
        options.onProgress(done);
      }
    } finally {
      signal.removeEventListener('abort', stop);
      await thread.terminate();
    }
  }

  await Promise.all(Array.from({ length: Math.min(options.threads, ranges.length) }, work));
  return ranges.flatMap((range) => results.get(range) ?? []);
}

function answerOf(thread: Worker, range: Range): Promise<RangeResult> {
  return new Promise((resolve, reject) => {
    const succeed = (result: RangeResult): void => {
      leave();
      resolve(result);
    };
    const fail = (error: Error): void => {
      leave();
      reject(error);
    };
    const failByExit = (): void => fail(new Error('A thread ended before its seeds did.'));
    const leave = (): void => {
      thread.off('message', succeed).off('error', fail).off('exit', failByExit);
    };
    thread.on('message', succeed).on('error', fail).on('exit', failByExit);
    thread.postMessage(range);
  });
}
