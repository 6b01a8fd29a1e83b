/** What the tables say when all is quiet, read by the harness's own SQL: it shares no code with what it judges. */
import type { Sql } from './sql.ts';

export type PackRow = {
  id: string;
  packKey: string;
  ownerId: string;
  name: string;
  status: string;
  visibility: string;
  isAuto: boolean;
  isDeleted: boolean;
};
export type AssetRow = { id: string; ownerId: string; sha256: string; status: string };
export type ClassificationRow = { assetId: string; version: number; themeKey: string; nsfwLevel: string };
export type DerivativeRow = { assetId: string; variant: string; version: number; sha256: string };
export type ScoreRow = {
  packId: string;
  version: number;
  isListed: boolean;
  stickerCount: number;
  engagementVersion: number;
};
export type EngagementRow = { packId: string; open: number; like: number; dislike: number; version: number };
export type InteractionRow = { packId: string; interaction: string; viewerHash: string; windowNumber: number };
export type WorkStateRow = { taskType: string; subjectId: string; wanted: number; done: number; failed: number };

export type FinalTables = {
  packs: PackRow[];
  items: { packId: string; assetId: string }[];
  assets: AssetRow[];
  classifications: ClassificationRow[];
  derivatives: DerivativeRow[];
  scores: ScoreRow[];
  engagement: EngagementRow[];
  interactions: InteractionRow[];
  workStates: WorkStateRow[];
  /** Ids of the events that became dead letters, one per row. */
  deadEvents: { eventId: number; eventType: string; error: string }[];
  deadTasks: { taskId: string; taskType: string; subjectId: string; error: string }[];
  openEvents: { id: number; status: string; eventType: string; aggregate: string }[];
  openJobs: { id: string; queue: string; state: string; subject: string | null }[];
  /** Completed events: when they were marked, in whole microseconds since the epoch. */
  completedEvents: { id: number; aggregate: string; processedAtUs: number }[];
  leases: { name: string; processId: string | null; isLive: boolean }[];
  /** Pack ids of the newest generation by sort. */
  ranking: Record<string, string[]>;
  viewerSecret: string | null;
};

const packIdBytes = 16;

