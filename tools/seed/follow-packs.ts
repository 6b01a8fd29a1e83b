/** Watches what the fleet makes of the demo: stickers become ready, automatic packs appear, the ranking lists everything. */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '@omnizap/runtime';
import type { ApiClient, PackDetail } from './api-client.ts';
import type { DemoProgress } from './demo-progress.ts';

const pollMs = 1_000;
const rankingPollMs = 500;
/** A fleet that gets nothing done for so long will not do so by waiting. */
const stillstandMs = 120_000;
/** Automatic packs are guessed from the categories; look-alikes may make one less, so the wait for them has an end. */
const curationPatienceMs = 15_000;
/** What curation asks of a theme. */
const minAutomaticPackItems = 12;

type FollowDeps = { api: ApiClient; progress: DemoProgress; signal: AbortSignal };

/**
 * Resolves with the packs when each holds `stickersOf(packKey)` stickers and none of them is pending.
 * @throws AppError `unavailable` when nothing moves for two minutes
 */
export async function waitUntilSettled(
  { api, progress, signal }: FollowDeps,
  expected: Map<string, number>,
): Promise<PackDetail[]> {
  const packs = new Map<string, PackDetail>();
  let movedAt = performance.now();
  let lastMark = '';
  for (;;) {
    for (const [packKey, stickerCount] of expected) {
      const known = packs.get(packKey);
      if (known && isSettled(known, stickerCount)) continue;
      const pack = await api.getPack(packKey);
      if (!pack)
        throw new AppError(
          'pack-not-found',
          `Pack "${packKey}" of the demo was deleted meanwhile. Run this again to have it made anew.`,
        );
      packs.set(packKey, pack);
    }
    const stickers = [...packs.values()].flatMap((pack) => pack.stickers);
    progress.update({
      classified: stickers.filter(({ classification, status }) => classification !== null || status === 'rejected')
        .length,
      ready: stickers.filter(({ status }) => status !== 'pending').length,
    });
    if ([...expected].every(([packKey, count]) => isSettled(packs.get(packKey), count))) return [...packs.values()];

    const { drawn, uploaded, classified, ready } = progress.counts();
    const mark = [drawn, uploaded, classified, ready].join();
    if (mark !== lastMark) movedAt = performance.now();
    lastMark = mark;
    if (performance.now() - movedAt > stillstandMs) {
      throw new AppError(
        'unavailable',
        `Nothing has moved for ${stillstandMs / 1_000} s: ${ready} of ${stickers.length} stickers are ready. Do the relay and the workers run?`,
      );
    }
    await delay(pollMs, undefined, { signal });
  }
}

function isSettled(pack: PackDetail | undefined, stickerCount: number): boolean {
  return (
    pack !== undefined &&
    pack.stickers.length >= stickerCount &&
    pack.stickers.every(({ status }) => status !== 'pending')
  );
}

/**
 * Resolves with the number of automatic packs when the ranking lists every pack with all of its ready stickers, and an automatic
 * pack for every theme that should have one (or patience is at its end).
 * @throws AppError `unavailable` when that does not happen within two minutes
 */
export async function waitUntilRanked({ api, signal }: FollowDeps, packs: PackDetail[]): Promise<number> {
  const themes = themesOf(packs);
  const startedAt = performance.now();
  for (;;) {
    const listed = await api.listPacks();
    const counts = new Map(listed.map((pack) => [pack.pack_key, pack.sticker_count]));
    const own = new Set(packs.map((pack) => pack.pack_key));
    const automatic = listed.filter(
      (pack) => !own.has(pack.pack_key) && pack.tags[0] !== undefined && themes.has(pack.tags[0]),
    );
    const isRanked = packs.every(
      (pack) => counts.get(pack.pack_key) === pack.stickers.filter(({ status }) => status === 'ready').length,
    );
    const isCurated = new Set(automatic.map(({ tags }) => tags[0])).size === themes.size;
    const waitedMs = performance.now() - startedAt;
    if (isRanked && (isCurated || waitedMs > curationPatienceMs)) return automatic.length;
    if (waitedMs > stillstandMs) {
      throw new AppError(
        'unavailable',
        `The ranking still lacks demo packs after ${stillstandMs / 1_000} s. Does the maintenance process run?`,
      );
    }
    await delay(rankingPollMs, undefined, { signal });
  }
}

/** Themes of which there are enough stickers: a category, and apart from it the animated ones of that category. */
function themesOf(packs: PackDetail[]): Set<string> {
  const counts = new Map<string, number>();
  for (const { status, classification, is_animated } of packs.flatMap((pack) => pack.stickers)) {
    if (status !== 'ready' || classification === null || classification.category === 'other') continue;
    const theme = is_animated ? `${classification.category}:animated` : classification.category;
    counts.set(theme, (counts.get(theme) ?? 0) + 1);
  }
  return new Set([...counts].filter(([, count]) => count >= minAutomaticPackItems).map(([theme]) => theme));
}
