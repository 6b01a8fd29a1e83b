/**
 * The loop around `decide`, for the leading maintenance process: sample, look, decide, carry out, keep. It holds nothing that cannot
 * be lost: a controller that is killed anywhere is followed by one that finds the run, its intent and the flags in the tables.
 */
import {
  Counter,
  Gauge,
  isAppError,
  type Database,
  type LiveProcess,
  type Logger,
  type Metrics,
  type Wakeups,
} from '@omnizap/runtime';
import { decide, nextStep, type DecideInput, type Decision, type Request, type SeenFlag } from './decide.ts';
import { createFlagStore, type FlagRow } from './flag-store.ts';
import { flagsTopic } from './flags.ts';
import type { Observation, Observed } from './judge-gate.ts';
import { unownedTasks } from './known-metrics.ts';
import { observeBefore, observeGate } from './observe-gate.ts';
import { stepsOf, type Gate, type Part, type Plan, type Requirement } from './plan.ts';
import { readRollbackHealth, type HealthSources } from './rollback-order.ts';
import { createRequestStore, type RolloutRequest } from './rollout-request-store.ts';
import { createRolloutStore, type Run } from './rollout-store.ts';
import { isFinal } from './run-state.ts';
import type { SampleSource } from './sample-source.ts';
import { createSampler } from './sampler.ts';

export const sampleIntervalMs = 5_000;
/** Older samples say nothing about now: every gate is an error then. */
const staleMs = 3 * sampleIntervalMs;
/** What was asked for so long ago may not be wanted any more. */
const requestLifeSeconds = 60;
/** Of decisions that only repeat the last one, one a minute is kept. */
const keptEveryMs = 60_000;
/** An intent, what follows from it, and one more look. */
const decisionsPerPass = 4;

type ControllerDeps = HealthSources & {
  database: Database;
  log: Logger;
  metrics: Metrics;
  wakeups: Pick<Wakeups, 'notify'>;
  source: SampleSource;
  processes: () => Promise<LiveProcess[]>;
  /** Milliseconds since the epoch. Default: the database's clock. */
  now?: () => Promise<number>;
};

type ControllerOptions = {
  plans: Map<string, Plan>;
  /** Why there are no plans, when they cannot be read: a run that is active has its own and goes on. */
  planProblem?: string | undefined;
  /** Asked before everything that changes something. */
  mayAct: () => boolean;
};

