/** One load test from the question who is asked to the report: looks around, warms up, measures, and waits for the queues. */
import { setTimeout as delay } from 'node:timers/promises';
import { httpFloor } from '../../observability/slo.ts';
import { createTargetClient, type TargetClient } from './ask-target.ts';
import { buildReport, generatorOf, readMachine } from './build-report.ts';
import { compareReports, differences, doubts, readBaseline, type RunParameters } from './compare-reports.ts';
import { discoverCatalogue, readDataset, type Dataset } from './discover-catalogue.ts';
import { createFreshRequests, type FreshRequests } from './fresh-requests.ts';
import { findKnee } from './find-knee.ts';
import { judgeKnee, judgeStep } from './judge-knee.ts';
import type { LiveLine } from './live-line.ts';
import { regressionRatio, type LoadModel, type LoadOptions } from './load-options.ts';
import { createQueueWatch, type QueueReport, type QueueWatch } from './queue-watch.ts';
import type { LoadReport } from './report-schema.ts';
import { groupsOfPaths, type RequestGroup } from './request-mix.ts';
import { runWorkers, type WorkersRun } from './run-workers.ts';
import { checkTarget, type TargetAddress } from './target-host.ts';

/** Between two steps of the search: what the one before left is worked off meanwhile. */
const kneeRestMs = 2_000;
const kneeWarmupSeconds = 2;

export type LoadDeps = {
  signal: AbortSignal;
  live: LiveLine;
  metricsToken: string | undefined;
  say: (line: string) => void;
};

type Prepared = {
  target: TargetAddress;
  client: TargetClient;
  groups: RequestGroup[];
  leftOut: string[];
  requests: FreshRequests;
  dataset: Dataset | null;
  machine: LoadReport['machine'];
};

/** `problem`: what went wrong after the load, which no report may be lost for. */
export type LoadResult = { report: LoadReport; problem: string | null };

/** @throws Error with a line for the user when it cannot run; what goes wrong while it runs is in the report */
export async function runLoad(options: LoadOptions, deps: LoadDeps): Promise<LoadResult> {
  const baseline = options.compare === null ? null : await readBaseline(options.compare);
  const target = await checkTarget(options.baseUrl, options.isForeignHostAllowed);
  const client = createTargetClient(options.baseUrl, target);
  try {
    const prepared = await prepare(options, { target, client }, deps);
    if (baseline !== null) {
      const different = differences(parametersOf(options, prepared), baseline);
      if (different.length > 0)
        throw new Error(`The baseline is of another load (${different.join('; ')}): make one with the same options`);
      const doubtful = doubts(prepared, baseline);
      if (doubtful.length > 0)
        deps.say(
          `WARNING: the baseline is of another machine (${doubtful.join('; ')}): a difference may be the machine's`,
        );
    }
    const watch = await createQueueWatch(client, { metricsToken: deps.metricsToken, signal: deps.signal });
    watch.start();
    const report = options.isKnee
      ? await searchKnee(options, prepared, watch, deps)
      : await measure(options, prepared, watch, deps);
    if (baseline === null || options.compare === null || report.interrupted) return { report, problem: null };
    try {
      report.comparison = compareReports(report, baseline, options.compare, regressionRatio);
    } catch (error) {
      return { report, problem: `The run could not be compared (${(error as Error).message})` };
    }
    return { report, problem: null };
  } finally {
    await client.close();
  }
}

async function prepare(
  options: LoadOptions,
  { target, client }: Pick<Prepared, 'target' | 'client'>,
  { say, signal }: LoadDeps,
): Promise<Prepared> {
  if (options.hasWrites)
    say(`opens and likes will be written to ${options.baseUrl} and stay counted there: --mix reads leaves them out`);
  const machine = readMachine();
  await client.ask('/healthz').catch((error: NodeJS.ErrnoException) => {
    throw new Error(
      `${options.baseUrl} does not answer (${error.code ?? error.message}): start it first (npm start), or give --base-url`,
    );
  });
  const dataset = await readDataset(client.ask);
  const { paths, hasWrites, seed } = options;
  const discover =
    paths === null
      ? async (): Promise<RequestGroup[]> => (await discoverCatalogue(client.ask, { hasWrites, seed })).groups
      : null;
  if (discover) say(`looking around in the catalogue of ${options.baseUrl}`);
  const { groups, leftOut } =
    paths === null
      ? await discoverCatalogue(client.ask, { hasWrites, seed })
      : { groups: groupsOfPaths(paths), leftOut: [] };
  const requests = createFreshRequests(groups, discover);
  signal.throwIfAborted();
  if (dataset !== null && discover)
    say(`${dataset.packs} packs, ${dataset.stickers} stickers: ${groups.length} kinds of requests`);
  if (leftOut.length > 0) say(`left out, as the catalogue has nothing for it: ${leftOut.join(', ')}`);
  return { target, client, groups, leftOut, requests, dataset, machine };
}

