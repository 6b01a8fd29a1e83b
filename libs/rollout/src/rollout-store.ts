/**
 * SQL of rollout runs. A run changes only together with everything that its decision means: the flags, the decision with its
 * samples, and the answer to whoever asked, in one transaction that holds the run's row at the version that was decided on. Of two
 * controllers the second one changes nothing; an operator's rollback and a controller's raise come one after the other.
 */
import {
  AppError,
  fromJsonColumn,
  isUniqueViolation,
  rowsOf,
  sqlNow,
  type Database,
  type Transaction,
} from '@omnizap/runtime';
import type { Decision, DecideInput } from './decide.ts';
import { createFlagStore, type FlagChange, type FlagRow } from './flag-store.ts';
import type { Observation } from './judge-gate.ts';
import type { Plan } from './plan.ts';
import type { RollbackHealth } from './rollback-order.ts';
import { actorOf, isFinal, type RunState } from './run-state.ts';
import type { RolloutBy } from './rollout-request-store.ts';

export type Run = {
  id: number;
  planName: string;
  /** As it was when the run began. */
  plan: Plan;
  state: RunState;
  /** By `<part>/<gate>`: what was observed before the part's flag was first raised. */
  baselines: Record<string, Observation>;
  version: number;
  startedBy: string;
  reason: string;
  startedAt: Date;
  updatedAt: Date;
  finishedAt: Date | null;
};

/** What an operator's rollback looked at; there was nothing to decide. */
export type OperatorInput = { operator: string; flags: FlagRow[]; health: RollbackHealth };

export type StoredDecision = {
  id: number;
  runId: number;
  action: string;
  state: string;
  reason: string;
  input: DecideInput | OperatorInput;
  decision: Decision;
  createdAt: Date;
};

export type Advance = {
  input: DecideInput;
  decision: Decision;
  baselines: Record<string, Observation>;
  /** Is the decision kept? Those that only repeat the last one are not. */
  isKept: boolean;
};

type RunRow = {
  id: number;
  plan_name: string;
  plan: unknown;
  detail: unknown;
  baselines: unknown;
  version: number;
  started_by: string;
  reason: string;
  started_at: Date;
  updated_at: Date;
  finished_at: Date | null;
};

const longestReason = 2_000;

/** The flags of `database`, as part of a transaction that is open already. */
function flagsWithin(trx: Transaction, kind: Database['kind']) {
  return createFlagStore({ kind, knex: trx, transaction: (work) => work(trx) });
}

