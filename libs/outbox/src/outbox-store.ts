/**
 * The relay's SQL. A shard is leased to one relay, so claiming needs no SKIP LOCKED. Every statement asks in itself whether the
 * shards are still ours by the database's clock, and every settling one names the claim (`locked_by`) as well: what a relay sent
 * before it slept, or what the network held back, changes nothing when it arrives after the lease.
 *
 * Tried instead: one `status = 'pending' AND shard IN (...) ORDER BY id LIMIT n`. With a backlog it sorts everything pending;
 * one limited range per shard reads at most shards x limit index entries whatever the backlog.
 */
import type { Knex } from 'knex';
import {
  affectedRows,
  fromJsonColumn,
  rowsOf,
  sqlNow,
  sqlNowPlus,
  sqlSecondsSince,
  type Database,
} from '@omnizap/runtime';
import { shardLeaseName, type OutboxEvent } from './event.ts';

type Row = {
  id: number;
  event_type: string;
  aggregate_type: string;
  aggregate_id: string;
  payload: unknown;
  priority: number;
  attempts: number;
  max_attempts: number;
  request_id: string | null;
  traceparent: string | null;
  tracestate: string | null;
  created_at: Date;
  is_early: number;
  redriven_at: Date | null;
};

/** A relay's right to these shards, and the name under which it claims. `token` is another one for each claim. */
export type Hold = { processId: string; token: string; shards: number[] };

export type Failure = { event: OutboxEvent; error: string; retryInMs: number };

/** A claim that brings this many may have left some in one shard. */
export function claimLimitPerShard(shards: number, limit: number): number {
  return Math.max(8, Math.ceil((limit * 2) / shards));
}