export async function readFinalTables(catalogue: Sql, queue: Sql): Promise<FinalTables> {
  const { kind } = catalogue;
  const microseconds =
    kind === 'postgres'
      ? '(EXTRACT(EPOCH FROM processed_at) * 1000000)::bigint'
      : 'CAST(UNIX_TIMESTAMP(processed_at) * 1000000 AS SIGNED)';
  const now = kind === 'postgres' ? 'clock_timestamp()' : 'NOW(3)';
  const flag = (value: unknown): boolean => Number(value) === 1;
  const read = async <Row extends object>(text: string): Promise<Row[]> => await catalogue.query<Row>(text);

  const packs = await read<Record<string, string> & { is_auto_pack: number; is_deleted: number }>(
    `SELECT id, pack_key, owner_id, name, status, visibility, is_auto_pack,
            CASE WHEN deleted_at IS NULL THEN 0 ELSE 1 END AS is_deleted FROM sticker_pack`,
  );
  const items = await read<{ pack_id: string; asset_id: string }>('SELECT pack_id, asset_id FROM sticker_pack_item');
  const assets = await read<Record<string, string>>('SELECT id, owner_id, sha256, status FROM sticker_asset');
  const classifications = await read<Record<string, string>>(
    'SELECT asset_id, source_version, theme_key, nsfw_level FROM sticker_asset_classification',
  );
  const derivatives = await read<Record<string, string>>(
    'SELECT asset_id, variant, source_version, sha256 FROM sticker_asset_derivative',
  );
  const scores = await read<Record<string, string>>(
    'SELECT pack_id, source_version, is_listed, sticker_count, engagement_version FROM sticker_pack_score_snapshot',
  );
  const engagement = await read<Record<string, string>>(
    'SELECT pack_id, open_count, like_count, dislike_count, version FROM sticker_pack_engagement',
  );
  const interactions = await read<Record<string, string>>(
    'SELECT pack_id, interaction, viewer_hash, window_number FROM sticker_pack_interaction_event',
  );
  const workStates = await read<Record<string, string>>(
    'SELECT task_type, subject_id, wanted_version, done_version, failed_version FROM work_state',
  );
  const deadEvents = await read<Record<string, string>>(
    'SELECT outbox_event_id, event_type, last_error FROM domain_event_outbox_dlq',
  );
  const deadTasks = await read<Record<string, string>>(
    'SELECT task_id, task_type, subject_id, last_error FROM sticker_worker_task_dlq',
  );
  const openEvents = await read<Record<string, string>>(
    "SELECT id, status, event_type, aggregate_type, aggregate_id FROM domain_event_outbox WHERE status <> 'completed'",
  );
  const completed = await read<Record<string, string>>(
    `SELECT id, aggregate_type, aggregate_id, ${microseconds} AS processed_us FROM domain_event_outbox WHERE status = 'completed'`,
  );
  const leases = await read<Record<string, string | null>>(
    `SELECT h.name, h.process_id, CASE WHEN l.process_id IS NULL THEN 0 ELSE 1 END AS is_live
       FROM held_lease h LEFT JOIN process_lease l ON l.process_id = h.process_id AND l.expires_at > ${now}`,
  );
  const secrets = await read<{ value: string }>("SELECT value FROM app_secret WHERE name = 'viewer-hash-key'");
  const openJobs = await queue.query<{ id: string; name: string; state: string; singleton_key: string | null }>(
    "SELECT id, name, state::text AS state, singleton_key FROM pgboss.job WHERE state IN ('created', 'retry', 'active')",
  );

  return {
    packs: packs.map((row) => ({
      id: text(row.id),
      packKey: text(row.pack_key),
      ownerId: text(row.owner_id),
      name: text(row.name),
      status: text(row.status),
      visibility: text(row.visibility),
      isAuto: flag(row.is_auto_pack),
      isDeleted: flag(row.is_deleted),
    })),
    items: items.map((row) => ({ packId: row.pack_id, assetId: row.asset_id })),
    assets: assets.map((row) => ({
      id: text(row.id),
      ownerId: text(row.owner_id),
      sha256: text(row.sha256),
      status: text(row.status),
    })),
    classifications: classifications.map((row) => ({
      assetId: text(row.asset_id),
      version: Number(row.source_version),
      themeKey: text(row.theme_key),
      nsfwLevel: text(row.nsfw_level),
    })),
    derivatives: derivatives.map((row) => ({
      assetId: text(row.asset_id),
      variant: text(row.variant),
      version: Number(row.source_version),
      sha256: text(row.sha256),
    })),
    scores: scores.map((row) => ({
      packId: text(row.pack_id),
      version: Number(row.source_version),
      isListed: flag(row.is_listed),
      stickerCount: Number(row.sticker_count),
      engagementVersion: Number(row.engagement_version),
    })),
    engagement: engagement.map((row) => ({
      packId: text(row.pack_id),
      open: Number(row.open_count),
      like: Number(row.like_count),
      dislike: Number(row.dislike_count),
      version: Number(row.version),
    })),
    interactions: interactions.map((row) => ({
      packId: text(row.pack_id),
      interaction: text(row.interaction),
      viewerHash: text(row.viewer_hash),
      windowNumber: Number(row.window_number),
    })),
    workStates: workStates.map((row) => ({
      taskType: text(row.task_type),
      subjectId: text(row.subject_id),
      wanted: Number(row.wanted_version),
      done: Number(row.done_version),
      failed: Number(row.failed_version),
    })),
    deadEvents: deadEvents.map((row) => ({
      eventId: Number(row.outbox_event_id),
      eventType: text(row.event_type),
      error: text(row.last_error),
    })),
    deadTasks: deadTasks.map((row) => ({
      taskId: text(row.task_id),
      taskType: text(row.task_type),
      subjectId: text(row.subject_id),
      error: text(row.last_error),
    })),
    openEvents: openEvents.map((row) => ({
      id: Number(row.id),
      status: text(row.status),
      eventType: text(row.event_type),
      aggregate: `${text(row.aggregate_type)}:${text(row.aggregate_id)}`,
    })),
    openJobs: openJobs.map((row) => ({ id: row.id, queue: row.name, state: row.state, subject: row.singleton_key })),
    completedEvents: completed.map((row) => ({
      id: Number(row.id),
      aggregate: `${text(row.aggregate_type)}:${text(row.aggregate_id)}`,
      processedAtUs: Number(row.processed_us),
    })),
    leases: leases.map((row) => ({
      name: text(row.name ?? undefined),
      processId: row.process_id ?? null,
      isLive: flag(row.is_live),
    })),
    ranking: await readNewestRanking(catalogue),
    viewerSecret: secrets[0]?.value ?? null,
  };
}

const text = (value: string | undefined): string => (value ?? '').trim();

