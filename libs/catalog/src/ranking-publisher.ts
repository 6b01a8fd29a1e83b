/**
 * Publishes the ranking: when scores changed, at most every few seconds, and in full at the refresh interval. One pass computes the
 * order of every sort with the age decay of that moment. Run by the leading maintenance process only.
 */
import { categories } from '@omnizap/imaging';
import { Gauge, type Database, type Logger, type Metrics, type Wakeups } from '@omnizap/runtime';
import type { RankableRow } from './rankable-row.ts';
import { buildRankingIndex, digestOfIndex, encodeIndex } from './ranking-index.ts';
import { createRankingStore } from './ranking-store.ts';

/** Wake-up topic: a new generation is out. */
export const rankingTopic = 'ranking';

const minIntervalMs = 3_000;
/**
 * A catalogue whose generation takes long to compute is published more rarely: a twentieth of the time goes into it. Beyond 20 s of
 * waiting up to a fifth does: one that took long because a network or a disk was slow just then must not hold up the next for minutes.
 */
const costFactor = 20;
const longestRestMs = 20_000;
const shortestRestFactor = 4;
/** A cursor of an older generation works for this long after the next one: 15 minutes promised, one more for slow clocks. */
const keepGenerationMs = 16 * 60_000;
const batchSize = 2_000;
/** Score rows are stamped before they commit; look back this far for latecomers. */
const commitSlackMs = 10_000;

type PublisherDeps = { database: Database; wakeups: Wakeups; log: Logger; metrics: Metrics };

export function createRankingPublisher(
  deps: PublisherDeps,
  options: { refreshIntervalMs: number; ageDecayDays: number; mayPublish: () => boolean },
) {
  const store = createRankingStore(deps.database);
  const publishedAt = new Gauge({
    name: 'omnizap_ranking_snapshot_timestamp_seconds',
    help: 'When the newest ranking generation was published.',
    registers: [deps.metrics.registry],
  });
  let lastPublishedAt = -Infinity;
  let lastLookedAt = -Infinity;
  let lastCostMs = 0;
  let since: Date | undefined;
  let fingerprint = '';
  let publishedOrders = '';

  /** `isFull`: also when no order changed, so that ages count and readers see a fresh date. */
  async function publish(isFull: boolean): Promise<void> {
    const startedAt = performance.now();
    const at = await store.databaseNow();
    since = new Date(at.getTime() - commitSlackMs);
    fingerprint = await store.scoreFingerprint(since);
    const rows: RankableRow[] = [];
    for await (const batch of store.rankable(batchSize)) rows.push(...batch);
    const index = await buildRankingIndex(rows, at, {
      ageDecayDays: options.ageDecayDays,
      categoryNames: categories(),
    });
    const digest = digestOfIndex(index);
    lastLookedAt = performance.now();
    if (isFull || digest !== publishedOrders) {
      const generation = await store.publish(
        { packCount: index.count, parts: encodeIndex(index) },
        at,
        options.mayPublish,
      );
      publishedOrders = digest;
      lastPublishedAt = performance.now();
      publishedAt.set(at.getTime() / 1_000);
      deps.wakeups.notify(rankingTopic);
      deps.log.debug({ generation: generation.generation, packs: generation.packCount }, 'ranking published');
    }
    lastCostMs = performance.now() - startedAt;
  }

  return {
    /** Publishes when it is time to; cheap otherwise. False when it is too early to tell: ask again. */
    async pass(): Promise<boolean> {
      const now = performance.now();
      if (now - lastLookedAt < restAfter(lastCostMs)) return false;
      const isFull = now - lastPublishedAt >= options.refreshIntervalMs;
      const isChanged = since === undefined || (await store.scoreFingerprint(since)) !== fingerprint;
      if (!isChanged && !isFull) return true;
      await publish(isFull);
      await store.prune(keepGenerationMs);
      return true;
    },
  };
}

/** Between a publication that took so long and the next look, milliseconds. */
export function restAfter(costMs: number): number {
  const rest = Math.min(costFactor * costMs, Math.max(longestRestMs, shortestRestFactor * costMs));
  return Math.max(minIntervalMs, rest);
}
