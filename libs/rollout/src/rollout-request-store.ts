/** SQL of what operators ask of the controller, of the freeze, and of the minute roll-up. */
import { sqlNow, sqlSecondsSince, writeAudit, type Database } from '@omnizap/runtime';
import type { MinuteRow } from './minute-rollup.ts';

export const requestKinds = ['auto', 'promote', 'hold', 'resume', 'stop'] as const;
export type RequestKind = (typeof requestKinds)[number];

export type RolloutBy = { actor: string; reason: string; requestId?: string | undefined };

export type RolloutRequest = {
  id: number;
  kind: RequestKind;
  planName: string | null;
  isForced: boolean;
  actor: string;
  reason: string;
  ageSeconds: number;
};

export type Answer = { isAccepted: boolean; text: string; runId: number | null };

export type Freeze = { by: string; reason: string; untilAt: Date | null };

const freezeName = 'all';
const rowsPerInsert = 200;
const longestAnswer = 2_000;

export function createRequestStore(database: Database) {
  const { knex, kind } = database;
  const now = sqlNow(kind);
  const ageSeconds = sqlSecondsSince(kind, 'created_at');

  return {
    /** Returns its id. Who asked for what stays in the audit trail as well. */
    async ask(
      request: { kind: RequestKind; planName: string | null; isForced: boolean },
      by: RolloutBy,
    ): Promise<number> {
      return database.transaction(async (trx) => {
        const row = {
          ...{ kind: request.kind, plan_name: request.planName, is_forced: request.isForced ? 1 : 0 },
          ...{ actor: by.actor, reason: by.reason, request_id: by.requestId ?? null },
        };
        // MySQL answers with the id by itself, and has no RETURNING.
        const insert = trx('rollout_request').insert(row, kind === 'mysql' ? [] : ['id']);
        const [inserted] = (await insert) as unknown as (number | { id: number })[];
        const id = typeof inserted === 'object' ? inserted.id : Number(inserted);
        const target = { targetType: 'rollout', targetId: request.planName ?? 'active run' };
        await writeAudit(trx, {
          ...by,
          action: `rollout.${request.kind}`,
          ...target,
          after: { is_forced: request.isForced },
        });
        return id;
      });
    },

    /** What nobody has answered yet, the oldest first. */
    async open(): Promise<RolloutRequest[]> {
      const rows = await knex('rollout_request')
        .whereNull('answered_at')
        .orderBy('id')
        .limit(20)
        .select<Record<string, unknown>[]>('*', knex.raw(`${ageSeconds} AS age_seconds`));
      return rows.map((row) => ({
        id: Number(row.id),
        kind: row.kind as RequestKind,
        planName: row.plan_name as string | null,
        isForced: row.is_forced === 1,
        actor: row.actor as string,
        reason: row.reason as string,
        ageSeconds: Number(row.age_seconds),
      }));
    },

    /** False when it was answered, or withdrawn, already. */
    async answer(id: number, { isAccepted, text, runId }: Answer): Promise<boolean> {
      const answered = await knex('rollout_request')
        .where({ id })
        .whereNull('answered_at')
        .update({
          ...{ is_accepted: isAccepted ? 1 : 0, answer: text.slice(0, longestAnswer), run_id: runId },
          answered_at: knex.raw(now),
        });
      return answered === 1;
    },

    /** Undefined: there is no such request. Null: nobody has answered yet. */
    async answerOf(id: number): Promise<Answer | null | undefined> {
      type Row = { is_accepted: number | null; answer: string | null; run_id: number | null };
      const row = await knex('rollout_request').where({ id }).first<Row | undefined>('*');
      if (!row) return undefined;
      if (row.is_accepted === null) return null;
      return { isAccepted: row.is_accepted === 1, text: row.answer ?? '', runId: row.run_id };
    },

    async freeze(by: RolloutBy, untilAt: Date | null): Promise<void> {
      await database.transaction(async (trx) => {
        await trx('rollout_freeze').where({ name: freezeName }).delete();
        await trx('rollout_freeze').insert({
          name: freezeName,
          frozen_by: by.actor,
          reason: by.reason,
          until_at: untilAt,
        });
        const after = { until_at: untilAt?.toISOString() ?? null };
        await writeAudit(trx, { ...by, action: 'rollout.freeze', targetType: 'rollout', targetId: freezeName, after });
      });
    },

    /** False when nothing was frozen. */
    async unfreeze(by: RolloutBy): Promise<boolean> {
      return database.transaction(async (trx) => {
        const wasFrozen = (await trx('rollout_freeze').where({ name: freezeName }).delete()) > 0;
        if (wasFrozen)
          await writeAudit(trx, { ...by, action: 'rollout.unfreeze', targetType: 'rollout', targetId: freezeName });
        return wasFrozen;
      });
    },

    async frozen(): Promise<Freeze | null> {
      const row = await knex('rollout_freeze')
        .where({ name: freezeName })
        .andWhere((where) => void where.whereNull('until_at').orWhere('until_at', '>', knex.raw(now)))
        .first<{ frozen_by: string; reason: string; until_at: Date | null } | undefined>('*');
      return row ? { by: row.frozen_by, reason: row.reason, untilAt: row.until_at } : null;
    },

    /** What is there already stays. */
    async writeMinutes(minutes: MinuteRow[]): Promise<void> {
      for (let start = 0; start < minutes.length; start += rowsPerInsert) {
        const rows = minutes.slice(start, start + rowsPerInsert).map(({ minuteAt, ...row }) => ({
          minute_at: minuteAt,
          ...row,
        }));
        await knex('metric_minute').insert(rows).onConflict(['metric', 'minute_at', 'labels']).ignore();
      }
    },
  };
}
