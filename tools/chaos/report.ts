/** What a person and what a program is told about the runs. */
import type { RunReport } from './run-chaos.ts';
import type { Fault } from './faults/fault.ts';
import { violationKinds } from './judge/violation.ts';
import type { ViolationKind } from './judge/violation.ts';
import { printAssets, toAssetsJson } from './storage/asset-report.ts';
import { percentile } from '../bench/statistics.ts';

/** From the contract: a dead worker's task starts elsewhere, and the fleet is itself again after a database restart. */
const rescueTargetSeconds = 15;
const recoveryTargetSeconds = 10;
/** A flip is known everywhere, and others have the work of a dead lane. */
const awarenessTargetSeconds = 2;
const takeOverTargetSeconds = 15;

export type Summary = {
  seed: number;
  database: string;
  faults: Fault[];
  durationSeconds: number;
  runs: RunReport[];
};

type InvariantLine = { number: number; promise: string; verdict: string };

/** Of the invariants in runbooks/reliability.md, those that a run can judge. */
function judgeInvariants({ runs }: Summary): InvariantLine[] {
  const violated = (number: number): boolean =>
    runs.some(({ violations }) => violations.some(({ invariant }) => invariant === number));
  const hadFault = (...names: string[]): boolean =>
    runs.some(({ injections }) =>
      injections.some(({ fault, problem }) => names.includes(fault) && problem === undefined),
    );
  const line = (number: number, promise: string, isJudged = true, why = ''): InvariantLine => ({
    number,
    promise,
    verdict: violated(number) ? 'VIOLATED' : isJudged ? 'ok' : `not judged: ${why}`,
  });
  const rescues = runs.flatMap((run) => run.rescues);
  return [
    line(1, 'a change and its event commit together or not at all'),
    line(2, 'events of one aggregate keep their order; a poison event stops only its own'),
    line(3, 'the state converges to the last change and never goes back'),
    line(4, 'merging tasks never swallows a change'),
    line(7, 'every failure ends in a retry or a dead letter', hadFault('poison'), 'no poison in these runs'),
    line(
      8,
      'every task has a live claimer, whatever the flags say and whoever died',
      rescues.length > 0 || hadFault('flag-flip', 'lane-death'),
      'nobody was hit with a task in hand, no flag was flipped and no lane died',
    ),
    line(9, 'sweeps find what was lost', hadFault('queue-wipe', 'database-stop'), 'no queue was wiped or lost'),
    line(
      10,
      'growth is bounded: clearing up under load does no harm',
      hadFault('retention'),
      'no retention in these runs',
    ),
    line(11, 'SIGTERM ends a process cleanly within 15 s; nobody ends by himself'),
    line(
      14,
      'whatever the bucket does, the bytes of stickers are answered',
      runs.some(({ assets }) => assets !== null && assets.phases.dead.asked > 0),
      'nobody asked for bytes while a bucket was away',
    ),
  ];
}

function countKinds(runs: RunReport[]): Record<ViolationKind, number> {
  const counts = Object.fromEntries(violationKinds.map((kind) => [kind, 0])) as Record<ViolationKind, number>;
  for (const { violations } of runs) for (const { kind } of violations) counts[kind] += 1;
  return counts;
}

/** Undisturbed rescues only: while a database is away nobody can be rescued. */
function rescueSeconds(runs: RunReport[]): number[] {
  return runs.flatMap(({ rescues }) => rescues.filter(({ isDisturbed }) => !isDisturbed).map(({ seconds }) => seconds));
}

/** As of rescues, the undisturbed ones. */
function undisturbed(list: { seconds: number; isDisturbed: boolean }[]): number[] {
  return list.filter(({ isDisturbed }) => !isDisturbed).map(({ seconds }) => seconds);
}

type Spread = { count: number; p50: number | null; p99: number | null; worst: number | null };
function spread(seconds: number[]): Spread {
  return {
    count: seconds.length,
    p50: round(percentile(seconds, 50)),
    p99: round(percentile(seconds, 99)),
    worst: largest(seconds.map(round)),
  };
}

const reloadsOf = (runs: RunReport[]): RunReport['reloads'] => ({
  processes: runs.reduce((sum, { reloads }) => sum + reloads.processes, 0),
  ofApi: runs.reduce((sum, { reloads }) => sum + reloads.ofApi, 0),
  requests: runs.reduce((sum, { reloads }) => sum + reloads.requests, 0),
  failed: runs.reduce((sum, { reloads }) => sum + reloads.failed, 0),
});

const round = (value: number): number | null => (Number.isNaN(value) ? null : Math.round(value * 100) / 100);
const largest = (values: (number | null)[]): number | null => {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
};

