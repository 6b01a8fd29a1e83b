/**
 * `npm run chaos [-- --seed N --runs N --database NAME --faults A,B --duration SECONDS --rate N --flips N --storage-mode MODE --json --keep --list-faults]`: breaks a
 * private fleet in seeded ways and checks that nothing was lost, doubled or left behind. Exit code 1 when something was.
 */
import { parseChaosOptions } from './chaos/chaos-options.ts';
import type { ChaosOptions } from './chaos/chaos-options.ts';
import type { Fault } from './chaos/faults/fault.ts';
import { printFaults, printHelp } from './chaos/help.ts';
import { printRun, printSummary, printViolations, toJson } from './chaos/report.ts';
import { runSeries } from './chaos/run-series.ts';
import { isInsideNamespace, runInsideNamespace } from './chaos/small-disk.ts';
import { findStorage } from './chaos/storage/storage-server.ts';

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

  const leaveOut = (what: Fault['needs'], why: string): void => {
    const isLeftOut = ({ needs }: Fault): boolean => needs === what;
    for (const { name } of options.faults.filter(isLeftOut))
      process.stderr.write(`chaos: ${name} is left out: ${why}\n`);
    options.faults = options.faults.filter((fault) => !isLeftOut(fault));
  };
  const say = (line: string): void => void process.stderr.write(`chaos: ${line}\n`);
  if (!isInsideNamespace()) leaveOut('small disk', 'there are no mount namespaces here');
  const isStorageWanted = options.faults.some(({ needs }) => needs === 'object storage');
  const storage = isStorageWanted ? await findStorage(say) : null;
  if (storage === null) leaveOut('object storage', 'there is no OpenStack Swift here and none could be fetched');
  const progress = options.isJson ? (text: string): void => void process.stderr.write(`${text}\n`) : print;
  const summary = await runSeries(options, {
    signal: abort.signal,
    storage,
    say,
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
