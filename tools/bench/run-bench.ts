/** Runs one bench: a folder of its own, its rounds, and the clean-up whatever happened, in reverse order of what was started. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startBenchFleet } from './bench-fleet.ts';
import { watchCpu } from './process-cpu.ts';
import type { Bench, BenchContext, Measurement } from './bench-types.ts';

export type RunOptions = {
  root: string;
  rounds: number;
  say: (line: string) => void;
  signal: AbortSignal;
  profileDir?: string | undefined;
};

/** Throws what the bench throws, and the signal's reason when it was interrupted; nothing is left running either way. */
export async function runBench(
  bench: Bench,
  { root, rounds, say, signal, profileDir }: RunOptions,
): Promise<Measurement[][]> {
  const steps: (() => Promise<void>)[] = [];
  const folder = await mkdtemp(path.join(tmpdir(), 'omnizap-bench-'));
  steps.push(async () => await rm(folder, { recursive: true, force: true }));
  const cleanUp = (step: () => Promise<void>): void => void steps.push(step);
  let fleets = 0;
  const context: BenchContext = {
    folder,
    root,
    cleanUp,
    say,
    signal,
    startFleet: async (settings = {}) => {
      say('starting the fleet');
      fleets += 1;
      const own = path.join(folder, `fleet-${fleets}`);
      return await startBenchFleet({ folder: own, settings, cleanUp, signal, profileDir });
    },
  };
  try {
    return await untilAborted(measure(bench, rounds, context), signal);
  } finally {
    // A step that is registered while others run (a process that was just starting) has its turn as well.
    for (let step = steps.pop(); step; step = steps.pop()) {
      await step().catch((error: unknown) =>
        say(`clean-up: ${error instanceof Error ? error.message : String(error)}`),
      );
    }
  }
}

async function measure(bench: Bench, rounds: number, context: BenchContext): Promise<Measurement[][]> {
  const measureRound = await bench.prepare(context);
  const results: Measurement[][] = [];
  for (let round = 1; round <= rounds; round += 1) {
    context.signal.throwIfAborted();
    context.say(`round ${round} of ${rounds}`);
    const readCpu = await watchCpu();
    const measurements = await measureRound(round);
    const { foreignCores } = await readCpu();
    results.push([
      ...measurements,
      { name: 'cores that other programs used meanwhile', unit: 'cores', value: foreignCores },
    ]);
  }
  return results;
}

/** What the bench still does after an interruption fails by itself when the fleet goes. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => undefined);
  return await Promise.race([
    work,
    new Promise<never>((_resolve, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
    ),
  ]);
}
