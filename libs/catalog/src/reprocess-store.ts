/**
 * The reprocess set: assets whose classification deserves another look. An older version of the provider, a doubtful result that
 * was never looked at twice, or an operator's wish (`reprocess_requested_at`). Counted as `sticker_reprocess_pending`.
 */
import type { Knex } from 'knex';
import { sqlNow, sqlNowPlus, type Database, type DatabaseKind } from '@omnizap/runtime';

/** Below this a result is doubtful. */
const doubtfulConfidence = 0.35;
/** Emojis and packs often arrive after the sticker: a doubtful one gets its second look after this. */
const secondLookAfterMs = 48 * 3_600_000;

type Provider = { name: string; version: string };

export function createReprocessStore(database: Database, provider: Provider) {
  const { knex, kind } = database;

  /** Versions in the tables that are older than ours; a newer one belongs to a newer release that runs beside us. */
  async function outdatedVersions(): Promise<string[]> {
    const versions = await knex('sticker_asset_classification')
      .where({ provider: provider.name })
      .distinct<{ provider_version: string }[]>('provider_version');
    return versions.map((row) => row.provider_version).filter((version) => Number(version) < Number(provider.version));
  }

  function reasons(outdated: string[]): Knex.QueryBuilder[] {
    const table = (): Knex.QueryBuilder => knex('sticker_asset_classification as c').select('c.asset_id');
    // What was rejected comes back only by an operator's wish.
    const usable = (): Knex.QueryBuilder =>
      table().join('sticker_asset as a', 'a.id', 'c.asset_id').whereNot('a.status', 'rejected');
    return [
      table().whereNotNull('c.reprocess_requested_at'),
      usable()
        .where('c.confidence', '<', doubtfulConfidence)
        .whereNull('c.reviewed_at')
        .andWhere('c.classified_at', '<', knex.raw(sqlNowPlus(kind, -secondLookAfterMs))),
      ...outdated.map((version) => usable().where({ 'c.provider': provider.name, 'c.provider_version': version })),
    ];
  }

  return {
    /** Assets of the set that are not already waiting, at most `limit`. */
    async pending(limit: number): Promise<string[]> {
      const found = new Set<string>();
      for (const query of reasons(await outdatedVersions())) {
        if (found.size >= limit) break;
        const ids = (await query
          .join('work_state as w', (join) => {
            join
              .on('w.subject_id', knex.raw(kind === 'postgres' ? 'c.asset_id::text' : 'c.asset_id'))
              .andOn('w.task_type', knex.raw("'classification'"));
          })
          .where('w.is_due', 0)
          // A dead letter waits for a person, not for the next sweep.
          .andWhereRaw('w.failed_version < w.wanted_version')
          .limit(limit - found.size)
          .pluck('c.asset_id')) as string[];
        for (const id of ids) found.add(id);
      }
      return [...found];
    },

    outdatedVersions,

    /** The ids of the whole set, waiting or not; of rows of these versions among others. */
    query(outdated: string[]): Knex.QueryBuilder {
      const [first, ...rest] = reasons(outdated) as [Knex.QueryBuilder, ...Knex.QueryBuilder[]];
      return first.union(rest);
    },
  };
}

/** A second look found the same: the asset leaves the set. Writes nothing for an asset that is not in it. */
export async function markReviewed(trx: Knex.Transaction, kind: DatabaseKind, assetId: string): Promise<void> {
  await trx('sticker_asset_classification')
    .where({ asset_id: assetId })
    .where((either) => {
      void either
        .whereNotNull('reprocess_requested_at')
        .orWhere((doubtful) => void doubtful.where('confidence', '<', doubtfulConfidence).whereNull('reviewed_at'));
    })
    .update({ reprocess_requested_at: null, reviewed_at: trx.raw(sqlNow(kind)) });
}
