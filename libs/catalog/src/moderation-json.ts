/** Moderation as administrators see it, owners included. */
import type { AuditRecord } from '@omnizap/runtime';
import type { ShownBan } from './bans.ts';
import type { QueuedCase } from './moderation-store.ts';
import type { Report, ReportGroup } from './report-store.ts';

export const reportJson = (report: Report) => ({
  report_id: report.id,
  sticker_id: report.stickerId,
  reason: report.reason,
  details: report.details,
  state: report.state,
  created_at: report.createdAt.toISOString(),
});

export const reportGroupJson = (group: ReportGroup) => ({
  pack_key: group.packKey,
  pack_name: group.packName,
  owner_id: group.ownerId,
  sticker_id: group.stickerId,
  open_reports: group.openReports,
  first_reported_at: group.firstAt.toISOString(),
  last_reported_at: group.lastAt.toISOString(),
  reports: group.reports.map(reportJson),
});

export const queuedJson = (entry: QueuedCase) => ({
  type: entry.target,
  pack_keys: entry.packKeys,
  sticker_id: entry.target === 'sticker' ? entry.id : null,
  owner_id: entry.ownerId,
  open_reports: entry.openReports,
  moderation: {
    ...{ state: entry.state, reason: entry.reason },
    ...{ since_at: entry.sinceAt.toISOString(), ban_id: entry.banId },
  },
});

export const banJson = (ban: ShownBan) => ({
  ban_id: ban.id,
  kind: ban.kind,
  owner_id: ban.ownerId,
  sha256: ban.sha256,
  has_picture: ban.picture !== null,
  reason: ban.reason,
  made_by: ban.madeBy,
  created_at: ban.createdAt.toISOString(),
  revoked_at: ban.revoked?.at.toISOString() ?? null,
  revoked_by: ban.revoked?.by ?? null,
  revoke_reason: ban.revoked?.reason ?? null,
  is_settled: ban.settledAt !== null,
  affected: ban.affected,
});

export const auditJson = (record: AuditRecord) => ({
  audit_id: record.id,
  actor: record.actor,
  action: record.action,
  target_type: record.targetType,
  target_id: record.targetId,
  reason: record.reason,
  before: record.before,
  after: record.after,
  request_id: record.requestId,
  at: record.at.toISOString(),
});
