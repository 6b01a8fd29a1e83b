/**
 * PNG and APNG at the level of their chunks (W3C PNG, third edition). A file is an APNG when acTL stands before the
 * first IDAT. Each frame of an APNG can be written as a PNG of its own, which is how decode-apng.ts gets at its pixels.
 */

import { crc32 } from 'node:zlib';
import { corruptImage, parseBounded } from './image-errors.ts';
import type { ImageHeader } from './image-types.ts';

type Chunk = { type: string; data: Buffer };

export type ApngFrame = {
  x: number;
  y: number;
  width: number;
  height: number;
  durationMs: number;
  dispose: 'none' | 'background' | 'previous';
  blend: 'source' | 'over';
  /** Compressed rows, as IDAT holds them. */
  data: Buffer[];
};

export type PngFile = {
  header: Buffer;
  width: number;
  height: number;
  hasAlpha: boolean;
  /** Chunks before the first IDAT that change how pixels are read: palette, transparency, colour space. */
  shared: Chunk[];
  /** Null for a plain PNG. */
  frames: ApngFrame[] | null;
};

const signature = Buffer.from('89504e470d0a1a0a', 'hex');
const sharedTypes = new Set(['PLTE', 'tRNS', 'gAMA', 'cHRM', 'sRGB', 'iCCP', 'cICP', 'sBIT']);
const defaultDelayDenominator = 100;
/** Empty chunks could otherwise turn 20 MiB into millions of objects; encoders write 8 KiB or more into one IDAT. */
const maxChunks = 50_000;

/** True when `bytes` begin like a PNG. */
export function isPng(bytes: Buffer): boolean {
  return bytes.subarray(0, 8).equals(signature);
}

/** What the header says. @throws AppError image-corrupt */
export function parsePngHeader(bytes: Buffer): ImageHeader {
  const file = parsePng(bytes);
  const frames = file.frames ?? [];
  return {
    format: file.frames ? 'apng' : 'png',
    width: file.width,
    height: file.height,
    frameCount: Math.max(1, frames.length),
    frameDurationsMs: frames.length > 1 ? frames.map((frame) => frame.durationMs) : [],
    hasAlpha: file.hasAlpha,
    metadata: null,
  };
}

/** Reads every chunk and checks its CRC. @throws AppError image-corrupt when truncated, damaged or contradictory */
export function parsePng(bytes: Buffer): PngFile {
  return parseBounded('PNG', () => {
    const chunks = readChunks(bytes);
    const header = chunks[0];
    if (header?.type !== 'IHDR' || header.data.length !== 13)
      throw corruptImage('the PNG does not begin with a header');
    const width = header.data.readUInt32BE(0);
    const height = header.data.readUInt32BE(4);
    const firstData = chunks.findIndex((chunk) => chunk.type === 'IDAT');
    if (firstData < 0) throw corruptImage('the PNG holds no picture');
    const leading = chunks.slice(1, firstData);
    const isAnimated = leading.some((chunk) => chunk.type === 'acTL');
    const colourType = header.data.readUInt8(9);
    return {
      header: header.data,
      width,
      height,
      hasAlpha: (colourType & 4) !== 0 || leading.some((chunk) => chunk.type === 'tRNS'),
      shared: leading.filter((chunk) => sharedTypes.has(chunk.type)),
      frames: isAnimated ? readFrames(chunks, width, height) : null,
    };
  });
}

/** One frame as a PNG of the frame's own size. */
export function buildFramePng(file: PngFile, frame: ApngFrame): Buffer {
  const header = Buffer.from(file.header);
  header.writeUInt32BE(frame.width, 0);
  header.writeUInt32BE(frame.height, 4);
  return buildPng([{ type: 'IHDR', data: header }, ...file.shared, { type: 'IDAT', data: Buffer.concat(frame.data) }]);
}

/** Writes a PNG from its chunks; IEND is added. */
export function buildPng(chunks: Chunk[]): Buffer {
  return Buffer.concat([signature, ...chunks.map(writeChunk), writeChunk({ type: 'IEND', data: Buffer.alloc(0) })]);
}

function writeChunk({ type, data }: Chunk): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, check]);
}

function readChunks(bytes: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  for (let offset = signature.length; ;) {
    if (chunks.length >= maxChunks) throw corruptImage(`the PNG holds more than ${maxChunks} chunks`);
    const end = offset + 12 + bytes.readUInt32BE(offset);
    const type = bytes.toString('latin1', offset + 4, offset + 8);
    const check = bytes.readUInt32BE(end - 4);
    if (crc32(bytes.subarray(offset + 4, end - 4)) !== check) throw corruptImage(`the PNG chunk "${type}" is damaged`);
    if (type === 'IEND') return chunks;
    chunks.push({ type, data: bytes.subarray(offset + 8, end - 4) });
    offset = end;
  }
}

/** The default picture belongs to the animation only when an fcTL stands before it. */
function readFrames(chunks: Chunk[], width: number, height: number): ApngFrame[] {
  const frames: ApngFrame[] = [];
  let expectedSequence = 0;
  const checkSequence = (data: Buffer) => {
    if (data.readUInt32BE(0) !== expectedSequence) throw corruptImage('the frames of the APNG are out of order');
    expectedSequence += 1;
  };
  for (const { type, data } of chunks) {
    if (type === 'fcTL') {
      checkSequence(data);
      const frame = readFrameControl(data);
      if (frame.width === 0 || frame.height === 0) throw corruptImage('an APNG frame has no size');
      if (frame.x + frame.width > width || frame.y + frame.height > height)
        throw corruptImage('an APNG frame leaves the canvas');
      frames.push(frame);
    } else if (type === 'IDAT') {
      frames.at(-1)?.data.push(data);
    } else if (type === 'fdAT') {
      checkSequence(data);
      frames.at(-1)?.data.push(data.subarray(4));
    }
  }
  if (frames.length === 0) throw corruptImage('the APNG holds no frame');
  if (frames.some((frame) => frame.data.length === 0)) throw corruptImage('an APNG frame holds no picture');
  return frames;
}

function readFrameControl(data: Buffer): ApngFrame {
  const denominator = data.readUInt16BE(22) || defaultDelayDenominator;
  const dispose = (['none', 'background', 'previous'] as const)[data.readUInt8(24)];
  const blend = (['source', 'over'] as const)[data.readUInt8(25)];
  if (!dispose || !blend) throw corruptImage('an APNG frame asks for an unknown operation');
  return {
    width: data.readUInt32BE(4),
    height: data.readUInt32BE(8),
    x: data.readUInt32BE(12),
    y: data.readUInt32BE(16),
    durationMs: Math.round((data.readUInt16BE(20) * 1000) / denominator),
    dispose,
    blend,
    data: [],
  };
}
