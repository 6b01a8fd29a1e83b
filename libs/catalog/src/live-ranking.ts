/**
 * The order of packs straight from the tables, for whom `enable_ranking_snapshot_read` leaves out: the same rules as a published
 * generation, as of the newest change. It reads every listed pack, so requests of one moment share a computation.
 */
import type { LastSeen } from './cursor.ts';
import { orderPacks } from './ranking-publisher.ts';
import type { RankableRow, RankingStore, Sort } from './ranking-store.ts';

const batchSize = 2_000;
/** Like a generation's look-up: what an answer is made of is at most this old. */
const keptMs = 1_000;

export type LiveOrder = {
  /** The newest change of anything in it: nothing in an answer changes with the clock alone. */
  at: Date;
  ids: Record<Sort, string[]>;
  updatedAtMs: Map<string, number>;
};

export function createLiveRanking(store: Pick<RankingStore, 'rankable'>, options: { ageDecayDays: number }) {
  let current: { at: number; value: Promise<LiveOrder> } | undefined;

  async function compute(): Promise<LiveOrder> {
    const rows: RankableRow[] = [];
    for await (const batch of store.rankable(batchSize)) rows.push(...batch);
    const newest = rows.reduce((at, row) => Math.max(at, row.updated_at.getTime(), row.trend_at.getTime()), 0);
    const at = new Date(newest);
    return {
      at,
      ids: orderPacks(rows, at, options.ageDecayDays),
      updatedAtMs: new Map(rows.map((row) => [row.pack_id, row.updated_at.getTime()])),
    };
  }

  return {
    current(): Promise<LiveOrder> {
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
export function positionAfter(order: LiveOrder, sort: Sort, cursor: { position: number; last: LastSeen }): number {
  if (sort !== 'recent') return Math.min(cursor.position, order.ids[sort].length);
  const { updatedAtMs, id: lastId } = cursor.last;
  const index = order.ids.recent.findIndex((id) => {
    const at = order.updatedAtMs.get(id) ?? 0;
    return at < updatedAtMs || (at === updatedAtMs && id > lastId);
  });
  return index === -1 ? order.ids.recent.length : index;
}
