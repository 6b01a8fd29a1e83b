/** What is wrong with what runs, each with the command that mends it. */

export const releases = ['stable', 'canary'] as const;
export type Release = (typeof releases)[number];

const workers = ['worker-classification', 'worker-curation', 'worker-rebuild'];

/** The kinds of which the profiles in deploy/pm2 promise at least one. */
export const promisedProcesses: Record<Release, readonly string[]> = {
  stable: ['api', 'relay', ...workers, 'maintenance'],
  canary: workers,
};

const profiles: Record<Release, string> = {
  stable: 'deploy/pm2/ecosystem.prod.config.cjs',
  canary: 'deploy/pm2/ecosystem.canary.config.cjs',
};

const pm2 = 'npm run pm2 --';

export type Wanted = {
  release: Release;
  /** A version, with or without its commit; `any` asks for none. */
  expectedVersion: string;
  /** How many API processes there have to be at least. */
  apiProcesses: number;
};

/** `failing`: the checks that keep it from being ready, with their reasons; none when it is. */
export type Probe = { isAlive: true; failing: string[] } | { isAlive: false; reason: string };

export type Member = {
  process: string;
  processId: string;
  pid: number;
  url: string;
  /** As it said when it started. */
  version: string;
  probe: Probe;
};

export type Finding = { process: string; problem: string; mend: string };

/** In the order of the promised kinds, what is missing first. */
export function findingsOf(members: Member[], wanted: Wanted): Finding[] {
  const missing = promisedProcesses[wanted.release].flatMap((process) => missingOf(process, members, wanted));
  return [...missing, ...members.flatMap((member) => findingsOfMember(member, wanted))];
}

/** Processes of this kind came `count` times anew within `lookedMs`: they start, and die. */
export function restlessFinding(process: string, count: number, lookedMs: number, release: Release): Finding {
  return {
    process,
    problem: `came anew ${count} times within ${Math.round(lookedMs / 1_000)} s: it starts and dies, or somebody restarts it`,
    mend: `${logsOf(process, release)}; take the release back as runbooks/canary-release.md says`,
  };
}

/** True when `running` is the expected build; a version without a commit leaves that open. */
export function isExpectedVersion(running: string, expected: string): boolean {
  return expected === 'any' || running === expected || running.split('+', 1)[0] === expected;
}

function missingOf(process: string, members: Member[], { release, apiProcesses }: Wanted): Finding[] {
  const count = members.filter((member) => member.process === process).length;
  const promised = process === 'api' ? apiProcesses : 1;
  if (count >= promised) return [];
  return [
    {
      process,
      problem: count === 0 ? 'no such process is alive' : `${count} of ${promised} are alive`,
      mend: `${pm2} start ${profiles[release]} --only ${nameInPm2(process, release)} (why it is not up: ${logsOf(process, release)})`,
    },
  ];
}

function findingsOfMember(member: Member, { release, expectedVersion }: Wanted): Finding[] {
  const { process, pid, url, version, probe } = member;
  const name = nameInPm2(process, release);
  const findings: Finding[] = [];
  if (!isExpectedVersion(version, expectedVersion))
    findings.push({
      process,
      problem: `pid ${pid} runs ${version}, not ${expectedVersion}`,
      mend: `${pm2} reload ${profiles[release]} --only ${name}, in the folder of the wanted release`,
    });
  if (!probe.isAlive)
    findings.push({
      process,
      problem: `pid ${pid} does not answer at ${url} (${probe.reason})`,
      mend: `${pm2} restart ${name}; from another host, set ADVERTISE_ADDRESS to what it can reach`,
    });
  else if (probe.failing.length > 0)
    findings.push({
      process,
      problem: `pid ${pid} is not ready: ${probe.failing.join(', ')}`,
      mend: logsOf(process, release),
    });
  return findings;
}

function nameInPm2(process: string, release: Release): string {
  return release === 'canary' ? `${process}-canary` : process;
}

function logsOf(process: string, release: Release): string {
  return `${pm2} logs ${nameInPm2(process, release)} --lines 50 --nostream`;
}
