/**
 * `npm run chaos [-- --seed N --runs N --database NAME --faults A,B --duration SECONDS --rate N --flips N --json --keep --list-faults]`: breaks a
 * private fleet in seeded ways and checks that nothing was lost, doubled or left behind. Exit code 1 when something was.
 */
import { parseChaosOptions } from './chaos/chaos-options.ts';
import type { ChaosOptions } from './chaos/chaos-options.ts';
import { printFaults, printHelp } from './chaos/help.ts';
import { printRun, printSummary, printViolations, toJson } from './chaos/report.ts';
import { runSeries } from './chaos/run-series.ts';
import { isInsideNamespace, runInsideNamespace } from './chaos/small-disk.ts';

const interruptedExitCode = 130;
/** An interrupted clean-up may not take longer. */
const stopDeadlineMs = 30_000;

const args = process.argv.slice(2);
const options = readOptions();
if (options.faults.some(({ needs }) => needs === 'small disk') && !isInsideNamespace()) {
  const exitCode = options.isHelp || options.isList ? null : await runInsideNamespace(args);
  if (exitCode !== null) process.exit(exitCode);
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

function readOptions(): ChaosOptions {
  try {
    return parseChaosOptions(args);
  } catch (error) {
    process.stderr.write(`chaos: ${(error as Error).message}\nSee npm run chaos -- --help\n`);
    process.exit(2);
  }
}

async function main(): Promise<number> {
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  if (options.isHelp) print(printHelp());
  else if (options.isList) print(printFaults());
  if (options.isHelp || options.isList) return 0;

  if (!isInsideNamespace() && options.faults.some(({ needs }) => needs !== undefined)) {
    process.stderr.write('chaos: disk-full is left out: there are no mount namespaces here\n');
    options.faults = options.faults.filter(({ needs }) => needs === undefined);
  }
  const progress = options.isJson ? (text: string): void => void process.stderr.write(`${text}\n`) : print;
  const summary = await runSeries(options, {
    signal: abort.signal,
    say: (line) => void process.stderr.write(`chaos: ${line}\n`),
    progress,
    onRun(run, replay) {
      progress(printRun(run));
      if (options.runs === 1 || options.isKept) progress(`  history: ${run.historyFile}`);
      if (run.violations.length > 0) progress(printViolations(run, replay));
    },
  });
  if (options.isJson) print(JSON.stringify(toJson(summary), null, 2));
  else print(printSummary(summary));
  return summary.runs.some(({ violations }) => violations.length > 0) ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!abort.signal.aborted) process.stderr.write(`chaos: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = abort.signal.aborted ? interruptedExitCode : 2;
}
// An interrupted run may still wait for something that is gone.
process.exit();
