import { describe, expect, it } from '@jest/globals';
import { createEmojiClassifier } from './emoji-classifier.ts';
import type { ClassifierInput } from './emoji-classifier.ts';
import { listEmojis } from './emoji-index.ts';
import { categories, categoryOf } from './sticker-taxonomy.ts';

const features = {
  ...{
    isAnimated: false,
    frameCount: 1,
    durationMs: 0,
    hasTransparency: true,
    transparentShare: 0.4,
    colourfulness: 30,
  },
  ...{ brightness: 0.5, edgeDensity: 0.1, blur: 0.2, dominantColours: [] },
};
const classifier = createEmojiClassifier();
const classify = (input: Partial<ClassifierInput>) =>
  classifier.classify({ emojis: [], packWords: [], accessibilityLabel: null, features, ...input });

describe('categoryOf', () => {
  it('gives every emoji a category of the closed list, and hardly any `other`', () => {
    const assigned = listEmojis().map(categoryOf);
    expect(assigned.filter((category) => !categories().includes(category))).toEqual([]);
    expect(assigned.filter((category) => category === 'other')).toEqual([]);
    expect(categories().filter((category) => category !== 'other' && !assigned.includes(category))).toEqual([]);
  });
});

describe('createEmojiClassifier', () => {
  it.each([
    ['😍', 'love'],
    ['❤️', 'love'],
    ['😀', 'happy'],
    ['😂', 'laughing'],
    ['😭', 'sad'],
    ['😡', 'angry'],
    ['😱', 'surprised'],
    ['🤔', 'thinking'],
    ['😴', 'sleepy'],
    ['🤢', 'sick'],
    ['👋🏽', 'greeting'],
    ['👍', 'approval'],
    ['☝️', 'hands'],
    ['👶', 'people'],
    ['🐶', 'animals'],
    ['🌻', 'nature'],
    ['🍕', 'food'],
    ['☕', 'drink'],
    ['✈️', 'travel'],
    ['☔', 'weather'],
    ['⚽', 'sport'],
    ['🎸', 'music'],
    ['🎉', 'celebration'],
    ['💻', 'work'],
    ['🔑', 'objects'],
    ['♻️', 'symbols'],
    ['🇧🇷', 'flags'],
    ['🙋‍♀️', 'greeting'],
    ['🤷🏿‍♂️', 'thinking'],
  ])('files %s under %s with high confidence', async (emoji, category) => {
    const result = await classify({ emojis: [emoji] });
    expect(result).toMatchObject({ category, nsfwLevel: 'unknown', provider: 'emoji', version: classifier.version });
    expect(result.confidence).toBeGreaterThan(0.8);
    expect(result.labels[0]).toEqual({ label: category, score: 0.9 });
  });

  it('lets feelings win over things, so a cup that cries is sad', async () => {
    expect(await classify({ emojis: ['☕', '😭'] })).toMatchObject({ category: 'sad' });
    expect(await classify({ emojis: ['☕', '🍵', '😭'] })).toMatchObject({ category: 'drink' });
  });

  it('is surer when emojis agree than when they do not', async () => {
    const alone = await classify({ emojis: ['🐶'] });
    const agreeing = await classify({ emojis: ['🐶', '🐱'] });
    const torn = await classify({ emojis: ['🐶', '🍕'] });
    expect(agreeing.confidence).toBeGreaterThan(alone.confidence);
    expect(torn.confidence).toBeLessThan(0.6);
  });

  it('listens to texts without accents and case, as whole words, with less weight than an emoji', async () => {
    expect(await classify({ accessibilityLabel: 'The DOG, barking!' })).toMatchObject({ category: 'animals' });
    expect(await classify({ packWords: ['Café'] })).toMatchObject({ category: 'drink' });
    expect(await classify({ packWords: ['dogma', 'catalogue'] })).toMatchObject({ category: 'other' });
    expect(
      await classify({ emojis: ['🍕'], accessibilityLabel: 'dog', packWords: ['dogs', 'dog', 'puppy'] }),
    ).toMatchObject({ category: 'food' });
    expect((await classify({ packWords: ['dog'] })).confidence).toBeLessThan(0.3);
  });

  it('knows nothing without emojis and words, and says so', async () => {
    const result = await classify({ features: { ...features, isAnimated: true, colourfulness: 90, brightness: 0.1 } });
    expect(result).toMatchObject({ category: 'other', nsfwLevel: 'unknown' });
    expect(result.confidence).toBeLessThan(0.3);
    expect(result.labels.map(({ label }) => label)).toEqual(['animated', 'transparent', 'colourful', 'dark']);
  });

  it('answers at most eight labels, best first, each once and between 0 and 1', async () => {
    const { labels } = await classify({
      emojis: ['😂', '🤣', '😆', '😅', '😹', '🐱', '🎉', '🍕'],
      accessibilityLabel: 'laughing cat',
    });
    expect(labels.length).toBe(8);
    expect(labels.map(({ score }) => score)).toEqual(labels.map(({ score }) => score).toSorted((a, b) => b - a));
    expect(new Set(labels.map(({ label }) => label)).size).toBe(8);
    expect(labels.every(({ score }) => score > 0 && score <= 1)).toBe(true);
  });

  it('suspects at most, and never calls anything safe', async () => {
    expect(await classify({ emojis: ['🔞'] })).toMatchObject({ nsfwLevel: 'suggestive' });
    expect(await classify({ emojis: ['🍆', '💦'] })).toMatchObject({ nsfwLevel: 'suggestive' });
    expect(await classify({ packWords: ['sexy', 'cats'] })).toMatchObject({ nsfwLevel: 'suggestive' });
    expect(await classify({ emojis: ['🍑'] })).toMatchObject({ nsfwLevel: 'unknown' });
    expect(await classify({ emojis: ['😇'] })).toMatchObject({ nsfwLevel: 'unknown' });
  });
});