function parametersOf(options: LoadOptions, { groups, dataset }: Prepared): RunParameters {
  const { model } = options;
  return {
    model: model.kind,
    concurrency: model.kind === 'closed' ? model.concurrency : null,
    offered_rate_rps: model.kind === 'open' ? model.ratePerSecond : null,
    arrivals: model.kind === 'open' ? model.arrivals : null,
    duration_seconds: options.durationSeconds,
    warmup_seconds: options.warmupSeconds,
    timeout_ms: options.timeoutMs,
    mix: options.paths !== null ? 'paths' : options.hasWrites ? 'mixed' : 'reads',
    paths: groups.map(({ label }) => label),
    dataset,
    generator: generatorOf(options),
  };
}

async function measure(
  options: LoadOptions,
  prepared: Prepared,
  watch: QueueWatch,
  deps: LoadDeps,
): Promise<LoadReport> {
  const run = await load(options, prepared, deps, options.model, options);
  return await conclude(options, prepared, watch, deps, { run, model: options.model });
}

async function load(
  options: LoadOptions,
  { target, requests }: Prepared,
  { signal, live }: LoadDeps,
  model: LoadModel,
  { warmupSeconds, durationSeconds }: Pick<LoadOptions, 'warmupSeconds' | 'durationSeconds'>,
): Promise<WorkersRun> {
  const { baseUrl, workers, connections, timeoutMs, seed } = options;
  const groups = await requests.current();
  const label =
    model.kind === 'open' ? `${Math.round(model.ratePerSecond)}/s` : `${model.concurrency} clients (closed loop)`;
  try {
    return await runWorkers(
      { baseUrl, target, model, workers, connections, warmupSeconds, durationSeconds, timeoutMs, groups, seed },
      { signal, onProgress: (figures) => live.show(label, figures), refresh: requests.renew },
    );
  } finally {
    live.done();
  }
}

async function conclude(
  options: LoadOptions,
  { groups, leftOut, dataset, machine }: Prepared,
  watch: QueueWatch,
  { signal, live }: LoadDeps,
  { run, model }: { run: WorkersRun; model: LoadModel },
): Promise<LoadReport> {
  let toldAt = -Infinity;
  const queue = await watch.finish(signal.aborted ? 0 : options.recoverySeconds, (depth, seconds) => {
    if (seconds - toldAt < 10) return;
    toldAt = seconds;
    live.say(`waiting for the queues: ${depth} items, ${Math.round(seconds)} s after the end of the load`);
  });
  const thresholds = { sloMs: options.sloMs, p99Ms: httpFloor.p99Ms, errorRatio: httpFloor.errorRatio };
  const report = buildReport(options, {
    run,
    model,
    groups,
    leftOut,
    queue: signal.aborted ? notWaitedFor(queue) : queue,
    dataset,
    targetVersion: watch.version,
    machine,
    thresholds,
  });
  if (!signal.aborted) return report;
  // What was not measured to its end, the recovery of the queues included, has not passed.
  return { ...report, interrupted: true, verdict: report.verdict === 'passed' ? 'unreliable' : report.verdict };
}

/** Whoever gave up waiting does not know whether the queues would have been in time. */
function notWaitedFor(queue: QueueReport): QueueReport {
  return queue.recovery_seconds === null ? { ...queue, recovery_limit_seconds: 0 } : queue;
}

/** The report is that of the best step, or of the lowest one when none was good. */
async function searchKnee(
  options: LoadOptions,
  prepared: Prepared,
  watch: QueueWatch,
  deps: LoadDeps,
): Promise<LoadReport> {
  const { model } = options;
  if (model.kind !== 'open') throw new Error('The knee is searched in the open model');
  const step = { warmupSeconds: kneeWarmupSeconds, durationSeconds: options.kneeStepSeconds };
  const runs: { rate: number; isGood: boolean; run: WorkersRun }[] = [];
  const knee = await findKnee(model.ratePerSecond, async (rate) => {
    if (runs.length > 0) await delay(kneeRestMs, undefined, { signal: deps.signal }).catch(() => undefined);
    if (deps.signal.aborted) return null;
    const run = await load(options, prepared, deps, { ...model, ratePerSecond: rate }, step);
    if (run.isInterrupted) return null;
    const ofStep = { ...model, ratePerSecond: rate };
    const thresholds = { sloMs: options.kneeP99Ms, p99Ms: options.kneeP99Ms, errorRatio: httpFloor.errorRatio };
    const { groups, leftOut, dataset, machine } = prepared;
    const parts = {
      run,
      model: ofStep,
      groups,
      leftOut,
      queue: null,
      dataset,
      targetVersion: null,
      machine,
      thresholds,
    };
    const judged = judgeStep(buildReport(options, parts), rate, thresholds);
    runs.push({ rate, isGood: judged.isGood, run });
    const verdict = judged.isGood ? 'good' : `too much (${judged.words})`;
    deps.say(`${rate}/s: p99 ${judged.p99Ms.toFixed(1)} ms, ${judged.achieved.toFixed(0)}/s answered: ${verdict}`);
    return judged;
  });
  const best =
    runs.filter(({ isGood }) => isGood).toSorted((a, b) => b.rate - a.rate)[0] ??
    runs.toSorted((a, b) => a.rate - b.rate)[0];
  if (!best) throw deps.signal.reason as Error;
  const report = await conclude({ ...options, ...step }, prepared, watch, deps, {
    run: best.run,
    model: { ...model, ratePerSecond: best.rate },
  });
  return judgeKnee(report, knee, options.kneeP99Ms);
}
