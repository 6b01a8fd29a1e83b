/**
 * What the tables say of one sticker, pack or request: its events, what became of them, what was made, who decided. Stickers and
 * packs are found through indexes. A request is found by reading the whole outbox, which holds a week: a person waits for that now and
 * then, where an index would be written with each event, and with both of its updates.
 */
import type { Knex } from 'knex';
import { fromJsonColumn, type Database } from '@omnizap/runtime';
import { idPattern, packKeyPattern } from './name-patterns.ts';

export type StoryEvent = {
  id: number;
  type: string;
  aggregateType: string;
  aggregateId: string;
  status: 'pending' | 'processing' | 'completed' | 'failed';
  attempts: number;
  requestId: string | null;
  traceparent: string | null;
  payload: Record<string, unknown>;
  createdAt: Date;
  availableAt: Date;
  redrivenAt: Date | null;
  processedAt: Date | null;
  error: string | null;
};
export type StoryDeadLetter = {
  source: 'outbox' | 'tasks';
  id: number;
  type: string;
  subjectId: string;
  requestId: string | null;
  attempts: number;
  failedAt: Date;
  error: string;
};
export type StoryWork = { taskType: string; subjectId: string; isDue: boolean; hasFailed: boolean; wantedAt: Date };
export type Made = { what: string; by: string; at: Date };
export type Decision = { action: string; actor: string; target: string; reason: string | null; at: Date };

export type Story = {
  /** What was asked for by its own name; none when a request was. */
  subjectIds: string[];
  stickerIds: string[];
  packIds: string[];
  requestIds: string[];
  events: StoryEvent[];
  deadLetters: StoryDeadLetter[];
  work: StoryWork[];
  made: Made[];
  decisions: Decision[];
  /** Messages to webhooks that nobody has taken yet. */
  untakenMessages: string[];
};

const most = 1_000;

/** Null when no table knows it. `id`: of a sticker or a request, or a pack's key. */
export async function readStory({ knex }: Database, id: string): Promise<Story | null> {
  const sticker =
    idPattern.test(id) && (await knex('sticker_asset').where({ id }).first<{ id: string } | undefined>('id'));
  const pack =
    packKeyPattern.test(id) &&
    (await knex('sticker_pack').where({ pack_key: id }).first<{ id: string } | undefined>('id'));
  const events: StoryEvent[] = [];
  const letters: StoryDeadLetter[] = [];
  if (sticker) await readAggregate('sticker_asset', sticker.id);
  if (pack) await readAggregate('sticker_pack', pack.id);
  const isRequest = !sticker && !pack;
  if (isRequest) {
    events.push(...(await readEvents(knex, (query) => query.where({ request_id: id }))));
    letters.push(...(await readDeadEvents(knex, (query) => query.where({ request_id: id }))));
  }
  const requestIds = isRequest
    ? [id]
    : unique([...events, ...letters].flatMap(({ requestId }) => (requestId === null ? [] : [requestId])));
  const stickerIds = unique([...(sticker ? [sticker.id] : []), ...aggregatesOf('sticker_asset')]);
  const packIds = unique([...(pack ? [pack.id] : []), ...aggregatesOf('sticker_pack')]);
  if (sticker) {
    const packs = await knex('sticker_pack_item').where({ asset_id: sticker.id }).pluck<string[]>('pack_id');
    events.push(
      ...(await readEvents(knex, (query) =>
        query
          .where({ aggregate_type: 'sticker_pack' })
          .whereIn('aggregate_id', packs)
          .whereIn('request_id', requestIds),
      )),
    );
    packIds.push(...packs);
  }
  letters.push(...(await readDeadTasks(knex, { subjectIds: [...stickerIds, ...packIds], requestIds })));
  const decisions = [
    ...(await readDecisions(knex, { stickerIds, packIds, requestIds, isRequest })),
    ...(await readSettlements(knex, { stickerIds, packIds, eventIds: events.map((event) => String(event.id)) })),
  ];
  if (isRequest && events.length + letters.length + decisions.length === 0) return null;
  const messages = events.flatMap(({ payload }) => (payload.webhook_message_ids ?? []) as string[]);
  return {
    ...{ stickerIds, packIds, requestIds, decisions },
    subjectIds: [sticker, pack].flatMap((one) => (one ? [one.id] : [])),
    events: [...new Map(events.map((event) => [event.id, event])).values()],
    deadLetters: letters,
    work: await readWork(knex, { stickerIds, packIds, messages }),
    made: [...(await readMadeOfStickers(knex, stickerIds)), ...(await readMadeOfPacks(knex, packIds))],
    untakenMessages: await knex('webhook_message').whereIn('message_id', messages).pluck<string[]>('message_id'),
  };

  async function readAggregate(aggregateType: string, aggregateId: string): Promise<void> {
    const own = (query: Knex.QueryBuilder) => query.where({ aggregate_type: aggregateType, aggregate_id: aggregateId });
    events.push(...(await readEvents(knex, own)));
    letters.push(...(await readDeadEvents(knex, own)));
  }

  function aggregatesOf(aggregateType: string): string[] {
    return events.filter((event) => event.aggregateType === aggregateType).map(({ aggregateId }) => aggregateId);
  }
}

