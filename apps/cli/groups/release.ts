/** Releases: what runs, and whether it is what should run. */
import { buildVersion, createLeaseStore, systemClock } from '@omnizap/runtime';
import { UsageError, type Command, type Group } from '../command.ts';
import { probeProcess } from '../probe-process.ts';
import { checkRelease, type ReleaseReport } from '../release-check.ts';
import { releases, type Member } from '../release-findings.ts';

const defaultTimeoutSeconds = 60;
const defaultObserveSeconds = 10;
const longestSeconds = 3_600;
const mostApiProcesses = 64;

const verify: Command = {
  name: 'verify',
  summary:
    'Asks every live process of a release whether it is alive, ready and of the expected version, and watches that none dies: "pm2 reload" ends well whatever came up',
  options: {
    release: { type: 'string', value: 'stable|canary', description: 'Which one; default stable' },
    'expect-version': {
      type: 'string',
      value: 'version',
      description: `As /api/ops/targets shows it, with or without the part behind +, or "any"; default that of this checkout, ${buildVersion}`,
    },
    'api-processes': { type: 'string', value: 'n', description: 'How many API processes there must be; default 1' },
    timeout: {
      type: 'string',
      value: 'seconds',
      description: `How long things may take to get right; default ${defaultTimeoutSeconds}`,
    },
    observe: {
      type: 'string',
      value: 'seconds',
      description: `How long they must stay right, with the same processes; default ${defaultObserveSeconds}`,
    },
  },
  examples: [
    'release verify --api-processes 2',
    'release verify --release canary --expect-version 0.2.0 --timeout 120',
    'release verify --expect-version any --json',
  ],
  async run({ options, session, terminal, isJson }) {
    const release = options.oneOf('release', releases) ?? 'stable';
    const expectedVersion = options.text('expect-version') ?? buildVersion;
    if (!/^(any|\d+\.\d+\.\d+\S*)$/.test(expectedVersion))
      throw new UsageError(
        `--expect-version must be a version such as ${buildVersion}, or any; not "${expectedVersion}".`,
      );
    const apiProcesses = options.number('api-processes', { min: 0, max: mostApiProcesses, isWhole: true }) ?? 1;
    const seconds = (name: string): number | undefined =>
      options.number(name, { min: 0, max: longestSeconds, isWhole: false });
    const store = createLeaseStore(await session.database());
    let said = 0;
    const report = await checkRelease(
      { liveProcesses: store.liveProcesses, probe: probeProcess, clock: systemClock },
      {
        release,
        expectedVersion,
        apiProcesses,
        timeoutMs: (seconds('timeout') ?? defaultTimeoutSeconds) * 1_000,
        observeMs: (seconds('observe') ?? defaultObserveSeconds) * 1_000,
        onLook({ length }) {
          if (length > 0 && length !== said) terminal.note(`${length} findings so far; looking again`);
          said = length;
        },
      },
    );
    const isGood = report.findings.length === 0;
    if (isJson)
      terminal.json({ data: { release, expected_version: expectedVersion, ok: isGood, ...reportJson(report) } });
    else {
      terminal.table(
        ['PROCESS', 'PID', 'STATE', 'VERSION', 'URL'],
        report.members.map((member) => [
          member.process,
          String(member.pid),
          stateOf(member),
          member.version,
          member.url,
        ]),
      );
      terminal.say('');
      for (const { process, problem, mend } of report.findings) terminal.say(`${process}: ${problem}\n  mend: ${mend}`);
      const looked = `looked for ${Math.round(report.lookedMs / 1_000)} s`;
      terminal.say(
        isGood
          ? `${release} is up: ${report.members.length} processes, version ${expectedVersion} (${looked})`
          : `${release} is NOT as it should be: ${report.findings.length} findings (${looked})`,
      );
    }
    return isGood ? 0 : 1;
  },
};

function stateOf({ probe }: Member): string {
  if (!probe.isAlive) return 'no answer';
  return probe.failing.length === 0 ? 'ready' : 'not ready';
}

function reportJson({ members, findings, replacements, lookedMs }: ReleaseReport) {
  return {
    looked_seconds: Math.round(lookedMs / 1_000),
    processes: members.map((member) => ({
      process: member.process,
      process_id: member.processId,
      pid: member.pid,
      url: member.url,
      version: member.version,
      state: stateOf(member),
      failing: member.probe.isAlive ? member.probe.failing : [member.probe.reason],
    })),
    replacements,
    findings,
  };
}

export const release: Group = {
  name: 'release',
  summary: 'Whether what runs is what should run',
  commands: [verify],
};
