/** SQL of reports. Of whoever reports, only keyed hashes are kept. */
import type { Knex } from 'knex';
import { affectedRows, sqlNow, type DatabaseKind } from '@omnizap/runtime';

export const reportReasons = ['nsfw', 'violence', 'hate', 'spam', 'copyright', 'illegal', 'other'] as const;
export type ReportReason = (typeof reportReasons)[number];

export type ReportState = 'open' | 'dismissed' | 'upheld';

export type Report = {
  id: number;
  /** Null: the pack as a whole. */
  stickerId: string | null;
  reason: ReportReason;
  details: string | null;
  state: ReportState;
  createdAt: Date;
};

export type NewReport = {
  packId: string;
  stickerId: string | null;
  reason: ReportReason;
  details: string | null;
  viewerHash: string;
  addressHash: string;
  dayNumber: number;
};

type ReportRow = {
  id: number;
  asset_id: string | null;
  reason: ReportReason;
  details: string | null;
  state: ReportState;
  created_at: Date;
};

const reportColumns = ['id', 'asset_id', 'reason', 'details', 'state', 'created_at'] as const;

function reportOfRow(row: ReportRow): Report {
  const { id, asset_id: stickerId, reason, details, state, created_at: createdAt } = row;
  return { id, stickerId, reason, details, state, createdAt };
}

/** True when the pack shows the sticker to everybody who sees the pack. */
export async function isShownIn(db: Knex, packId: string, stickerId: string): Promise<boolean> {
  const found: unknown = await db('sticker_pack_item as i')
    .join('sticker_asset as a', 'a.id', 'i.asset_id')
    .where({ 'i.pack_id': packId, 'i.asset_id': stickerId, 'a.status': 'ready', 'a.moderation': 'approved' })
    .first('i.asset_id');
  return found !== undefined;
}

export async function hasReported(db: Knex, report: NewReport): Promise<boolean> {
  const found: unknown = await db('sticker_report')
    .where({
      pack_id: report.packId,
      subject_id: report.stickerId ?? report.packId,
      viewer_hash: report.viewerHash,
    })
    .first('id');
  return found !== undefined;
}

/** Reports of one address on one day, about whatever. */
export async function countOfDay(db: Knex, report: Pick<NewReport, 'addressHash' | 'dayNumber'>): Promise<number> {
  const rows = await db('sticker_report')
    .where({ address_hash: report.addressHash, day_number: report.dayNumber })
    .count<{ count: number }[]>({ count: '*' });
  return rows[0]?.count ?? 0;
}

/** False when the viewer has reported the subject, or another report of the address took this place of its day meanwhile. */
export async function insertReport(
  trx: Knex.Transaction,
  kind: DatabaseKind,
  report: NewReport,
  daySlot: number,
): Promise<boolean> {
  const [verb, onConflict] = kind === 'mysql' ? ['INSERT IGNORE', ''] : ['INSERT', 'ON CONFLICT DO NOTHING'];
  const result: unknown = await trx.raw(
    `${verb} INTO sticker_report
            (pack_id, subject_id, asset_id, reason, details, viewer_hash, address_hash, day_number, day_slot)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ${onConflict}`,
    [
      ...[report.packId, report.stickerId ?? report.packId, report.stickerId, report.reason, report.details],
      ...[report.viewerHash, report.addressHash, report.dayNumber, daySlot],
    ],
  );
  return affectedRows(result) === 1;
}

/** Addresses with an open report about the pack or a sticker of it: keys of viewers are made up too easily. */
export async function countReporters(db: Knex, packId: string): Promise<number> {
  const rows = await db('sticker_report')
    .where({ state: 'open', pack_id: packId })
    .countDistinct<{ count: number }[]>({ count: 'address_hash' });
  return rows[0]?.count ?? 0;
}

export async function closeReports(
  trx: Knex.Transaction,
  kind: DatabaseKind,
  of: { pack_id: string } | { asset_id: string } | { id: number },
  state: Exclude<ReportState, 'open'>,
  actor: string,
): Promise<number> {
  return trx('sticker_report')
    .where({ ...of, state: 'open' })
    .update({ state, closed_by: actor, closed_at: trx.raw(sqlNow(kind)) });
}

