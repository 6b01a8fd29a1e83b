/**
 * GIF at the level of its blocks (GIF89a specification): size, frames and delays without decoding. A missing trailer
 * byte is common in the wild and accepted after at least one whole frame; an end inside a block is a truncated file.
 */

import { corruptImage, parseBounded } from './image-errors.ts';
import type { ImageHeader } from './image-types.ts';

const extensionBlock = 0x21;
const imageBlock = 0x2c;
const trailer = 0x3b;
const graphicControl = 0xf9;
const millisecondsPerTick = 10;

/** True when `bytes` begin like a GIF. */
export function isGif(bytes: Buffer): boolean {
  return /^GIF8[79]a/.test(bytes.toString('latin1', 0, 6));
}

/** Reads the header and walks over the blocks. Stops counting at `maxFrames + 1`. @throws AppError image-corrupt */
export function parseGif(bytes: Buffer, maxFrames: number): ImageHeader {
  return parseBounded('GIF', () => {
    const width = bytes.readUInt16LE(6);
    const height = bytes.readUInt16LE(8);
    const frameDurationsMs: number[] = [];
    let hasAlpha = false;
    let delayMs = 0;
    let offset = 13 + colourTableBytes(bytes.readUInt8(10));
    while (offset < bytes.length && frameDurationsMs.length <= maxFrames) {
      const kind = bytes.readUInt8(offset);
      if (kind === trailer) break;
      if (kind === extensionBlock) {
        if (bytes.readUInt8(offset + 1) === graphicControl) {
          delayMs = bytes.readUInt16LE(offset + 4) * millisecondsPerTick;
          hasAlpha ||= (bytes.readUInt8(offset + 3) & 1) === 1;
        }
        offset = skipSubBlocks(bytes, offset + 2);
      } else if (kind === imageBlock) {
        const codeSizeAt = offset + 10 + colourTableBytes(bytes.readUInt8(offset + 9));
        offset = skipSubBlocks(bytes, codeSizeAt + 1);
        frameDurationsMs.push(delayMs);
        delayMs = 0;
      } else {
        throw corruptImage(`the GIF holds an unknown block ${kind}`);
      }
    }
    if (frameDurationsMs.length === 0) throw corruptImage('the GIF holds no frame');
    const frameCount = frameDurationsMs.length;
    // The canvas outside a frame is transparent, so several frames can show transparency without saying so.
    return {
      format: 'gif',
      width,
      height,
      frameCount,
      frameDurationsMs: frameCount > 1 ? frameDurationsMs : [],
      hasAlpha,
      metadata: null,
    };
  });
}

function colourTableBytes(flags: number): number {
  return flags & 0x80 ? 3 << ((flags & 7) + 1) : 0;
}

function skipSubBlocks(bytes: Buffer, start: number): number {
  let offset = start;
  for (let size = bytes.readUInt8(offset); size > 0; size = bytes.readUInt8(offset)) offset += size + 1;
  return offset + 1;
}
