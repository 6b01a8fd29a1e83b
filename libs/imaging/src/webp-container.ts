/**
 * WebP at the level of its RIFF chunks: reading sizes, frames and EXIF without decoding, and writing a clean file
 * around untouched picture data. Layout: the WebP container specification and RFC 9649. A chunk that does not fit into
 * its parent is refused; bytes behind the RIFF chunk and unknown chunks are read over and not written again.
 */

import { corruptImage, parseBounded } from './image-errors.ts';

type Chunk = { fourCc: string; data: Buffer };

export type WebpFrame = {
  x: number;
  y: number;
  width: number;
  height: number;
  durationMs: number;
  /** Bit 0: dispose to background, bit 1: do not blend. */
  flags: number;
  /** ALPH, VP8 and VP8L chunks of this frame. */
  picture: Chunk[];
};

export type WebpFile = {
  width: number;
  height: number;
  hasAlpha: boolean;
  /** One entry for a still image. */
  frames: WebpFrame[];
  animation: { backgroundColour: number; loopCount: number } | null;
  exif: Buffer | null;
};

const alphaFlag = 0x10;
const exifFlag = 0x08;
const animationFlag = 0x02;
const maxDurationMs = 0xffffff;
/** Chunks of 8 bytes could otherwise turn 20 MiB into millions of objects; 300 frames need a few hundred. */
const maxChunks = 10_000;
/** A frame holds its picture, perhaps its alpha, and little else; without this, frames multiply the work of the limit above. */
const maxFrameChunks = 16;

/** True when `bytes` begin like a WebP. */
export function isWebp(bytes: Buffer): boolean {
  return bytes.length >= 12 && bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP';
}

/** Reads the container. @throws AppError image-corrupt for anything that does not add up. */
export function parseWebp(bytes: Buffer): WebpFile {
  return parseBounded('WebP', () => {
    const riffEnd = 8 + bytes.readUInt32LE(4);
    if (riffEnd > bytes.length) throw corruptImage(`the WebP says ${riffEnd} bytes but has ${bytes.length}`);
    const chunks = readChunks(bytes.subarray(12, riffEnd));
    const first = chunks[0];
    if (!first) throw corruptImage('the WebP holds no chunk');
    return first.fourCc === 'VP8X' ? readExtended(first.data, chunks) : readSimple(first);
  });
}

/** The chunks of a file that `parseWebp` accepts, in order, and how many bytes follow the last one. */
export function listWebpChunks(bytes: Buffer): { chunks: Chunk[]; restBytes: number } {
  return parseBounded('WebP', () => {
    const chunks = readChunks(bytes.subarray(12, 8 + bytes.readUInt32LE(4)));
    const end = chunks.reduce((offset, { data }) => offset + 8 + data.length + (data.length & 1), 12);
    return { chunks, restBytes: Math.max(0, bytes.length - end) };
  });
}

/** The same file with that EXIF chunk, or with none; pixels and timing are as they were. @throws AppError image-corrupt */
export function withExif(bytes: Buffer, exif: Buffer | null): Buffer {
  return buildWebp({ ...parseWebp(bytes), exif });
}

/** Writes a file with nothing but the picture data, an ANIM header when `animation` is set, and `exif`. */
export function buildWebp(file: WebpFile): Buffer {
  const flags = (file.hasAlpha ? alphaFlag : 0) | (file.exif ? exifFlag : 0) | (file.animation ? animationFlag : 0);
  const header = Buffer.alloc(10);
  header.writeUInt8(flags, 0);
  header.writeUIntLE(file.width - 1, 4, 3);
  header.writeUIntLE(file.height - 1, 7, 3);
  const parts = [writeChunk('VP8X', header)];
  if (file.animation) {
    const animation = Buffer.alloc(6);
    animation.writeUInt32LE(file.animation.backgroundColour, 0);
    animation.writeUInt16LE(file.animation.loopCount, 4);
    parts.push(writeChunk('ANIM', animation));
    for (const frame of file.frames) parts.push(writeChunk('ANMF', writeFrame(frame)));
  } else {
    for (const chunk of file.frames[0]?.picture ?? []) parts.push(writeChunk(chunk.fourCc, chunk.data));
  }
  if (file.exif) parts.push(writeChunk('EXIF', file.exif));
  const body = Buffer.concat(parts);
  const riff = Buffer.alloc(12);
  riff.write('RIFF', 0, 'latin1');
  riff.writeUInt32LE(4 + body.length, 4);
  riff.write('WEBP', 8, 'latin1');
  return Buffer.concat([riff, body]);
}

function readChunks(body: Buffer, limit = maxChunks): Chunk[] {
  const chunks: Chunk[] = [];
  let offset = 0;
  while (offset + 8 <= body.length) {
    if (chunks.length >= limit) throw corruptImage(`the WebP holds more than ${limit} chunks in one place`);
    const fourCc = body.toString('latin1', offset, offset + 4);
    const size = body.readUInt32LE(offset + 4);
    const end = offset + 8 + size;
    if (end > body.length) throw corruptImage(`the WebP chunk "${fourCc}" is larger than the file`);
    chunks.push({ fourCc, data: body.subarray(offset + 8, end) });
    offset = end + (size & 1);
  }
  return chunks;
}

