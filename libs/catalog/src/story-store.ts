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
export type StoryWork = {
  taskType: string;
  subjectId: string;
  isDue: boolean;
  /** For good, and nothing newer is wanted. */
  hasFailed: boolean;
  wantedAt: Date;
  /** When a person discarded its last dead letter that is known. */
  discardedAt: Date | null;
};
export type Made = { what: string; by: string; at: Date };
export type Decision = { action: string; actor: string; target: string; reason: string | null; at: Date };

export type Story = {
  /** What was asked for by its own name; none when a request was. */
  subjectIds: string[];
  stickerIds: string[];
  /** Of these stickers, those that were cleaned up since. */
  goneStickerIds: string[];
  packIds: string[];
  requestIds: string[];
  events: StoryEvent[];
  deadLetters: StoryDeadLetter[];
  work: StoryWork[];
  made: Made[];
  decisions: Decision[];
  /** Messages to webhooks that nobody has taken yet. */
  untakenMessages: string[];
  /** There is more of some kind than is told; what is not over comes first, then what is newest. */
  isCut: boolean;
};

type Row = Record<string, unknown>;
type Subject = [taskType: string, subjectId: string];

const most = 1_000;
const engagement = 'ENGAGEMENT_RECORDED';

/**
 * Null when no table knows it. `id`: of a sticker, also of one that is gone, or of a request, or a pack's key; with `isRequest` of a
 * request, whatever else is called so.
 */
