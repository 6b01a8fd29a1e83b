/**
 * What operators do about rollouts. Asking writes a request that the controller answers; a rollback is done here and now, in one
 * transaction, because it must work when nothing else does.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError, type Database } from '@omnizap/runtime';
import { explainDecision, type ExplainedDecision } from './explain-run.ts';
import { createFlagStore, type FlagRow } from './flag-store.ts';
import { rollbackOrder, stepsOf, type Plan } from './plan.ts';
import { flagsToLower, readRollbackHealth, type HealthSources, type RollbackHealth } from './rollback-order.ts';
import {
  createRequestStore,
  type Answer,
  type Freeze,
  type RequestKind,
  type RolloutBy,
} from './rollout-request-store.ts';
import { createRolloutStore, type Run, type StoredDecision } from './rollout-store.ts';

const pollMs = 250;
/** A controller looks every 5 s; a new leader needs up to 10 s to become one. */
const answerTimeoutMs = 20_000;
const mostDecisions = 10_000;

type RolloutDeps = HealthSources & { database: Database };

type Asked = { kind: RequestKind; planName?: string | undefined; isForced?: boolean };

export type RolloutStatus = {
  active: Run | null;
  last: StoredDecision | null;
  frozen: Freeze | null;
  flags: FlagRow[];
  recent: Run[];
};

export type RolledBack = {
  /** The run that this ended. */
  runId: number | null;
  /** Switched off now, in the runbook's order. */
  lowered: string[];
  /** On still, and why. */
  kept: { flagName: string; reason: string }[];
  health: RollbackHealth;
};

export type Rollout = ReturnType<typeof createRollout>;

export function createRollout(deps: RolloutDeps) {
  const { database } = deps;
  const store = createRolloutStore(database);
  const requests = createRequestStore(database);
  const flagStore = createFlagStore(database);

  async function findRun(runId: number | undefined): Promise<Run> {
    const run = runId === undefined ? (await store.recent(1))[0] : await store.find(runId);
    if (run) return run;
    throw new AppError(
      'not-found',
      runId === undefined ? 'No rollout has run yet.' : `There is no rollout run ${runId}.`,
    );
  }

  const submit = ({ kind, planName, isForced = false }: Asked, by: RolloutBy): Promise<number> =>
    requests.ask({ kind, planName: planName ?? null, isForced }, by);

  return {
    async status(): Promise<RolloutStatus> {
      const active = await store.active();
      const [last, frozen, flags, recent] = await Promise.all([
        active ? store.lastDecision(active.id) : null,
        requests.frozen(),
        flagStore.list(),
        store.recent(10),
      ]);
      return { active, last, frozen, flags, recent };
    },

    /**
     * Asks the controller and waits for its answer.
     * @throws AppError `rollout-refused` with its reason; `unavailable` when nobody answers, and then it is withdrawn
     */
    async ask(
      request: Asked,
      by: RolloutBy,
      { timeoutMs = answerTimeoutMs }: { timeoutMs?: number } = {},
    ): Promise<Answer> {
      const id = await submit(request, by);
      const endsAt = performance.now() + timeoutMs;
      for (;;) {
        const answer = await requests.answerOf(id);
        if (answer?.isAccepted) return answer;
        if (answer) throw new AppError('rollout-refused', answer.text);
        if (performance.now() >= endsAt) {
          const withdrawn = { isAccepted: false, text: 'withdrawn: nobody answered', runId: null };
          if (await requests.answer(id, withdrawn))
            throw new AppError(
              'unavailable',
              `No rollout controller answered within ${timeoutMs / 1_000} s: is a maintenance process running? Nothing was changed, and the request is withdrawn. "rollout rollback" works without one.`,
            );
        } else await delay(pollMs);
      }
    },

    /**
     * The runbook's rollback. `flagName`: only that one, whatever it feeds. `keep`: flags that stay. Doing it again changes nothing.
     */
    async rollBack(
      { flagName, keep = [] }: { flagName?: string | undefined; keep?: string[] },
      by: RolloutBy,
    ): Promise<RolledBack> {
      const known = await readRollbackHealth(deps);
      const due = flagName === undefined ? flagsToLower([...rollbackOrder], undefined, known) : [flagName];
      const names = due.filter((name) => !keep.includes(name));
      const { runId, lowered, flags } = await store.rollBack(names, by, known);
      const isStillOn = ({ isEnabled, rolloutPercent }: FlagRow): boolean => isEnabled && rolloutPercent > 0;
      const kept = flags.filter(isStillOn).map(({ flagName: name }) => ({
        flagName: name,
        reason: keep.includes(name)
          ? 'kept because you said so'
          : flagName !== undefined
            ? 'not asked for'
            : name === 'enable_ranking_snapshot_read'
              ? 'the snapshot is fresh'
              : 'the event flow is stable',
      }));
      return { runId, lowered, kept, health: known };
    },

    /** Asks and does not wait: the id to look for the answer by. What is a minute old is refused, not carried out. */
    submit,

    /** Null: not yet. @throws AppError `not-found` */
    async answerOf(requestId: number): Promise<Answer | null> {
      const answer = await requests.answerOf(requestId);
      if (answer === undefined) throw new AppError('not-found', 'There is no rollout request with this id.');
      return answer;
    },

    freeze: requests.freeze,
    unfreeze: requests.unfreeze,

    /** A run with its decisions, each derived again. @throws AppError `not-found` */
    async explain(runId?: number): Promise<{ run: Run; decisions: ExplainedDecision[] }> {
      const run = await findRun(runId);
      const stored = await store.decisions(run.id, { limit: mostDecisions });
      return { run, decisions: stored.map((one) => explainDecision(run.plan, one)) };
    },

    /** What was decided after that decision. @throws AppError `not-found` */
    async follow(runId: number, afterId: number): Promise<{ run: Run; decisions: StoredDecision[] }> {
      const run = await findRun(runId);
      return { run, decisions: await store.decisions(runId, { afterId, limit: 500 }) };
    },
  };
}

/** How far a run is, in words. */
export function positionOf({ plan, state }: Pick<Run, 'plan' | 'state'>): string {
  const steps = stepsOf(plan);
  const step = steps[state.step];
  return step
    ? `${step.part.name} at ${step.percent} % (step ${state.step + 1} of ${steps.length})`
    : 'before its first step';
}

export function percentagesOf(plan: Plan): string {
  return plan.parts.map(({ name, stages }) => `${name} ${stages.map(({ percent }) => percent).join('/')}`).join(', ');
}