/** Locked. */
export async function findReport(trx: Knex.Transaction, id: number): Promise<(Report & { packKey: string }) | null> {
  const row = await trx('sticker_report')
    .where({ id })
    .forUpdate()
    .first<(ReportRow & { pack_id: string }) | undefined>(...reportColumns, 'pack_id');
  if (!row) return null;
  const pack = await trx('sticker_pack').where({ id: row.pack_id }).first<{ pack_key: string }>('pack_key');
  return { ...reportOfRow(row), packKey: pack.pack_key };
}

export async function openReportsOfPack(db: Knex, packId: string, limit: number): Promise<Report[]> {
  const rows = await db('sticker_report')
    .where({ state: 'open', pack_id: packId })
    .orderBy('id', 'desc')
    .limit(limit)
    .select<ReportRow[]>(...reportColumns);
  return rows.map(reportOfRow);
}

export type ReportGroup = {
  packKey: string;
  packName: string;
  ownerId: string;
  stickerId: string | null;
  openReports: number;
  firstReportId: number;
  firstAt: Date;
  lastAt: Date;
  /** The newest. */
  reports: Report[];
};

type GroupRow = {
  pack_id: string;
  subject_id: string;
  first_id: number;
  count: number;
  first_at: Date;
  last_at: Date;
  pack_key: string;
  name: string;
  owner_id: string;
};

/** Open reports by what they are about, the one that waits longest first; index `sticker_report_open_idx`. */
export async function pageOfReportGroups(
  db: Knex,
  options: { afterId: number; limit: number; reportsEach: number },
): Promise<ReportGroup[]> {
  const groups = db('sticker_report')
    .where({ state: 'open' })
    .groupBy('pack_id', 'subject_id')
    .havingRaw('MIN(id) > ?', [options.afterId])
    .orderBy('first_id')
    .limit(options.limit)
    .select('pack_id', 'subject_id', {
      first_id: db.raw('MIN(id)'),
      count: db.raw('COUNT(*)'),
      first_at: db.raw('MIN(created_at)'),
      last_at: db.raw('MAX(created_at)'),
    });
  const rows = await db
    .from(groups.as('g'))
    .join('sticker_pack as p', 'p.id', 'g.pack_id')
    .orderBy('g.first_id')
    .select<GroupRow[]>('g.*', 'p.pack_key', 'p.name', 'p.owner_id');
  const newest = await newestReports(
    db,
    rows.map((row) => [row.pack_id, row.subject_id]),
    options.reportsEach,
  );
  return rows.map((row) => ({
    packKey: row.pack_key,
    packName: row.name,
    ownerId: row.owner_id,
    stickerId: row.subject_id === row.pack_id ? null : row.subject_id,
    openReports: row.count,
    firstReportId: row.first_id,
    firstAt: row.first_at,
    lastAt: row.last_at,
    reports: newest.get(`${row.pack_id}:${row.subject_id}`) ?? [],
  }));
}

async function newestReports(db: Knex, subjects: [string, string][], each: number): Promise<Map<string, Report[]>> {
  const newest = new Map<string, Report[]>();
  if (subjects.length === 0) return newest;
  const numbered = db('sticker_report')
    .where({ state: 'open' })
    .whereIn(['pack_id', 'subject_id'], subjects)
    .select(...reportColumns, 'pack_id', 'subject_id')
    .select(db.raw('ROW_NUMBER() OVER (PARTITION BY pack_id, subject_id ORDER BY id DESC) AS place'));
  const rows = await db
    .from(numbered.as('n'))
    .where('n.place', '<=', each)
    .orderBy('n.id', 'desc')
    .select<(ReportRow & { pack_id: string; subject_id: string })[]>('n.*');
  for (const row of rows) {
    const key = `${row.pack_id}:${row.subject_id}`;
    newest.set(key, [...(newest.get(key) ?? []), reportOfRow(row)]);
  }
  return newest;
}
