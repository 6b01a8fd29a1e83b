/** How plans, runs and decisions are shown, by the CLI and over HTTP alike. */
import type { ExplainedDecision } from './explain-run.ts';
import { stepsOf, type Gate, type Plan } from './plan.ts';
import type { Run, StoredDecision } from './rollout-store.ts';
import type { RolledBack, RolloutStatus } from './rollout.ts';

export function planJson(plan: Plan) {
  return {
    plan: plan.name,
    description: plan.description,
    passes: plan.passes,
    give_up_after_seconds: plan.giveUpAfterMs / 1_000,
    stages: stepsOf(plan).map(({ part, percent, bakeMs }) => ({
      ...{ part: part.name, flag: part.flag, percent, bake_seconds: bakeMs / 1_000 },
      requires: part.requires,
      gates: part.gates.map(gateJson),
    })),
  };
}

function gateJson(gate: Gate) {
  return {
    ...{ gate: gate.name, why: gate.why, metric: gate.metric, measure: gate.measure },
    window_seconds: gate.windowMs / 1_000,
    ...{ pass: limitsJson(gate.pass), fail: limitsJson(gate.fail), min_samples: gate.minSamples },
    ...{ no_data: gate.noData, failures_to_roll_back: gate.failuresToRollBack, dry_run: gate.isDryRun },
  };
}

function limitsJson({ value, timesBaseline, aboveBaseline }: Gate['pass']) {
  return { value, times_baseline: timesBaseline, above_baseline: aboveBaseline };
}

export function runJson(run: Run) {
  const { state } = run;
  const step = stepsOf(run.plan)[state.step];
  return {
    run_id: run.id,
    ...{ plan: run.planName, state: state.state, mode: state.mode },
    ...{ part: step?.part.name ?? null, percent: step?.percent ?? null },
    ...{ step: state.step + 1, steps: stepsOf(run.plan).length },
    ...{ passes: state.passes, failures: state.failures },
    hold: state.hold && {
      by: state.hold.by,
      since: new Date(state.hold.since).toISOString(),
      reason: state.hold.reason,
    },
    reason: state.reason || run.reason,
    started_by: run.startedBy,
    started_at: run.startedAt.toISOString(),
    updated_at: run.updatedAt.toISOString(),
    finished_at: run.finishedAt?.toISOString() ?? null,
  };
}

export function decisionJson(stored: StoredDecision) {
  return {
    decision_id: stored.id,
    at: stored.createdAt.toISOString(),
    ...{ action: stored.action, state: stored.state, reason: stored.reason },
    gates: stored.decision.gates.map(({ isDryRun, ...gate }) => ({ ...gate, dry_run: isDryRun })),
    changes: stored.decision.changes.map(({ flagName, isEnabled, rolloutPercent }) => ({
      ...{ flag_name: flagName, is_enabled: isEnabled, rollout_percent: rolloutPercent },
    })),
  };
}

/** With everything that it was decided on. */
export function explainedJson(explained: ExplainedDecision) {
  return {
    ...decisionJson(explained),
    confirmed: explained.isConfirmed,
    differs: explained.differs,
    input: explained.input,
  };
}

export function statusJson({ active, last, frozen, recent }: RolloutStatus) {
  return {
    active: active && runJson(active),
    last_decision: last && decisionJson(last),
    frozen: frozen && { by: frozen.by, reason: frozen.reason, until: frozen.untilAt?.toISOString() ?? null },
    recent: recent.map(runJson),
  };
}

export function rolledBackJson({ runId, lowered, kept, health }: RolledBack) {
  return {
    run_id: runId,
    lowered,
    kept: kept.map(({ flagName, reason }) => ({ flag_name: flagName, reason })),
    event_flow_stable: health.isEventFlowStable,
    snapshot_fresh: health.isSnapshotFresh,
  };
}
