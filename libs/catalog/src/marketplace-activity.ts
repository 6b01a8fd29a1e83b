/**
 * What happened in the catalogue lately. It is added up over whole tables, so a process does that once a minute at most, and whoever
 * asks meanwhile gets what was last added up instead of waiting.
 */
import type { Database } from '@omnizap/runtime';
import { countStickersWithoutPack, readActivity, type DayActivity } from './marketplace-activity-store.ts';

const activityDays = 7;
const keptMs = 60_000;

export type MarketplaceActivity = { days: DayActivity[]; stickersWithoutPack: number; at: Date };

export type MarketplaceActivityReader = ReturnType<typeof createMarketplaceActivity>;

export function createMarketplaceActivity(deps: { database: Database }) {
  let last: MarketplaceActivity | undefined;
  let lookedAt = -Infinity;
  let looking: Promise<MarketplaceActivity> | undefined;

  async function look(): Promise<MarketplaceActivity> {
    const [days, stickersWithoutPack] = await Promise.all([
      readActivity(deps.database, activityDays),
      countStickersWithoutPack(deps.database),
    ]);
    last = { days, stickersWithoutPack, at: new Date() };
    lookedAt = performance.now();
    return last;
  }

  return {
    /** The last seven UTC days, today included, as of a minute ago at most; older only while that is being added up. */
    async read(): Promise<MarketplaceActivity> {
      if (last && performance.now() - lookedAt < keptMs) return last;
      looking ??= look().finally(() => (looking = undefined));
      if (!last) return looking;
      looking.catch(() => undefined);
      return last;
    },
  };
}
