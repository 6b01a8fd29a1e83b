/** A thread that sends its share of the load, tells twice a second how it goes, and at the end what it counted. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import { createSeededRandom } from '../simulation/seeded-random.ts';
import { createRequestEngine, type EngineOptions } from './request-engine.ts';
import type { RequestGroup } from './request-mix.ts';
import { encodeTally, type EncodedTally } from './tally.ts';

export type WorkerOptions = Omit<EngineOptions, 'random'> & { seed: number };
export type WorkerCommand = { type: 'stop' } | { type: 'requests'; groups: RequestGroup[] };
export type WorkerProgress = { requests: number; errors: number; refused: number; latency: string };
/** How busy the thread itself was, after the warm-up. */
export type WorkerHealth = {
  /** 0 to 1: processor time of the thread by time passed. That it was kept from a processor shows as delay. */
  utilisation: number;
  loopDelayP99Ms: number;
};
export type WorkerMessage =
  ({ type: 'progress' } & WorkerProgress) | { type: 'done'; tally: EncodedTally; health: WorkerHealth };

const progressMs = 500;
const loopDelayResolutionMs = 10;
const nanosecondsOfMs = 1_000_000;
const microsecondsOfMs = 1_000;

const { seed, ...options } = workerData as WorkerOptions;
const engine = createRequestEngine({ ...options, random: createSeededRandom(seed + options.worker * 7_919) });
const delay = monitorEventLoopDelay({ resolution: loopDelayResolutionMs });
const post = (message: WorkerMessage): void => parentPort?.postMessage(message);

parentPort?.on('message', (command: WorkerCommand) => {
  if (command.type === 'stop') engine.stop();
  else engine.replaceRequests(command.groups);
});

const progress = setInterval(() => {
  const { requests, errors, refused, latency } = engine.tally();
  post({ type: 'progress', requests, errors, refused, latency: latency.encode() });
}, progressMs);
let busySince = usage();
let atEnd: typeof busySince | null = null;
const warm = setTimeout(() => {
  busySince = usage();
  delay.enable();
}, options.warmupMs);
/** What is waited for after the end is no work. */
const measured = setTimeout(() => {
  atEnd = usage();
  delay.disable();
}, options.warmupMs + options.durationMs);

await engine.run();
clearInterval(progress);
clearTimeout(warm);
clearTimeout(measured);
delay.disable();
atEnd ??= usage();
post({
  type: 'done',
  tally: encodeTally(engine.tally()),
  health: {
    utilisation: (atEnd.cpuMs - busySince.cpuMs) / Math.max(1, atEnd.atMs - busySince.atMs),
    // The monitor's own interval is part of what it measures.
    loopDelayP99Ms: Math.max(0, delay.percentile(99) / nanosecondsOfMs - loopDelayResolutionMs),
  },
});
parentPort?.close();

function usage(): { atMs: number; cpuMs: number } {
  const { user, system } = process.threadCpuUsage();
  return { atMs: performance.now(), cpuMs: (user + system) / microsecondsOfMs };
}
