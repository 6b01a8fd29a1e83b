/** How old the ranking is that lists are answered from, by the database's clock. */
import type { Database } from '@omnizap/runtime';
import { createRankingStore } from './ranking-store.ts';

/** Null when no generation was ever published. */
export async function rankingAgeSeconds(database: Database): Promise<number | null> {
  const store = createRankingStore(database);
  const generation = await store.current();
  if (generation === null) return null;
  return ((await store.databaseNow()).getTime() - generation.refreshedAt.getTime()) / 1_000;
}
