/** The flags, and whether those that they give the work to are there. */
import { flagNames, isFlagName, type FlagName, type FlagRow } from '@omnizap/rollout';
import type { LiveProcess } from '@omnizap/runtime';
import { fail, info, ok, warn, type Finding } from './finding.ts';
import type { Mending } from './mending.ts';
import { releaseOf } from './processes.ts';

export type FlagFacts = {
  flags: Pick<FlagRow, 'flagName' | 'isEnabled' | 'rolloutPercent'>[];
  /** Changed by hand and not audited yet. */
  unnoticed: string[];
  /** A newer release may have flags of its own. */
  isSchemaNewer: boolean;
  live: LiveProcess[];
  /** By kind of worker. */
  taskTypesOf: Record<string, readonly string[]>;
  /** Null: none was ever published. */
  rankingAgeSeconds: number | null;
  rankingRefreshSeconds: number;
};

/** One that is missed is a slow minute; several are somebody who does not publish. */
const staleRefreshes = 3;

export function judgeFlags(facts: FlagFacts, mending: Mending): Finding[] {
  const findings = [...judgeRows(facts, mending), ...judgeLanes(facts, mending), ...judgeFeeders(facts, mending)];
  return findings.some(({ severity }) => severity !== 'info')
    ? findings
    : [...findings, ok('Every flag has its row, and those who do what the flags say are there.')];
}

/** Whether a live process works that type in that lane. */
export function isServed(live: LiveProcess[], taskType: string, lane: string): boolean {
  return live.some(
    ({ status }) => status.lane === lane && Array.isArray(status.task_types) && status.task_types.includes(taskType),
  );
}

function judgeRows({ flags, unnoticed, isSchemaNewer, live }: FlagFacts, mending: Mending): Finding[] {
  const hasLeader = live.some(({ processName }) => processName === 'maintenance');
  const lookAgain = hasLeader ? 'npm run ops -- doctor --only flags' : mending.start('maintenance');
  const findings: Finding[] = [];
  for (const name of flagNames)
    if (!flags.some(({ flagName }) => flagName === name))
      findings.push(
        warn(
          `The row of ${name} is missing in feature_flag: a maintenance process brings it back with its last value within seconds.`,
          lookAgain,
        ),
      );
  for (const { flagName, isEnabled, rolloutPercent } of flags) {
    if (!isFlagName(flagName)) {
      const text = `feature_flag has a row "${flagName}" that is no flag of this release`;
      findings.push(
        isSchemaNewer
          ? info(`${text}: of the newer one.`)
          : warn(
              `${text}: mistyped?`,
              mending.sql(`DELETE FROM feature_flag WHERE flag_name = '${flagName.replaceAll("'", "''")}'`),
            ),
      );
    } else if (isEnabled && rolloutPercent === 0)
      findings.push(
        warn(`${flagName} is enabled at 0 %, which is off.`, mending.flagOff(flagName, 'say what it does')),
      );
    else if (!isEnabled && rolloutPercent > 0)
      findings.push(
        warn(
          `${flagName} says ${rolloutPercent} % but is disabled, which is off.`,
          mending.flagOff(flagName, 'say what it does'),
        ),
      );
  }
  for (const flagName of unnoticed) {
    const text = `${flagName} was changed in the table by hand, and nobody has written that down yet`;
    findings.push(
      hasLeader ? info(`${text}: the leading maintenance process does within 15 s.`) : warn(`${text}.`, lookAgain),
    );
  }
  return findings;
}

function judgeLanes({ flags, live, taskTypesOf }: FlagFacts, mending: Mending): Finding[] {
  const dedicated = percentOf(flags, 'enable_worker_dedicated_processes');
  const canary = percentOf(flags, 'enable_worker_canary_release');
  const findings: Finding[] = [];
  for (const [kind, types] of Object.entries(taskTypesOf)) {
    const without = (lane: string): string[] => types.filter((type) => !isServed(live, type, lane));
    const process = `worker-${kind}`;
    const missing = dedicated > 0 ? without('stable') : [];
    const stranded = missing.filter((type) => !isServed(live, type, 'inline'));
    if (stranded.length > 0)
      findings.push(
        fail(
          `Nobody works tasks of type ${stranded.join(', ')}: no ${process} is alive, and no API to stand in.`,
          mending.start(process),
        ),
      );
    else if (missing.length > 0)
      findings.push(
        warn(
          `No live ${process} although enable_worker_dedicated_processes is on at ${dedicated} %: the API works ${missing.join(', ')} in its place.`,
          mending.start(process),
        ),
      );
    const missed = dedicated > 0 && canary > 0 ? without('canary') : [];
    if (missed.length > 0)
      findings.push(
        warn(
          `No live canary ${process} although enable_worker_canary_release is on at ${canary} %: stable works ${missed.join(', ')} in its place.`,
          mending.flagOff('enable_worker_canary_release', 'no canary is alive'),
        ),
      );
  }
  const idle = live.filter((one) => releaseOf(one) === 'canary');
  if (canary === 0 && idle.length > 0)
    findings.push(
      info(
        `${idle.length} canary workers are alive while enable_worker_canary_release is off: they get nothing to do.`,
      ),
    );
  return findings;
}

function judgeFeeders(facts: FlagFacts, mending: Mending): Finding[] {
  const { flags, live, rankingAgeSeconds: age, rankingRefreshSeconds } = facts;
  const findings: Finding[] = [];
  const outbox = percentOf(flags, 'enable_domain_event_outbox');
  if (outbox > 0 && !live.some(({ processName }) => processName === 'relay'))
    findings.push(
      fail(
        `enable_domain_event_outbox is on at ${outbox} % and no relay is alive: changes are found by sweeps only, minutes later.`,
        mending.start('relay'),
      ),
    );
  const read = percentOf(flags, 'enable_ranking_snapshot_read');
  if (read > 0 && (age === null || age > staleRefreshes * rankingRefreshSeconds)) {
    const since =
      age === null ? 'no ranking was ever published' : `the newest ranking is ${Math.round(age / 60)} min old`;
    const hasMaintenance = live.some(({ processName }) => processName === 'maintenance');
    findings.push(
      fail(
        `enable_ranking_snapshot_read is on at ${read} % and ${since}.`,
        hasMaintenance
          ? mending.flagOff('enable_ranking_snapshot_read', 'the snapshot is stale')
          : mending.start('maintenance'),
      ),
    );
  }
  return findings;
}

/** 0 when off, or when the row is missing. */
function percentOf(flags: FlagFacts['flags'], name: FlagName): number {
  const flag = flags.find(({ flagName }) => flagName === name);
  return flag?.isEnabled === true ? flag.rolloutPercent : 0;
}
