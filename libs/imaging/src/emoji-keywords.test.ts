import { describe, expect, it } from '@jest/globals';
import { emojisOfKeyword, plainEmoji } from './emoji-keywords.ts';

describe('emojisOfKeyword', () => {
  it.each([
    ['cat', '🐱'],
    ['gato', '🐱'],
    ['perro', '🐶'],
    ['cachorro', '🐶'],
    ['coração', '💖'],
    ['CORACAO', '💖'],
    ['corazón', '💖'],
    ['feliz', '😀'],
    ['aniversário', '🎂'],
    ['birthday', '🎂'],
  ])('knows %s, in any of the languages and however it is written', (word, emoji) => {
    expect(emojisOfKeyword(word)).toContain(emoji);
  });

  it.each(['face', 'animal', 'bandeira', 'cara'])('takes %s, which stands at a hundred emojis, for none', (word) => {
    expect(emojisOfKeyword(word)).toEqual([]);
  });

  it('knows nothing of a word that no emoji has', () => {
    expect(emojisOfKeyword('xyzzy')).toEqual([]);
  });

  it('never asks for more than 32 places to look in', () => {
    for (const word of ['love', 'heart', 'amor']) {
      expect(emojisOfKeyword(word).length).toBeGreaterThan(10);
      expect(emojisOfKeyword(word).length).toBeLessThanOrEqual(32);
    }
  });
});

describe('plainEmoji', () => {
  it('is the same for every skin tone and with or without variation selector', () => {
    expect(plainEmoji('👍🏿')).toBe('👍');
    expect(plainEmoji('👍')).toBe('👍');
    expect(plainEmoji('❤️')).toBe(plainEmoji('❤'));
  });

  it('is nothing for what is no emoji', () => {
    expect(plainEmoji('a')).toBeUndefined();
    expect(plainEmoji('')).toBeUndefined();
  });
});
