import { describe, expect, it } from '@jest/globals';
import { findEmoji, keywordsOfEmoji, listEmojis, parseEmojis } from './emoji-index.ts';

const isRecommended = (emoji: string) => /^\p{RGI_Emoji}$/v.test(emoji);

describe('parseEmojis', () => {
  it('accepts whole emojis and answers their keyboard form', () => {
    expect(parseEmojis(['😀', '❤', '❤️', '☕️', '👍🏽', '👩‍💻', '🇧🇷', '🏴‍☠️', ' 1️⃣ '])).toEqual([
      '😀',
      '❤️',
      '☕',
      '👍🏽',
      '👩‍💻',
      '🇧🇷',
      '🏴‍☠️',
      '1️⃣',
    ]);
  });

  it('agrees with the Unicode property of the JavaScript engine on every emoji that the engine knows', () => {
    const known = listEmojis()
      .map(({ emoji }) => emoji)
      .filter((emoji) => /^\p{RGI_Emoji}$/v.test(emoji) || isRecommended(emoji.replace(/\ufe0f/g, '')));
    expect(known.length).toBeGreaterThan(1800);
    expect(known.filter((emoji) => !isRecommended(emoji))).toEqual([]);
  });

  it('names every entry that is no emoji', () => {
    for (const wrong of ['', 'a', '1', '😀😀', '🏽', '🇧', '<b>', '👩‍🚀‍🍕']) {
      let caught: unknown;
      try {
        parseEmojis(['😀', wrong]);
      } catch (error) {
        caught = error;
      }
      expect(caught).toMatchObject({ code: 'validation-failed', fields: [{ pointer: '/emojis/1' }] });
    }
  });

  it('refuses nine different ones, but not nine times the same', () => {
    const nine = ['😀', '😃', '😄', '😁', '😆', '😅', '🤣', '😂', '🙂'];
    expect(() => parseEmojis(nine)).toThrow('emojis');
    expect(parseEmojis(nine.map(() => '😀'))).toEqual(['😀']);
  });
});

describe('keywordsOfEmoji', () => {
  it('finds an emoji in any skin tone and form', () => {
    expect(keywordsOfEmoji('👋🏿')).toEqual(keywordsOfEmoji('👋'));
    expect(keywordsOfEmoji('❤')).toContain('love');
    expect(keywordsOfEmoji('no')).toEqual([]);
    expect(findEmoji('🐱')?.subgroup).toBe('animal-mammal');
  });
});
