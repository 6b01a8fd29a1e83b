/**
 * Rebuild: recomputes one pack's score row and its cover from its stickers and its engagement. A pack that is not listed keeps its
 * row, marked so: the ranking must notice that it left.
 */
import { isDeepStrictEqual } from 'node:util';
import { isNearDuplicate } from '@omnizap/imaging';
import type { TaskHandler } from '@omnizap/tasks';
import type { HandlerDeps } from './classify-sticker.ts';
import { worstNsfwLevel } from './nsfw-level.ts';
import { lockPack } from './pack-store.ts';
import { packScores } from './ranking-formulas.ts';
import { readPackForScoring, readScore, writeScore, type PackScore, type ScoringInput } from './score-store.ts';
import { createWorkStateStore, markDone } from './work-state-store.ts';

/** Wake-up topic: scores changed, the ranking may want a new generation. */
export const scoresTopic = 'scores';

const maxCategories = 5;
const maxLabels = 30;
/** WhatsApp takes packs of 3 to 30 stickers. */
const whatsappItems = { min: 3, max: 30 } as const;

export function createRebuildPack(deps: Omit<HandlerDeps, 'store'>): TaskHandler {
  const { database } = deps;
  const workState = createWorkStateStore(database);

  return async (task) => {
    const wanted = await workState.read('rebuild', task.subjectId);
    if (!wanted || wanted.doneVersion >= wanted.wantedVersion) return { status: 'skipped', reason: 'up to date' };
    const input = await readPackForScoring(database.knex, task.subjectId);
    if (!input) {
      await workState.markIdle({ taskType: 'rebuild', subjectId: task.subjectId }, wanted.wantedVersion);
      return { status: 'skipped', reason: 'the pack is gone' };
    }
    const score = scoreOf(input);

    const isChanged = await database.transaction(async (trx) => {
      await lockPack(trx, task.subjectId);
      const isNewer = await markDone(trx, { taskType: 'rebuild', subjectId: task.subjectId }, wanted.wantedVersion);
      if (!isNewer) return false;
      const before = await readScore(trx, task.subjectId);
      if (before !== null && isDeepStrictEqual(before, score)) return false;
      await writeScore(trx, database.kind, task.subjectId, wanted.wantedVersion, score);
      return true;
    });
    if (!isChanged) return { status: 'skipped', reason: 'nothing changed' };
    deps.wakeups.notify(scoresTopic);
    return { status: 'done' };
  };
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
  const isUniform = isAllAnimated || stickers.every((sticker) => !sticker.isAnimated);
  const byConfidence = stickers.toSorted(
    (a, b) => b.classification.confidence - a.classification.confidence || a.position - b.position,
  );
  return {
    ...packScores(scored, input.engagement),
    nsfwLevel: worstNsfwLevel(stickers.map((sticker) => sticker.classification.nsfwLevel)),
    isListed: input.isPublic && stickers.length > 0,
    isAnimated: isAllAnimated,
    isWhatsappReady: isUniform && stickers.length >= whatsappItems.min && stickers.length <= whatsappItems.max,
    stickerCount: stickers.length,
    categories: mostFrequent(
      stickers.map((sticker) => sticker.classification.category),
      maxCategories,
    ),
    labels: mostFrequent(
      stickers.flatMap((sticker) => sticker.classification.labels.map(({ label }) => label)),
      maxLabels,
    ),
    coverAssetId: byConfidence[0]?.assetId ?? null,
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
