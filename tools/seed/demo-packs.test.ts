import { describe, expect, it } from '@jest/globals';
import { createEmojiClassifier, maxEmojisPerSticker, parseEmojis } from '@omnizap/imaging';
import { demoPacks } from './demo-packs.ts';
import { readEmojiArt } from './emoji-art.ts';

/** WhatsApp's most for one pack, and the API's default. */
const maxPackItems = 30;
/** Curation makes no automatic pack of fewer. */
const minThemeItems = 12;
/** Viewers from one address that the API counts. */
const maxViewers = 20;

const plainFeatures = {
  isAnimated: false,
  frameCount: 1,
  durationMs: 0,
  transparentShare: 0.5,
  colourfulness: 40,
  brightness: 0.5,
  blur: 0,
  hasTransparency: true,
  edgeDensity: 0.1,
  dominantColours: [],
};

describe('the demo packs', () => {
  it('are at least eight packs with at least 200 stickers, none larger than a pack may be', () => {
    expect(demoPacks.length).toBeGreaterThanOrEqual(8);
    expect(demoPacks.flatMap(({ emojis }) => emojis).length).toBeGreaterThanOrEqual(200);
    for (const { emojis } of demoPacks) expect(emojis.length).toBeLessThanOrEqual(maxPackItems);
  });

  it('have a slug, a name and an order of popularity of their own', () => {
    for (const key of ['slug', 'name', 'opens', 'likes'] as const) {
      expect(new Set(demoPacks.map((pack) => pack[key])).size).toBe(demoPacks.length);
    }
    for (const { opens, likes } of demoPacks) {
      expect(opens).toBeLessThanOrEqual(maxViewers);
      expect(likes).toBeLessThanOrEqual(opens);
    }
  });

  it('show no emoji twice', () => {
    const emojis = demoPacks.flatMap((pack) => pack.emojis);
    expect(emojis.filter((emoji, index) => emojis.indexOf(emoji) !== index)).toEqual([]);
  });

  it('hold only emojis that the API takes', () => {
    for (const { emojis, companion } of demoPacks) {
      for (let start = 0; start < emojis.length; start += maxEmojisPerSticker) {
        parseEmojis(emojis.slice(start, start + maxEmojisPerSticker));
      }
      expect(parseEmojis([companion])).toHaveLength(1);
    }
  });

  it('have a picture and a name for every sticker, by which an interrupted upload recognises it', async () => {
    for (const { emojis } of demoPacks) {
      const art = await Promise.all(emojis.map(readEmojiArt));
      expect(new Set(art.map(({ name }) => name)).size).toBe(emojis.length);
      for (const { svg } of art) expect(svg).toMatch(/^<svg [^]*viewBox="0 0 36 36"[^]*<\/svg>$/);
    }
  });

  it('give at least eight themes enough stickers for an automatic pack, one of them animated', async () => {
    const classifier = createEmojiClassifier();
    const counts = new Map<string, number>();
    for (const { name, tags, emojis, isAnimated } of demoPacks) {
      for (const emoji of emojis) {
        const { category } = await classifier.classify({
          emojis: [emoji],
          packWords: [name, ...tags],
          accessibilityLabel: (await readEmojiArt(emoji)).name,
          features: { ...plainFeatures, isAnimated },
        });
        const theme = isAnimated ? `${category}:animated` : category;
        counts.set(theme, (counts.get(theme) ?? 0) + 1);
      }
    }
    const themes = [...counts].filter(([, count]) => count >= minThemeItems).map(([theme]) => theme);
    expect(themes.length).toBeGreaterThanOrEqual(8);
    expect(themes).toContain('animals:animated');
  });
});
