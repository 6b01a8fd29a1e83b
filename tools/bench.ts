/**
 * `npm run bench [-- <name>... --repeat N --json --list --profile DIR]`: measures a real fleet on this machine and prints the
 * figures beside their targets. It judges nothing: a missed target is a finding, not a failure, so the exit code is 0 then.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Bench } from './bench/bench-types.ts';
import { catalogueScaleBench } from './bench/catalogue-scale.ts';
import { classificationBench } from './bench/classification.ts';
import { startBench } from './bench/cold-start.ts';
import { idleBench } from './bench/idle-fleet.ts';
import { inlinePollerBench } from './bench/inline-poller.ts';
import { listBench } from './bench/list-answers.ts';
import { metricsBench } from './bench/metrics-cost.ts';
import { objectStorageBench } from './bench/object-storage.ts';
import { plansBench } from './bench/plans.ts';
import { relayBench } from './bench/relay-throughput.ts';
import { describeMachine, printFigures, printMachine, summarise, type Figure } from './bench/report.ts';
import { runBench } from './bench/run-bench.ts';
import { tracingBench } from './bench/tracing.ts';
import { tuningBench } from './bench/tuning.ts';
import { uploadLatencyBench } from './bench/upload-latency.ts';
import { workerScaleBench } from './bench/worker-scale.ts';

const benches = [
  uploadLatencyBench,
  classificationBench,
  idleBench,
  relayBench,
  listBench,
  metricsBench,
  tracingBench,
  objectStorageBench,
  inlinePollerBench,
  workerScaleBench,
  tuningBench,
  plansBench,
  catalogueScaleBench,
  startBench,
];
const usage = 'usage: npm run bench [-- <name>... [--repeat N] [--json] [--profile DIR]] | npm run bench -- --list\n';
const interruptedExitCode = 130;
/** An interrupted clean-up may not take longer. */
const stopDeadlineMs = 30_000;

type Request = {
  chosen: Bench[];
  repeat: number | undefined;
  isJson: boolean;
  isList: boolean;
  profileDir: string | undefined;
};

/** @throws Error with a line for the user */
function parseRequest(args: string[]): Request {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      repeat: { type: 'string' },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      profile: { type: 'string' },
    },
  });
  const repeat = values.repeat === undefined ? undefined : Number(values.repeat);
  if (repeat !== undefined && !(Number.isInteger(repeat) && repeat >= 1 && repeat <= 100))
    throw new Error('--repeat must be a whole number from 1 to 100');
  const chosen = positionals.map((name) => {
    const bench = benches.find((entry) => entry.name === name);
    if (!bench)
      throw new Error(`There is no bench "${name}"; there are: ${benches.map((entry) => entry.name).join(', ')}`);
    return bench;
  });
  return {
    chosen: chosen.length > 0 ? chosen : benches.filter(({ isOnRequest }) => isOnRequest !== true),
    repeat,
    isJson: values.json,
    isList: values.list,
    profileDir: values.profile === undefined ? undefined : path.resolve(values.profile),
  };
}

async function main(request: Request, signal: AbortSignal): Promise<void> {
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  if (request.isList) {
    for (const { name, summary } of benches) write(`${name.padEnd(16)}${summary}`);
    return;
  }
  const machine = describeMachine();
  if (!request.isJson) write(printMachine(machine));
  const startedAt = new Date();
  const results: { bench: string; figures: Figure[] }[] = [];
  for (const bench of request.chosen) {
    try {
      const rounds = await runBench(bench, {
        root: path.resolve(import.meta.dirname, '..'),
        rounds: request.repeat ?? bench.rounds,
        say: (line) => void process.stderr.write(`${bench.name}: ${line}\n`),
        signal,
        profileDir: request.profileDir,
      });
      const figures = summarise(rounds);
      results.push({ bench: bench.name, figures });
      if (!request.isJson) write(`\n${bench.name}\n${printFigures(figures)}`);
    } catch (error) {
      if (signal.aborted) throw error;
      // The others are worth having, and so is what was measured before.
      process.stderr.write(`${bench.name}: failed: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    }
  }
  if (request.isJson)
    write(JSON.stringify({ started_at: startedAt.toISOString(), machine, results: results.map(toJson) }, null, 2));
}

function toJson({ bench, figures }: { bench: string; figures: Figure[] }): object {
  return {
    bench,
    figures: figures.map(({ name, unit, value, rounds, target, isReached }) => ({
      name,
      unit,
      value,
      rounds,
      ...(target === undefined
        ? {}
        : { target: 'atMost' in target ? { at_most: target.atMost } : { at_least: target.atLeast } }),
      is_reached: isReached,
    })),
  };
}

const abort = new AbortController();
function interrupt(): void {
  if (abort.signal.aborted) return;
  process.stderr.write('Interrupted; stopping what was started\n');
  abort.abort(new Error('interrupted'));
  setTimeout(() => process.exit(1), stopDeadlineMs).unref();
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
process.on('disconnect', interrupt);
process.channel?.unref();

function readRequest(): Request {
  try {
    return parseRequest(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`bench: ${(error as Error).message}\n${usage}`);
    process.exit(2);
  }
}

try {
  await main(readRequest(), abort.signal);
} catch (error) {
  if (!abort.signal.aborted) process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = abort.signal.aborted ? interruptedExitCode : 1;
}
// An interrupted bench may still wait for something that is gone.
process.exit();