async function readEvents(knex: Knex, narrow: (query: Knex.QueryBuilder) => Knex.QueryBuilder): Promise<StoryEvent[]> {
  const rows = (await narrow(knex('domain_event_outbox')).orderBy('id').limit(most)) as Record<string, unknown>[];
  return rows.map((row) => ({
    id: row.id as number,
    type: row.event_type as string,
    aggregateType: row.aggregate_type as string,
    aggregateId: row.aggregate_id as string,
    status: row.status as StoryEvent['status'],
    attempts: row.attempts as number,
    requestId: row.request_id as string | null,
    traceparent: row.traceparent as string | null,
    payload: fromJsonColumn(row.payload) as Record<string, unknown>,
    createdAt: row.created_at as Date,
    availableAt: row.available_at as Date,
    redrivenAt: row.redriven_at as Date | null,
    processedAt: row.processed_at as Date | null,
    error: firstLine(row.last_error),
  }));
}

async function readDeadEvents(
  knex: Knex,
  narrow: (query: Knex.QueryBuilder) => Knex.QueryBuilder,
): Promise<StoryDeadLetter[]> {
  const rows = (await narrow(knex('domain_event_outbox_dlq')).orderBy('id').limit(most)) as Record<string, unknown>[];
  return rows.map((row) => deadLetterOf('outbox', row, row.event_type as string, row.aggregate_id as string));
}

/** Few: they wait for a person. */
async function readDeadTasks(
  knex: Knex,
  { subjectIds, requestIds }: { subjectIds: string[]; requestIds: string[] },
): Promise<StoryDeadLetter[]> {
  const rows = (await knex('sticker_worker_task_dlq')
    .whereIn('subject_id', subjectIds)
    .orWhereIn('request_id', requestIds)
    .orderBy('id')
    .limit(most)) as Record<string, unknown>[];
  return rows.map((row) => deadLetterOf('tasks', row, row.task_type as string, row.subject_id as string));
}

function deadLetterOf(
  source: StoryDeadLetter['source'],
  row: Record<string, unknown>,
  type: string,
  subjectId: string,
): StoryDeadLetter {
  return {
    ...{ source, type, subjectId, id: row.id as number, attempts: row.attempts as number },
    requestId: row.request_id as string | null,
    failedAt: row.failed_at as Date,
    error: firstLine(row.last_error) ?? '',
  };
}

async function readWork(
  knex: Knex,
  { stickerIds, packIds, messages }: { stickerIds: string[]; packIds: string[]; messages: string[] },
): Promise<StoryWork[]> {
  const subjects = [...subjectsOf(stickerIds, packIds), ...messages.map((id) => ['webhook', id])];
  if (subjects.length === 0) return [];
  const rows = await knex('work_state').whereIn(['task_type', 'subject_id'], subjects).select<
    {
      task_type: string;
      subject_id: string;
      is_due: number;
      failed_version: number;
      wanted_version: number;
      wanted_at: Date;
    }[]
  >('task_type', 'subject_id', 'is_due', 'failed_version', 'wanted_version', 'wanted_at');
  return rows.map((row) => ({
    taskType: row.task_type,
    subjectId: row.subject_id,
    isDue: row.is_due === 1,
    hasFailed: row.failed_version >= row.wanted_version,
    wantedAt: row.wanted_at,
  }));
}

