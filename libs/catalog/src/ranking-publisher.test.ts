import { describe, expect, it } from '@jest/globals';
import { randomNumbers } from '../test/builders.ts';
import { orderPacks } from './ranking-publisher.ts';
import { sorts, type RankableRow } from './ranking-store.ts';

const at = new Date('2026-03-01T12:00:00Z');
const hoursAgo = (hours: number): Date => new Date(at.getTime() - hours * 3_600_000);

const row = (id: string, changes: Partial<RankableRow> = {}): RankableRow => ({
  pack_id: id,
  pack_score: 0.5,
  cohesion_score: 0.5,
  updated_at: hoursAgo(24),
  open_count: 0,
  like_count: 0,
  dislike_count: 0,
  download_count: 0,
  opens_day: 0,
  opens_week: 0,
  trend_at: at,
  ...changes,
});

describe('orderPacks', () => {
  it('orders each sort by its own measure', () => {
    const orders = orderPacks(
      [
        row('newest', { updated_at: hoursAgo(1), pack_score: 0.1 }),
        row('popular', { pack_score: 1.2 }),
        row('opened', { opens_day: 50, opens_week: 60, pack_score: 0.1 }),
        row('liked', { like_count: 90, dislike_count: 60, pack_score: 0.1 }),
        row('rated', { like_count: 50, dislike_count: 0, pack_score: 0.1 }),
        row('loaded', { download_count: 9, pack_score: 0.1 }),
      ],
      at,
      45,
    );

    expect(Object.fromEntries(sorts.map((sort) => [sort, orders[sort][0]]))).toEqual({
      popular: 'popular',
      trending: 'opened',
      recent: 'newest',
      likes: 'liked',
      downloads: 'loaded',
      rating: 'rated',
    });
  });

  it('breaks ties by the newer change, then by id, so that an order is one order', () => {
    const next = randomNumbers(11);
    const rows = Array.from({ length: 60 }, (_, index) =>
      row(`pack-${String(index).padStart(2, '0')}`, { updated_at: hoursAgo(Math.floor(next() * 5)) }),
    );
    const byHand = rows
      .toSorted((a, b) => (a.pack_id < b.pack_id ? -1 : 1))
      .toSorted((a, b) => b.updated_at.getTime() - a.updated_at.getTime())
      .map((entry) => entry.pack_id);

    const orders = orderPacks(rows, at, 45);
    const reversed = orderPacks(rows.toReversed(), at, 45);

    for (const sort of ['trending', 'recent', 'likes', 'downloads', 'rating'] as const)
      expect(orders[sort]).toEqual(byHand);
    expect(reversed).toEqual(orders);
  });

  it('holds every pack exactly once in every sort', () => {
    const rows = Array.from({ length: 500 }, (_, index) => row(`pack-${index}`, { like_count: index % 7 }));

    const orders = orderPacks(rows, at, 45);

    for (const sort of sorts) expect(orders[sort].toSorted()).toEqual(rows.map((entry) => entry.pack_id).sort());
    expect(orderPacks([], at, 45).popular).toEqual([]);
  });
});
