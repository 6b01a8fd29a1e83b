import { describe, expect, it } from '@jest/globals';
import { buildClassification, digestOf } from '../test/builders.ts';
import type { StoredClassification } from './asset-store.ts';
import { worstNsfwLevel } from './nsfw-level.ts';
import { scoreOf } from './rebuild-pack.ts';
import type { ScoringInput } from './score-store.ts';

type Sticker = ScoringInput['stickers'][number];

const sticker = (
  number: number,
  changes: Partial<StoredClassification> = {},
  measures: Partial<Sticker> = {},
): Sticker => ({
  assetId: `asset-${number}`,
  position: number,
  emojis: [],
  accessibilityLabel: null,
  width: 512,
  height: 512,
  sizeBytes: 20_000,
  isAnimated: false,
  classification: buildClassification(number, changes),
  ...measures,
});

const input = (stickers: Sticker[], changes: Partial<ScoringInput> = {}): ScoringInput => ({
  isPublic: true,
  chosenCoverAssetId: null,
  engagement: { open: 0, like: 0, dislike: 0, download: 0 },
  engagementVersion: 3,
  packKey: 'some-pack-abc123',
  name: 'Some pack',
  publisher: 'Somebody',
  tags: [],
  stickers,
  ...changes,
});

const many = (count: number, measures: Partial<Sticker> = {}): Sticker[] =>
  Array.from({ length: count }, (_, number) => sticker(number, {}, measures));

describe('scoreOf', () => {
  it('lists a public pack as soon as it has something to show', () => {
    expect(scoreOf(input([])).isListed).toBe(false);
    expect(scoreOf(input(many(1))).isListed).toBe(true);
    expect(scoreOf(input(many(1), { isPublic: false })).isListed).toBe(false);
  });

  it.each([
    ['2 stills', many(2), false, false],
    ['3 stills', many(3), true, false],
    ['30 stills', many(30), true, false],
    ['31 stills', many(31), false, false],
    ['3 animations', many(3, { isAnimated: true }), true, true],
    ['a mixture', [...many(3), sticker(9, {}, { isAnimated: true })], false, false],
    ['nothing', [], false, false],
  ])('knows of %s whether WhatsApp takes them, and whether they move', (_name, stickers, isReady, isAnimated) => {
    expect(scoreOf(input(stickers))).toMatchObject({ isWhatsappReady: isReady, isAnimated });
  });

  it('counts as duplicates all stickers of a pack that look like another one of it', () => {
    const look = { hashes: { first: digestOf('one look'), middle: null, last: null, mask: null } };

    const score = scoreOf(input([sticker(1, look), sticker(2, look), sticker(3), sticker(4)]));

    expect(score.duplicateShare).toBe(0.5);
  });

  it('names categories and labels, the most frequent first, and takes the surest sticker for the cover', () => {
    const labels = (...names: string[]) => names.map((label) => ({ label, score: 0.5 }));

    const score = scoreOf(
      input([
        sticker(0, { category: 'sad', labels: labels('rain', 'tear'), confidence: 0.7 }),
        sticker(1, { category: 'love', labels: labels('heart', 'tear'), confidence: 0.9 }),
        sticker(2, { category: 'love', labels: labels('tear'), confidence: 0.9 }),
      ]),
    );

    expect(score.categories).toEqual(['love', 'sad']);
    expect(score.labels).toEqual(['tear', 'rain', 'heart']);
    expect([score.coverAssetId, score.stickerCount, score.engagementVersion]).toEqual(['asset-1', 3, 3]);
  });

  it('has the cover that its owner chose, as soon and as long as that sticker can be shown', () => {
    const stickers = [sticker(0, { confidence: 0.4 }), sticker(1, { confidence: 0.9 })];
    const coverOf = (chosenCoverAssetId: string | null) =>
      scoreOf(input(stickers, { chosenCoverAssetId })).coverAssetId;

    expect([coverOf('asset-0'), coverOf('asset-7'), coverOf(null)]).toEqual(['asset-0', 'asset-1', 'asset-1']);
  });

  it('is as sensitive as its most sensitive sticker, and safe only when every one is known to be', () => {
    expect(worstNsfwLevel(['safe', 'safe'])).toBe('safe');
    expect(worstNsfwLevel(['safe', 'unknown'])).toBe('unknown');
    expect(worstNsfwLevel(['unknown', 'suggestive', 'safe'])).toBe('suggestive');
    expect(worstNsfwLevel(['suggestive', 'explicit'])).toBe('explicit');
    expect(worstNsfwLevel([])).toBe('unknown');
    expect(scoreOf(input([sticker(0), sticker(1, { nsfwLevel: 'explicit' })])).nsfwLevel).toBe('explicit');
  });
});
