/** What owners are told about their packs: how often they were opened, rated and downloaded, in total and day by day. No viewers. */
import { AppError, type Database } from '@omnizap/runtime';
import { interactions, readCounts } from './engagement-store.ts';
import { readDayCounts, type DayCount } from './interaction-day-store.ts';
import { findPackByKey } from './pack-store.ts';
import { isReachable, type Actor } from './packs.ts';
import { ratingScore, type EngagementCounts } from './ranking-formulas.ts';

const dayMs = 86_400_000;
const monthDays = 30;

export type PackAnalytics = {
  totals: EngagementCounts;
  /** The last 7 and 30 UTC days, today included. */
  last7Days: EngagementCounts;
  last30Days: EngagementCounts;
  /** 0..1: see `ratingScore`. Of all ratings there ever were. */
  rating: number;
  /** One for each UTC day (`2026-11-27`), the oldest first; days without an interaction are all 0. */
  days: ({ day: string } & EngagementCounts)[];
};

export type PackAnalyticsReader = ReturnType<typeof createPackAnalytics>;

export function createPackAnalytics({ database }: { database: Database }) {
  return {
    /**
     * `days`: how many the series has, the last of them today.
     * @throws AppError `pack-not-found`, `forbidden`
     */
    async read(actor: Actor, packKey: string, days: number): Promise<PackAnalytics> {
      const pack = await findPackByKey(database.knex, packKey);
      const isOwn = pack !== null && (actor.isAdmin || pack.ownerId === actor.ownerId);
      if (pack === null || (!isOwn && !isReachable(pack)))
        throw new AppError('pack-not-found', `There is no pack "${packKey}".`);
      if (!isOwn) throw new AppError('forbidden', `Pack "${packKey}" belongs to another owner.`);
      const totals = await readCounts(database.knex, pack.id);
      const { today, counts } = await readDayCounts(database.knex, database.kind, pack.id, Math.max(days, monthDays));
      const since = (length: number): DayCount[] => {
        const first = dayBefore(today, length - 1);
        return counts.filter(({ day }) => day >= first);
      };
      return {
        totals,
        last7Days: sumOf(since(7)),
        last30Days: sumOf(since(monthDays)),
        rating: ratingScore(totals),
        days: Array.from({ length: days }, (_, index) => {
          const day = dayBefore(today, days - 1 - index);
          return { day, ...sumOf(counts.filter((count) => count.day === day)) };
        }),
      };
    },
  };
}

function dayBefore(day: string, days: number): string {
  return new Date(Date.parse(day) - days * dayMs).toISOString().slice(0, 10);
}

function sumOf(counts: DayCount[]): EngagementCounts {
  const sum: EngagementCounts = { open: 0, like: 0, dislike: 0, download: 0 };
  for (const name of interactions)
    for (const { interaction, count } of counts) if (interaction === name) sum[name] += count;
  return sum;
}