export async function readStory(
  { knex }: Database,
  id: string,
  asked: { isRequest: boolean } = { isRequest: false },
): Promise<Story | null> {
  let isCut = false;
  const sticker = !asked.isRequest && idPattern.test(id) ? await knowsSticker() : null;
  const pack =
    !asked.isRequest && packKeyPattern.test(id)
      ? await knex('sticker_pack').where({ pack_key: id }).first<{ id: string } | undefined>('id')
      : undefined;
  const events: StoryEvent[] = [];
  const letters: StoryDeadLetter[] = [];
  const made: Made[] = [];
  if (sticker !== null) await readOwn({ aggregate_type: 'sticker_asset', aggregate_id: id });
  if (pack) {
    await readOwn({ aggregate_type: 'sticker_pack', aggregate_id: pack.id });
    made.push(...(await readEngagement(knex, pack.id)));
  }
  const isRequest = sticker === null && !pack;
  if (isRequest) await readOwn({ request_id: id });
  const requestIds = isRequest
    ? [id]
    : unique([...events, ...letters].flatMap(({ requestId }) => (requestId === null ? [] : [requestId])));
  const stickerIds = unique([...(sticker === null ? [] : [id]), ...aggregatesOf('sticker_asset')]);
  const packIds = unique([...(pack ? [pack.id] : []), ...aggregatesOf('sticker_pack')]);
  if (sticker !== null) {
    const packs = await knex('sticker_pack_item').where({ asset_id: id }).pluck<string[]>('pack_id');
    await readEvents((query) =>
      query.where({ aggregate_type: 'sticker_pack' }).whereIn('aggregate_id', packs).whereIn('request_id', requestIds),
    );
    packIds.push(...packs.filter((packId) => !packIds.includes(packId)));
  }
  await readDeadTasks();
  const messages = unique(events.flatMap(({ payload }) => idsOf(payload.webhook_message_ids)));
  const subjects: Subject[] = [
    ...subjectsOf(stickerIds, packIds),
    ...messages.map((messageId): Subject => ['webhook', messageId]),
  ];
  const settlements = await readSettlements();
  const decisions = [...(await readDecisions()), ...settlements.map(decisionOf)];
  if (isRequest && events.length + letters.length + decisions.length === 0) return null;
  const stickers = await readMadeOfStickers(knex, stickerIds);
  return {
    ...{ stickerIds, packIds, requestIds, decisions },
    goneStickerIds: stickerIds.filter((stickerId) => !stickers.ids.includes(stickerId)),
    subjectIds: [...(sticker === null ? [] : [id]), ...(pack ? [pack.id] : [])],
    events: [...new Map(events.map((event) => [event.id, event])).values()],
    deadLetters: letters,
    work: await readWork(knex, subjects, settlements),
    made: [...made, ...stickers.made, ...(await readMadeOfPacks(knex, packIds))],
    untakenMessages: await knex('webhook_message').whereIn('message_id', messages).pluck<string[]>('message_id'),
    isCut,
  };

  /** Clean-up leaves what happened: events for their week, dead letters and decisions for longer. */
  async function knowsSticker(): Promise<true | null> {
    const aggregate = { aggregate_type: 'sticker_asset', aggregate_id: id };
    for (const [table, where] of [
      ['sticker_asset', { id }],
      ['domain_event_outbox', aggregate],
      ['domain_event_outbox_dlq', aggregate],
      ['admin_action_audit', { target_type: 'sticker_asset', target_id: id }],
    ] as const)
      if ((await knex(table).where(where).first<Row | undefined>('id')) !== undefined) return true;
    return null;
  }

  async function readOwn(where: Record<string, string>): Promise<void> {
    await readEvents((query) => {
      void query.where(where);
      // Of a popular pack they are nearly all there is; those that are over are counted instead.
      if (where.aggregate_type === 'sticker_pack')
        void query.whereNot((folded) => void folded.where({ status: 'completed', event_type: engagement }));
      return query;
    });
    const rows = await newest(knex('domain_event_outbox_dlq').where(where));
    letters.push(
      ...rows.map((row) => deadLetterOf('outbox', row, row.event_type as string, row.aggregate_id as string)),
    );
  }

  async function readEvents(narrow: (query: Knex.QueryBuilder) => Knex.QueryBuilder): Promise<void> {
    const query = narrow(knex('domain_event_outbox')).orderByRaw("CASE WHEN status = 'completed' THEN 1 ELSE 0 END");
    events.push(...(await newest(query)).map(eventOf).sort((one, other) => one.id - other.id));
  }

  /** Few: they wait for a person. */
  async function readDeadTasks(): Promise<void> {
    const query = knex('sticker_worker_task_dlq')
      .whereIn('subject_id', [...stickerIds, ...packIds])
      .orWhereIn('request_id', requestIds);
    const rows = await newest(query);
    letters.push(...rows.map((row) => deadLetterOf('tasks', row, row.task_type as string, row.subject_id as string)));
  }

  async function readDecisions(): Promise<Decision[]> {
    const keys = await knex('sticker_pack').whereIn('id', packIds).pluck<string[]>('pack_key');
    const targets = [
      ...stickerIds.map((target) => ['sticker_asset', target]),
      ...[...keys, ...packIds].map((target) => ['sticker_pack', target]),
    ];
    const query = knex('admin_action_audit').whereIn(['target_type', 'target_id'], targets);
    // Only when a request was asked for: no index knows them.
    if (isRequest) void query.orWhereIn('request_id', requestIds);
    return (await newest(query)).map((row) => ({
      action: row.action as string,
      actor: row.actor as string,
      target: `${String(row.target_type)} ${String(row.target_id)}`,
      reason: row.reason as string | null,
      at: row.created_at as Date,
    }));
  }

  /** Dead letters that a person has settled. Index `dead_letter_history_origin_idx`. */
  async function readSettlements(): Promise<Row[]> {
    const origins = [
      ...events.map((event) => ['outbox', String(event.id)]),
      ...subjects.map(([type, subjectId]) => ['tasks', `${type}:${subjectId}`]),
    ];
    if (origins.length === 0) return [];
    return newest(knex('dead_letter_history').whereIn(['source', 'origin'], origins));
  }

  /** Ascending. */
  async function newest(query: Knex.QueryBuilder): Promise<Row[]> {
    const rows = (await query.orderBy('id', 'desc').limit(most + 1)) as Row[];
    if (rows.length > most) isCut = true;
    return rows.slice(0, most).toReversed();
  }

  /** Anything may stand in a poisoned event, and uuid columns refuse to look for what is none. */
  function aggregatesOf(aggregateType: string): string[] {
    return idsOf(events.filter((event) => event.aggregateType === aggregateType).map((event) => event.aggregateId));
  }
}