export function createOutboxStore(database: Database) {
  const { knex, kind } = database;
  const now = sqlNow(kind);

  /**
   * Claimable rows of one shard: never past an older row of the same aggregate that is waiting for its retry. A redrive puts
   * older rows beside one that waits already, so a due retry is held back by those before it, too.
   */
  function shardQuery(shard: string, limit: number): string {
    return `(SELECT o.id FROM domain_event_outbox o
              WHERE o.status = 'pending' AND o.shard = ${shard}
                AND NOT EXISTS (SELECT 1 FROM domain_event_outbox f
                                 WHERE f.aggregate_type = o.aggregate_type AND f.aggregate_id = o.aggregate_id
                                   AND f.status = 'failed' AND f.id < o.id)
              ORDER BY o.id LIMIT ${limit})
            UNION ALL
            (SELECT r.id FROM domain_event_outbox r
              WHERE r.status = 'failed' AND r.shard = ${shard} AND r.available_at <= ${now}
                AND NOT EXISTS (SELECT 1 FROM domain_event_outbox e
                                 WHERE e.aggregate_type = r.aggregate_type AND e.aggregate_id = r.aggregate_id
                                   AND (e.status = 'pending' OR (e.status = 'failed' AND e.available_at > ${now}))
                                   AND e.id < r.id)
              ORDER BY r.id LIMIT ${limit})`;
  }

  /** PostgreSQL plans one lateral query in a fraction of the 5 ms that a union over 16 shards takes it; MariaDB has no lateral. */
  function candidatesQuery(shards: number[], limit: number): string {
    const perShard = claimLimitPerShard(shards.length, limit);
    if (kind === 'postgres') {
      const held = shards.map((shard) => `(${shard})`).join(', ');
      return `SELECT c.id FROM (VALUES ${held}) s (shard) CROSS JOIN LATERAL (${shardQuery('s.shard', perShard)}) c ORDER BY c.id LIMIT ${limit}`;
    }
    const union = shards.map((shard) => shardQuery(String(shard), perShard)).join(' UNION ALL ');
    return `SELECT id FROM (${union}) c ORDER BY id LIMIT ${limit}`;
  }

  /** True, once per statement, while the process lives and holds every one of the shards. */
  function isHeld(hold: Hold): Knex.Raw {
    const names = hold.shards.map(shardLeaseName);
    return knex.raw(
      `EXISTS (SELECT 1 FROM process_lease p WHERE p.process_id = ? AND p.expires_at > ${now})
       AND NOT EXISTS (SELECT 1 FROM held_lease h WHERE h.name IN (${names.map(() => '?').join(', ')})
                          AND (h.process_id IS NULL OR h.process_id <> ?))`,
      [hold.processId, ...names, hold.processId],
    );
  }

  /**
   * No transaction: the shards are ours alone, and what a failure leaves `processing` is reclaimed. A statement that a former
   * holder sent in time and that is carried out just after the shard moved may have taken an event from under us: whatever has an
   * unfinished older one of its aggregate that is not in this claim is left out, and put back.
   */
  async function claim(hold: Hold, limit: number): Promise<OutboxEvent[]> {
    const found: unknown = await knex.raw(candidatesQuery(hold.shards, limit));
    const candidates = rowsOf<{ id: number }>(found).map((row) => row.id);
    if (candidates.length === 0) return [];
    await knex('domain_event_outbox')
      .whereIn('id', candidates)
      .whereIn('status', ['pending', 'failed'])
      .whereRaw(isHeld(hold))
      .update({ status: 'processing', locked_by: hold.token, attempts: knex.raw('attempts + 1') });
    const rows = await knex('domain_event_outbox as o')
      .whereIn('id', candidates)
      .where({ locked_by: hold.token, status: 'processing' })
      .orderBy('id')
      .select<Row[]>(
        'id',
        'event_type',
        'aggregate_type',
        'aggregate_id',
        'payload',
        'priority',
        'attempts',
        'max_attempts',
        'request_id',
        'traceparent',
        'tracestate',
        'created_at',
        knex.raw(
          `CASE WHEN EXISTS (SELECT 1 FROM domain_event_outbox f
             WHERE f.aggregate_type = o.aggregate_type AND f.aggregate_id = o.aggregate_id
               AND f.status IN ('pending', 'processing', 'failed') AND f.id < o.id
               AND (f.locked_by IS NULL OR f.locked_by <> ?)) THEN 1 ELSE 0 END AS is_early`,
          [hold.token],
        ),
        'redriven_at',
      );
    const events = rows.map((row) => ({
      id: row.id,
      type: row.event_type,
      aggregateType: row.aggregate_type,
      aggregateId: row.aggregate_id,
      payload: fromJsonColumn(row.payload),
      priority: row.priority,
      attempts: row.attempts,
      maxAttempts: row.max_attempts,
      requestId: row.request_id,
      trace: row.traceparent === null ? null : { traceparent: row.traceparent, tracestate: row.tracestate },
      // Days among the dead letters are no lag of the relay.
      createdAt: row.redriven_at ?? row.created_at,
    }));
    const early = events.filter((_event, index) => rows[index]?.is_early === 1);
    if (early.length === 0) return events;
    await giveBack(early, hold);
    return events.filter((event) => !early.includes(event));
  }

  /** Puts events back without counting the attempt: the fault was not theirs. */
  async function giveBack(events: OutboxEvent[], hold: Hold): Promise<void> {
    if (events.length === 0) return;
    await knex('domain_event_outbox')
      .whereIn(
        'id',
        events.map((event) => event.id),
      )
      .where({ status: 'processing', locked_by: hold.token })
      .update({ status: 'pending', locked_by: null, attempts: knex.raw('attempts - 1') });
  }

  return {
    /** Up to `limit` events of the shards, oldest first, now `processing` under the hold's token; none when it is not valid. */
    claim,

    giveBack,

    /** Whatever was left half done in these shards is pending again. Call it only while nothing of them is being delivered. */
    async reclaim(hold: Hold): Promise<number> {
      return knex('domain_event_outbox')
        .where({ status: 'processing' })
        .whereIn('shard', hold.shards)
        .whereRaw(isHeld(hold))
        .update({ status: 'pending', locked_by: null });
    },

    /** Marks events as relayed. Returns how many were: fewer than given when the hold is no longer valid. */
    async complete(events: OutboxEvent[], hold: Hold): Promise<number> {
      if (events.length === 0) return 0;
      const result: unknown = await knex.raw(
        `UPDATE domain_event_outbox SET status = 'completed', processed_at = ${now}, locked_by = NULL
          WHERE id IN (${events.map(() => '?').join(', ')}) AND status = 'processing' AND locked_by = ? AND ?`,
        [...events.map((event) => event.id), hold.token, isHeld(hold)],
      );
      return affectedRows(result);
    },

    /** Waits for its retry, and with it everything later of its aggregate. */
    async fail(failure: Failure, hold: Hold): Promise<void> {
      await knex('domain_event_outbox')
        .where({ id: failure.event.id, status: 'processing', locked_by: hold.token })
        .whereRaw(isHeld(hold))
        .update({
          status: 'failed',
          locked_by: null,
          last_error: failure.error,
          first_failed_at: knex.raw(`COALESCE(first_failed_at, ${now})`),
          available_at: knex.raw(sqlNowPlus(kind, failure.retryInMs)),
        });
    },

    /** Moves the event, with all that its row says, to the dead letters; the aggregate goes on with its next one. */
    async deadLetter(event: OutboxEvent, error: string, hold: Hold): Promise<void> {
      const carried =
        'event_type, aggregate_type, aggregate_id, payload, attempts, max_attempts, priority, request_id, traceparent, tracestate, created_at';
      const ignoreTwin =
        kind === 'mysql' ? 'ON DUPLICATE KEY UPDATE outbox_event_id = outbox_event_id' : 'ON CONFLICT DO NOTHING';
      await database.transaction(async (trx) => {
        const own = { id: event.id, status: 'processing', locked_by: hold.token };
        const query = trx('domain_event_outbox').where(own).whereRaw(isHeld(hold)).forUpdate();
        if (!(await query.first<{ id: number } | undefined>('id'))) return;
        await trx.raw(
          `INSERT INTO domain_event_outbox_dlq (outbox_event_id, last_error, first_failed_at, failed_at, ${carried})
           SELECT id, ?, COALESCE(first_failed_at, ${now}), ${now}, ${carried} FROM domain_event_outbox WHERE id = ? ${ignoreTwin}`,
          [error, event.id],
        );
        await trx('domain_event_outbox').where({ id: event.id }).delete();
      });
    },

    /** Rows by status, the dead letters, and the age of the oldest row that is not finished: 0 when there is none. */
    async depth(): Promise<OutboxDepth> {
      return toOutboxDepth((await knex.unionAll(outboxDepthQueries(database), true)) as DepthRow[]);
    },
  };
}

