/**
 * SQL of process leases and of what live processes hold. A process renews one row; everything that it holds (relay shards,
 * leadership) is valid as long as that row is, so an idle process costs one update per renewal whatever it holds.
 * `epoch` rises with each change of holder and fences the former one.
 */
import { affectedRows, fromJsonColumn, rowsOf, type Database } from './database.ts';
import { sqlNow, sqlNowPlus, sqlSecondsSince } from './sql-time.ts';

export type Holding = { name: string; epoch: number };

/** A process that did not renew its lease and did not give it back. */
export type StaleProcess = LiveProcess & { expiredSecondsAgo: number };

export type LiveProcess = { processId: string; processName: string; status: Record<string, unknown> };

const mostStale = 100;

export function createLeaseStore(database: Database) {
  const { knex, kind } = database;
  const now = sqlNow(kind);

  return {
    /** Inserts or extends the lease. Returns false when it had expired: whatever was held may belong to somebody else. */
    async renew(processId: string, ttlMs: number): Promise<boolean> {
      const extended: unknown = await knex.raw(
        `UPDATE process_lease SET expires_at = ${sqlNowPlus(kind, ttlMs)} WHERE process_id = ? AND expires_at > ${now}`,
        [processId],
      );
      if (affectedRows(extended) === 1) return true;
      // Somebody may be taking these right now on the strength of the old lease. Held by nobody, each has one next holder, with a
      // new epoch, be it us; coming back to life as their holder would leave two.
      await knex('held_lease').where({ process_id: processId }).update({ process_id: null });
      await knex.raw('DELETE FROM process_lease WHERE process_id = ?', [processId]);
      await knex.raw(`INSERT INTO process_lease (process_id, expires_at) VALUES (?, ${sqlNowPlus(kind, ttlMs)})`, [
        processId,
      ]);
      return false;
    },

    async writeStatus(processId: string, processName: string, status: Record<string, unknown>): Promise<void> {
      const document = JSON.stringify(status);
      const updated: unknown = await knex.raw(
        'UPDATE process_status SET process_name = ?, status = ? WHERE process_id = ?',
        [processName, document, processId],
      );
      if (affectedRows(updated) === 0) {
        await knex('process_status')
          .insert({ process_id: processId, process_name: processName, status: document })
          .onConflict('process_id')
          .ignore();
      }
    },

    /** Gives back everything: a clean stop must not make others wait for the lease to run out. */
    async leave(processId: string): Promise<void> {
      await knex('held_lease').where({ process_id: processId }).update({ process_id: null });
      await knex('process_status').where({ process_id: processId }).delete();
      await knex('process_lease').where({ process_id: processId }).delete();
    },

    async liveProcesses(): Promise<LiveProcess[]> {
      const result: unknown = await knex.raw(
        `SELECT s.process_id AS "processId", s.process_name AS "processName", s.status
           FROM process_lease l JOIN process_status s ON s.process_id = l.process_id
          WHERE l.expires_at > ${now} ORDER BY s.process_name, s.process_id`.replaceAll(
          '"',
          kind === 'mysql' ? '`' : '"',
        ),
      );
      return rowsOf<{ processId: string; processName: string; status: unknown }>(result).map((row) => ({
        ...row,
        status: (typeof row.status === 'string' ? JSON.parse(row.status) : row.status) as Record<string, unknown>,
      }));
    },

    /** Makes sure that a row exists for each name; called once at start. */
    async declare(names: string[]): Promise<void> {
      await knex('held_lease')
        .insert(names.map((name) => ({ name, epoch: 0 })))
        .onConflict('name')
        .ignore();
    },

    /** Who holds which of `names`, and whether that holder is alive. */
    async holders(
      names: string[],
    ): Promise<{ name: string; processId: string | null; epoch: number; isLive: boolean }[]> {
      const rows = await knex('held_lease as h')
        .leftJoin('process_lease as l', (join) => {
          join.on('l.process_id', 'h.process_id').andOn('l.expires_at', '>', knex.raw(now));
        })
        .whereIn('h.name', names)
        .orderBy('h.name')
        .select<{ name: string; process_id: string | null; epoch: number; live: string | null }[]>(
          'h.name',
          'h.process_id',
          'h.epoch',
          { live: 'l.process_id' },
        );
      return rows.map((row) => ({
        name: row.name,
        processId: row.process_id,
        epoch: row.epoch,
        isLive: row.live !== null,
      }));
    },

    /** Takes `name` if its epoch is still the one seen. Null when somebody was faster. */
    async take(processId: string, name: string, seenEpoch: number): Promise<Holding | null> {
      const updated = await knex('held_lease')
        .where({ name, epoch: seenEpoch })
        .update({ process_id: processId, epoch: seenEpoch + 1 });
      return updated === 1 ? { name, epoch: seenEpoch + 1 } : null;
    },

    async release(processId: string, names: string[]): Promise<void> {
      await knex('held_lease').whereIn('name', names).where({ process_id: processId }).update({ process_id: null });
    },

    /** Rows of processes that died without leaving; kept an hour for whoever looks into it. */
    async prune(): Promise<void> {
      const dead = await knex('process_lease')
        .where('expires_at', '<', knex.raw(sqlNowPlus(kind, -3_600_000)))
        .limit(1_000)
        .pluck<string[]>('process_id');
      if (dead.length === 0) return;
      await knex('process_status').whereIn('process_id', dead).delete();
      await knex('process_lease').whereIn('process_id', dead).delete();
    },
  };
}

export type LeaseStore = ReturnType<typeof createLeaseStore>;

/** Those that died, or hang, without leaving: the last first. Forgotten after an hour. */
export async function readStaleProcesses({ knex, kind }: Database): Promise<StaleProcess[]> {
  const now = sqlNow(kind);
  const seconds = sqlSecondsSince(kind, 'l.expires_at');
  const rows = await knex('process_lease as l')
    .join('process_status as s', 's.process_id', 'l.process_id')
    .where('l.expires_at', '<=', knex.raw(now))
    .orderBy('l.expires_at', 'desc')
    .limit(mostStale)
    .select<{ process_id: string; process_name: string; status: unknown; seconds: number | string }[]>(
      's.process_id',
      's.process_name',
      's.status',
      knex.raw(`${seconds} AS seconds`),
    );
  return rows.map((row) => ({
    processId: row.process_id,
    processName: row.process_name,
    status: fromJsonColumn(row.status) as Record<string, unknown>,
    expiredSecondsAgo: Number(row.seconds),
  }));
}
