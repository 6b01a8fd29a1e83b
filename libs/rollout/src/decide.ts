/**
 * What a run does next: a pure function of the plan, the run as it was, the flags as they are, what the gates observed and what an
 * operator asked for. The controller carries the decision out and keeps it with all of these, so that `explain` can decide again.
 *
 * Which failure it prefers: not to raise. Nothing is raised on missing data, behind a freeze, or over a change by somebody else;
 * and a flag is lowered also while the run is held, waits or is frozen.
 */
import { judgeGate, type GateResult, type Observed } from './judge-gate.ts';
import { stepsOf, type Plan, type Step } from './plan.ts';
import { flagsToLower, type RollbackHealth } from './rollback-order.ts';
import { actorOf, type FlagValue, type Hold, type RunState } from './run-state.ts';

/** An intent that nobody carried out for so long was made on what is known no more: it is given up, and all is looked at again. */
const intentLifeMs = 30_000;

export type SeenFlag = FlagValue & { updatedBy: string };

export type Request = {
  id: number;
  kind: 'promote' | 'hold' | 'resume' | 'stop';
  /** `promote` only: neither the bake nor the gates are waited for. */
  isForced: boolean;
  actor: string;
  reason: string;
};

export type DecideInput = {
  /** Milliseconds since the epoch, by the database's clock. */
  now: number;
  run: RunState;
  /** The plan's flags; one whose row is gone is missing here. */
  flags: Record<string, SeenFlag>;
  /** By gate of the current step. */
  observed: Record<string, Observed>;
  /** What the next step requires and is not there, in words. */
  missing: string[];
  freeze: { by: string; reason: string } | null;
  health: RollbackHealth;
  request: Request | null;
};

export type Action =
  'intend-raise' | 'raise' | 'note-raise' | 'watch' | 'hold' | 'intend-rollback' | 'roll-back' | 'finish' | 'abort';

type NewValue = { flagName: string; isEnabled: boolean; rolloutPercent: number; expectedVersion?: number };

export type Decision = {
  action: Action;
  reason: string;
  gates: GateResult[];
  next: RunState;
  changes: NewValue[];
  /** What the operator who asked is told. */
  answer: { isAccepted: boolean; text: string } | null;
};

export function decide(plan: Plan, input: DecideInput): Decision {
  const { run } = input;
  const foreign = foreignChange(plan, input);
  if (foreign !== null) return end(input, 'aborted', 'abort', foreign);
  if (run.state === 'rolling-back') return carryOutRollback(input);
  if (run.state === 'raising') return carryOutRaise(plan, input);
  return look(plan, input);
}

/** Says whose change it is that the run did not make; null when the flags are as the run left them, or as it meant to leave them. */
function foreignChange(plan: Plan, { run, flags }: DecideInput): string | null {
  for (const [name, known] of Object.entries(run.flags)) {
    const seen = flags[name];
    if (!seen) return `the row of ${name} is gone`;
    const isSame = hasValue(seen, known.isEnabled, known.rolloutPercent) && seen.version === known.version;
    if (isSame || isOwnUnrecorded(plan, run, name, seen)) continue;
    return `${name} was changed by ${seen.updatedBy} to ${describe(seen)}; this run had left it ${describe(known)}`;
  }
  return null;
}

/** A crash between changing a flag and recording that: the change is the intended one, and it was us. Off is off, whoever did it. */
function isOwnUnrecorded(plan: Plan, run: RunState, name: string, seen: SeenFlag): boolean {
  if (run.state === 'rolling-back') return (run.rollback?.flags.includes(name) ?? false) && isOff(seen);
  const step = run.state === 'raising' && run.target !== null ? stepsOf(plan)[run.target] : undefined;
  return step?.part.flag === name && hasValue(seen, true, step.percent) && seen.updatedBy === actorOf(run.runId);
}

function carryOutRaise(plan: Plan, input: DecideInput): Decision {
  const { run, flags, now } = input;
  const target = run.target ?? 0;
  const step = stepsOf(plan)[target];
  const seen = step && flags[step.part.flag];
  if (!step || !seen) return end(input, 'aborted', 'abort', 'the step that was to be raised is not in the plan');
  const { flag } = step.part;
  const isRaised = hasValue(seen, true, step.percent);
  if (!isRaised && now - (run.intendedAt ?? now) > intentLifeMs) {
    const reason = `the intent to raise ${flag} to ${step.percent} % is too old: looking again first`;
    return made('watch', reason, { ...run, state: 'watching', target: null, intendedAt: null, passes: 0 });
  }
  const next: RunState = {
    ...run,
    state: 'watching',
    step: target,
    target: null,
    intendedAt: null,
    // The version that a change gets is known when it has it; the controller fills it in.
    flags: { ...run.flags, [flag]: { isEnabled: true, rolloutPercent: step.percent, version: seen.version } },
    raised: run.raised.includes(flag) ? run.raised : [...run.raised, flag],
    raisedAt: now,
    passes: 0,
    failures: {},
    hold: null,
  };
  if (isRaised)
    return made('note-raise', `${flag} is at ${step.percent} % already: raised before a crash, recorded now`, next);
  const changes = [{ flagName: flag, isEnabled: true, rolloutPercent: step.percent, expectedVersion: seen.version }];
  return { ...made('raise', `${flag} to ${step.percent} %`, next), changes };
}