export function toJson(summary: Summary): object {
  const { runs } = summary;
  const kinds = countKinds(runs);
  const rescues = rescueSeconds(runs);
  const reloads = reloadsOf(runs);
  return {
    seed: summary.seed,
    database: summary.database,
    runs: runs.length,
    duration_seconds: summary.durationSeconds,
    faults: summary.faults.map(({ name }) => name),
    requests: runs.reduce((sum, run) => sum + run.requests.asked, 0),
    events: runs.reduce((sum, run) => sum + run.events, 0),
    effects: runs.reduce((sum, run) => sum + run.effects, 0),
    lost: kinds.lost,
    unexpected: kinds.unexpected,
    doubled: kinds.doubled,
    inversions: kinds.inversion,
    stale_writes: kinds.stale_write,
    orphans: kinds.orphan,
    not_quiet: kinds.not_quiet,
    dead_letters: kinds.dead_letter,
    bad_ends: kinds.bad_end,
    without_owner: kinds.no_owner,
    wrong_lanes: kinds.wrong_lane,
    stale_flags: kinds.stale_flag,
    failed_reloads: kinds.failed_reload,
    failed_assets: kinds.failed_asset,
    late_redirects: kinds.late_redirect,
    slow_assets: kinds.slow_asset,
    stuck_breakers: kinds.stuck_breaker,
    wrong_objects: kinds.wrong_object,
    assets: toAssetsJson(runs.map((run) => run.assets)),
    flips: runs.reduce((sum, run) => sum + run.flips, 0),
    flip_to_effect_seconds: spread(undisturbed(runs.flatMap((run) => run.awareness))),
    take_over_seconds: spread(undisturbed(runs.flatMap((run) => run.takeOvers))),
    reloads: {
      processes: reloads.processes,
      of_api: reloads.ofApi,
      requests: reloads.requests,
      failed: reloads.failed,
    },
    rescue_seconds: { count: rescues.length, p50: round(percentile(rescues, 50)), p99: round(percentile(rescues, 99)) },
    starved_seconds: round(runs.reduce((sum, run) => sum + run.starvedSeconds, 0)),
    recovery_seconds: largest(runs.map((run) => run.recoverySeconds)),
    database_recovery_seconds: largest(runs.flatMap((run) => run.databaseRecoverySeconds)),
    invariants: judgeInvariants(summary),
    violations: runs.flatMap(({ seed, historyFile, violations }) =>
      violations.map((found) => ({ seed, ...found, history: historyFile })),
    ),
    injections: runs.map(({ seed, injections, totalSeconds, violations }) => ({
      seed,
      faults: injections.map(({ fault }) => fault),
      seconds: round(totalSeconds),
      violations: violations.length,
    })),
  };
}

/** One line per finished run. */
export function printRun(run: RunReport): string {
  const { requests, injections, violations } = run;
  const verdict = violations.length === 0 ? 'ok' : `${violations.length} VIOLATIONS`;
  const faults =
    injections.map(({ fault, problem }) => (problem === undefined ? fault : `(${fault})`)).join(', ') || 'none';
  return (
    `seed ${run.seed}: ${verdict} in ${run.totalSeconds.toFixed(0)} s (start ${run.startSeconds.toFixed(0)}, rest ${run.restSeconds.toFixed(0)}); ` +
    `${requests.asked} requests (${requests.ok} ok, ${requests.refused} refused, ${requests.unknown} unknown), ${run.events} events, ` +
    `${run.effects} effects, ${run.restarts} restarts${run.starvedSeconds < 1 ? '' : `, ${run.starvedSeconds.toFixed(0)} s without a processor`}; faults: ${faults}`
  );
}

export function printViolations(run: RunReport, replay: string): string {
  const shown = 25;
  const lines = run.violations
    .slice(0, shown)
    .map(({ kind, invariant, what }) => `  ${kind} (invariant ${invariant}): ${what.slice(0, 600)}`);
  if (run.violations.length > shown) lines.push(`  ... and ${run.violations.length - shown} more`);
  return [...lines, `  kept in ${run.folder}`, `  again with: ${replay}`].join('\n');
}

export function printSummary(summary: Summary): string {
  const { runs } = summary;
  const rescues = rescueSeconds(runs);
  const all = runs.flatMap((run) => run.rescues).length;
  const recovery = largest(runs.map((run) => run.recoverySeconds));
  const databaseRecovery = largest(runs.flatMap((run) => run.databaseRecoverySeconds));
  const figure = (value: number | null, target: number): string =>
    value === null ? 'not measured' : `${value.toFixed(2)} s (target ${target} s${value > target ? ': MISSED' : ''})`;
  const awareness = runs.flatMap((run) => run.awareness);
  const takeOvers = runs.flatMap((run) => run.takeOvers);
  const reloads = reloadsOf(runs);
  const figures = (list: { seconds: number; isDisturbed: boolean }[], target: number): string => {
    const { count, p50, p99, worst } = spread(undisturbed(list));
    return `p50 ${figure(p50, target)}, p99 ${figure(p99, target)}, worst ${figure(worst, target)}; ${count} undisturbed of ${list.length}`;
  };
  return [
    '',
    ...judgeInvariants(summary).map(
      ({ number, promise, verdict }) => `invariant ${String(number).padStart(2)}  ${verdict.padEnd(10)}  ${promise}`,
    ),
    '',
    `rescue of tasks     p50 ${figure(round(percentile(rescues, 50)), rescueTargetSeconds)}, p99 ${figure(round(percentile(rescues, 99)), rescueTargetSeconds)}; ${rescues.length} undisturbed of ${all}`,
    `take-over of lanes  ${figures(takeOvers, takeOverTargetSeconds)}`,
    `flip to effect      ${figures(awareness, awarenessTargetSeconds)}; ${runs.reduce((sum, run) => sum + run.flips, 0)} flips, ${runs.reduce((sum, run) => sum + run.overtakenFlips, 0)} overtaken by the next`,
    `reloads             ${reloads.processes} processes, ${reloads.ofApi} of them API; ${reloads.failed} of ${reloads.requests} requests failed meanwhile, with nothing else wrong`,
    `recovery            ${recovery === null ? 'not measured' : `${recovery.toFixed(1)} s to 95 % of the rate after the last fault (the longest)`}`,
    `database restart    ${figure(databaseRecovery, recoveryTargetSeconds)}`,
    ...printAssets(runs.map((run) => run.assets)),
    Object.entries(countKinds(runs))
      .map(([kind, count]) => `${kind.replaceAll('_', ' ')} ${count}`)
      .join(', '),
  ].join('\n');
}
