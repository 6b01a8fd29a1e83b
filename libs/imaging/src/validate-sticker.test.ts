import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { drawApng, drawPng } from '@omnizap/testkit';
import { animation, anmf, animationFlag, exifFlag, riff, vp8l, vp8x } from '../test/riff.ts';
import { validateSticker, validateStickerWords } from './validate-sticker.ts';
import { whatsappRules } from './whatsapp-rules.ts';

const rulesOf = (bytes: Buffer): string[] => validateSticker(bytes).findings.map(({ rule }) => rule);
const still = (bytes?: number): Buffer => riff([['VP8L', vp8l(512, 512, bytes)]]);

const block = (json: string, length = Buffer.byteLength(json)): Buffer => {
  const header = Buffer.from('49492a00080000000100415707000000000016000000', 'hex');
  header.writeUInt32LE(length, 14);
  return Buffer.concat([header, Buffer.from(json)]);
};
const withBlock = (exif: Buffer): Buffer =>
  riff([
    ['VP8X', vp8x(512, 512, exifFlag)],
    ['VP8L', vp8l(512, 512)],
    ['EXIF', exif],
  ]);

describe('validateSticker', () => {
  it('has nothing to say about a sticker that keeps to the rules', () => {
    expect(validateSticker(still(98_000))).toEqual({
      facts: {
        format: 'webp',
        ...{ width: 512, height: 512, frameCount: 1, isAnimated: false, durationMs: 0, sizeBytes: 98_020 },
      },
      findings: [],
    });
    expect(validateSticker(animation([8, 8, 9_984])).findings).toEqual([]);
    expect(rulesOf(withBlock(block('{"sticker-pack-id":"a.b","emojis":["😀"]}')))).toEqual([]);
  });

  // 20 bytes are the headers around the picture.
  it.each([
    ['a still one of 102,400 bytes', still(102_380), []],
    ['a still one of 102,402 bytes', still(102_382), ['static-bytes']],
    ['too small a canvas', riff([['VP8L', vp8l(511, 512)]]), ['canvas-size']],
    ['a frame of 7 ms', animation([20, 7, 20]), ['frame-duration']],
    ['10,001 ms', animation([5_000, 5_001]), ['total-duration']],
    ['an animation of one frame', animation([100]), ['animation-one-frame']],
    ['bytes behind the end', Buffer.concat([still(), Buffer.from('xyz')]), ['riff-trailing-bytes']],
    ['a header that promises more', riff([['VP8L', vp8l(512, 512)]], 5_000), ['riff-complete']],
    ['a file that was cut off', animation([20, 20]).subarray(0, 80), ['riff-complete']],
    ['no picture', riff([['EXIF', Buffer.alloc(4)]]), ['webp-structure']],
    [
      'a frame that leaves the canvas',
      riff([
        ['VP8X', vp8x(512, 512, animationFlag)],
        ['ANIM', Buffer.alloc(6)],
        ['ANMF', anmf(512, 20, 2)],
      ]),
      ['webp-structure'],
    ],
    [
      'a chunk of somebody else',
      riff([
        ['VP8X', vp8x(512, 512, 0)],
        ['VP8L', vp8l(512, 512)],
        ['junk', Buffer.alloc(3)],
      ]),
      ['webp-foreign-chunk'],
    ],
    [
      'flags that name an EXIF chunk that is not there',
      riff([
        ['VP8X', vp8x(512, 512, exifFlag)],
        ['VP8L', vp8l(512, 512)],
      ]),
      ['webp-flags'],
    ],
    ['a PNG', drawPng(1, 512), ['webp-format']],
    ['a small APNG with frames of 5 ms', drawApng([1, 2], 64, 5), ['webp-format', 'canvas-size', 'frame-duration']],
    ['text', Buffer.from('no picture'), ['image-readable']],
    ['nothing', Buffer.alloc(0), ['image-readable']],
  ])('names the rule that is broken by %s', (_what, bytes, rules) => {
    expect(rulesOf(bytes)).toEqual(rules);
  });

  it('counts an animated sticker’s bytes against the limit of animations', () => {
    const heavy = (bytes: number): Buffer =>
      riff([
        ['VP8X', vp8x(512, 512, animationFlag)],
        ['ANIM', Buffer.alloc(6)],
        ['ANMF', anmf(512, 20)],
        ['ANMF', anmf(512, 20, 0, bytes)],
      ]);
    const empty = heavy(6).length - 6;

    expect(rulesOf(heavy(512_000 - empty))).toEqual([]);
    expect(rulesOf(heavy(512_002 - empty))).toEqual(['animated-bytes']);
  });

  it.each([
    ['camera data', Buffer.from('49492a000800000001000f01020004000000414243440000', 'hex'), ['exif-block']],
    ['a big-endian directory', Buffer.from('4d4d002a00000008000000000000', 'hex'), ['exif-block']],
    [
      'a length of one byte',
      block(`{"sticker-pack-name":"${'n'.repeat(120)}","x":"${'y'.repeat(150)}"}`, 41),
      ['exif-length'],
    ],
    ['a length beyond the end', block('{"emojis":["😀"]}', 900), ['exif-length']],
    ['20,000 bytes', block(JSON.stringify({ pad: 'x'.repeat(20_000) })), ['exif-too-big']],
    ['half a JSON text', block('{"emojis":['), ['exif-json']],
    ['a list', block('[1]'), ['exif-json']],
    ['a path as id', block('{"sticker-pack-id":"../x"}'), ['exif-field']],
    [
      'four emojis and a number as name',
      block('{"sticker-pack-name":7,"emojis":["😀","😁","😂","🤣"]}'),
      ['exif-field', 'exif-field'],
    ],
    ['a word as emoji', block('{"emojis":["cat"]}'), ['exif-field']],
  ])('says what is wrong with an EXIF block of %s', (_what, exif, rules) => {
    expect(rulesOf(withBlock(exif))).toEqual(rules);
  });

  it('answers any bytes with findings of the table, and never throws', () => {
    const seeds = [still(200), animation([20, 30, 40]), withBlock(block('{"emojis":["😀"]}')), drawPng(3, 32)];
    const mutated = fc
      .tuple(
        fc.constantFrom(...seeds),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 12 }),
        fc.option(fc.nat(), { nil: undefined }),
        fc.uint8Array({ maxLength: 40 }),
      )
      .map(([seed, edits, cut, tail]) => {
        const bytes = Buffer.concat([seed, tail]);
        for (const [at, value] of edits) bytes[at % bytes.length] = value;
        return cut === undefined ? bytes : bytes.subarray(0, cut % (bytes.length + 1));
      });
    fc.assert(
      fc.property(mutated, (bytes) => {
        const { facts, findings } = validateSticker(bytes);
        for (const { rule, severity } of findings) expect(whatsappRules[rule].severity).toBe(severity);
        // What cannot be read is said to be an error; what can be read is measured.
        if (facts === null) expect(findings.some(({ severity }) => severity === 'error')).toBe(true);
        else expect(facts.sizeBytes).toBe(bytes.length);
      }),
      { numRuns: 3_000 },
    );
  });

  it('answers random bytes behind a RIFF header as well', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(400), (tail, said) => {
        const bytes = Buffer.concat([Buffer.from('RIFF\0\0\0\0WEBP', 'latin1'), tail]);
        bytes.writeUInt32LE(said, 4);
        expect(validateSticker(bytes).findings.length).toBeGreaterThan(0);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('validateStickerWords', () => {
  const words = (emojis: string[], text: string | null, isAnimated = false): string[] =>
    validateStickerWords({ isAnimated, emojis, accessibilityText: text }).map(({ rule }) => rule);

  it('asks for one to three emojis', () => {
    expect(words(['😀'], null)).toEqual([]);
    expect(words(['😀', '🎉', '❤️'], null)).toEqual([]);
    expect(words([], null)).toEqual(['sticker-emojis']);
    expect(words(['😀', '🎉', '❤️', '🔥'], null)).toEqual(['sticker-emojis']);
    expect(words(['a'], null)).toEqual(['sticker-emojis']);
  });

  it('lets an animated sticker say more', () => {
    expect(words(['😀'], 'x'.repeat(125))).toEqual([]);
    expect(words(['😀'], 'x'.repeat(126))).toEqual(['alt-text-length']);
    expect(words(['😀'], 'x'.repeat(255), true)).toEqual([]);
    expect(words(['😀'], 'x'.repeat(256), true)).toEqual(['alt-text-length']);
  });
});