function carryOutRollback(input: DecideInput): Decision {
  const { run, flags } = input;
  const { flags: names = [], reason = '' } = run.rollback ?? {};
  const changes = names
    .filter((name) => !isOff(flags[name]))
    .map((flagName) => ({ flagName, isEnabled: false, rolloutPercent: 0 }));
  const next = { ...run, state: 'rolled-back' as const, hold: null, reason };
  return { ...made('roll-back', `${names.join(', ')} off: ${reason}`, next), changes };
}

/** Watching or held: judge the gates, count, and go up, down, on, or stay. */
function look(plan: Plan, input: DecideInput): Decision {
  const { run, request, now } = input;
  const step = stepsOf(plan)[run.step];
  const gates = (step?.part.gates ?? []).map((gate) => judgeGate(gate, input.observed[gate.name], now));
  const voting = gates.filter(({ isDryRun }) => !isDryRun);
  const isPassed = voting.every(({ outcome }) => outcome === 'pass');
  const counted: RunState = {
    ...run,
    passes: isPassed ? run.passes + 1 : 0,
    failures: countFailures(run.failures, voting),
  };
  const sampled: DecideInput = { ...input, run: counted };

  if (request?.kind === 'stop') {
    const reason = `stopped by ${request.actor}: ${request.reason}`;
    return answered(end(sampled, 'aborted', 'abort', reason, gates), true, 'the run has ended; flags stay as they are');
  }
  const failed = voting.find(
    ({ gate, outcome }) =>
      outcome === 'fail' &&
      (counted.failures[gate] ?? 0) >= (step?.part.gates.find(({ name }) => name === gate)?.failuresToRollBack ?? 1),
  );
  if (failed) {
    const reason = `gate ${failed.gate} failed at ${step?.percent ?? 0} % of ${step?.part.name ?? ''}: ${failed.reason}`;
    return refuse(intendRollback(sampled, step, reason, gates), request);
  }
  const held = heldByGates(plan, sampled, step, voting);
  if (held && now - held.since >= plan.giveUpAfterMs && run.step >= 0) {
    const reason = `no verdict in ${Math.round(plan.giveUpAfterMs / 60_000)} min: ${held.reason}`;
    return refuse(intendRollback(sampled, step, reason, gates), request);
  }
  return goOn(plan, sampled, { step, gates, held });
}

type Looked = { step: Step | undefined; gates: GateResult[]; held: Hold | null };

/** Nothing is wrong enough to go down. */
function goOn(plan: Plan, input: DecideInput, { step, gates, held }: Looked): Decision {
  const { run, request, now, freeze } = input;
  const stay = (hold: Hold | null): Decision => {
    const next: RunState = { ...run, state: hold ? 'held' : 'watching', hold };
    return made(hold ? 'hold' : 'watch', hold?.reason ?? watchReason(plan, input, step), next, gates);
  };
  const since = (by: Hold['by']): number => (run.hold?.by === by ? run.hold.since : now);

  if (request?.kind === 'hold') {
    const reason = `held by ${request.actor}: ${request.reason}`;
    return answered(stay({ by: 'operator', since: now, reason }), true, 'held; gates are sampled on');
  }
  if (request?.kind === 'resume' && run.hold?.by !== 'operator')
    return answered(stay(run.hold), false, 'no operator holds this run');
  const isForced = request?.kind === 'promote' && request.isForced;
  const isHeldByOperator = run.hold?.by === 'operator' && request?.kind !== 'resume' && request?.kind !== 'promote';
  if (isHeldByOperator) return stay(run.hold);

  const isBaked = run.step < 0 || (now - (run.raisedAt ?? now) >= (step?.bakeMs ?? 0) && run.passes >= plan.passes);
  if (!isBaked && !isForced) {
    const decision = stay(held);
    if (request?.kind === 'resume') return answered(decision, true, 'resumed');
    return request
      ? answered(decision, false, `the gate is closed: ${closedBecause(plan, input, step, gates)}`)
      : decision;
  }
  const target = nextStep(plan, input);
  if (target === null) {
    const done = end(input, 'succeeded', 'finish', `${plan.name} is at its last percentage and stayed healthy`, gates);
    return request ? answered(done, true, done.reason) : done;
  }
  if (run.mode === 'step' && request?.kind !== 'promote' && run.step >= 0) {
    const { part, percent } = target.step;
    const reason = `ready for ${percent} % of ${part.name}: waits for a promote`;
    const decision = stay({ by: 'step', since: since('step'), reason });
    return request ? answered(decision, true, reason) : decision;
  }
  if (freeze) {
    const reason = `frozen by ${freeze.by}: ${freeze.reason}`;
    return refuse(stay({ by: 'freeze', since: since('freeze'), reason }), request);
  }
  if (input.missing.length > 0) {
    const reason = `before ${target.step.percent} % of ${target.step.part.name}: ${input.missing.join('; ')}`;
    return refuse(stay({ by: 'requirements', since: since('requirements'), reason }), request);
  }
  const why = isForced ? `, forced by ${request.actor}: ${request.reason}` : '';
  const reason = `${target.step.part.flag} is to go to ${target.step.percent} %${why}`;
  const next: RunState = { ...run, state: 'raising', target: target.index, intendedAt: now, hold: null };
  const decision = made('intend-raise', reason, next, gates);
  return request ? answered(decision, true, reason) : decision;
}

