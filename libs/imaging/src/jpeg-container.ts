/** JPEG at the level of its markers (ITU-T T.81): the size from the frame header. Whether the body is whole shows only on decoding. */

import { corruptImage, parseBounded } from './image-errors.ts';
import type { ImageHeader } from './image-types.ts';

/** True when `bytes` begin like a JPEG. */
export function isJpeg(bytes: Buffer): boolean {
  return bytes.length >= 3 && bytes.readUIntBE(0, 3) === 0xffd8ff;
}

/** Reads the frame header. @throws AppError image-corrupt */
export function parseJpeg(bytes: Buffer): ImageHeader {
  return parseBounded('JPEG', () => {
    let offset = 2;
    for (;;) {
      if (bytes.readUInt8(offset) !== 0xff) throw corruptImage('the JPEG has no marker where one must be');
      const marker = bytes.readUInt8(offset + 1);
      if (marker === 0xff) {
        offset += 1;
      } else if (isStandalone(marker)) {
        offset += 2;
      } else if (isFrameHeader(marker)) {
        const height = bytes.readUInt16BE(offset + 5);
        const width = bytes.readUInt16BE(offset + 7);
        return { format: 'jpeg', width, height, frameCount: 1, frameDurationsMs: [], hasAlpha: false, metadata: null };
      } else if (marker === 0xda || marker === 0xd9) {
        throw corruptImage('the JPEG has no frame header');
      } else {
        offset += 2 + bytes.readUInt16BE(offset + 2);
      }
    }
  });
}

function isStandalone(marker: number): boolean {
  return marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
}

/** SOF0..SOF15 without DHT (c4), JPG (c8) and DAC (cc), which share the range. */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}
