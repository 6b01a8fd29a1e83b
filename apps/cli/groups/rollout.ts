/** Rollouts by plan. All but `rollback` and the looking ones ask the controller in the leading maintenance process. */
import {
  flagNames,
  flagsTopic,
  percentagesOf,
  planJson,
  positionOf,
  requireFlagName,
  rolledBackJson,
  statusJson,
  type Plan,
} from '@omnizap/rollout';
import { changerOf, changerOptions } from '../changer-options.ts';
import { UsageError, type Call, type Command, type Group } from '../command.ts';
import { explain, followRun } from '../rollout-history.ts';
import { age } from '../terminal.ts';

/** @throws UsageError, AppError `configuration-invalid` */
function onePlan({ operands, session }: Call): Plan {
  const plans = session.plans();
  const [name, ...others] = operands;
  const plan = plans.get(name ?? '');
  const known = [...plans.keys()].join(', ');
  if (name === undefined || others.length > 0) throw new UsageError(`Name one plan: ${known}.`);
  if (!plan) throw new UsageError(`There is no plan "${name}". There are: ${known}.`);
  return plan;
}

const plan: Command = {
  name: 'plan',
  summary: 'Checks the files in deploy/rollout and lists the plans, or one with its stages and gates',
  operands: '[<plan>]',
  options: {},
  examples: ['rollout plan', 'rollout plan event-outbox', 'rollout plan --json'],
  async run(call) {
    const { operands, session, terminal, isJson } = call;
    if (operands.length === 0) {
      const plans = [...session.plans().values()];
      if (isJson) terminal.json({ data: plans.map(planJson) });
      else
        terminal.table(
          ['PLAN', 'STAGES', 'WHAT'],
          plans.map((one) => [one.name, percentagesOf(one), one.description]),
        );
      return 0;
    }
    const chosen = onePlan(call);
    if (isJson) {
      terminal.json({ data: planJson(chosen) });
      return 0;
    }
    terminal.say(`${chosen.name}: ${chosen.description}`);
    for (const part of chosen.parts) {
      const stages = part.stages.map(({ percent, bakeMs }) => `${percent} % for ${durationText(bakeMs)}`).join(', ');
      terminal.say(`\n${part.name}: ${part.flag} to ${stages}`);
      for (const { process, release } of part.requires) terminal.say(`  needs a live ${process} of release ${release}`);
      terminal.table(
        ['  GATE', 'NO DATA', 'ROLLS BACK AT', 'WHAT'],
        part.gates.map((gate) => [
          `  ${gate.name}`,
          gate.noData,
          gate.isDryRun ? 'never (dry run)' : `failed sample ${gate.failuresToRollBack}`,
          gate.why,
        ]),
      );
    }
    return 0;
  },
};

