/** Who is alive, by the database's word and by what each answers. */
import type { LiveProcess, StaleProcess } from '@omnizap/runtime';
import { promisedProcesses, type Probe, type Release } from '../release-findings.ts';
import { fail, info, ok, warn, type Finding } from './finding.ts';
import type { Mending } from './mending.ts';

type StaleFacts = StaleProcess & { answers: boolean; isHere: boolean };

export type ProcessFacts = {
  live: (LiveProcess & { probe: Probe })[];
  /** Those whose lease ran out, whether they answer nevertheless, and whether this host still has them. */
  stale: StaleFacts[];
  /** That of this checkout. */
  ownVersion: string;
};

/** What a process of the kind is for: without one, this is what does not happen. */
const consequences: Record<string, string> = {
  api: 'nobody is answered, and nothing takes over the work of dead workers',
  relay: 'events wait in the outbox',
  maintenance: 'nobody rescues, sweeps, publishes rankings, keeps lanes or rolls out',
};

export function judgeProcesses({ live, stale, ownVersion }: ProcessFacts, mending: Mending): Finding[] {
  const findings = [
    ...missing(live, mending),
    ...live.flatMap((process) => judgeLive(process, mending)),
    ...stale.flatMap((process) => judgeStale(process, live, mending)),
    ...judgeVersions(live, ownVersion, mending),
  ];
  if (findings.some(({ severity }) => severity !== 'info')) return findings;
  return [...findings, ok(`${live.length} processes are alive and ready, one of each kind at least.`)];
}

export function releaseOf({ status }: Pick<LiveProcess, 'status'>): Release {
  return status.release === 'canary' ? 'canary' : 'stable';
}

/** Workers are judged with the flag that says whether there have to be any. */
function missing(live: LiveProcess[], mending: Mending): Finding[] {
  return promisedProcesses.stable
    .filter((kind) => consequences[kind] !== undefined)
    .filter((kind) => !live.some(({ processName }) => processName === kind))
    .map((kind) => fail(`No ${kind} process is alive: ${consequences[kind] ?? ''}.`, mending.start(kind)));
}

function judgeLive(process: LiveProcess & { probe: Probe }, mending: Mending): Finding[] {
  const { processName, status, probe } = process;
  const who = `${processName} (pid ${String(status.pid)})`;
  const release = releaseOf(process);
  if (!probe.isAlive)
    return [
      warn(
        `${who} has a lease but does not answer this host at ${String(status.url)}: ${probe.reason}.`,
        mending.restart(processName, release),
      ),
    ];
  if (probe.failing.length === 0) return [];
  return [warn(`${who} is not ready: ${probe.failing.join(', ')}.`, mending.logs(processName, release))];
}

function judgeStale(process: StaleFacts, live: LiveProcess[], mending: Mending): Finding[] {
  const { processName, status, expiredSecondsAgo } = process;
  const who = `${processName} (pid ${String(status.pid)})`;
  const ago = `${Math.round(expiredSecondsAgo)} s`;
  // Another process may have got its port since.
  const isReplaced = live.some((other) => other.status.url === status.url);
  if (process.answers && !isReplaced)
    return [
      warn(
        `${who} answers, but has not renewed its lease for ${ago}: others have its work.`,
        mending.restart(processName, releaseOf(process)),
      ),
    ];
  if (process.isHere && !process.answers)
    return [
      warn(
        `${who} hangs: it is there, does not answer and has not renewed its lease for ${ago}; others have its work.`,
        `kill -KILL ${String(status.pid)}`,
      ),
    ];
  return [info(`${who} is gone: its lease ran out ${ago} ago, and it had not given it back.`)];
}

function judgeVersions(live: LiveProcess[], ownVersion: string, mending: Mending): Finding[] {
  const versions = [
    ...new Set(live.filter((one) => releaseOf(one) === 'stable').map(({ status }) => String(status.version))),
  ].sort();
  if (versions.length > 1)
    return [
      warn(`${versions.length} versions of the stable release are live: ${versions.join(', ')}.`, mending.reload()),
    ];
  return versions.length === 1 && versions[0] !== ownVersion
    ? [info(`What runs is ${versions[0] ?? ''}; this checkout is ${ownVersion}.`, 'npm run ops -- release verify')]
    : [];
}
