import { describe, expect, it } from '@jest/globals';
import { parseQuery, termsOfPack } from './search-terms.ts';

const pack = (changes: Partial<Parameters<typeof termsOfPack>[0]> = {}) => ({
  name: '',
  publisher: '',
  tags: [],
  labels: [],
  emojis: [],
  ...changes,
});

describe('termsOfPack', () => {
  it('takes words of name, publisher, tags and labels, folded, each once', () => {
    expect(
      termsOfPack(pack({ name: 'Gatos do João!', publisher: 'JOÃO & Cia', tags: ['gatos'], labels: ['funny cat'] })),
    ).toEqual(['cat', 'cia', 'do', 'funny', 'gatos', 'joao']);
  });

  it('takes emojis as terms of their own, wherever they stand, without skin tone or variation selector', () => {
    expect(termsOfPack(pack({ name: 'Love❤️you👍🏽', emojis: ['👍🏿', '🐱'] }))).toEqual(
      ['love', 'you', '❤', '👍', '🐱'].sort(),
    );
  });

  it('keeps digits as words and numbers in keycaps as emojis', () => {
    expect(termsOfPack(pack({ name: 'Top 10 #1' }))).toEqual(['1', '10', 'top']);
    expect(termsOfPack(pack({ name: '1️⃣' }))).toEqual(['1⃣']);
  });

  it('never makes a term that the column cannot hold, nor half a character', () => {
    const [term = ''] = termsOfPack(pack({ name: 'ж'.repeat(100) }));

    expect(Buffer.byteLength(term)).toBeLessThanOrEqual(64);
    expect(term).toBe('ж'.repeat(32));
  });

  it('keeps what is closest to the name when there is too much', () => {
    const words = (prefix: string, count: number): string[] =>
      Array.from({ length: count }, (_, number) => `${prefix}${number}`);
    const terms = termsOfPack(pack({ name: words('n', 40).join(' '), labels: words('l', 200) }));

    expect(terms).toHaveLength(150);
    expect(terms).toEqual(expect.arrayContaining(words('n', 40)));
  });
});

describe('parseQuery', () => {
  it('asks for each word, for what begins with it, and for the emojis that it means', () => {
    const [word, ...more] = parseQuery('Gátô');

    expect(more).toEqual([]);
    expect(word?.prefix).toBe('gato');
    expect(word?.terms).toEqual(expect.arrayContaining(['gato', '🐱', '🐈']));
  });

  it('asks for an emoji as it is', () => {
    expect(parseQuery('❤️')).toEqual([{ terms: ['❤'], prefix: null }]);
  });

  it('takes short words exactly', () => {
    expect(parseQuery('xq')).toEqual([{ terms: ['xq'], prefix: null }]);
  });

  it('leaves out words that only bind others, unless there are no others', () => {
    expect(parseQuery('figurinhas de gato').map((word) => word.terms[0])).toEqual(['figurinhas', 'gato']);
    expect(parseQuery('de a').map((word) => word.terms[0])).toEqual(['de', 'a']);
  });

  it('asks for nothing when nothing is said', () => {
    expect(parseQuery('  %_* !')).toEqual([]);
  });

  it('asks for six words at most', () => {
    expect(parseQuery('one two three four five six seven eight')).toHaveLength(6);
  });
});
