/**
 * Pictures for the load: a few compliant WebP stickers, drawn once, and as many different files of each as wanted, told apart by
 * a chunk of their own that no decoder looks at. Drawing a picture per upload would cost more than the fleet spends on it.
 */
import sharp from 'sharp';
import { createRandom } from './random.ts';

export type PicturePool = {
  /** A file that nobody has seen before for each `serial`. */
  picture: (index: number, serial: number) => Buffer;
  /** The same with a body that ends early: its header is fine, decoding fails. */
  brokenPicture: (index: number, serial: number) => Buffer;
  size: number;
};

const side = 512;
const blots = 6;

export async function drawPicturePool(size: number): Promise<PicturePool> {
  sharp.concurrency(1);
  const drawn: Buffer[] = [];
  for (let index = 0; index < size; index += 1)
    drawn.push(
      await sharp(Buffer.from(svgOf(index)))
        .webp({ quality: 60, effort: 0 })
        .toBuffer(),
    );
  const at = (index: number): Buffer => drawn[index % drawn.length] as Buffer;
  return {
    size,
    picture: (index, serial) => appendChunk(at(index), serial),
    brokenPicture: (index, serial) => appendChunk(cutShort(at(index)), serial),
  };
}

/** A RIFF chunk with an identifier that WebP does not define: readers have to skip it. */
function appendChunk(webp: Buffer, serial: number): Buffer {
  const chunk = Buffer.alloc(16);
  chunk.write('CHAO', 0, 'latin1');
  chunk.writeUInt32LE(8, 4);
  chunk.writeBigUInt64LE(BigInt(serial), 8);
  return withRiffSize(Buffer.concat([webp, chunk]));
}

/** Half of the image data is gone, and the sizes say so. */
function cutShort(webp: Buffer): Buffer {
  const copy = Buffer.from(webp);
  for (let at = 12; at + 8 <= copy.length;) {
    const size = copy.readUInt32LE(at + 4);
    if (copy.toString('latin1', at, at + 3) === 'VP8' && copy[at + 3] !== 'X'.charCodeAt(0)) {
      const kept = Math.floor(size / 4) * 2;
      copy.writeUInt32LE(kept, at + 4);
      return withRiffSize(copy.subarray(0, at + 8 + kept));
    }
    at += 8 + size + (size % 2);
  }
  return withRiffSize(copy.subarray(0, Math.floor(copy.length / 2)));
}

function withRiffSize(webp: Buffer): Buffer {
  const copy = Buffer.from(webp);
  copy.writeUInt32LE(copy.length - 8, 4);
  return copy;
}

function svgOf(seed: number): string {
  const random = createRandom(seed, 7);
  const shapes = Array.from(
    { length: blots },
    () =>
      `<circle cx="${random.between(60, 450)}" cy="${random.between(60, 450)}" r="${random.between(30, 110)}" fill="hsl(${random.between(0, 360)} 80% 55%)"/>`,
  ).join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}">${shapes}</svg>`;
}