export function createRolloutStore(database: Database) {
  const { knex, kind } = database;
  const now = sqlNow(kind);

  async function insertDecision(
    trx: Transaction,
    entry: { runId: number; version: number; state: string; input: DecideInput | OperatorInput; decision: Decision },
  ): Promise<void> {
    const { runId, version, state, input, decision } = entry;
    await trx('rollout_decision').insert({
      run_id: runId,
      run_version: version,
      action: decision.action,
      state,
      reason: decision.reason.slice(0, longestReason),
      input: JSON.stringify(input),
      decision: JSON.stringify(decision),
    });
  }

  async function writeState(trx: Transaction, run: Run, state: RunState, baselines = run.baselines): Promise<void> {
    const isOver = isFinal(state.state);
    await trx('rollout_run')
      .where({ id: run.id })
      .update({
        state: state.state,
        detail: JSON.stringify(state),
        baselines: JSON.stringify(baselines),
        version: run.version + 1,
        updated_at: trx.raw(now),
        ...(isOver ? { active_slot: null, finished_at: trx.raw(now) } : {}),
      });
  }

  async function activeRun(trx: Transaction | Database['knex'], isLocking: boolean): Promise<Run | null> {
    const query = trx('rollout_run').where({ active_slot: 1 });
    const row = await (isLocking ? query.forUpdate() : query).first<RunRow | undefined>('*');
    return row ? runOf(row) : null;
  }

  return {
    active: (): Promise<Run | null> => activeRun(knex, false),

    /** By the database's clock. */
    async now(): Promise<number> {
      const result: unknown = await knex.raw(`SELECT ${now} AS now_at`);
      return (rowsOf<{ now_at: Date }>(result)[0]?.now_at ?? new Date()).getTime();
    },

    /** Begins a run with the flags as they are. Null when another one is active already. */
    async begin(plan: Plan, mode: RunState['mode'], by: RolloutBy, flags: RunState['flags']): Promise<Run | null> {
      const state: RunState = {
        ...{ runId: 0, state: 'watching', mode, step: -1, target: null, intendedAt: null, flags, raised: [] },
        ...{ raisedAt: null, passes: 0, failures: {}, hold: null, rollback: null, reason: '' },
      };
      try {
        return await database.transaction(async (trx) => {
          await trx('rollout_run').insert({
            ...{ plan_name: plan.name, plan: JSON.stringify(plan), state: state.state, detail: '{}', baselines: '{}' },
            ...{ active_slot: 1, started_by: by.actor, reason: by.reason },
          });
          const row = await trx('rollout_run').where({ active_slot: 1 }).first<{ id: number }>('id');
          await trx('rollout_run')
            .where({ id: row.id })
            .update({ detail: JSON.stringify({ ...state, runId: row.id }) });
          return activeRun(trx, false);
        });
      } catch (error) {
        if (isUniqueViolation(error)) return null;
        throw error;
      }
    },

    /**
     * Carries a decision out. Returns the run as it is then.
     * @throws AppError `version-conflict` when the run, or a flag, is not what was decided on: nothing has happened then
     */
    async advance(run: Run, { input, decision, baselines, isKept }: Advance): Promise<Run> {
      return database.transaction(async (trx) => {
        const current = await activeRun(trx, true);
        if (current?.id !== run.id || current.version !== run.version)
          throw new AppError(
            'version-conflict',
            `Run ${run.id} was changed meanwhile: by another controller or a rollback.`,
          );
        let next = decision.next;
        if (decision.changes.length > 0) {
          const by = { actor: actorOf(run.id), reason: decision.reason.slice(0, 500) };
          const rows = await flagsWithin(trx, kind).set(decision.changes, by);
          next = withVersions(next, rows);
        }
        await writeState(trx, run, next, baselines);
        if (isKept)
          await insertDecision(trx, { runId: run.id, version: run.version + 1, state: next.state, input, decision });
        if (input.request && decision.answer)
          await trx('rollout_request')
            .where({ id: input.request.id })
            .update({
              is_accepted: decision.answer.isAccepted ? 1 : 0,
              answer: decision.answer.text.slice(0, longestReason),
              run_id: run.id,
              answered_at: trx.raw(now),
            });
        return { ...run, state: next, baselines, version: run.version + 1 };
      });
    },

    /**
     * Flags off, and the active run over when it is about any of them, in one transaction that needs no controller. Doing it again
     * changes nothing.
     */
    async rollBack(
      names: string[],
      by: RolloutBy,
      health: RollbackHealth,
    ): Promise<{ runId: number | null; lowered: string[]; flags: FlagRow[] }> {
      return database.transaction(async (trx) => {
        const found = await activeRun(trx, true);
        const run = found?.plan.parts.some(({ flag }) => names.includes(flag)) === true ? found : null;
        const store = flagsWithin(trx, kind);
        const before = await store.list();
        const lowered = names.filter((name) => isOn(before, name));
        const changes: FlagChange[] = lowered.map((flagName) => ({ flagName, isEnabled: false, rolloutPercent: 0 }));
        if (changes.length > 0) await store.set(changes, by);
        if (run) {
          const reason = `rolled back by ${by.actor}: ${by.reason}`;
          const next: RunState = { ...run.state, state: 'rolled-back', target: null, hold: null, reason };
          await writeState(trx, run, next);
          const decision = {
            action: 'roll-back',
            reason,
            gates: [],
            next,
            changes,
            answer: null,
          } as unknown as Decision;
          const input: OperatorInput = { operator: by.actor, flags: before, health };
          await insertDecision(trx, { runId: run.id, version: run.version + 1, state: next.state, input, decision });
        }
        return { runId: run?.id ?? null, lowered, flags: await store.list() };
      });
    },

    async find(id: number): Promise<Run | null> {
      const row = await knex('rollout_run').where({ id }).first<RunRow | undefined>('*');
      return row ? runOf(row) : null;
    },

    /** The newest first. */
    async recent(limit: number): Promise<Run[]> {
      return (await knex('rollout_run').orderBy('id', 'desc').limit(limit).select<RunRow[]>('*')).map(runOf);
    },

    /** In the order in which they were made. */
    async decisions(
      runId: number,
      { afterId = 0, limit }: { afterId?: number; limit: number },
    ): Promise<StoredDecision[]> {
      const rows = await knex('rollout_decision')
        .where({ run_id: runId })
        .where('id', '>', afterId)
        .orderBy('id')
        .limit(limit)
        .select<Record<string, unknown>[]>('*');
      return rows.map(decisionOf);
    },

    async lastDecision(runId: number): Promise<StoredDecision | null> {
      const row = await knex('rollout_decision')
        .where({ run_id: runId })
        .orderBy('id', 'desc')
        .first<Record<string, unknown> | undefined>('*');
      return row ? decisionOf(row) : null;
    },
  };
}

function isOn(flags: FlagRow[], name: string): boolean {
  const flag = flags.find(({ flagName }) => flagName === name);
  return flag !== undefined && (flag.isEnabled || flag.rolloutPercent > 0);
}

/** Which version a change got is known only when it has it. */
function withVersions(state: RunState, rows: FlagRow[]): RunState {
  const flags = { ...state.flags };
  for (const { flagName, version, isEnabled, rolloutPercent } of rows)
    if (flags[flagName]) flags[flagName] = { isEnabled, rolloutPercent, version };
  return { ...state, flags };
}

function runOf(row: RunRow): Run {
  return {
    id: row.id,
    planName: row.plan_name,
    plan: fromJsonColumn(row.plan) as Plan,
    state: fromJsonColumn(row.detail) as RunState,
    baselines: fromJsonColumn(row.baselines) as Record<string, Observation>,
    version: row.version,
    startedBy: row.started_by,
    reason: row.reason,
    startedAt: row.started_at,
    updatedAt: row.updated_at,
    finishedAt: row.finished_at,
  };
}

function decisionOf(row: Record<string, unknown>): StoredDecision {
  return {
    id: Number(row.id),
    runId: Number(row.run_id),
    action: row.action as string,
    state: row.state as string,
    reason: row.reason as string,
    input: fromJsonColumn(row.input) as DecideInput,
    decision: fromJsonColumn(row.decision) as Decision,
    createdAt: row.created_at as Date,
  };
}
