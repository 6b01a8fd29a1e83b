import { describe, expect, it } from '@jest/globals';
import { buildRankableRow } from '../test/builders.ts';
import { maxCreators, summariseMarketplace } from './marketplace-summary.ts';

describe('summariseMarketplace', () => {
  it('adds up what packs have, those of curation included', () => {
    const summary = summariseMarketplace([
      buildRankableRow({ sticker_count: 3, like_count: 2, open_count: 10, download_count: 1 }),
      buildRankableRow({ sticker_count: 4, like_count: 5, open_count: 0, download_count: 7, theme_key: 'love' }),
    ]);

    expect(summary).toMatchObject({ packs: 2, stickers: 7, likes: 7, opens: 10, downloads: 8 });
  });

  it('makes a creator of each publisher, but not of curation nor of nobody', () => {
    const summary = summariseMarketplace([
      buildRankableRow({ publisher: 'Ana' }),
      buildRankableRow({ publisher: ' Ana ' }),
      buildRankableRow({ publisher: '  ' }),
      buildRankableRow({ publisher: 'OmniZap', theme_key: 'love' }),
    ]);

    expect(summary.creators).toBe(1);
    expect(summary.topCreators).toMatchObject([{ publisher: 'Ana', packs: 2 }]);
  });

  it('scores by mean pack score, likes and opens, and shows the best pack of each', () => {
    const best = buildRankableRow({ publisher: 'Ana', pack_score: 1, like_count: 100 });
    const summary = summariseMarketplace([
      buildRankableRow({ publisher: 'Ana', pack_score: 0.5, open_count: 1_000 }),
      best,
      buildRankableRow({ publisher: 'Bea', pack_score: 0.8 }),
    ]);

    // 0.45 x 0.75 + 0.0008 x 100 + 0.00015 x 1000
    expect(summary.topCreators[0]?.score).toBeCloseTo(0.3375 + 0.08 + 0.15, 10);
    expect(summary.topCreators.map(({ publisher }) => publisher)).toEqual(['Ana', 'Bea']);
    expect(summary.topCreators[0]?.topPackId).toBe(best.pack_id);
  });

  it('counts all creators and keeps the best two hundred', () => {
    const summary = summariseMarketplace(
      Array.from({ length: 250 }, (_, number) =>
        buildRankableRow({ publisher: `publisher ${number}`, pack_score: number / 250 }),
      ),
    );

    expect(summary.creators).toBe(250);
    expect(summary.topCreators).toHaveLength(maxCreators);
    expect(summary.topCreators[0]?.publisher).toBe('publisher 249');
  });
});
