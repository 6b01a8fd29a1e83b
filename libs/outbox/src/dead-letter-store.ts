/**
 * SQL of dead letters, the same for events and for tasks: two tables of one shape, and the history that a settled one moves to.
 *
 * Settling locks the rows by primary key, in order, deletes them and writes the history in the caller's transaction: of two that
 * settle one dead letter, the second finds nothing. Rows are looked for without locks before that, so a filter that no index
 * serves (the error's text, with LIKE) blocks nobody. It reads the whole table at worst: 0.5 s (PostgreSQL) to 1.3 s (MariaDB) for
 * 100,000 dead letters.
 */
import type { Knex } from 'knex';
import { fromJsonColumn, rowsOf, sqlNow, type Database, type Transaction } from '@omnizap/runtime';
import { deadLetterDetailJson, firstLine, type DeadLetter, type DeadLetterDetail } from './dead-letter.ts';
import type { DeadLetterFilter, DeadLetterSource, Settled, Settlement } from './dead-letter.ts';

/** How a table of dead letters spells what both have. */
export type DeadLetterTable = {
  source: DeadLetterSource;
  name: string;
  typeColumn: string;
  subjectColumn: string;
  /** What exactly is dead: the event's id, or the task's. */
  itemColumn: string;
  /** Redriven in this order. */
  orderColumn: string;
  /** Columns that only this table has. */
  ownColumns: string[];
  originOf: (letter: { type: string; subjectId: string; itemId: string }) => string;
};

export const deadEvents: DeadLetterTable = {
  source: 'outbox',
  name: 'domain_event_outbox_dlq',
  typeColumn: 'event_type',
  subjectColumn: 'aggregate_id',
  itemColumn: 'outbox_event_id',
  orderColumn: 'outbox_event_id',
  ownColumns: ['aggregate_type', 'max_attempts', 'priority', 'created_at', 'outbox_event_id as event_id'],
  originOf: ({ itemId }) => itemId,
};

/** Enough of an error to show its first line and to group by it. */
const headLength = 500;
const historyLimit = 20;

type Row = {
  id: number;
  type: string;
  subject_id: string;
  item_id: string | number;
  attempts: number;
  request_id: string | null;
  traceparent: string | null;
  tracestate: string | null;
  first_failed_at: Date | null;
  failed_at: Date;
  error: string | null;
  event_id: number | null;
  aggregate_type?: string;
  max_attempts?: number | null;
  priority?: number | null;
  version?: number | null;
  created_at?: Date;
};

type DetailRow = Row & { last_error: string | null; payload: unknown };

/** The head of one error, for grouping. */
export type ErrorHead = { type: string; head: string; firstFailedAt: Date; failedAt: Date };

