/** SQL of the audit trail: who changed what, why, from which state to which. Rows are never changed and never removed. */
import { fromJsonColumn, type Database, type Transaction } from './database.ts';

export type AuditEntry = {
  actor: string;
  action: string;
  targetType: string;
  targetId: string;
  reason?: string | undefined;
  before?: unknown;
  after?: unknown;
  requestId?: string | undefined;
};

export type AuditRecord = {
  id: number;
  actor: string;
  action: string;
  targetType: string;
  targetId: string;
  reason: string | null;
  before: unknown;
  after: unknown;
  requestId: string | null;
  at: Date;
};

/** Part of the transaction that makes the change. */
export async function writeAudit(trx: Transaction, entry: AuditEntry): Promise<void> {
  await trx('admin_action_audit').insert({
    actor: entry.actor,
    action: entry.action,
    target_type: entry.targetType,
    target_id: entry.targetId,
    reason: entry.reason ?? null,
    state_before: entry.before === undefined ? null : JSON.stringify(entry.before),
    state_after: entry.after === undefined ? null : JSON.stringify(entry.after),
    request_id: entry.requestId ?? null,
  });
}

/** What was done to targets of one type, or to one of them, the newest first. */
export async function readAudit(
  database: Pick<Database, 'knex'>,
  filter: { targetType: string; targetId?: string | undefined; limit: number },
): Promise<AuditRecord[]> {
  const query = database
    .knex('admin_action_audit')
    .where({ target_type: filter.targetType })
    .orderBy('id', 'desc')
    .limit(filter.limit)
    .select<Record<string, unknown>[]>('*');
  const rows = await (filter.targetId === undefined ? query : query.andWhere({ target_id: filter.targetId }));
  return rows.map(auditRecordOf);
}

export type AuditFilter = {
  targetType?: string | undefined;
  targetId?: string | undefined;
  actor?: string | undefined;
};

/** What was done by whomever to whatever, the newest first, from behind `beforeId` on. */
export async function pageOfAudit(
  database: Pick<Database, 'knex'>,
  filter: AuditFilter,
  options: { beforeId: number | null; limit: number },
): Promise<AuditRecord[]> {
  const query = database
    .knex('admin_action_audit')
    .orderBy('id', 'desc')
    .limit(options.limit)
    .select<Record<string, unknown>[]>('*');
  if (filter.targetType !== undefined) void query.where({ target_type: filter.targetType });
  if (filter.targetId !== undefined) void query.where({ target_id: filter.targetId });
  if (filter.actor !== undefined) void query.where({ actor: filter.actor });
  if (options.beforeId !== null) void query.where('id', '<', options.beforeId);
  return (await query).map(auditRecordOf);
}

function auditRecordOf(row: Record<string, unknown>): AuditRecord {
  return {
    id: Number(row.id),
    actor: row.actor as string,
    action: row.action as string,
    targetType: row.target_type as string,
    targetId: row.target_id as string,
    reason: row.reason as string | null,
    before: row.state_before === null ? null : fromJsonColumn(row.state_before),
    after: row.state_after === null ? null : fromJsonColumn(row.state_after),
    requestId: row.request_id as string | null,
    at: row.created_at as Date,
  };
}
