/**
 * The ranking straight from the tables, for whom `enable_ranking_snapshot_read` leaves out: the same rules as a published
 * generation, as of the newest change. It reads every listed pack, so requests of one moment share a computation.
 */
import { categories } from '@omnizap/imaging';
import type { LastSeen } from './cursor.ts';
import type { RankableRow } from './rankable-row.ts';
import { buildRankingIndex, packIdAt, type RankingIndex, type Sort } from './ranking-index.ts';
import type { RankingStore } from './ranking-store.ts';

const batchSize = 2_000;
/** Like a generation's look-up: what an answer is made of is at most this old. */
const keptMs = 1_000;

export type LiveRanking = {
  /** The newest change of anything in it: nothing in an answer changes with the clock alone. */
  at: Date;
  index: RankingIndex;
};

export function createLiveRanking(store: Pick<RankingStore, 'rankable'>, options: { ageDecayDays: number }) {
  let current: { at: number; value: Promise<LiveRanking> } | undefined;

  async function compute(): Promise<LiveRanking> {
    const rows: RankableRow[] = [];
    for await (const batch of store.rankable(batchSize)) rows.push(...batch);
    const newest = rows.reduce((at, row) => Math.max(at, row.updated_at.getTime(), row.trend_at.getTime()), 0);
    const at = new Date(newest);
    return {
      at,
      index: await buildRankingIndex(rows, at, { ageDecayDays: options.ageDecayDays, categoryNames: categories() }),
    };
  }

  return {
    current(): Promise<LiveRanking> {
      if (!current || performance.now() - current.at > keptMs) {
        const value = compute();
        const entry = { at: Infinity, value };
        current = entry;
        value.then(
          () => (entry.at = performance.now()),
          () => (current = undefined),
        );
      }
      return current.value;
    },
  };
}

/** Where the page after `last` begins. In `recent` it goes on behind that pack's place, wherever that is by now. */
export function positionAfter(index: RankingIndex, sort: Sort, cursor: { position: number; last: LastSeen }): number {
  if (sort !== 'recent') return Math.min(cursor.position, index.count);
  const { updatedAtMs, id: lastId } = cursor.last;
  const place = index.orders.recent.findIndex((ordinal) => {
    const at = index.updatedAtMs[ordinal] ?? 0;
    return at < updatedAtMs || (at === updatedAtMs && packIdAt(index, ordinal) > lastId);
  });
  return place === -1 ? index.count : place;
}