export function createRolloutController(deps: ControllerDeps, { plans, planProblem, mayAct }: ControllerOptions) {
  const store = createRolloutStore(deps.database);
  const requests = createRequestStore(deps.database);
  const flagStore = createFlagStore(deps.database);
  const meters = createMeters(deps.metrics);
  const allGates = [...plans.values()].flatMap(({ parts }) => parts.flatMap(({ gates }) => gates));
  let sampler = createSampler(allGates, deps.source);
  /** Gates of a run that began under another release may select what ours do not. */
  let sampledGates = new Set(allGates.map(fingerprint));
  let sampleProblem = 'nothing was sampled yet';
  let kept: { runId: number; at: number; outcomes: string } | null = null;

  /** False when sampling had to begin anew for it. */
  function coversGates(run: Run): boolean {
    const gates = run.plan.parts.flatMap((part) => part.gates);
    const missing = gates.filter((gate) => !sampledGates.has(fingerprint(gate)));
    if (missing.length === 0) return true;
    sampledGates = new Set([...sampledGates, ...missing.map(fingerprint)]);
    sampler = createSampler([...allGates, ...missing], deps.source);
    return false;
  }

  /** False when there is no new sample, and the last one is still good: there is nothing new to decide on. */
  async function sample(now: number, processes: LiveProcess[]): Promise<boolean> {
    try {
      const { finished, silent, unowned } = await sampler.sample(now, processes);
      meters.sampled(now, unowned);
      sampleProblem = '';
      if (silent.length > 0) deps.log.debug({ processes: silent }, 'live processes that do not answer at /metrics');
      await requests.writeMinutes(finished);
      return true;
    } catch (error) {
      sampleProblem = error instanceof Error ? error.message : String(error);
      deps.log.warn({ err: error }, 'the fleet cannot be sampled');
      return now - (sampler.ticks().at(-1)?.at ?? -Infinity) > staleMs;
    }
  }

  function observedOf(run: Run, now: number): Record<string, Observed> {
    const { state } = run;
    const part = stepsOf(run.plan)[state.step]?.part;
    if (!part || (state.state !== 'watching' && state.state !== 'held')) return {};
    const ticks = sampler.ticks();
    const isStale = now - (ticks.at(-1)?.at ?? -Infinity) > staleMs;
    return Object.fromEntries(
      part.gates.map((gate): [string, Observed] => {
        if (isStale) {
          const why = `nothing was sampled for ${staleMs / 1_000} s: ${sampleProblem}`;
          return [gate.name, { current: { kind: 'error', why }, coveredMs: 0 }];
        }
        const before = run.baselines[baselineKey(part, gate)];
        return [gate.name, observeGate(gate, ticks, { now, raisedAt: state.raisedAt ?? now, before })];
      }),
    );
  }

  /** What "before" is, from the moment before the part's flag is raised for the first time. */
  function baselinesAt(run: Run, decision: Decision, now: number): Record<string, Observation> {
    const part = decision.action === 'intend-raise' ? stepsOf(run.plan)[decision.next.target ?? -1]?.part : undefined;
    if (!part || run.state.raised.includes(part.flag)) return run.baselines;
    const ticks = sampler.ticks();
    const taken = part.gates
      .filter(({ compare }) => compare === 'before')
      .map((gate): [string, Observation] => [baselineKey(part, gate), observeBefore(gate, ticks, now)]);
    return { ...run.baselines, ...Object.fromEntries(taken) };
  }

  async function inputOf(
    run: Run,
    now: number,
    processes: LiveProcess[],
    request: Request | null,
  ): Promise<DecideInput> {
    const flags = seenFlags(await flagStore.list(), run);
    const frozen = await requests.frozen();
    const next = nextStep(run.plan, { run: run.state, flags });
    return {
      ...{ now, run: run.state, flags, request },
      observed: observedOf(run, now),
      missing: next ? missingOf(next.step.part.requires, processes) : [],
      freeze: frozen ? { by: frozen.by, reason: frozen.reason } : null,
      health: await readRollbackHealth(deps),
    };
  }

  /** Whether anybody who reads the decisions later would miss this one. */
  function isWorthKeeping(run: Run, input: DecideInput, decision: Decision): boolean {
    const outcomes = decision.gates.map(({ gate, outcome }) => `${gate}:${outcome}`).join(',');
    const isRepetition =
      (decision.action === 'watch' || decision.action === 'hold') &&
      decision.next.state === run.state.state &&
      decision.answer === null &&
      !decision.gates.some(({ outcome }) => outcome === 'fail') &&
      kept?.runId === run.id &&
      kept.outcomes === outcomes &&
      input.now - kept.at < keptEveryMs;
    if (!isRepetition) kept = { runId: run.id, at: input.now, outcomes };
    return !isRepetition;
  }

  async function step(run: Run, input: DecideInput): Promise<{ run: Run; decision: Decision }> {
    const decision = decide(run.plan, input);
    const isKept = isWorthKeeping(run, input, decision);
    const baselines = baselinesAt(run, decision, input.now);
    const next = await store.advance(run, { input, decision, baselines, isKept });
    if (decision.changes.length > 0) deps.wakeups.notify(flagsTopic);
    meters.decided(decision.action);
    if (isKept) {
      const isBad = decision.action === 'intend-rollback' || decision.action === 'abort';
      deps.log[isBad ? 'warn' : 'info'](
        { run: run.id, plan: run.planName, action: decision.action, state: next.state.state },
        `rollout: ${decision.reason}`,
      );
    }
    return { run: next, decision };
  }

  /** Begins what was asked for, or says why not. Returns the request that is left for the active run to decide about. */
  async function admit(
    request: RolloutRequest,
    active: Run | null,
  ): Promise<{ run: Run | null; request: Request | null }> {
    const refuse = async (text: string): Promise<{ run: Run | null; request: null }> => {
      await requests.answer(request.id, { isAccepted: false, text, runId: active?.id ?? null });
      return { run: active, request: null };
    };
    const { kind, planName } = request;
    if (request.ageSeconds > requestLifeSeconds) return refuse('nobody looked at it in time: ask again');
    if (kind !== 'auto' && active && (planName === null || planName === active.planName))
      return { run: active, request: { ...request, kind } };
    if (active) return refuse(`run ${active.id} of ${active.planName} is active: stop it or roll it back first`);
    if (kind !== 'auto' && kind !== 'promote') return refuse('no run is active');
    const plan = plans.get(planName ?? '');
    if (!plan && planProblem !== undefined) return refuse(planProblem);
    if (!plan) return refuse(`there is no plan "${planName ?? ''}"; there are: ${[...plans.keys()].join(', ')}`);

    const rows = await flagStore.list();
    const flags = Object.fromEntries(
      rows
        .filter(({ flagName }) => plan.parts.some(({ flag }) => flag === flagName))
        .map(({ flagName, isEnabled, rolloutPercent, version }) => [flagName, { isEnabled, rolloutPercent, version }]),
    );
    const mode = kind === 'auto' ? 'auto' : 'step';
    if (!nextStep(plan, { run: { step: -1 }, flags }))
      return refuse(`every flag of ${plan.name} is at its last percentage already`);
    const run = await store.begin(plan, mode, request, flags);
    if (!run) return refuse('another run has just begun');
    await requests.answer(request.id, {
      isAccepted: true,
      text: `run ${run.id} of ${plan.name} has begun`,
      runId: run.id,
    });
    return { run, request: null };
  }

  return {
    /**
     * One sample, and what follows from it. Call it every `sampleIntervalMs`; two who do it at once do no harm.
     * @throws whatever keeps it from looking at the tables: nothing is raised then, and the next pass tries again
     */
    async pass(): Promise<void> {
      const now = await (deps.now ?? store.now)();
      const processes = await deps.processes();
      const isNew = await sample(now, processes);
      if (!mayAct()) return;
      let active = await store.active();
      let request: Request | null = null;
      for (const one of await requests.open()) {
        ({ run: active, request } = await admit(one, active));
        if (request) break;
      }
      meters.show(active);
      if (!active || !isNew || !coversGates(active)) return;
      for (let count = 0; count < decisionsPerPass && active && mayAct(); count += 1) {
        const input = await inputOf(active, now, processes, request);
        request = null;
        let decision: Decision;
        try {
          ({ run: active, decision } = await step(active, input));
        } catch (error) {
          if (!isAppError(error, 'version-conflict')) throw error;
          deps.log.info({ run: active.id }, `rollout: ${error.message}`);
          return;
        }
        meters.show(active);
        if (isFinal(active.state.state) || !decision.action.startsWith('intend-')) return;
      }
    },

    /** Somebody else leads: two exporters would contradict each other. */
    clear: meters.clear,
  };
}

