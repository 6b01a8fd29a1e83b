/**
 * What WhatsApp asks of a pack, written a second time from the published rules (the README and StickerPackValidator of its sample
 * app, the WebP container specification, APPNOTE.TXT), with a zip reader of its own. It shares nothing with the product: what the
 * product hands out is held against this.
 */
import { crc32, inflateRawSync } from 'node:zlib';

export type Unzipped = Map<string, Buffer>;

/** Every entry of a zip file, by name. @throws Error where the file is not as readers of zip streams want it */
export function unzip(zip: Buffer): Unzipped {
  const end = zip.lastIndexOf(Buffer.from('504b0506', 'hex'));
  const count = zip.readUInt16LE(end + 10);
  let at = zip.readUInt32LE(end + 16);
  const files: Unzipped = new Map();
  for (let index = 0; index < count; index += 1) {
    if (zip.readUInt32BE(at) !== 0x504b0102) throw new Error(`entry ${index} has no signature`);
    const flags = zip.readUInt16LE(at + 8);
    const method = zip.readUInt16LE(at + 10);
    const [crc, packed, size] = [zip.readUInt32LE(at + 16), zip.readUInt32LE(at + 20), zip.readUInt32LE(at + 24)];
    const [nameBytes, extra, comment] = [28, 30, 32].map((field) => zip.readUInt16LE(at + field)) as [
      number,
      number,
      number,
    ];
    const name = zip.toString('utf8', at + 46, at + 46 + nameBytes);
    const local = zip.readUInt32LE(at + 42);
    if ((flags & 0x0008) !== 0 || (zip.readUInt16LE(local + 6) & 0x0008) !== 0)
      throw new Error(`"${name}" has its sizes behind its bytes: Java's ZipInputStream refuses that for stored files`);
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const data = zip.subarray(start, start + packed);
    const bytes = method === 8 ? inflateRawSync(data) : data;
    if (bytes.length !== size || crc32(bytes) !== crc) throw new Error(`"${name}" is damaged`);
    if (files.has(name)) throw new Error(`"${name}" is there twice`);
    files.set(name, bytes);
    at += 46 + nameBytes + extra + comment;
  }
  return files;
}

export type Webp = {
  width: number;
  height: number;
  /** Empty for a still picture. */
  frameMs: number[];
  exif: Record<string, unknown> | null;
  problems: string[];
};

