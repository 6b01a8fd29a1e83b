/**
 * `npm run simulate [-- --seed N --runs N --mutant NAME ...]`: runs the relay, the workers and the handlers through seeded
 * schedules in virtual time, and judges what happened. A violation comes with its seed and the end of its history.
 */
import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { invariants } from './simulation/invariants.ts';
import { findMutant, mutants } from './simulation/mutants.ts';
import type { Finding, RangeResult } from './simulation/run-range.ts';
import { runSeeds } from './simulation/run-seeds.ts';

const help = `usage: npm run simulate -- [options]

Runs the real relay, worker, membership and handler guard in one process on stores in memory, in virtual time. Each seed draws
its own fleet, load, network and mishaps; the same seed always gives the same history.

  --seed N       first seed (default 1)
  --runs N       how many seeds (default 1000)
  --mutant NAME  with a bug put in on purpose (--list names them)
  --trace N      how much of a violation's history to print (default 40 lines)
  --threads N    at once (default: one per core)
  --all          go on after a violation, and count them
  --json         one JSON document on stdout
  --list         what is judged, and the mutants
  --help         this

Exit code: 0 nothing was violated, 1 something was, 2 wrong usage.

Repeat a violation:  npm run simulate -- --seed <its seed> --runs 1 --trace 200
`;
const interruptedExitCode = 130;

type Request = NonNullable<ReturnType<typeof parseRequest>>;

/** Null when there was only something to print. @throws Error with a line for the user */
function parseRequest(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: 'string', default: '1' },
      runs: { type: 'string', default: '1000' },
      mutant: { type: 'string' },
      trace: { type: 'string', default: '40' },
      threads: { type: 'string', default: String(availableParallelism()) },
      all: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help || values.list) {
    process.stdout.write(values.help ? help : list());
    return null;
  }
  if (values.mutant !== undefined && !findMutant(values.mutant))
    throw new Error(`There is no mutant "${values.mutant}"; there are: ${mutants.map(({ name }) => name).join(', ')}`);
  return {
    seed: whole('--seed', values.seed, 0, 2 ** 31),
    runs: whole('--runs', values.runs, 1, 10_000_000),
    mutant: values.mutant ?? null,
    traceLength: whole('--trace', values.trace, 0, 100_000),
    threads: whole('--threads', values.threads, 1, 64),
    isComplete: values.all,
    isJson: values.json,
  };
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw new Error(`${name} must be a whole number from ${least} to ${most}, not "${text}"`);
  return value;
}

function list(): string {
  const lines = (entries: [string, string][]): string =>
    entries.map(([name, what]) => `  ${name.padEnd(20)}${what}\n`).join('');
  return `Judged:\n${lines(Object.entries(invariants))}\nMutants:\n${lines(mutants.map(({ name, what }) => [name, what]))}`;
}

async function main(request: Request, signal: AbortSignal): Promise<void> {
  const startedAt = performance.now();
  const results = await runSeeds({
    ...request,
    from: request.seed,
    count: request.runs,
    signal,
    onProgress: (seeds) => {
      if (process.stderr.isTTY) process.stderr.write(`\r${seeds} of ${request.runs} seeds `);
    },
  });
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  signal.throwIfAborted();
  const seconds = (performance.now() - startedAt) / 1_000;
  const findings = results.flatMap((result) => result.findings);
  const summary = summarise(request, results, seconds);
  if (request.isJson) process.stdout.write(`${JSON.stringify({ ...summary, findings }, null, 2)}\n`);
  else print(request, summary, findings);
  process.exitCode = findings.length > 0 ? 1 : 0;
}

function summarise(request: Request, results: RangeResult[], seconds: number) {
  const sum = (of: (result: RangeResult) => number): number => results.reduce((total, result) => total + of(result), 0);
  const seeds = sum((result) => result.seeds);
  const counts = Map.groupBy(
    results.flatMap((result) => result.findings),
    (finding) => finding.invariant,
  );
  return {
    first_seed: request.seed,
    seeds,
    mutant: request.mutant,
    seconds: Number(seconds.toFixed(2)),
    seeds_per_second: Math.round(seeds / seconds),
    steps: sum((result) => result.steps),
    virtual_hours: Number((sum((result) => result.virtualMs) / 3_600_000).toFixed(2)),
    violations: Object.fromEntries([...counts].map(([invariant, found]) => [invariant, found.length])),
    history_sha256: createHash('sha256')
      .update(results.flatMap((result) => result.hashes).join(''))
      .digest('hex'),
  };
}

function print(request: Request, summary: ReturnType<typeof summarise>, findings: Finding[]): void {
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  const [first] = findings;
  if (first) {
    write(`Seed ${first.seed} violates "${first.invariant}" at ${(first.atMs / 1_000).toFixed(3)} s: ${first.message}`);
    write(`  ${invariants[first.invariant]}`);
    write(`The last ${first.trace.length} lines of its history (${first.hash}):\n`);
    for (const line of first.trace) write(line);
    const mutant = request.mutant === null ? '' : ` --mutant ${request.mutant}`;
    write(`\nRepeat it: npm run simulate -- --seed ${first.seed} --runs 1${mutant} --trace 200\n`);
    for (const [invariant, count] of Object.entries(summary.violations)) write(`${invariant}: ${count} seeds`);
  }
  write(
    `${summary.seeds} seeds from ${summary.first_seed} on, ${summary.virtual_hours} h of virtual time in ${summary.seconds} s ` +
      `(${summary.seeds_per_second} a second): ${findings.length === 0 ? 'nothing violated' : `${findings.length} violated`}`,
  );
}

// Whoever reads only the first lines has what they wanted.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
const abort = new AbortController();
function interrupt(): void {
  abort.abort(new Error('interrupted'));
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
process.on('disconnect', interrupt);
process.channel?.unref();

function readRequest(): Request | null {
  try {
    return parseRequest(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`simulate: ${(error as Error).message}\nTry "npm run simulate -- --help".\n`);
    process.exit(2);
  }
}

try {
  const request = readRequest();
  if (request) await main(request, abort.signal);
} catch (error) {
  if (!abort.signal.aborted)
    process.stderr.write(`simulate: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = abort.signal.aborted ? interruptedExitCode : 1;
}
