/** Shares the load among threads, merges what they counted, and tells how it goes. */
import { Worker } from 'node:worker_threads';
import type { LoadModel } from './load-options.ts';
import { freshMs } from './fresh-requests.ts';
import { createLatencyHistogram } from './latency-histogram.ts';
import type { WorkerCommand, WorkerHealth, WorkerMessage, WorkerOptions, WorkerProgress } from './load-worker.ts';
import type { RequestGroup } from './request-mix.ts';
import { mergeTallies, type EncodedTally, type Tally } from './tally.ts';
import type { TargetAddress } from './target-host.ts';

export type WorkersOptions = {
  baseUrl: string;
  target: TargetAddress;
  model: LoadModel;
  workers: number;
  connections: number;
  warmupSeconds: number;
  durationSeconds: number;
  timeoutMs: number;
  groups: RequestGroup[];
  seed: number;
};

export type LiveFigures = {
  /** Since the start, the warm-up included. */
  elapsedSeconds: number;
  totalSeconds: number;
  isWarmup: boolean;
  requests: number;
  errors: number;
  refused: number;
  p50: number;
  p95: number;
  p99: number;
};

export type WorkersRun = {
  startedAt: Date;
  endedAt: Date;
  /** Shorter than asked for when it was interrupted. */
  durationSeconds: number;
  sliceSeconds: number;
  tally: Tally;
  health: WorkerHealth[];
  isInterrupted: boolean;
};

/** More slices would make the report large without a finer picture. */
const mostSlices = 120;
const workerFile = new URL('./load-worker.ts', import.meta.url);
/** A thread that does not answer after the last timeout is broken. */
const endGraceMs = 30_000;

export type WorkersDeps = {
  signal: AbortSignal;
  onProgress: (figures: LiveFigures) => void;
  /** What to ask for from now on; the same groups. Called every five minutes. */
  refresh?: (() => Promise<RequestGroup[]>) | undefined;
};

/** @throws Error when a thread dies */
export async function runWorkers(
  options: WorkersOptions,
  { signal, onProgress, refresh }: WorkersDeps,
): Promise<WorkersRun> {
  const { durationSeconds, warmupSeconds, groups } = options;
  const slices = Math.min(mostSlices, Math.max(1, Math.floor(durationSeconds)));
  const progress: (WorkerProgress | undefined)[] = [];
  const startedAt = performance.now();
  const warmAt = new Date(Date.now() + warmupSeconds * 1_000);
  const threads = Array.from({ length: options.workers }, (_none, worker) => {
    const thread = new Worker(workerFile, { workerData: optionsOf(options, worker, slices) });
    return { thread, done: resultOf(thread, (told) => (progress[worker] = told)) };
  });
  const tell = (command: WorkerCommand): void => {
    for (const { thread } of threads) thread.postMessage(command);
  };
  const stop = (): void => tell({ type: 'stop' });
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const live = setInterval(() => onProgress(liveFigures(progress, startedAt, options)), 500);
  const renewal = setInterval(() => {
    refresh?.().then(
      (renewed) => tell({ type: 'requests', groups: renewed }),
      // The old ones may still do; when they do not, the answers say so.
      () => undefined,
    );
  }, freshMs);
  const deadline = setTimeout(
    () => void Promise.all(threads.map(async ({ thread }) => await thread.terminate())),
    (warmupSeconds + durationSeconds) * 1_000 + options.timeoutMs + endGraceMs,
  );
  try {
    const results = await Promise.all(threads.map(({ done }) => done));
    const isInterrupted = signal.aborted;
    const measured = (performance.now() - startedAt) / 1_000 - warmupSeconds;
    return {
      startedAt: warmAt,
      endedAt: new Date(),
      durationSeconds: isInterrupted ? Math.max(0, Math.min(durationSeconds, measured)) : durationSeconds,
      sliceSeconds: durationSeconds / slices,
      tally: mergeTallies(
        results.map(({ tally }) => tally),
        groups.length,
        slices,
      ),
      health: results.map(({ health }) => health),
      isInterrupted,
    };
  } finally {
    clearInterval(live);
    clearInterval(renewal);
    clearTimeout(deadline);
    signal.removeEventListener('abort', stop);
    await Promise.all(threads.map(async ({ thread }) => await thread.terminate()));
  }
}

function optionsOf(options: WorkersOptions, worker: number, slices: number): WorkerOptions {
  const { workers, model } = options;
  const share = (whole: number): number => Math.floor(whole / workers) + (worker < whole % workers ? 1 : 0);
  const own: LoadModel = model.kind === 'open' ? model : { kind: 'closed', concurrency: share(model.concurrency) };
  return {
    baseUrl: options.baseUrl,
    target: options.target,
    model: own,
    worker,
    workers,
    connections: own.kind === 'closed' ? own.concurrency : Math.max(1, share(options.connections)),
    warmupMs: options.warmupSeconds * 1_000,
    durationMs: options.durationSeconds * 1_000,
    timeoutMs: options.timeoutMs,
    slices,
    groups: options.groups,
    seed: options.seed,
  };
}

async function resultOf(
  thread: Worker,
  onProgress: (told: WorkerProgress) => void,
): Promise<{ tally: EncodedTally; health: WorkerHealth }> {
  return await new Promise((resolve, reject) => {
    thread.on('message', (message: WorkerMessage) => {
      if (message.type === 'progress') onProgress(message);
      else resolve(message);
    });
    thread.on('error', reject);
    thread.on('exit', (code) => reject(new Error(`A thread of the load test ended with code ${code}`)));
  });
}

function liveFigures(
  progress: (WorkerProgress | undefined)[],
  startedAt: number,
  { warmupSeconds, durationSeconds }: WorkersOptions,
): LiveFigures {
  const latency = createLatencyHistogram();
  const sums = { requests: 0, errors: 0, refused: 0 };
  for (const told of progress) {
    if (!told) continue;
    latency.addEncoded(told.latency);
    for (const key of ['requests', 'errors', 'refused'] as const) sums[key] += told[key];
  }
  const elapsedSeconds = (performance.now() - startedAt) / 1_000;
  const { p50, p95, p99 } = latency.percentiles();
  return {
    ...sums,
    elapsedSeconds,
    totalSeconds: warmupSeconds + durationSeconds,
    isWarmup: elapsedSeconds < warmupSeconds,
    p50,
    p95,
    p99,
  };
}