function baselineKey(part: Part, gate: Gate): string {
  return `${part.name}/${gate.name}`;
}

function fingerprint({ metric, where, measure, of, compare }: Gate): string {
  return JSON.stringify([metric, where, measure, of, compare]);
}

function seenFlags(rows: FlagRow[], run: Run): Record<string, SeenFlag> {
  return Object.fromEntries(
    rows
      .filter(({ flagName }) => run.state.flags[flagName] !== undefined)
      .map(({ flagName, isEnabled, rolloutPercent, version, updatedBy }) => [
        flagName,
        { isEnabled, rolloutPercent, version, updatedBy },
      ]),
  );
}

function missingOf(requires: Requirement[], processes: LiveProcess[]): string[] {
  return requires
    .filter(
      ({ process, release }) =>
        !processes.some(
          ({ processName, status }) => processName === process && (status.release ?? 'stable') === release,
        ),
    )
    .map(({ process, release }) => `no live ${process} of release ${release}`);
}

function createMeters({ registry }: Metrics) {
  const registers = [registry];
  const state = new Gauge({
    name: 'omnizap_rollout_run_state',
    help: '1 for the state of the active run.',
    labelNames: ['plan', 'state'],
    registers,
  });
  const percent = new Gauge({
    name: 'omnizap_rollout_stage_percent',
    help: 'Percentage that the active run has raised its flag to.',
    labelNames: ['plan'],
    registers,
  });
  const unowned = new Gauge({
    name: unownedTasks,
    help: 'Unfinished tasks of lanes that no live process works.',
    registers,
  });
  const sampledAt = new Gauge({
    name: 'omnizap_rollout_sample_timestamp_seconds',
    help: 'When the fleet was last sampled.',
    registers,
  });
  const decisions = new Counter({
    name: 'omnizap_rollout_decisions_total',
    help: 'Decisions of the rollout controller, by what they did.',
    labelNames: ['action'],
    registers,
  });
  return {
    sampled(now: number, count: number): void {
      sampledAt.set(now / 1_000);
      unowned.set(count);
    },
    decided: (action: string): void => decisions.inc({ action }),
    show(run: Run | null): void {
      state.reset();
      percent.reset();
      if (!run || isFinal(run.state.state)) return;
      state.set({ plan: run.planName, state: run.state.state }, 1);
      percent.set({ plan: run.planName }, stepsOf(run.plan)[run.state.step]?.percent ?? 0);
    },
    clear(): void {
      for (const gauge of [state, percent, unowned, sampledAt]) gauge.reset();
    },
  };
}