export function createDeadLetterStore(database: Database, table: DeadLetterTable) {
  const { knex, kind } = database;

  function columnsOf(db: Knex): (string | Knex.Raw)[] {
    return [
      ...['id', 'attempts', 'request_id', 'traceparent', 'tracestate', 'first_failed_at', 'failed_at'],
      ...table.ownColumns,
      `${table.typeColumn} as type`,
      `${table.subjectColumn} as subject_id`,
      `${table.itemColumn} as item_id`,
      db.raw(`LEFT(last_error, ${headLength}) as error`),
    ];
  }

  function toLetter(row: Row): DeadLetter {
    const named = { type: row.type, subjectId: row.subject_id, itemId: String(row.item_id) };
    return {
      id: row.id,
      source: table.source,
      ...named,
      origin: table.originOf(named),
      aggregateType: row.aggregate_type ?? null,
      attempts: row.attempts,
      maxAttempts: row.max_attempts ?? null,
      priority: row.priority ?? null,
      version: row.version ?? null,
      eventId: row.event_id,
      requestId: row.request_id,
      traceparent: row.traceparent,
      tracestate: row.tracestate,
      createdAt: row.created_at ?? null,
      // Written by a release that did not tell.
      firstFailedAt: row.first_failed_at ?? row.failed_at,
      failedAt: row.failed_at,
      error: firstLine(row.error ?? ''),
    };
  }

  function toDetail(row: DetailRow): DeadLetterDetail {
    return { ...toLetter(row), lastError: row.last_error ?? '', payload: fromJsonColumn(row.payload) };
  }

  function matching(filter: DeadLetterFilter): Knex.QueryBuilder {
    const query = knex(table.name);
    if (filter.type !== undefined) void query.where(table.typeColumn, filter.type);
    if (filter.subjectId !== undefined) void query.where(table.subjectColumn, filter.subjectId);
    if (filter.failedAfter !== undefined) void query.where('failed_at', '>=', filter.failedAfter);
    if (filter.failedBefore !== undefined) void query.where('failed_at', '<', filter.failedBefore);
    if (filter.errorContains !== undefined)
      void query.whereRaw("last_error LIKE ? ESCAPE '!'", [`%${filter.errorContains.replaceAll(/[!%_]/g, '!$&')}%`]);
    return query;
  }

  return {
    table,

    /** Newest first, from behind `beforeId` on. */
    async page(filter: DeadLetterFilter, options: { beforeId: number | null; limit: number }): Promise<DeadLetter[]> {
      const query = matching(filter).orderBy('id', 'desc').limit(options.limit).select<Row[]>(columnsOf(knex));
      if (options.beforeId !== null) void query.where('id', '<', options.beforeId);
      return (await query).map(toLetter);
    },

    async find(id: number): Promise<DeadLetterDetail | null> {
      const [row] = await knex(table.name)
        .where({ id })
        .select<DetailRow[]>([...columnsOf(knex), 'last_error', 'payload']);
      return row ? toDetail(row) : null;
    },

    /** What became of earlier dead letters of the same origin, the newest first. */
    async history(origin: string): Promise<Settled[]> {
      const rows = await knex('dead_letter_history')
        .where({ source: table.source, origin })
        .orderBy('id', 'desc')
        .limit(historyLimit)
        .select<
          {
            id: number;
            dead_letter: unknown;
            settlement: Settlement;
            reason: string | null;
            settled_by: string;
            settled_at: Date;
          }[]
        >('id', 'dead_letter', 'settlement', 'reason', 'settled_by', 'settled_at');
      return rows.map((row) => ({
        id: row.id,
        settlement: row.settlement,
        reason: row.reason,
        settledBy: row.settled_by,
        settledAt: row.settled_at,
        deadLetter: fromJsonColumn(row.dead_letter) as Settled['deadLetter'],
      }));
    },

    async count(filter: DeadLetterFilter, options: { upToId?: number } = {}): Promise<number> {
      const query = matching(filter);
      if (options.upToId !== undefined) void query.where('id', '<=', options.upToId);
      const rows = await query.count<{ count: number }[]>({ count: '*' });
      return rows[0]?.count ?? 0;
    },

    /** The newest `limit` errors. */
    async heads(filter: DeadLetterFilter, limit: number): Promise<ErrorHead[]> {
      const rows = await matching(filter)
        .orderBy('id', 'desc')
        .limit(limit)
        .select<Pick<Row, 'type' | 'first_failed_at' | 'failed_at' | 'error'>[]>(
          `${table.typeColumn} as type`,
          'first_failed_at',
          'failed_at',
          knex.raw(`LEFT(last_error, ${headLength}) as error`),
        );
      return rows.map((row) => ({
        type: row.type,
        head: row.error ?? '',
        firstFailedAt: row.first_failed_at ?? row.failed_at,
        failedAt: row.failed_at,
      }));
    },

    /** The id of the newest dead letter, and what the database's clock says. */
    async mark(): Promise<{ newestId: number; now: Date }> {
      const found: unknown = await knex.raw(
        `SELECT COALESCE(MAX(id), 0) AS newest_id, ${sqlNow(kind)} AS now FROM ${table.name}`,
      );
      const row = rowsOf<{ newest_id: number; now: Date }>(found)[0];
      return { newestId: row?.newest_id ?? 0, now: row?.now ?? new Date() };
    },

    /** Ids in the order in which they are to be settled, from behind `after` (in that order) on; nothing newer than `upToId`. */
    async next(
      filter: DeadLetterFilter,
      options: { after: number; upToId: number; limit: number },
    ): Promise<{ id: number; position: number }[]> {
      return matching(filter)
        .where(table.orderColumn, '>', options.after)
        .where('id', '<=', options.upToId)
        .orderBy(table.orderColumn)
        .limit(options.limit)
        .select<{ id: number; position: number }[]>('id', `${table.orderColumn} as position`);
    },

    /** Those of these that are still there, locked until the end of the transaction, in the order in which they are settled. */
    async lock(trx: Transaction, ids: number[]): Promise<DeadLetterDetail[]> {
      const rows = await trx(table.name)
        .whereIn('id', ids)
        .orderBy('id')
        .forUpdate()
        .select<DetailRow[]>([...columnsOf(trx), 'last_error', 'payload']);
      const place = new Map(ids.map((id, index) => [id, index]));
      return rows.map(toDetail).sort((a, b) => (place.get(a.id) ?? 0) - (place.get(b.id) ?? 0));
    },

    /** Moves locked dead letters into the history. */
    async settle(
      trx: Transaction,
      letters: DeadLetterDetail[],
      how: { settlement: Settlement; reason: string | null; settledBy: string },
    ): Promise<void> {
      const removed = await trx(table.name)
        .whereIn(
          'id',
          letters.map((letter) => letter.id),
        )
        .delete();
      if (removed !== letters.length)
        throw new Error(`${removed} of ${letters.length} locked rows of ${table.name} were deleted`);
      await trx('dead_letter_history').insert(
        letters.map((letter) => ({
          source: table.source,
          origin: letter.origin,
          item_id: letter.itemId,
          dead_letter: JSON.stringify(deadLetterDetailJson(letter)),
          settlement: how.settlement,
          reason: how.reason,
          settled_by: how.settledBy,
          settled_at: trx.raw(sqlNow(kind)),
        })),
      );
    },
  };
}

export type DeadLetterStore = ReturnType<typeof createDeadLetterStore>;
