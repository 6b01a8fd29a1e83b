/**
 * `npm run loadtest:stickers -- [--rate R | --concurrency C | --find-knee] [--out FILE ...]`: loads a running API and says how long
 * visitors would wait. Exit code 0 within the objectives, 1 not, 2 it could not run.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { loadTestHelp } from './loadtest/help.ts';
import { createLiveLine } from './loadtest/live-line.ts';
import { parseLoadOptions, type LoadOptions, type Surroundings } from './loadtest/load-options.ts';
import { printReport } from './loadtest/print-report.ts';
import { openReportFiles } from './loadtest/report-files.ts';
import { runLoad } from './loadtest/run-load.ts';

const interruptedExitCode = 130;
/** What is under way may not hold up an interrupted run for longer. */
const stopDeadlineMs = 15_000;
const defaultBaseUrl = 'http://127.0.0.1:9102';

const abort = new AbortController();
function interrupt(): void {
  if (abort.signal.aborted) return;
  process.stderr.write('\nInterrupted; stopping\n');
  abort.abort(new Error('interrupted'));
  setTimeout(() => process.exit(interruptedExitCode), stopDeadlineMs).unref();
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
process.on('disconnect', interrupt);
process.channel?.unref();

async function readSurroundings(): Promise<Surroundings> {
  const dataDir = path.resolve(process.env.STICKER_DATA_DIR || 'data');
  const sloTargetMs = Number(process.env.HTTP_SLO_TARGET_MS || NaN);
  return {
    baseUrl: (await apiUrlOf(path.join(dataDir, 'runtime.json'))) ?? defaultBaseUrl,
    sloTargetMs: Number.isInteger(sloTargetMs) ? sloTargetMs : undefined,
  };
}

/** Of a running `npm start`; null when there is none. */
async function apiUrlOf(runtimeFile: string): Promise<string | null> {
  try {
    const content = JSON.parse(await readFile(runtimeFile, 'utf8')) as { api_url?: unknown };
    return typeof content.api_url === 'string' ? content.api_url : null;
  } catch {
    return null;
  }
}

async function main(options: LoadOptions): Promise<number> {
  const live = createLiveLine(process.stderr);
  const say = (line: string): void => live.say(line);
  const files = options.out === null ? null : await openReportFiles(options.out);
  const { report, problem } = await runLoad(options, {
    signal: abort.signal,
    live,
    metricsToken: process.env.METRICS_TOKEN || undefined,
    say,
  });
  process.stdout.write(`${printReport(report)}\n`);
  if (files !== null) say(`written: ${(await files.write(report)).join(', ')}`);
  if (report.interrupted) return interruptedExitCode;
  if (problem !== null) throw new Error(problem);
  return report.verdict === 'passed' && report.comparison?.is_worse !== true ? 0 : 1;
}

async function readRequest(): Promise<LoadOptions | null> {
  try {
    return parseLoadOptions(process.argv.slice(2), await readSurroundings());
  } catch (error) {
    process.stderr.write(`loadtest: ${(error as Error).message}\nSee npm run loadtest:stickers -- --help\n`);
    process.exit(2);
  }
}

try {
  const options = await readRequest();
  if (options === null) process.stdout.write(loadTestHelp);
  else process.exitCode = await main(options);
} catch (error) {
  if (!abort.signal.aborted)
    process.stderr.write(`loadtest: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = abort.signal.aborted ? interruptedExitCode : 2;
}
// A connection or a timer that is left has nothing more to tell.
process.exit();
