import { beforeAll, describe, expect, it } from '@jest/globals';
import { buildRankableRow } from '../test/builders.ts';
import type { RankableRow } from './rankable-row.ts';
import { buildRankingIndex, type RankingIndex } from './ranking-index.ts';
import { recommendPacks } from './recommend-packs.ts';

const at = new Date('2026-11-27T12:00:00Z');
const categoryNames = Array.from({ length: 40 }, (_, number) => `category-${number}`);
const build = (rows: RankableRow[]) =>
  buildRankingIndex(
    rows.toSorted((a, b) => (a.pack_id < b.pack_id ? -1 : 1)),
    at,
    { ageDecayDays: 45, categoryNames },
  );

describe('recommendPacks', () => {
  const liked = buildRankableRow({ categories: ['category-3', 'category-35'], pack_score: 0.1 });
  const alike = buildRankableRow({ categories: ['category-35'], pack_score: 0.5 });
  const other = buildRankableRow({ categories: ['category-7'], pack_score: 0.6 });
  let index: RankingIndex;

  beforeAll(async () => {
    index = await build([liked, alike, other]);
  });

  it('goes by score alone for a viewer of whom nothing is known', () => {
    expect(recommendPacks(index, [], 10)).toEqual({
      packIds: [other.pack_id, alike.pack_id, liked.pack_id],
      likedCategories: [],
    });
  });

  it('prefers the categories of what was liked, and does not show that again', () => {
    const history = [{ packId: liked.pack_id, interaction: 'like' as const }];

    // 0.7 x 0.5 + 0.04 x 3 = 0.47 against 0.7 x 0.6 = 0.42
    expect(recommendPacks(index, history, 10)).toEqual({
      packIds: [alike.pack_id, other.pack_id],
      likedCategories: ['category-3', 'category-35'],
    });
  });

  it('avoids the categories of what was disliked', async () => {
    const better = buildRankableRow({ categories: ['category-35'], pack_score: 0.65 });
    const history = [{ packId: liked.pack_id, interaction: 'dislike' as const }];

    expect(recommendPacks(await build([liked, better, other]), history, 10)).toEqual({
      packIds: [other.pack_id, better.pack_id],
      likedCategories: [],
    });
  });

  it('never shows what is sensitive', async () => {
    const explicit = buildRankableRow({ pack_score: 1.5, nsfw_level: 'explicit' });
    const suggestive = buildRankableRow({ pack_score: 1.5, nsfw_level: 'suggestive' });

    expect(recommendPacks(await build([explicit, suggestive, other]), [], 10).packIds).toEqual([other.pack_id]);
  });

  it('finds one pack of its kind among many thousand, wherever it ranks', async () => {
    const many = Array.from({ length: 5_000 }, () => buildRankableRow({ pack_score: 0.5, categories: ['category-1'] }));
    const hidden = buildRankableRow({ pack_score: 0.4, categories: ['category-35'] });
    const history = [{ packId: liked.pack_id, interaction: 'like' as const }];

    expect(recommendPacks(await build([...many, hidden, liked]), history, 1).packIds).toEqual([hidden.pack_id]);
  });

  it('takes no notice of what was done to packs that are gone', () => {
    const history = [{ packId: '00000000-0000-7000-8000-000000000000', interaction: 'like' as const }];

    expect(recommendPacks(index, history, 1).likedCategories).toEqual([]);
  });
});
