/** Everything that can be wrong with a host and its fleet, looked at in seconds, each with the command that mends it. */
import { inspectConfig } from '@omnizap/runtime';
import { UsageError, type Command, type Group } from '../command.ts';
import { checkNames, createDoctorChecks, isCheckName } from '../doctor/doctor-checks.ts';
import { runChecks, severities, worstOf, type CheckResult } from '../doctor/finding.ts';
import { printable } from '../terminal.ts';

const limitMs = 12_000;

const examine: Command = {
  name: '',
  summary:
    'Checks configuration, disk, databases, migrations, processes, flags, rollouts, queues, object storage and clocks, and prints the command that mends each finding; needs nothing that runs',
  options: {
    only: { type: 'string', value: 'check,...', description: `Only these: ${checkNames.join(', ')}` },
    strict: { type: 'boolean', description: 'Exit code 1 for a warning too' },
  },
  examples: ['doctor', 'doctor --only database,clocks', 'doctor --strict --json'],
  async run({ options, terminal, isJson }) {
    const wanted = readNames(options.text('only'));
    const { checks, close } = createDoctorChecks(inspectConfig());
    const results = await runChecks(
      checks.filter(({ name }) => wanted.includes(name)),
      limitMs,
    );
    await close();
    const worst = worstOf(results.flatMap(({ findings }) => findings));
    if (isJson) terminal.json({ data: { worst, checks: results.map(resultJson) } });
    else {
      terminal.table(['STATE', 'CHECK', 'TOOK', 'WHAT'], results.map(rowOf));
      const findings = results.flatMap(({ check, findings: own }) => own.map((finding) => ({ ...finding, check })));
      const told = findings.filter(({ isConsequence }) => isConsequence !== true);
      for (const severity of severities.toReversed().filter((one) => one !== 'ok'))
        for (const { check, text, command } of told.filter((one) => one.severity === severity)) {
          terminal.say(`\n${severity.toUpperCase()} ${check}: ${printable(text)}`);
          if (command !== null) terminal.say(`  mend: ${command}`);
        }
      terminal.say(`\n${closing(results)}`);
    }
    return worst === 'fail' || (worst === 'warn' && options.flag('strict')) ? 1 : 0;
  },
};

/** @throws UsageError */
function readNames(given: string | undefined): string[] {
  if (given === undefined) return [...checkNames];
  const names = given.split(',').map((name) => name.trim());
  for (const name of names)
    if (!isCheckName(name)) throw new UsageError(`There is no check "${name}". There are: ${checkNames.join(', ')}.`);
  return names;
}

function rowOf({ check, findings, tookMs }: CheckResult): string[] {
  const worst = worstOf(findings);
  const told = findings.filter(({ severity }) => severity !== 'ok').length;
  const consequence = findings.find(({ isConsequence }) => isConsequence === true);
  const what = consequence
    ? consequence.text
    : worst === 'ok'
      ? findings.map(({ text }) => text).join(' ')
      : `${told} ${told === 1 ? 'finding' : 'findings'}, see below`;
  return [worst, check, `${(tookMs / 1_000).toFixed(1)} s`, what];
}

function closing(results: CheckResult[]): string {
  const all = results.flatMap(({ findings }) => findings);
  const count = (severity: string): number => all.filter((finding) => finding.severity === severity).length;
  const [fails, warns] = [count('fail'), count('warn')];
  return fails + warns === 0 ? 'Nothing has to be done.' : `${fails} failed, ${warns} to be looked at.`;
}

function resultJson({ check, findings, tookMs }: CheckResult) {
  const shown = findings.map(({ severity, text, command }) => ({ severity, text, command }));
  return { check, severity: worstOf(findings), took_ms: tookMs, findings: shown };
}

export const doctor: Group = {
  name: 'doctor',
  summary: 'What is wrong, and the command that mends it: the first thing to run',
  commands: [examine],
};