/** Pack ids by sort: an order is 4-byte places in the list of 16-byte ids. */
export async function readNewestRanking(catalogue: Sql): Promise<Record<string, string[]>> {
  const rows = await catalogue.query<{ sort: string; pack_ids: Buffer }>(
    `SELECT sort, pack_ids FROM ranking_generation_chunk
      WHERE generation = (SELECT MAX(generation) FROM ranking_generation) ORDER BY sort, chunk`,
  );
  const parts = new Map<string, Buffer>();
  for (const { sort, pack_ids: bytes } of rows)
    parts.set(sort, Buffer.concat([parts.get(sort) ?? Buffer.alloc(0), bytes]));
  const hex = (parts.get('ids') ?? Buffer.alloc(0)).toString('hex');
  const idAt = (place: number): string =>
    hex
      .slice(place * packIdBytes * 2, (place + 1) * packIdBytes * 2)
      .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  const ranking: Record<string, string[]> = {};
  for (const [name, bytes] of parts) {
    if (!name.startsWith('order:')) continue;
    ranking[name.slice('order:'.length)] = Array.from({ length: bytes.length / 4 }, (_, index) =>
      idAt(bytes.readUInt32LE(index * 4)),
    );
  }
  return ranking;
}

/** Rows written by the harness's triggers. */
export type Effect = { seq: number; actor: string; table: string; subject: string; version: number };
export type EventChange = {
  seq: number;
  atMs: number;
  /** Changes of one statement share it: their order means nothing. */
  batch: string;
  actor: string;
  operation: 'insert' | 'update' | 'delete';
  eventId: number;
  eventType: string;
  aggregate: string;
  action: string | null;
  requestId: string | null;
  oldStatus: string | null;
  newStatus: string | null;
};
export type JobChange = {
  seq: number;
  atMs: number;
  actor: string;
  port: number | null;
  operation: 'insert' | 'update' | 'delete';
  jobId: string;
  queue: string;
  subject: string | null;
  state: string | null;
  /** When it may be started; absent when the row is gone. */
  startAfterMs?: number;
};
export type RecordedHistory = { effects: Effect[]; events: EventChange[]; jobs: JobChange[] };

export async function readRecordedHistory(catalogue: Sql, queue: Sql): Promise<RecordedHistory> {
  const milliseconds =
    catalogue.kind === 'postgres' ? '(EXTRACT(EPOCH FROM at) * 1000)::float8' : 'UNIX_TIMESTAMP(at) * 1000';
  const effects = await catalogue.query<{
    seq: number;
    actor: string;
    table_name: string;
    subject: string;
    version: number;
  }>('SELECT seq, actor, table_name, subject, version FROM chaos_effect ORDER BY seq');
  const events = await catalogue.query<Record<string, string | null>>(
    `SELECT seq, ${milliseconds} AS at_ms, batch, actor, operation, event_id, event_type, aggregate, action, request_id,
            old_status, new_status FROM chaos_event ORDER BY seq`,
  );
  const jobs = await queue.query<Record<string, string | null>>(
    `SELECT seq, (EXTRACT(EPOCH FROM at) * 1000)::float8 AS at_ms, actor, port, operation, job_id, queue, subject, state,
            (EXTRACT(EPOCH FROM start_after) * 1000)::float8 AS start_after_ms FROM chaos_job ORDER BY seq`,
  );
  return {
    effects: effects.map((row) => ({
      seq: Number(row.seq),
      actor: row.actor,
      table: row.table_name,
      subject: row.subject,
      version: Number(row.version),
    })),
    events: events.map((row) => ({
      seq: Number(row.seq),
      atMs: Number(row.at_ms),
      batch: row.batch ?? '',
      actor: row.actor ?? '',
      operation: row.operation as EventChange['operation'],
      eventId: Number(row.event_id),
      eventType: row.event_type ?? '',
      aggregate: row.aggregate ?? '',
      action: row.action ?? null,
      requestId: row.request_id ?? null,
      oldStatus: row.old_status ?? null,
      newStatus: row.new_status ?? null,
    })),
    jobs: jobs.map((row) => ({
      seq: Number(row.seq),
      atMs: Number(row.at_ms),
      actor: row.actor ?? '',
      port: row.port === null || row.port === undefined ? null : Number(row.port),
      operation: row.operation as JobChange['operation'],
      jobId: row.job_id ?? '',
      queue: row.queue ?? '',
      subject: row.subject ?? null,
      state: row.state ?? null,
      ...(typeof row.start_after_ms === 'string' || typeof row.start_after_ms === 'number'
        ? { startAfterMs: Number(row.start_after_ms) }
        : {}),
    })),
  };
}
