/** Pictures and files for the tests, drawn pixel by pixel: the suite needs no picture on disk. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPixels } from '../src/configure-imaging.ts';
import { buildPng } from '../src/png-container.ts';
import type { ApngFrame } from '../src/png-container.ts';

export type Colour = [red: number, green: number, blue: number, alpha: number];
export type Drawing = { rgba: Buffer; width: number; height: number };

export const clear: Colour = [0, 0, 0, 0];
export const red: Colour = [220, 40, 30, 255];
export const green: Colour = [30, 180, 60, 255];
export const blue: Colour = [40, 60, 210, 255];

/** A drawing from a function of the pixel's place. */
export function draw(width: number, height: number, colourAt: (x: number, y: number) => Colour): Drawing {
  const rgba = Buffer.alloc(width * height * 4);
  for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) rgba.set(colourAt(x, y), (y * width + x) * 4);
  return { rgba, width, height };
}

/** A yellow face with eyes and a mouth on a transparent ground; `turn` moves the pupils, `light` adds to each channel. */
export function drawFace(side: number, { turn = 0, light = 0 } = {}): Drawing {
  return draw(side, side, (x, y) => {
    const u = (x / side) * 2 - 1;
    const v = (y / side) * 2 - 1;
    if (Math.hypot(u, v) > 0.9) return clear;
    const isPupil = Math.hypot(Math.abs(u) - 0.35 - turn * 0.1, v + 0.25) < 0.1;
    const isEye = Math.hypot(Math.abs(u) - 0.35, v + 0.25) < 0.22;
    const isMouth = Math.abs(v - 0.45 - u * u * -0.3) < 0.07 && Math.abs(u) < 0.55;
    const base: Colour = isPupil || isMouth ? [60, 30, 20, 255] : isEye ? [235, 235, 235, 255] : [220, 180, 40, 255];
    return [base[0] + light, base[1] + light, base[2] + light, 255];
  });
}

/** Opaque waves and blocks that have nothing in common with the face; `seed` changes the whole pattern. */
export function drawPattern(width: number, height: number, seed = 1): Drawing {
  return draw(width, height, (x, y) => {
    const u = x / width;
    const v = y / height;
    const wave = Math.sin(u * (5 + seed * 3.1) + seed) * Math.cos(v * (7 + seed * 1.7)) + Math.sin((u + v) * seed * 9);
    const block = (Math.floor(u * 5) + Math.floor(v * 4) * seed) % 3;
    const level = Math.min(255, Math.max(0, 128 + wave * 60 + block * 25 - 25));
    return [level, (level * (1 + block)) / 3, 255 - level, 255];
  });
}

/** Noise that no codec can compress; the same for the same seed (mulberry32). */
export function drawNoise(width: number, height: number, seed = 1): Drawing {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) & 255;
  };
  return draw(width, height, () => [next(), next(), next(), 255]);
}

/** Encoders for one drawing. */
export const encode = {
  png: ({ rgba, width, height }: Drawing) => openPixels(rgba, width, height).png().toBuffer(),
  jpeg: ({ rgba, width, height }: Drawing, quality = 90) =>
    openPixels(rgba, width, height).flatten().jpeg({ quality }).toBuffer(),
  webp: ({ rgba, width, height }: Drawing, quality = 90) =>
    openPixels(rgba, width, height).webp({ quality }).toBuffer(),
  losslessWebp: ({ rgba, width, height }: Drawing) =>
    openPixels(rgba, width, height).webp({ lossless: true, exact: true }).toBuffer(),
};

/** Encoders for several drawings of one size. */
export const encodeFrames = {
  webp: (frames: Drawing[], delay: number[]) => stack(frames).webp({ delay, loop: 3, quality: 80 }).toBuffer(),
  gif: (frames: Drawing[], delay: number[]) => stack(frames).gif({ delay }).toBuffer(),
};

function stack(frames: Drawing[]) {
  const { width, height } = frames[0] as Drawing;
  return openPixels(Buffer.concat(frames.map((frame) => frame.rgba)), width, height * frames.length, height);
}

/** Data of all PNG chunks of one type, found by walking over the file. */
export function pngChunk(png: Buffer, wanted: string): Buffer {
  const found: Buffer[] = [];
  for (let offset = 8; offset < png.length; offset += 12 + png.readUInt32BE(offset)) {
    if (png.toString('latin1', offset + 4, offset + 8) === wanted)
      found.push(png.subarray(offset + 8, offset + 8 + png.readUInt32BE(offset)));
  }
  return Buffer.concat(found);
}

type ApngPart = { drawing: Drawing } & Partial<Pick<ApngFrame, 'x' | 'y' | 'durationMs' | 'dispose' | 'blend'>>;

/** An APNG from RGBA drawings; the first one must cover the canvas. */
export async function encodeApng(parts: ApngPart[]): Promise<Buffer> {
  const pngs = await Promise.all(parts.map(({ drawing }) => encode.png(drawing)));
  const control = Buffer.alloc(8);
  control.writeUInt32BE(parts.length, 0);
  const chunks = [
    { type: 'IHDR', data: pngChunk(pngs[0] as Buffer, 'IHDR') },
    { type: 'acTL', data: control },
  ];
  let sequence = 0;
  for (const [index, part] of parts.entries()) {
    const data = Buffer.alloc(26);
    [sequence, part.drawing.width, part.drawing.height, part.x ?? 0, part.y ?? 0].forEach((value, place) =>
      data.writeUInt32BE(value, place * 4),
    );
    sequence += 1;
    data.writeUInt16BE(part.durationMs ?? 100, 20);
    data.writeUInt16BE(1000, 22);
    data.writeUInt8(['none', 'background', 'previous'].indexOf(part.dispose ?? 'none'), 24);
    data.writeUInt8(['source', 'over'].indexOf(part.blend ?? 'source'), 25);
    chunks.push({ type: 'fcTL', data });
    const picture = pngChunk(pngs[index] as Buffer, 'IDAT');
    if (index === 0) {
      chunks.push({ type: 'IDAT', data: picture });
    } else {
      const prefix = Buffer.alloc(4);
      prefix.writeUInt32BE(sequence);
      sequence += 1;
      chunks.push({ type: 'fdAT', data: Buffer.concat([prefix, picture]) });
    }
  }
  return buildPng(chunks);
}

/** A folder of its own for a test file. */
export async function createFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'imaging-'));
  let count = 0;
  return {
    async write(bytes: Buffer | string, extension = 'bin'): Promise<string> {
      const path = join(folder, `${(count += 1)}.${extension}`);
      await writeFile(path, bytes);
      return path;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