async function readMadeOfStickers(knex: Knex, ids: string[]): Promise<Made[]> {
  const assets = await knex('sticker_asset')
    .whereIn('id', ids)
    .select<{ id: string; status: string; created_at: Date; rejection_reason: string | null; updated_at: Date }[]>(
      ...['id', 'status', 'created_at', 'rejection_reason', 'updated_at'],
    );
  const verdicts = await knex('sticker_asset_classification')
    .whereIn('asset_id', ids)
    .select<{ asset_id: string; category: string; classified_at: Date }[]>('asset_id', 'category', 'classified_at');
  const files = await knex('sticker_asset_derivative')
    .whereIn('asset_id', ids)
    .select<{ asset_id: string; variant: string; created_at: Date }[]>('asset_id', 'variant', 'created_at');
  return [
    ...assets.map((row) => ({ what: `sticker ${row.id} taken in`, by: 'api', at: row.created_at })),
    ...assets
      .filter(({ status }) => status === 'rejected')
      .map((row) => ({
        what: `sticker ${row.id} rejected: ${row.rejection_reason ?? ''}`,
        ...{ by: 'worker-classification', at: row.updated_at },
      })),
    ...verdicts.map((row) => ({
      what: `sticker ${row.asset_id} classified as ${row.category}`,
      ...{ by: 'worker-classification', at: row.classified_at },
    })),
    ...files.map((row) => ({
      what: `${row.variant} of sticker ${row.asset_id} made`,
      ...{ by: 'worker-classification', at: row.created_at },
    })),
  ];
}

/** The score as it was computed last, and the first ranking that may have it. */
async function readMadeOfPacks(knex: Knex, ids: string[]): Promise<Made[]> {
  const scores = await knex('sticker_pack_score_snapshot')
    .whereIn('pack_id', ids)
    .select<{ pack_id: string; refreshed_at: Date; is_listed: number }[]>('pack_id', 'refreshed_at', 'is_listed');
  const made: Made[] = [];
  for (const { pack_id: packId, refreshed_at: at, is_listed: isListed } of scores) {
    made.push({ what: `score of pack ${packId} computed`, by: 'worker-rebuild', at });
    const ranking = await knex('ranking_generation')
      .where('refreshed_at', '>=', at)
      .orderBy('generation')
      .first<{ generation: number; refreshed_at: Date } | undefined>('generation', 'refreshed_at');
    if (ranking && isListed === 1)
      made.push({
        what: `ranking ${ranking.generation} published with pack ${packId}`,
        ...{ by: 'maintenance', at: ranking.refreshed_at },
      });
  }
  return made;
}

async function readDecisions(
  knex: Knex,
  story: { stickerIds: string[]; packIds: string[]; requestIds: string[]; isRequest: boolean },
): Promise<Decision[]> {
  const keys = await knex('sticker_pack').whereIn('id', story.packIds).pluck<string[]>('pack_key');
  const targets = [
    ...story.stickerIds.map((id) => ['sticker_asset', id]),
    ...[...keys, ...story.packIds].map((id) => ['sticker_pack', id]),
  ];
  const query = knex('admin_action_audit').whereIn(['target_type', 'target_id'], targets);
  // Only when a request was asked for: no index knows them.
  if (story.isRequest) void query.orWhereIn('request_id', story.requestIds);
  const rows = (await query.orderBy('id').limit(most)) as Record<string, unknown>[];
  return rows.map((row) => ({
    action: row.action as string,
    actor: row.actor as string,
    target: `${String(row.target_type)} ${String(row.target_id)}`,
    reason: row.reason as string | null,
    at: row.created_at as Date,
  }));
}

/** Dead letters that a person has settled. Index `dead_letter_history_origin_idx`. */
async function readSettlements(
  knex: Knex,
  { stickerIds, packIds, eventIds }: { stickerIds: string[]; packIds: string[]; eventIds: string[] },
): Promise<Decision[]> {
  const origins = [
    ...eventIds.map((id) => ['outbox', id]),
    ...subjectsOf(stickerIds, packIds).map(([type, id]) => ['tasks', `${type}:${id}`]),
  ];
  if (origins.length === 0) return [];
  const rows = await knex('dead_letter_history')
    .whereIn(['source', 'origin'], origins)
    .orderBy('id')
    .limit(most)
    .select<
      {
        source: string;
        origin: string;
        settlement: string;
        reason: string | null;
        settled_by: string;
        settled_at: Date;
      }[]
    >('source', 'origin', 'settlement', 'reason', 'settled_by', 'settled_at');
  return rows.map((row) => ({
    action: `dead letter ${row.settlement}`,
    actor: row.settled_by,
    target: `${row.source} ${row.origin}`,
    reason: row.reason,
    at: row.settled_at,
  }));
}

function subjectsOf(stickerIds: string[], packIds: string[]): [string, string][] {
  return [
    ...stickerIds.flatMap((id) =>
      ['classification', 'derivative', 'storage'].map((type): [string, string] => [type, id]),
    ),
    ...packIds.map((id): [string, string] => ['rebuild', id]),
  ];
}

const unique = (values: string[]): string[] => [...new Set(values)];

function firstLine(text: unknown): string | null {
  return typeof text === 'string' ? (text.split('\n', 1)[0] ?? '').slice(0, 300) : null;
}
