/**
 * Rebuild: recomputes one pack's score row, its cover and the terms that it is found by, from its words, its stickers and its
 * engagement. A pack that is not listed keeps its row, marked so: the ranking must notice that it left. It has no terms.
 */
import { isDeepStrictEqual } from 'node:util';
import { isBlocking, isNearDuplicate, validatePack } from '@omnizap/imaging';
import type { Transaction } from '@omnizap/runtime';
import type { TaskHandler } from '@omnizap/tasks';
import type { HandlerDeps } from './classify-sticker.ts';
import { worstNsfwLevel } from './nsfw-level.ts';
import { factsOfPack } from './pack-findings.ts';
import { lockPack } from './pack-store.ts';
import { packScores } from './ranking-formulas.ts';
import { readPackForScoring, readScore, writeScore, type PackScore, type ScoringInput } from './score-store.ts';
import { writeTerms } from './search-store.ts';
import { termsOfPack } from './search-terms.ts';
import { createVersionedHandler } from './versioned-handler.ts';
import { createWorkStateStore } from './work-state-store.ts';

/** Wake-up topic: scores changed, the ranking may want a new generation. */
export const scoresTopic = 'scores';

const maxCategories = 5;
const maxLabels = 30;

export function createRebuildPack(deps: Pick<HandlerDeps, 'database' | 'wakeups'>): TaskHandler {
  const { database } = deps;

  return createVersionedHandler(
    createWorkStateStore(database),
    'rebuild',
    async ({ subjectId, version, idle, commit }) => {
      const input = await readPackForScoring(database.knex, subjectId);
      if (!input) return idle('the pack is gone');
      const score = scoreOf(input);
      const lock = (trx: Transaction) => lockPack(trx, subjectId).then(() => true);
      const outcome = await commit(lock, async (trx) => {
        const termsChanged = await writeTerms(trx, subjectId, score.isListed ? termsOf(input, score) : []);
        const before = await readScore(trx, subjectId);
        if (before !== null && isDeepStrictEqual(before, score))
          return termsChanged ? { status: 'done' } : { status: 'skipped', reason: 'nothing changed' };
        await writeScore(trx, database.kind, subjectId, version, score);
        return { status: 'done' };
      });
      if (outcome.status === 'done') deps.wakeups.notify(scoresTopic);
      return outcome;
    },
  );
}

function termsOf({ name, publisher, tags, stickers }: ScoringInput, { labels }: PackScore): string[] {
  return termsOfPack({ name, publisher, tags, labels, emojis: stickers.flatMap((sticker) => sticker.emojis) });
}

/** Only ready stickers count: what cannot be shown cannot be ranked. */
export function scoreOf(input: ScoringInput): PackScore {
  const stickers = input.stickers;
  const scored = stickers.map((sticker) => ({
    width: sticker.width,
    height: sticker.height,
    sizeBytes: sticker.sizeBytes,
    blur: sticker.classification.features.blur,
    confidence: sticker.classification.confidence,
    labels: sticker.classification.labels,
    isDuplicate: stickers.some(
      (other) => other !== sticker && isNearDuplicate(other.classification, sticker.classification),
    ),
  }));
  const isAllAnimated = stickers.length > 0 && stickers.every((sticker) => sticker.isAnimated);
  const chosen = stickers.find((sticker) => sticker.assetId === input.chosenCoverAssetId);
  const byConfidence = stickers.toSorted(
    (a, b) => b.classification.confidence - a.classification.confidence || a.position - b.position,
  );
  return {
    ...packScores(scored, input.engagement),
    nsfwLevel: worstNsfwLevel(stickers.map((sticker) => sticker.classification.nsfwLevel)),
    isListed: input.isPublic && stickers.length > 0,
    isAnimated: isAllAnimated,
    isWhatsappReady: !validatePack(
      factsOfPack(
        input,
        stickers.map((sticker) => ({ ...sticker, stickerId: sticker.assetId })),
      ),
    ).some(isBlocking),
    stickerCount: stickers.length,
    categories: mostFrequent(
      stickers.map((sticker) => sticker.classification.category),
      maxCategories,
    ),
    labels: mostFrequent(
      stickers.flatMap((sticker) => sticker.classification.labels.map(({ label }) => label)),
      maxLabels,
    ),
    coverAssetId: (chosen ?? byConfidence[0])?.assetId ?? null,
    engagementVersion: input.engagementVersion,
  };
}

/** Distinct values, the most frequent first, ties in order of first appearance. */
function mostFrequent(values: string[], limit: number): string[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, limit)
    .map(([value]) => value);
}