function readSimple(chunk: Chunk): WebpFile {
  const picture = readPicture([chunk]);
  const { width, height, hasAlpha } = picture;
  return { width, height, hasAlpha, frames: [still(picture)], animation: null, exif: null };
}

function readExtended(header: Buffer, chunks: Chunk[]): WebpFile {
  const flags = header.readUInt8(0);
  const width = header.readUIntLE(4, 3) + 1;
  const height = header.readUIntLE(7, 3) + 1;
  const exif = chunks.find((chunk) => chunk.fourCc === 'EXIF')?.data ?? null;
  if ((flags & animationFlag) === 0) {
    const picture = readPicture(chunks);
    if (picture.width !== width || picture.height !== height) {
      throw corruptImage(`the WebP canvas is ${width}x${height} but its picture ${picture.width}x${picture.height}`);
    }
    return { width, height, hasAlpha: picture.hasAlpha, frames: [still(picture)], animation: null, exif };
  }
  const animation = chunks.find((chunk) => chunk.fourCc === 'ANIM');
  if (!animation) throw corruptImage('the WebP is marked as animated but has no ANIM chunk');
  const frames = chunks.filter((chunk) => chunk.fourCc === 'ANMF').map((chunk) => readFrame(chunk.data, width, height));
  if (frames.length === 0) throw corruptImage('the WebP is marked as animated but has no frame');
  return {
    width,
    height,
    hasAlpha: (flags & alphaFlag) !== 0,
    frames,
    animation: { backgroundColour: animation.data.readUInt32LE(0), loopCount: animation.data.readUInt16LE(4) },
    exif,
  };
}

function readFrame(data: Buffer, canvasWidth: number, canvasHeight: number): WebpFrame {
  const x = data.readUIntLE(0, 3) * 2;
  const y = data.readUIntLE(3, 3) * 2;
  const width = data.readUIntLE(6, 3) + 1;
  const height = data.readUIntLE(9, 3) + 1;
  const picture = readPicture(readChunks(data.subarray(16), maxFrameChunks));
  if (picture.width !== width || picture.height !== height)
    throw corruptImage('a WebP frame differs from its picture in size');
  if (x + width > canvasWidth || y + height > canvasHeight) throw corruptImage('a WebP frame leaves the canvas');
  return {
    x,
    y,
    width,
    height,
    durationMs: data.readUIntLE(12, 3),
    flags: data.readUInt8(15) & 3,
    picture: picture.chunks,
  };
}

type Picture = { chunks: Chunk[]; width: number; height: number; hasAlpha: boolean };

function readPicture(chunks: Chunk[]): Picture {
  const alpha = chunks.find((chunk) => chunk.fourCc === 'ALPH');
  const image = chunks.find((chunk) => chunk.fourCc === 'VP8 ' || chunk.fourCc === 'VP8L');
  if (!image) throw corruptImage('the WebP holds no picture');
  if (image.fourCc === 'VP8L') {
    if (image.data.readUInt8(0) !== 0x2f) throw corruptImage('the lossless WebP picture has no signature');
    const bits = image.data.readUInt32LE(1);
    return {
      chunks: [image],
      width: (bits & 0x3fff) + 1,
      height: ((bits >>> 14) & 0x3fff) + 1,
      hasAlpha: ((bits >>> 28) & 1) === 1,
    };
  }
  const isKeyFrame = (image.data.readUInt8(0) & 1) === 0;
  if (!isKeyFrame || image.data.readUIntBE(3, 3) !== 0x9d012a) throw corruptImage('the WebP picture has no start code');
  const width = image.data.readUInt16LE(6) & 0x3fff;
  const height = image.data.readUInt16LE(8) & 0x3fff;
  if (width === 0 || height === 0) throw corruptImage('the WebP picture has no size');
  return { chunks: alpha ? [alpha, image] : [image], width, height, hasAlpha: alpha !== undefined };
}

function still(picture: Picture): WebpFrame {
  return { x: 0, y: 0, width: picture.width, height: picture.height, durationMs: 0, flags: 0, picture: picture.chunks };
}

function writeChunk(fourCc: string, data: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.write(fourCc, 0, 'latin1');
  header.writeUInt32LE(data.length, 4);
  return data.length & 1 ? Buffer.concat([header, data, Buffer.alloc(1)]) : Buffer.concat([header, data]);
}

function writeFrame(frame: WebpFrame): Buffer {
  const header = Buffer.alloc(16);
  header.writeUIntLE(frame.x / 2, 0, 3);
  header.writeUIntLE(frame.y / 2, 3, 3);
  header.writeUIntLE(frame.width - 1, 6, 3);
  header.writeUIntLE(frame.height - 1, 9, 3);
  header.writeUIntLE(Math.min(frame.durationMs, maxDurationMs), 12, 3);
  header.writeUInt8(frame.flags, 15);
  return Buffer.concat([header, ...frame.picture.map((chunk) => writeChunk(chunk.fourCc, chunk.data))]);
}