/** While the bake lasts, only a broken measurement holds; at its end everything that is not a pass does. */
function heldByGates(plan: Plan, { run, now }: DecideInput, step: Step | undefined, voting: GateResult[]): Hold | null {
  const isBakeOver = step !== undefined && now - (run.raisedAt ?? now) >= step.bakeMs;
  const open = voting.filter(({ outcome }) => outcome === 'error' || (isBakeOver && outcome !== 'pass'));
  if (open.length === 0) return isBakeOver && run.passes < plan.passes && run.hold?.by === 'gates' ? run.hold : null;
  const reason = open.map(({ gate, outcome, reason: why }) => `${gate} ${outcome}: ${why}`).join('; ');
  return { by: 'gates', since: run.hold?.by === 'gates' ? run.hold.since : now, reason };
}

function countFailures(before: Record<string, number>, voting: GateResult[]): Record<string, number> {
  const after: Record<string, number> = {};
  for (const { gate, outcome } of voting) {
    const count = outcome === 'fail' ? (before[gate] ?? 0) + 1 : outcome === 'pass' ? 0 : (before[gate] ?? 0);
    if (count > 0) after[gate] = count;
  }
  return after;
}

/** The next step whose flag is below its percentage. */
export function nextStep(
  plan: Plan,
  {
    run,
    flags,
  }: { run: Pick<RunState, 'step'>; flags: Record<string, Pick<FlagValue, 'isEnabled' | 'rolloutPercent'>> },
): { index: number; step: Step } | null {
  const steps = stepsOf(plan);
  for (let index = run.step + 1; index < steps.length; index += 1) {
    const step = steps[index];
    const seen = step && flags[step.part.flag];
    if (step && seen && (!seen.isEnabled || seen.rolloutPercent < step.percent)) return { index, step };
  }
  return null;
}

function intendRollback(input: DecideInput, step: Step | undefined, reason: string, gates: GateResult[]): Decision {
  const { run, health } = input;
  const flags = flagsToLower(run.raised, step?.part.flag, health);
  const next: RunState = { ...run, state: 'rolling-back', rollback: { flags, reason }, hold: null, reason };
  return made('intend-rollback', reason, next, gates);
}

function end(
  { run }: DecideInput,
  state: 'succeeded' | 'aborted',
  action: Action,
  reason: string,
  gates: GateResult[] = [],
): Decision {
  return made(action, reason, { ...run, state, target: null, hold: null, reason }, gates);
}

function made(action: Action, reason: string, next: RunState, gates: GateResult[] = []): Decision {
  return { action, reason, gates, next, changes: [], answer: null };
}

function answered(decision: Decision, isAccepted: boolean, text: string): Decision {
  return { ...decision, answer: { isAccepted, text } };
}

function refuse(decision: Decision, request: Request | null): Decision {
  return request ? answered(decision, false, decision.reason) : decision;
}

function watchReason(plan: Plan, { run, now }: DecideInput, step: Step | undefined): string {
  if (!step) return 'not begun';
  const baked = Math.round((now - (run.raisedAt ?? now)) / 1_000);
  return `${step.part.name} at ${step.percent} %: ${baked} of ${step.bakeMs / 1_000} s, ${Math.min(run.passes, plan.passes)} of ${plan.passes} passes`;
}

function closedBecause(plan: Plan, input: DecideInput, step: Step | undefined, gates: GateResult[]): string {
  const open = gates.filter(({ outcome, isDryRun }) => outcome !== 'pass' && !isDryRun);
  return [
    watchReason(plan, input, step),
    ...open.map(({ gate, outcome, reason }) => `${gate} ${outcome}, ${reason}`),
  ].join('; ');
}

function hasValue(seen: FlagValue, isEnabled: boolean, percent: number): boolean {
  return seen.isEnabled === isEnabled && seen.rolloutPercent === percent;
}

function isOff(value: FlagValue | undefined): boolean {
  return value !== undefined && !value.isEnabled && value.rolloutPercent === 0;
}

function describe({ isEnabled, rolloutPercent, version }: FlagValue): string {
  return `${isEnabled ? 'on' : 'off'} at ${rolloutPercent} % (version ${version})`;
}
