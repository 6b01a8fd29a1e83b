/** Puts the report of a run together from what was asked for, what happened and where. */
import { hostname } from 'node:os';
import { buildVersion } from '@omnizap/runtime';
import { describeMachine } from '../bench/report.ts';
import type { Dataset } from './discover-catalogue.ts';
import { generatorLimits } from './generator-limits.ts';
import { judgeRun, judgeSaturation, type Thresholds } from './judge-run.ts';
import type { Percentiles } from './latency-histogram.ts';
import type { LoadModel, LoadOptions } from './load-options.ts';
import type { QueueReport } from './queue-watch.ts';
import type { LoadReport } from './report-schema.ts';
import type { RequestGroup } from './request-mix.ts';
import type { WorkersRun } from './run-workers.ts';

const notes = {
  open: 'open model: requests come at their rate whatever the answers, and latency counts from the moment at which each was due',
  closed: 'closed loop: latencies hide queueing',
} as const;

export type ReportParts = {
  run: WorkersRun;
  model: LoadModel;
  groups: RequestGroup[];
  /** Kinds of requests that the target has nothing for. */
  leftOut: string[];
  queue: QueueReport | null;
  dataset: Dataset | null;
  targetVersion: string | null;
  machine: LoadReport['machine'];
  thresholds: Thresholds;
};

export function buildReport(options: LoadOptions, parts: ReportParts): LoadReport {
  const { run, model, groups, queue } = parts;
  const { tally, durationSeconds } = run;
  const latency = tally.latency.percentiles();
  const ended = tally.slices.reduce((sum, slice) => sum + slice.ended, 0);
  const throughput = durationSeconds === 0 ? 0 : ended / durationSeconds;
  const errorRatio = tally.requests === 0 ? 0 : tally.errors / tally.requests;
  const limited = tally.byStatus['429'] ?? 0;
  const offered = model.kind === 'open' ? model.ratePerSecond : null;
  // Arrivals at random are not exactly as many as the rate says: what counts is how many of those that were due were answered in time.
  const achievedShare = offered === null ? null : shareOf(ended, tally.requests);
  const saturation = judgeSaturation(model, tally, run.health, generatorLimits(model, tally, parts.thresholds));
  const { verdict, gates } = judgeRun(
    {
      p95Ms: latency.p95,
      p99Ms: latency.p99,
      errorRatio,
      successShare: shareOf(tally.success, tally.requests),
      limitedShare: shareOf(limited, tally.requests),
      achievedShare,
      queue,
    },
    parts.thresholds,
    saturation,
  );
  return {
    report_version: 1,
    started_at: run.startedAt.toISOString(),
    ended_at: run.endedAt.toISOString(),
    base_url: options.baseUrl,
    model: model.kind,
    note: notes[model.kind],
    duration_seconds: round(durationSeconds),
    warmup_seconds: options.warmupSeconds,
    timeout_ms: options.timeoutMs,
    concurrency: model.kind === 'closed' ? model.concurrency : null,
    offered_rate_rps: offered,
    arrivals: model.kind === 'open' ? model.arrivals : null,
    seed: options.seed,
    mix: options.paths !== null ? 'paths' : options.hasWrites ? 'mixed' : 'reads',
    paths: groups.map(({ label }) => label),
    left_out: parts.leftOut,
    votes: options.hasWrites ? votesOf(groups, run) : null,
    requests_total: tally.requests,
    requests_success: tally.success,
    requests_refused: tally.refused,
    requests_limited: limited,
    requests_error: tally.errors,
    error_rate: errorRatio,
    throughput_rps: round(throughput),
    achieved_share: achievedShare,
    received_bytes: tally.bytes,
    latency_ms: latency,
    latency_from_send_ms: tally.fromSend.percentiles(),
    by_status: sorted(tally.byStatus),
    by_error: sorted(tally.byError),
    by_path: Object.fromEntries(groups.map((group, index) => [group.label, pathFigures(group, run, index)])),
    slo: { target_ms: options.sloMs, p95_within_target: tally.latency.count() > 0 && latency.p95 <= options.sloMs },
    sample_errors: tally.samples,
    // What was not measured to its end has not passed.
    verdict: run.isInterrupted && verdict === 'passed' ? 'unreliable' : verdict,
    gates,
    interrupted: run.isInterrupted,
    generator: { ...generatorOf(options), ...saturation },
    queue,
    knee: null,
    comparison: null,
    dataset: parts.dataset,
    target_version: parts.targetVersion,
    tool: { version: buildVersion, commit: buildVersion.split('+')[1] ?? null },
    machine: parts.machine,
    slice_seconds: run.sliceSeconds,
    slices: tally.slices
      .map((slice, index) => ({
        at_seconds: round(index * run.sliceSeconds),
        due: slice.due,
        ended: slice.ended,
        errors: slice.errors,
        refused: slice.refused,
        p50: slice.latency.percentile(50),
        p95: slice.latency.percentile(95),
        p99: slice.latency.percentile(99),
        histogram: slice.latency.encode(),
      }))
      .filter(({ at_seconds }) => at_seconds < durationSeconds),
    histogram: tally.latency.encode(),
  };
}

/** Opens and likes. Each of one viewer for one pack counts once in its window, so no more than there are different ones. */
function votesOf(groups: RequestGroup[], { tally }: WorkersRun): { sent: number; can_count: number } {
  const sums = { sent: 0, can_count: 0 };
  for (const [index, { requests }] of groups.entries()) {
    if (requests[0]?.method !== 'POST') continue;
    const sent = tally.groups[index]?.requests ?? 0;
    sums.sent += sent;
    sums.can_count += Math.min(sent, requests.length);
  }
  return sums;
}

export function generatorOf({ model, workers, connections }: LoadOptions): { workers: number; connections: number } {
  return { workers, connections: model.kind === 'closed' ? model.concurrency : connections };
}

export function readMachine(): LoadReport['machine'] {
  return { host: hostname(), ...describeMachine() };
}

function pathFigures(group: RequestGroup, { tally }: WorkersRun, index: number): LoadReport['by_path'][string] {
  const figures = tally.groups[index];
  const none: Percentiles = { p50: 0, p90: 0, p95: 0, p99: 0, p999: 0, max: 0 };
  return {
    weight: group.weight,
    requests: figures?.requests ?? 0,
    errors: figures?.errors ?? 0,
    refused: figures?.refused ?? 0,
    latency_ms: figures?.latency.percentiles() ?? none,
  };
}

const shareOf = (part: number, whole: number): number => (whole === 0 ? 0 : Math.min(1, part / whole));
const round = (value: number): number => Math.round(value * 100) / 100;
const sorted = (counts: Record<string, number>): Record<string, number> =>
  Object.fromEntries(Object.entries(counts).toSorted(([a], [b]) => (a < b ? -1 : 1)));