/** Walks over the chunks of a WebP. */
export function readWebp(bytes: Buffer): Webp {
  const problems: string[] = [];
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WEBP')
    return { width: 0, height: 0, frameMs: [], exif: null, problems: ['is no WebP'] };
  if (bytes.readUInt32LE(4) + 8 !== bytes.length) problems.push(`says ${bytes.readUInt32LE(4) + 8} bytes`);
  let [width, height] = [0, 0];
  const frameMs: number[] = [];
  let exif: Record<string, unknown> | null = null;
  let at = 12;
  while (at < bytes.length) {
    const kind = bytes.toString('latin1', at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    const data = bytes.subarray(at + 8, at + 8 + size);
    if (data.length < size) problems.push(`chunk ${kind} is cut off`);
    if (kind === 'VP8X') [width, height] = [data.readUIntLE(4, 3) + 1, data.readUIntLE(7, 3) + 1];
    else if (kind === 'ANMF') frameMs.push(data.readUIntLE(12, 3));
    else if (kind === 'EXIF') exif = readExif(data, problems);
    else if (!['VP8 ', 'VP8L', 'ALPH', 'ANIM'].includes(kind)) problems.push(`has a chunk ${kind}`);
    at += 8 + size + (size % 2);
  }
  if (at !== bytes.length) problems.push('does not end with a chunk');
  return { width, height, frameMs, exif, problems };
}

/** The 22 bytes that WhatsApp writes: little-endian TIFF, one entry, tag 0x5741, type 7, length, offset 22. */
function readExif(data: Buffer, problems: string[]): Record<string, unknown> | null {
  const header = data.toString('hex', 0, 14);
  if (header !== '49492a00080000000100' + '41570700') problems.push(`has an EXIF header ${header}`);
  const length = data.readUInt32LE(14);
  if (data.readUInt32LE(18) !== 22 || length !== data.length - 22)
    problems.push(`has an EXIF block of ${length} bytes`);
  return JSON.parse(data.toString('utf8', 22)) as Record<string, unknown>;
}

export type Sticker = { file: string; bytes: Buffer; emojis: string[]; accessibilityText?: string | undefined };

/** All that WhatsApp would complain about; empty for a pack that it takes. */
export function complaintsOf(pack: {
  identifier?: string;
  name: string;
  publisher: string;
  tray: Buffer;
  stickers: Sticker[];
}): string[] {
  const complaints: string[] = [];
  const expect = (isRight: boolean, complaint: string): void => {
    if (!isRight) complaints.push(complaint);
  };
  for (const text of [pack.name, pack.publisher]) expect(text.length >= 1 && text.length <= 128, `text "${text}"`);
  if (pack.identifier !== undefined)
    expect(/^[\w\-.,'\s]{1,128}$/.test(pack.identifier) && !pack.identifier.includes('..'), 'identifier');
  expect(pack.stickers.length >= 3 && pack.stickers.length <= 30, `${pack.stickers.length} stickers`);

  expect(pack.tray.length <= 50 * 1_024, `tray of ${pack.tray.length} bytes`);
  expect(pack.tray.toString('hex', 0, 8) === '89504e470d0a1a0a', 'tray is no PNG');
  for (const side of [pack.tray.readUInt32BE(16), pack.tray.readUInt32BE(20)])
    expect(side >= 24 && side <= 512, `tray of ${side} pixels`);

  const moving = pack.stickers.map(({ bytes }) => readWebp(bytes).frameMs.length > 1);
  expect(new Set(moving).size === 1, 'still and animated stickers');
  for (const { file, bytes, emojis, accessibilityText = '' } of pack.stickers) {
    const { width, height, frameMs, problems } = readWebp(bytes);
    const isAnimated = frameMs.length > 0;
    for (const problem of problems) complaints.push(`${file} ${problem}`);
    expect(width === 512 && height === 512, `${file}: ${width}x${height}`);
    expect(bytes.length <= (isAnimated ? 500 : 100) * 1_024, `${file}: ${bytes.length} bytes`);
    expect(
      frameMs.every((ms) => ms >= 8),
      `${file}: a frame is too short`,
    );
    expect(frameMs.reduce((sum, ms) => sum + ms, 0) <= 10_000, `${file}: takes too long`);
    expect(frameMs.length !== 1, `${file}: an animation of one frame`);
    expect(emojis.length >= 1 && emojis.length <= 3, `${file}: ${emojis.length} emojis`);
    expect(accessibilityText.length <= (isAnimated ? 255 : 125), `${file}: long accessibility text`);
  }
  return complaints;
}

/** The pack in a .wastickers file, as its readers find it. */
export function readWastickers(zip: Buffer): Parameters<typeof complaintsOf>[0] {
  const files = unzip(zip);
  const text = (name: string): string => files.get(name)?.toString('utf8') ?? '';
  const pngs = [...files.keys()].filter((name) => name.endsWith('.png'));
  if (pngs.length !== 1) throw new Error(`${pngs.length} PNGs`);
  return {
    name: text('title.txt'),
    publisher: text('author.txt'),
    tray: files.get(pngs[0] ?? '') ?? Buffer.alloc(0),
    stickers: [...files]
      .filter(([name]) => name.endsWith('.webp'))
      .map(([file, bytes]) => {
        const exif = readWebp(bytes).exif ?? {};
        return {
          ...{ file, bytes },
          emojis: (exif.emojis as string[] | undefined) ?? [],
          accessibilityText: exif['accessibility-text'] as string | undefined,
        };
      }),
  };
}
