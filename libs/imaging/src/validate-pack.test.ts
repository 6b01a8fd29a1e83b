import { describe, expect, it } from '@jest/globals';
import { drawPng } from '@omnizap/testkit';
import { drawNoise, encode, encodeFrames } from '../test/drawings.ts';
import { fittingAltText, fittingEmojis, shortenText } from './sticker-words.ts';
import { categories } from './sticker-taxonomy.ts';
import { makeTray, validateTray } from './tray-image.ts';
import { validatePack, validateStaticSet, type PackFacts } from './validate-pack.ts';

const stickers = (count: number, isAnimated = false): PackFacts['stickers'] =>
  Array.from({ length: count }, (_, index) => ({
    ...{ subject: `${index}.webp`, isAnimated },
    ...{ emojis: ['😀'], accessibilityText: null },
  }));
const pack = (changes: Partial<PackFacts> = {}): PackFacts => ({
  ...{ identifier: 'cats-1', name: 'Cats', publisher: 'Ana', stickers: stickers(3) },
  ...changes,
});
const rulesOf = (changes: Partial<PackFacts>): string[] => validatePack(pack(changes)).map(({ rule }) => rule);

describe('validatePack', () => {
  it.each<[string, Partial<PackFacts>, string[]]>([
    ['three stickers', {}, []],
    ['30 stickers', { stickers: stickers(30, true) }, []],
    ['two', { stickers: stickers(2) }, ['pack-stickers-min']],
    ['31', { stickers: stickers(31) }, ['pack-stickers-max']],
    ['a mixture', { stickers: [...stickers(2), ...stickers(1, true)] }, ['pack-mixed']],
    ['all letters of an identifier', { identifier: "a B_9-.,'\t" }, []],
    ['an identifier with an accent', { identifier: 'gatão' }, ['pack-identifier']],
    ['one with two dots', { identifier: 'a..b' }, ['pack-identifier']],
    ['none', { identifier: '' }, ['pack-identifier']],
    ['texts of 128 characters', { name: 'n'.repeat(128), publisher: 'p'.repeat(128), identifier: 'i'.repeat(128) }, []],
    [
      'texts of 129',
      { name: 'n'.repeat(129), publisher: 'p'.repeat(129), identifier: 'i'.repeat(129) },
      ['pack-identifier', 'pack-name', 'pack-publisher'],
    ],
    ['no publisher', { publisher: ' ' }, ['pack-publisher']],
  ])('judges %s', (_what, changes, rules) => {
    expect(rulesOf(changes)).toEqual(rules);
  });

  it('says of which sticker the emojis are missing', () => {
    const [first, ...others] = stickers(3);
    const findings = validatePack(pack({ stickers: [...others, { ...first, subject: 'x', emojis: [] } as never] }));
    expect(findings).toMatchObject([{ rule: 'sticker-emojis', subject: 'x', isMended: true }]);
  });
});

describe('validateStaticSet', () => {
  const one = { subject: 's', isAnimated: false, sizeBytes: 300 * 1_024 };

  it('refuses what moves and what is too heavy', () => {
    expect(validateStaticSet('signal', [one])).toEqual([]);
    expect(validateStaticSet('signal', [{ ...one, sizeBytes: 300 * 1_024 + 1 }])).toMatchObject([
      { rule: 'signal-bytes' },
    ]);
    expect(validateStaticSet('telegram', [{ ...one, isAnimated: true }])).toMatchObject([
      { rule: 'telegram-animated', subject: 's' },
    ]);
    expect(validateStaticSet('telegram', [])).toMatchObject([{ rule: 'telegram-stickers' }]);
  });
});

describe('the tray image', () => {
  it.each<[string, () => Buffer | Promise<Buffer>, string[]]>([
    ['a PNG of 96x96', () => drawPng(1, 96), []],
    ['one of 24x24', () => drawPng(1, 24), ['tray-recommended']],
    ['one of 23x23', () => drawPng(1, 23), ['tray-size']],
    ['one of 513x513', () => drawPng(1, 513), ['tray-size']],
    ['noise of 512x512', () => encode.png(drawNoise(512, 512)), ['tray-bytes', 'tray-recommended']],
    ['a JPEG', () => encode.jpeg(drawNoise(96, 96)), ['tray-format']],
    ['text', () => Buffer.from('tray'), ['tray-format']],
  ])('is judged: %s', async (_what, make, rules) => {
    expect(validateTray(await make()).map(({ rule }) => rule)).toEqual(rules);
  });

  it('that is made of a sticker keeps every rule, also of one that no codec can compress, and of a film', async () => {
    const noise = await encode.losslessWebp(drawNoise(512, 512));
    const film = await encodeFrames.webp([drawNoise(64, 64, 1), drawNoise(64, 64, 2)], [50, 50]);
    for (const sticker of [noise, film]) expect(validateTray(await makeTray(sticker))).toEqual([]);
  });
});

describe('the words of a sticker', () => {
  it('keep its own emojis, at most three, and else get one that fits its category', () => {
    expect(fittingEmojis(['😀', 'x', '🎉', '❤', '🔥'], 'love')).toEqual(['😀', '🎉', '❤️']);
    expect(fittingEmojis([], 'laughing')).toEqual(['😂']);
    expect(fittingEmojis([], null)).toEqual(['🙂']);
    for (const category of categories()) expect([category, fittingEmojis([], category).length]).toEqual([category, 1]);
  });

  it('are shortened behind a word, and never within a character', () => {
    expect(shortenText('short', 5)).toBe('short');
    expect(shortenText('one two three four', 12)).toBe('one two…');
    expect(shortenText('👩‍👩‍👧‍👦'.repeat(20), 30)).toBe(`${'👩‍👩‍👧‍👦'.repeat(2)}…`);
    expect(fittingAltText('word '.repeat(60), false)?.length).toBeLessThanOrEqual(125);
    expect(fittingAltText('word '.repeat(40), true)).toBe('word '.repeat(40).trim());
    expect(fittingAltText('  ', false)).toBeUndefined();
  });
});
