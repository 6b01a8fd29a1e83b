/** SQL of ranking generations: an index of ranked packs in named parts, in chunks that any client takes in one packet. */
import { AppError, fromJsonColumn, rowsOf, sqlNow, sqlNowPlus, type Database } from '@omnizap/runtime';
import type { RankableRow } from './rankable-row.ts';
import type { IndexParts } from './ranking-index.ts';

/** Of one row. A generation of 100,000 packs is 30 rows. */
const chunkBytes = 256 * 1_024;

export type Generation = { generation: number; packCount: number; refreshedAt: Date };

export function createRankingStore(database: Database) {
  const { knex, kind } = database;
  const now = sqlNow(kind);
  const identifier = (name: string): string => (kind === 'mysql' ? `\`${name}\`` : `"${name}"`);

  return {
    async current(): Promise<Generation | null> {
      const row = await knex('ranking_generation')
        .orderBy('generation', 'desc')
        .first<{ generation: number; pack_count: number; refreshed_at: Date } | undefined>(
          'generation',
          'pack_count',
          'refreshed_at',
        );
      return row ? { generation: row.generation, packCount: row.pack_count, refreshedAt: row.refreshed_at } : null;
    },

    async find(generation: number): Promise<Generation | null> {
      const row = await knex('ranking_generation')
        .where({ generation })
        .first<{ generation: number; pack_count: number; refreshed_at: Date } | undefined>(
          'generation',
          'pack_count',
          'refreshed_at',
        );
      return row ? { generation: row.generation, packCount: row.pack_count, refreshedAt: row.refreshed_at } : null;
    },

    /** The parts of a generation by name. One query; they never change. */
    async parts(generation: number): Promise<IndexParts> {
      const rows = await knex('ranking_generation_chunk')
        .where({ generation })
        .orderBy(['sort', 'chunk'])
        .select<{ sort: string; pack_ids: Buffer }[]>('sort', 'pack_ids');
      const chunks = new Map<string, Buffer[]>();
      for (const row of rows) chunks.set(row.sort, [...(chunks.get(row.sort) ?? []), row.pack_ids]);
      return new Map([...chunks].map(([name, pieces]) => [name, Buffer.concat(pieces)]));
    },

    async databaseNow(): Promise<Date> {
      const rows = rowsOf<{ at: Date }>(await knex.raw(`SELECT ${now} AS at`));
      return (rows[0] as { at: Date }).at;
    },

    /**
     * Changes with every score row that was written since `since`. The sum of versions also moves for a row that was there before
     * and commits late, with a stamp that is not the newest.
     */
    async scoreFingerprint(since: Date): Promise<string> {
      const row = await knex('sticker_pack_score_snapshot')
        .where('refreshed_at', '>', since)
        .first<{ count: number; newest: Date | null; versions: number | null }>(
          knex.raw(`COUNT(*) AS ${identifier('count')}`),
          knex.raw('MAX(refreshed_at) AS newest'),
          knex.raw('SUM(source_version) AS versions'),
        );
      return `${row.count}:${row.newest?.getTime() ?? 0}:${row.versions ?? 0}`;
    },

    /** Every listed pack with what its order depends on, in keyset batches. */
    async *rankable(batchSize: number): AsyncGenerator<RankableRow[]> {
      let after: string | null = null;
      for (;;) {
        const query = knex('sticker_pack_score_snapshot as s')
          .join('sticker_pack as p', 'p.id', 's.pack_id')
          .join('sticker_pack_engagement as e', 'e.pack_id', 's.pack_id')
          .where('s.is_listed', 1)
          .orderBy('s.pack_id')
          .limit(batchSize)
          .select<RankableRow[]>(
            's.pack_id',
            's.pack_score',
            's.cohesion_score',
            's.nsfw_level',
            's.is_animated',
            's.categories',
            's.sticker_count',
            'p.publisher',
            'p.theme_key',
            'p.updated_at',
            'e.open_count',
            'e.like_count',
            'e.dislike_count',
            'e.download_count',
            'e.opens_day',
            'e.opens_week',
            'e.trend_at',
          );
        const rows: RankableRow[] = await (after === null ? query : query.andWhere('s.pack_id', '>', after));
        if (rows.length > 0)
          yield rows.map((row) => ({ ...row, categories: fromJsonColumn(row.categories) as string[] }));
        if (rows.length < batchSize) return;
        after = rows.at(-1)?.pack_id ?? null;
      }
    },

    /** Publishes one new generation, or nothing. The primary key lets only one of two publishers win a number. */
    async publish(
      ranking: { packCount: number; parts: IndexParts },
      refreshedAt: Date,
      mayPublish: () => boolean,
    ): Promise<Generation> {
      const { packCount, parts } = ranking;
      return database.transaction(async (trx) => {
        const previous = await trx('ranking_generation').max<{ newest: number | null }[]>({ newest: 'generation' });
        const generation = (previous[0]?.newest ?? 0) + 1;
        await trx('ranking_generation').insert({ generation, pack_count: packCount, refreshed_at: refreshedAt });
        for (const [sort, bytes] of parts) {
          // A part without bytes is a row as well: it is there.
          for (let start = 0; start === 0 || start < bytes.length; start += chunkBytes) {
            const pack_ids = bytes.subarray(start, start + chunkBytes);
            await trx('ranking_generation_chunk').insert({ generation, sort, chunk: start / chunkBytes, pack_ids });
          }
        }
        // A leader that slept through its lease must not put its old order on top of its successor's.
        if (!mayPublish())
          throw new AppError('version-conflict', 'The leadership was lost while the ranking was computed.');
        await trx('ranking_generation')
          .where('generation', '<', generation)
          .whereNull('superseded_at')
          .update({ superseded_at: trx.raw(now) });
        return { generation, packCount, refreshedAt };
      });
    },

    /** Drops generations that were superseded longer ago than `keepMs`. */
    async prune(keepMs: number): Promise<number> {
      const old = await knex('ranking_generation')
        .where('superseded_at', '<', knex.raw(sqlNowPlus(kind, -keepMs)))
        .orderBy('generation')
        .limit(100)
        .pluck<number[]>('generation');
      if (old.length === 0) return 0;
      return knex('ranking_generation').whereIn('generation', old).delete();
    },
  };
}

export type RankingStore = ReturnType<typeof createRankingStore>;
