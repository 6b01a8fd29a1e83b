/**
 * Small PNG files without an image library (W3C PNG, third edition): enough for tests that need many stickers that do not look
 * alike, and for files that are wrong in a chosen way.
 */
import { crc32, deflateSync } from 'node:zlib';

const signature = Buffer.from('89504e470d0a1a0a', 'hex');
const trueColour = 2;
/** Waves per picture: with so many, two seeds have nothing in common but their size. */
const waves = 7;
const highestFrequency = 6;

/** Opaque two-coloured blots; the same seed gives the same bytes, and pictures of two seeds are no near-duplicates. */
export function drawPng(seed: number, side = 96): Buffer {
  return buildPng(side, side, deflateSync(drawRows(seed, side)));
}

/** An endless APNG with the picture of one seed per frame. */
export function drawApng(seeds: number[], side: number, frameMs: number): Buffer {
  const chunks = [chunk('IHDR', headerOf(side, side)), chunk('acTL', words(seeds.length, 0))];
  let sequence = 0;
  for (const [index, seed] of seeds.entries()) {
    const timing = Buffer.alloc(6);
    timing.writeUInt16BE(frameMs, 0);
    timing.writeUInt16BE(1_000, 2);
    chunks.push(chunk('fcTL', Buffer.concat([words(sequence++, side, side, 0, 0), timing])));
    const data = deflateSync(drawRows(seed, side));
    chunks.push(index === 0 ? chunk('IDAT', data) : chunk('fdAT', Buffer.concat([words(sequence++), data])));
  }
  return Buffer.concat([signature, ...chunks, chunk('IEND', Buffer.alloc(0))]);
}

/** A PNG around `data` whose header says what it is told to say, true or not. */
export function buildPng(width: number, height: number, data: Buffer): Buffer {
  return Buffer.concat([
    signature,
    chunk('IHDR', headerOf(width, height)),
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** RGB rows, each behind its filter byte. */
function drawRows(seed: number, side: number): Buffer {
  const next = randomNumbers(seed);
  const parts = Array.from({ length: waves }, () => ({
    u: (next() * 2 - 1) * highestFrequency,
    v: (next() * 2 - 1) * highestFrequency,
    phase: next() * 2 * Math.PI,
  }));
  const colours = [0, 1].map((index) =>
    [next(), next(), next()].map((value) => Math.round((index * 0.6 + value * 0.4) * 255)),
  );
  const rows = Buffer.alloc(side * (side * 3 + 1));
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      const height = parts.reduce(
        (sum, { u, v, phase }) => sum + Math.sin(((u * x + v * y) / side) * Math.PI + phase),
        0,
      );
      rows.set(colours[height > 0 ? 1 : 0] ?? [], y * (side * 3 + 1) + 1 + x * 3);
    }
  }
  return rows;
}

function headerOf(width: number, height: number): Buffer {
  return Buffer.concat([words(width, height), Buffer.from([8, trueColour, 0, 0, 0])]);
}

function words(...values: number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) buffer.writeUInt32BE(value, index * 4);
  return buffer;
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  return Buffer.concat([words(data.length), named, words(crc32(named))]);
}

/** Numbers in 0..1 by mulberry32: good enough for pictures, and the same on every machine. */
function randomNumbers(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b1);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