/** One line of a depth: `name` says of what; the age is null where nobody asks for one. */
export type DepthRow = { name: string; count: number; oldest_seconds: number | null };
export type OutboxDepth = { pending: number; processing: number; failed: number; dlq: number; oldestSeconds: number };

/** Parts of one UNION ALL that gives the rows of `toOutboxDepth`, so that others' depths come with the same statement. */
export function outboxDepthQueries({ knex, kind }: Database): Knex.QueryBuilder[] {
  const oldest = `${sqlSecondsSince(kind, 'MIN(COALESCE(redriven_at, created_at))')} AS oldest_seconds`;
  return [
    knex('domain_event_outbox')
      .whereIn('status', ['pending', 'processing', 'failed'])
      .groupBy('status')
      .select(knex.raw("CONCAT('outbox_', status) AS name"), knex.raw('COUNT(*) AS count'), knex.raw(oldest)),
    knex('domain_event_outbox_dlq').select(
      knex.raw("'outbox_dlq' AS name"),
      knex.raw('COUNT(*) AS count'),
      knex.raw('NULL AS oldest_seconds'),
    ),
  ];
}

/** Rows of other names are somebody else's. */
export function toOutboxDepth(rows: DepthRow[]): OutboxDepth {
  const own = new Map(rows.map((row) => [row.name, row]));
  const count = (state: string): number => Number(own.get(`outbox_${state}`)?.count ?? 0);
  const ages = ['pending', 'processing', 'failed'].map((state) => own.get(`outbox_${state}`)?.oldest_seconds ?? 0);
  return {
    pending: count('pending'),
    processing: count('processing'),
    failed: count('failed'),
    dlq: count('dlq'),
    oldestSeconds: Math.max(0, ...ages.map(Number)),
  };
}

export type OutboxStore = ReturnType<typeof createOutboxStore>;
