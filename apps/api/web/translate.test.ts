import { describe, expect, it } from '@jest/globals';
import { languages } from './languages.ts';
import { messages } from './messages.ts';
import { createTranslate } from './translate.ts';

const placeholders = (text: string): string[] =>
  [...text.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name).toSorted();

describe('the words of the pages', () => {
  it.each(Object.entries(messages))(
    '%s are filled in with the same values, in as many forms, in each language',
    (_key, message) => {
      const [first, ...others] = languages.map((language) => message[language]);
      for (const other of others) {
        expect(placeholders(other ?? '')).toEqual(placeholders(first ?? ''));
        expect(other?.split('|').length).toBe(first?.split('|').length);
      }
    },
  );

  it('count by the rules of the language', () => {
    const english = createTranslate('en');
    const portuguese = createTranslate('pt-BR');

    expect([0, 1, 2].map((count) => english.count('pack.likes', count))).toEqual(['0 likes', '1 like', '2 likes']);
    // Portuguese says "0 curtida": zero is one of a kind there.
    expect([0, 1, 2].map((count) => portuguese.count('pack.likes', count))).toEqual([
      '0 curtida',
      '1 curtida',
      '2 curtidas',
    ]);
    expect(english.count('pack.likes', 1_234)).toBe('1,234 likes');
    expect(portuguese.count('pack.likes', 1_234)).toBe('1.234 curtidas');
    expect(english.number(1_250_000)).toBe('1.3M');
  });

  it('leave a value that a visitor wrote as it is, braces and all', () => {
    expect(createTranslate('en')('list.title-search', { q: '{count} $& <b>' })).toBe('Packs for “{count} $& <b>”');
  });
});