function eventOf(row: Row): StoryEvent {
  const payload = fromJsonColumn(row.payload);
  return {
    id: row.id as number,
    type: row.event_type as string,
    aggregateType: row.aggregate_type as string,
    aggregateId: row.aggregate_id as string,
    status: row.status as StoryEvent['status'],
    attempts: row.attempts as number,
    requestId: row.request_id as string | null,
    traceparent: row.traceparent as string | null,
    payload: typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>) : {},
    createdAt: row.created_at as Date,
    availableAt: row.available_at as Date,
    redrivenAt: row.redriven_at as Date | null,
    processedAt: row.processed_at as Date | null,
    error: firstLine(row.last_error),
  };
}

function deadLetterOf(source: StoryDeadLetter['source'], row: Row, type: string, subjectId: string): StoryDeadLetter {
  return {
    ...{ source, type, subjectId, id: row.id as number, attempts: row.attempts as number },
    requestId: row.request_id as string | null,
    failedAt: row.failed_at as Date,
    error: firstLine(row.last_error) ?? '',
  };
}

function decisionOf(row: Row): Decision {
  return {
    action: `dead letter ${String(row.settlement)}`,
    actor: row.settled_by as string,
    target: `${String(row.source)} ${String(row.origin)}`,
    reason: row.reason as string | null,
    at: row.settled_at as Date,
  };
}

/** Opens, likes and downloads of a pack whose events are over. */
async function readEngagement(knex: Knex, packId: string): Promise<Made[]> {
  const row = await knex('domain_event_outbox')
    .where({ aggregate_type: 'sticker_pack', aggregate_id: packId, status: 'completed', event_type: engagement })
    .first<{ count: number; since: Date | null; until: Date | null } | undefined>(
      knex.raw('COUNT(*) AS count, MIN(created_at) AS since, MAX(processed_at) AS until'),
    );
  if (!row?.since) return [];
  const what = `${row.count} of ${engagement} of sticker_pack ${packId} relayed since ${row.since.toISOString()}`;
  return [{ what, by: 'relay', at: row.until ?? row.since }];
}

async function readWork(knex: Knex, subjects: Subject[], settlements: Row[]): Promise<StoryWork[]> {
  if (subjects.length === 0) return [];
  const rows = await knex('work_state').whereIn(['task_type', 'subject_id'], subjects).select<
    {
      task_type: string;
      subject_id: string;
      is_due: number;
      failed_version: number;
      done_version: number;
      wanted_version: number;
      wanted_at: Date;
    }[]
  >('task_type', 'subject_id', 'is_due', 'failed_version', 'done_version', 'wanted_version', 'wanted_at');
  return rows.map((row) => ({
    taskType: row.task_type,
    subjectId: row.subject_id,
    isDue: row.is_due === 1,
    hasFailed: row.is_due === 0 && row.done_version < row.wanted_version,
    wantedAt: row.wanted_at,
    discardedAt: discardOf(`${row.task_type}:${row.subject_id}`),
  }));

  function discardOf(origin: string): Date | null {
    const last = settlements.findLast((row) => row.source === 'tasks' && row.origin === origin);
    return last?.settlement === 'discarded' ? (last.settled_at as Date) : null;
  }
}

async function readMadeOfStickers(knex: Knex, ids: string[]): Promise<{ ids: string[]; made: Made[] }> {
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
  const made = [
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
  return { ids: assets.map((row) => row.id), made };
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

function subjectsOf(stickerIds: string[], packIds: string[]): Subject[] {
  return [
    ...stickerIds.flatMap((id) => ['classification', 'derivative', 'storage'].map((type): Subject => [type, id])),
    ...packIds.map((id): Subject => ['rebuild', id]),
  ];
}

const idsOf = (values: unknown): string[] =>
  Array.isArray(values)
    ? (values as unknown[]).filter((value): value is string => typeof value === 'string' && idPattern.test(value))
    : [];
const unique = (values: string[]): string[] => [...new Set(values)];

function firstLine(text: unknown): string | null {
  return typeof text === 'string' ? (text.split('\n', 1)[0] ?? '').slice(0, 300) : null;
}