/** As the plans write it. */
function durationText(ms: number): string {
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1_000} s`;
}

const status: Command = {
  name: 'status',
  summary: 'Shows the active run with its gates, the freeze, the flags and the last runs',
  options: {},
  examples: ['rollout status', 'rollout status --json'],
  async run({ session, terminal, isJson }) {
    const now = await (await session.rollout()).status();
    if (isJson) {
      terminal.json({ data: statusJson(now) });
      return 0;
    }
    const { active, last, frozen, flags, recent } = now;
    if (frozen)
      terminal.say(
        `Frozen by ${frozen.by}${frozen.untilAt ? ` until ${frozen.untilAt.toISOString()}` : ''}: ${frozen.reason}`,
      );
    if (!active) terminal.say('No run is active.');
    else {
      terminal.fields({
        run: `${active.id} of ${active.planName}, begun ${age(active.startedAt)} ago by ${active.startedBy}`,
        state: `${active.state.state}, ${positionOf(active)}`,
        looked: `${age(active.updatedAt)} ago`,
        hold: active.state.hold?.reason,
        last: last?.reason,
      });
      if (Date.now() - active.updatedAt.getTime() > 60_000)
        terminal.note('Nobody has looked at it for a minute: is a maintenance process running?');
      if (last && last.decision.gates.length > 0)
        terminal.table(
          ['GATE', 'OUTCOME', 'SAMPLES', 'WHY'],
          last.decision.gates.map((gate) => [
            gate.gate,
            gate.isDryRun ? `${gate.outcome} (dry run)` : gate.outcome,
            String(gate.samples),
            gate.reason,
          ]),
        );
    }
    terminal.say('');
    terminal.table(
      ['FLAG', 'STATE', 'CHANGED', 'BY'],
      flags.map((flag) => [
        flag.flagName,
        flag.isEnabled ? `on ${flag.rolloutPercent} %` : 'off',
        `${age(flag.updatedAt)} ago`,
        flag.updatedBy,
      ]),
    );
    if (recent.length > 0) {
      terminal.say('');
      terminal.table(
        ['RUN', 'PLAN', 'STATE', 'BEGUN', 'WHY'],
        recent.map((run) => [
          String(run.id),
          run.planName,
          run.state.state,
          `${age(run.startedAt)} ago`,
          run.state.reason || run.reason,
        ]),
      );
    }
    return 0;
  },
};

const waitOptions = {
  wait: { type: 'boolean', description: 'Follow the run to its end: exit 0 succeeded, 1 anything else' },
  timeout: {
    type: 'string',
    value: 'minutes',
    description: 'With --wait: give up following after so long (default 240)',
  },
} as const;

const auto: Command = {
  name: 'auto',
  summary:
    'Walks a plan to its end: raises when the gates pass, holds when they cannot tell, rolls back when they fail',
  operands: '<plan>',
  options: { ...waitOptions, ...changerOptions },
  examples: ['rollout auto worker-canary --reason "release 1.4"', 'rollout auto event-outbox --wait --reason "step 2"'],
  async run(call) {
    const minutes = call.options.number('timeout', { min: 0.01, max: 10_000, isWhole: false });
    const { name } = onePlan(call);
    const answer = await (await call.session.rollout()).ask({ kind: 'auto', planName: name }, changerOf(call.options));
    if (call.options.flag('wait')) return followRun(call, answer.runId ?? 0, (minutes ?? 240) * 60_000);
    tell(call, answer);
    return 0;
  },
};

const promote: Command = {
  name: 'promote',
  summary: 'Raises a plan by one percentage and watches it there; exit 1 while the gate is closed',
  operands: '<plan>',
  options: {
    force: { type: 'boolean', description: 'Without waiting for the bake and the gates; freeze and needs still count' },
    ...changerOptions,
  },
  examples: [
    'rollout promote event-outbox --reason "10 % look fine"',
    'rollout promote event-outbox --force --reason "..."',
  ],
  async run(call) {
    const request = { kind: 'promote', planName: onePlan(call).name, isForced: call.options.flag('force') } as const;
    tell(call, await (await call.session.rollout()).ask(request, changerOf(call.options)));
    return 0;
  },
};

function askCommand(kind: 'hold' | 'resume' | 'stop', summary: string): Command {
  return {
    name: kind,
    summary,
    options: changerOptions,
    examples: [`rollout ${kind} --reason "..."`],
    async run(call) {
      tell(call, await (await call.session.rollout()).ask({ kind }, changerOf(call.options)));
      return 0;
    },
  };
}

function tell({ terminal, isJson }: Call, { text, runId }: { text: string; runId: number | null }): void {
  if (isJson) terminal.json({ data: { run_id: runId, answer: text } });
  else terminal.say(text);
}

const freeze: Command = {
  name: 'freeze',
  summary: 'Lets nothing be raised, by any plan, until unfreeze; what is bad is still rolled back',
  options: {
    hours: { type: 'string', value: 'n', description: 'Ends by itself after so long' },
    ...changerOptions,
  },
  examples: ['rollout freeze --hours 12 --reason "launch day"'],
  async run({ options, session, terminal, isJson }) {
    const hours = options.number('hours', { min: 0.01, max: 10_000, isWhole: false });
    const untilAt = hours === undefined ? null : new Date(Date.now() + hours * 3_600_000);
    await (await session.rollout()).freeze(changerOf(options), untilAt);
    if (isJson) terminal.json({ data: { frozen: true, until: untilAt?.toISOString() ?? null } });
    else terminal.say(`Frozen${untilAt ? ` until ${untilAt.toISOString()}` : ''}.`);
    return 0;
  },
};

const unfreeze: Command = {
  name: 'unfreeze',
  summary: 'Ends the freeze',
  options: changerOptions,
  examples: ['rollout unfreeze --reason "launch is over"'],
  async run({ options, session, terminal, isJson }) {
    const wasFrozen = await (await session.rollout()).unfreeze(changerOf(options));
    if (isJson) terminal.json({ data: { frozen: false, was_frozen: wasFrozen } });
    else terminal.say(wasFrozen ? 'No longer frozen.' : 'Nothing was frozen.');
    return 0;
  },
};

const rollback: Command = {
  name: 'rollback',
  summary: 'Switches off in the order of the runbook, here and now, and ends the active run; needs the database only',
  operands: '[<flag>]',
  options: {
    keep: { type: 'string', value: 'flags', description: 'Flags that stay, separated by commas' },
    yes: { type: 'boolean', description: 'Do not ask' },
    ...changerOptions,
  },
  examples: ['rollout rollback --yes', 'rollout rollback enable_worker_canary_release --yes --reason "p95 doubled"'],
  async run({ operands, options, session, terminal, isJson }) {
    const [flag, ...others] = operands;
    if (others.length > 0) throw new UsageError(`One flag, or none for all of them: ${flagNames.join(', ')}.`);
    const flagName = flag === undefined ? undefined : requireFlagName(flag);
    const keep = (options.text('keep') ?? '').split(',').filter((name) => name !== '');
    keep.forEach(requireFlagName);
    if (!options.flag('yes')) {
      if (!terminal.isInteractive()) throw new UsageError('There is no terminal to ask on: say --yes.');
      if (!(await terminal.confirm(`Switch off ${flagName ?? 'what the runbook switches off'} now?`))) return 1;
    }
    // At 3 a.m. nobody is to be sent back for a reason.
    const by = changerOf({
      ...options,
      text: (name) => options.text(name) ?? (name === 'reason' ? 'rollback' : undefined),
    });
    const done = await (await session.rollout()).rollBack({ flagName, keep }, by);
    session.announce(flagsTopic);
    if (isJson) {
      terminal.json({ data: rolledBackJson(done) });
      return 0;
    }
    for (const name of done.lowered) terminal.say(`${name} is off`);
    if (done.lowered.length === 0) terminal.say('Nothing had to be switched off.');
    for (const { flagName: name, reason } of done.kept) terminal.say(`${name} stays on: ${reason}`);
    if (done.runId !== null) terminal.say(`Run ${done.runId} is over.`);
    return 0;
  },
};

export const rollout: Group = {
  name: 'rollout',
  summary: 'Raise flags by plan and gates, watch, roll back, explain',
  commands: [
    ...[plan, status, auto, promote],
    askCommand('hold', 'Lets the active run stay where it is; its gates go on, and bad ones still roll back'),
    askCommand('resume', 'Ends a hold of an operator'),
    askCommand('stop', 'Ends the active run and leaves the flags as they are'),
    ...[freeze, unfreeze, rollback, explain],
  ],
};
