/**
 * What visitors report. The answer is the same whether a report counted or not, so nobody learns by it what others did or where the
 * limits are. Enough open reports from different addresses hold a pack for review; a person decides.
 */
import { outboxTopic } from '@omnizap/outbox';
import { AppError, writeAudit, type Wakeups } from '@omnizap/runtime';
import { announce, type AnnounceDeps } from './announce.ts';
import { keyedHash, sharedSecret } from './engagement-store.ts';
import type { Viewer } from './engagement.ts';
import { packModerated } from './moderation-events.ts';
import { setModeration } from './moderation-store.ts';
import type { Decider } from './moderation.ts';
import { findPackByKey, isReachable } from './pack-store.ts';
import {
  closeReports,
  countOfDay,
  countReporters,
  findReport,
  hasReported,
  insertReport,
  isShownIn,
  pageOfReportGroups,
  type NewReport,
  type Report,
  type ReportGroup,
  type ReportReason,
} from './report-store.ts';

const dayMs = 86_400_000;
/** Reports of one address that count in one UTC day: a household, not somebody who reports a whole catalogue. */
const maxPerAddressAndDay = 20;
/** Reports of one address at the same moment contend for the next place of its day. */
const insertAttempts = 5;
/** Of each subject, in the list of all. */
const reportsShown = 10;
const secretName = 'viewer-hash-key';

export type ReportInput = { reason: ReportReason; stickerId: string | null; details: string | null };

type ReportsDeps = AnnounceDeps & { wakeups: Pick<Wakeups, 'notify'>; holdAt: number };

export type Reports = ReturnType<typeof createReports>;

export function createReports(deps: ReportsDeps) {
  const { database, wakeups, holdAt } = deps;
  const { knex, kind } = database;
  let secret: Promise<string> | undefined;

  function viewerSecret(): Promise<string> {
    secret ??= sharedSecret(knex, secretName).catch((error: unknown) => {
      secret = undefined;
      throw error;
    });
    return secret;
  }

  /** The next free place of its address and day; false when the day is full or the viewer has reported this already. */
  async function keep(report: NewReport): Promise<boolean> {
    for (let attempt = 1; attempt <= insertAttempts; attempt += 1) {
      if (await hasReported(knex, report)) return false;
      const place = await countOfDay(knex, report);
      if (place >= maxPerAddressAndDay) return false;
      if (await database.transaction((trx) => insertReport(trx, kind, report, place))) return true;
    }
    return false;
  }

  async function holdWhenReportedEnough(packKey: string, requestId: string | undefined): Promise<void> {
    const isHeld = await database.transaction(async (trx) => {
      const pack = await findPackByKey(trx, packKey, kind);
      if (!pack || pack.moderation !== 'approved') return false;
      if ((await countReporters(trx, pack.id)) < holdAt) return false;
      const reason = 'Reported by several visitors, and waits for review.';
      await setModeration(trx, kind, 'pack', pack.id, { state: 'held', reason });
      await announce(trx, deps, [await packModerated(trx, pack.id)], requestId);
      return true;
    });
    if (isHeld) wakeups.notify(outboxTopic);
  }

  return {
    /** @throws AppError `pack-not-found`, `sticker-not-found` for what the visitor cannot see anyway */
    async report(packKey: string, input: ReportInput, viewer: Viewer, requestId?: string): Promise<void> {
      const pack = await findPackByKey(knex, packKey);
      if (!pack || !isReachable(pack)) throw new AppError('pack-not-found', `There is no pack "${packKey}".`);
      if (input.stickerId !== null && !(await isShownIn(knex, pack.id, input.stickerId)))
        throw new AppError('sticker-not-found', `There is no sticker "${input.stickerId}" in pack "${packKey}".`);
      const key = await viewerSecret();
      const isKept = await keep({
        ...input,
        packId: pack.id,
        viewerHash: keyedHash(key, 'viewer', viewer.key),
        addressHash: keyedHash(key, 'address', viewer.address),
        dayNumber: Math.floor(Date.now() / dayMs),
      });
      if (isKept && holdAt > 0) await holdWhenReportedEnough(packKey, requestId);
    },

    /** Open reports by pack and sticker, what waits longest first. */
    async groups(options: {
      afterId: number;
      limit: number;
    }): Promise<{ groups: ReportGroup[]; nextId: number | null }> {
      const found = await pageOfReportGroups(knex, {
        ...{ afterId: options.afterId, limit: options.limit + 1, reportsEach: reportsShown },
      });
      const groups = found.slice(0, options.limit);
      return { groups, nextId: found.length > options.limit ? (groups.at(-1)?.firstReportId ?? null) : null };
    },

    /** Closes one report as unfounded; again: without effect. @throws AppError `not-found`, `moderation-conflict` */
    async dismiss(reportId: number, by: Decider): Promise<Report> {
      return database.transaction(async (trx) => {
        const report = await findReport(trx, reportId);
        if (!report) throw new AppError('not-found', `There is no report ${reportId}.`);
        if (report.state === 'upheld')
          throw new AppError('moderation-conflict', `Report ${reportId} was upheld by a decision about its subject.`);
        if (report.state === 'dismissed') return report;
        await closeReports(trx, kind, { id: reportId }, 'dismissed', by.actor);
        await writeAudit(trx, {
          ...{ actor: by.actor, action: 'report.dismiss', targetType: 'sticker_pack', targetId: report.packKey },
          ...{ reason: by.reason, before: { report_id: reportId, state: 'open' } },
          ...{ after: { report_id: reportId, state: 'dismissed' }, requestId: by.requestId },
        });
        return { ...report, state: 'dismissed' as const };
      });
    },
  };
}
