import { describe, expect, it } from '@jest/globals';
import { readStickerExif, writeStickerExif } from './sticker-exif.ts';

/** The header as WhatsApp's own stickers carry it, with the length left open. */
const whatsAppHeader = (length: number) => {
  const header = Buffer.from('49492a00080000000100415707000000000016000000', 'hex');
  header.writeUInt32LE(length, 14);
  return header;
};
const blockOf = (json: string, declared = Buffer.byteLength(json)) =>
  Buffer.concat([whatsAppHeader(declared), Buffer.from(json)]);

describe('readStickerExif', () => {
  it('reads the fields that WhatsApp writes', () => {
    const json = {
      'sticker-pack-id': 'a.b-c',
      'sticker-pack-name': 'Gatos',
      'sticker-pack-publisher': 'Ana',
      emojis: ['😀', '❤'],
      'accessibility-text': 'a cat',
      'is-ai-sticker': 1,
    };
    expect(readStickerExif(blockOf(JSON.stringify(json)))).toEqual({
      packId: 'a.b-c',
      packName: 'Gatos',
      publisher: 'Ana',
      emojis: ['😀', '❤️'],
      accessibilityText: 'a cat',
    });
  });

  it('reads a block whose length was cut to one byte', () => {
    const json = JSON.stringify({
      'sticker-pack-id': 'long',
      'sticker-pack-name': 'n'.repeat(120),
      'sticker-pack-publisher': 'p'.repeat(120),
      emojis: ['🔥'],
    });
    expect(json.length).toBeGreaterThan(255);
    expect(readStickerExif(blockOf(json, json.length & 255))).toMatchObject({ packId: 'long', emojis: ['🔥'] });
  });

  it('drops single fields that are wrong and keeps the others', () => {
    const json = {
      'sticker-pack-id': '../../etc',
      'sticker-pack-name': 'x'.repeat(500),
      'sticker-pack-publisher': 7,
      emojis: ['😀', 'text', 5, null, '😀', '🏻'],
    };
    expect(readStickerExif(blockOf(JSON.stringify(json)))).toEqual({ emojis: ['😀'] });
  });

  it('takes hostile blocks for none', () => {
    const huge = JSON.stringify({ 'sticker-pack-id': 'huge', pad: 'x'.repeat(1_000_000) });
    const deep = '['.repeat(8000) + ']'.repeat(8000);
    const pointsOutside = Buffer.from('49492a00ffffffff010041570700ffffffffffffffff', 'hex');
    for (const block of [
      blockOf(huge),
      blockOf(deep),
      blockOf('{"emojis":'),
      blockOf('null'),
      blockOf('"text"'),
      pointsOutside,
      Buffer.alloc(3),
      whatsAppHeader(0xffffffff),
    ]) {
      expect(readStickerExif(block)).toBeNull();
    }
  });
});

describe('writeStickerExif', () => {
  it('writes the layout that WhatsApp reads, with a length above 255', () => {
    const metadata = {
      packId: 'p',
      packName: 'é'.repeat(128),
      publisher: 'o'.repeat(128),
      emojis: ['👩‍💻'],
      accessibilityText: 'words',
    };
    const block = writeStickerExif(metadata);
    expect(block.subarray(0, 14)).toEqual(whatsAppHeader(0).subarray(0, 14));
    expect(block.readUInt32LE(14)).toBe(block.length - 22);
    expect(block.subarray(18, 22).toString('hex')).toBe('16000000');
    expect(JSON.parse(block.subarray(22).toString())).toMatchObject({ 'sticker-pack-name': 'é'.repeat(128) });
    expect(readStickerExif(block)).toEqual(metadata);
  });
});
