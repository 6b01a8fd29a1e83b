import { describe, expect, it } from '@jest/globals';
import { drawFace, drawPattern } from '../test/drawings.ts';
import type { Drawing } from '../test/drawings.ts';
import { pictureFrom, readLuma } from './image-features.ts';
import { hammingDistance } from './near-duplicate.ts';
import { hashRows, lowFrequencies, sampleRows } from './pdq-hash.ts';

type Plane = { width: number; height: number; at: (x: number, y: number) => number };

function planeOf({ rgba, width, height }: Drawing): Plane {
  const picture = pictureFrom(rgba, width, height);
  const rows = Array.from({ length: height }, (_, y) => {
    const line = new Float32Array(width);
    readLuma(picture, line, y);
    return line;
  });
  return { width, height, at: (x, y) => rows[y]?.[x] ?? Number.NaN };
}

const hashPlane = ({ width, height, at }: Plane) =>
  hashRows((line, y) => line.forEach((_, x) => (line[x] = at(x, y))), width, height);

/** The paper's filter as it is described: whole lines, twice in each direction, then sampling. */
function filterSlowly({ width, height, at }: Plane): number[] {
  let rows = Array.from({ length: height }, (_, y) => Array.from({ length: width }, (_, x) => at(x, y)));
  const box = (line: number[]) => {
    const size = Math.floor((line.length + 127) / 128);
    const ahead = Math.floor((size + 2) / 2) - 1;
    return line.map((_, index) => {
      const window = line.slice(Math.max(0, index - (size - 1 - ahead)), index + ahead + 1);
      return window.reduce((sum, value) => sum + value, 0) / window.length;
    });
  };
  const transpose = (matrix: number[][]) => (matrix[0] ?? []).map((_, x) => matrix.map((row) => row[x] ?? Number.NaN));
  for (let round = 0; round < 2; round += 1) rows = transpose(transpose(rows.map(box)).map(box));
  return Array.from({ length: 4096 }, (_, index) => {
    const y = Math.floor(((Math.floor(index / 64) + 0.5) * height) / 64);
    const x = Math.floor((((index % 64) + 0.5) * width) / 64);
    return rows[y]?.[x] ?? Number.NaN;
  });
}

describe('sampleRows', () => {
  it.each([
    [512, 512],
    [300, 200],
    [64, 64],
    [40, 513],
    [1, 7],
  ])('gives the numbers of the filter applied to a whole picture of %i x %i', (width, height) => {
    const plane = planeOf(drawPattern(width, height, 3));
    const samples = sampleRows((line, y) => line.forEach((_, x) => (line[x] = plane.at(x, y))), width, height);
    const expected = filterSlowly(plane);
    const largestError = samples.reduce(
      (worst, value, index) => Math.max(worst, Math.abs(value - (expected[index] ?? Number.NaN))),
      0,
    );
    expect(largestError).toBeLessThan(1e-3);
  });
});

describe('lowFrequencies', () => {
  it('is the cosine transform of the textbooks', () => {
    const samples = Float64Array.from({ length: 4096 }, (_, index) => ((index * 7919) % 256) + Math.sin(index));
    const actual = lowFrequencies(samples);
    for (const [vertical, horizontal] of [
      [1, 1],
      [1, 16],
      [16, 1],
      [7, 3],
      [12, 15],
    ] as const) {
      let sum = 0;
      for (let y = 0; y < 64; y += 1) {
        for (let x = 0; x < 64; x += 1) {
          sum +=
            (samples[y * 64 + x] ?? 0) *
            Math.cos(((2 * y + 1) * vertical * Math.PI) / 128) *
            Math.cos(((2 * x + 1) * horizontal * Math.PI) / 128);
        }
      }
      // Orthonormal scaling: sqrt(2/64) in each direction.
      expect(actual[(vertical - 1) * 16 + horizontal - 1]).toBeCloseTo((sum * 2) / 64, 6);
    }
  });
});

describe('hashRows', () => {
  const plane = planeOf(drawPattern(256, 256, 2));

  it('sets half of the 256 bits', () => {
    expect(hashPlane(plane).hash).toMatch(/^[0-9a-f]{64}$/);
    expect(hammingDistance(hashPlane(plane).hash, '0'.repeat(64))).toBe(128);
  });

  it('hardly changes with brightness, contrast and size', () => {
    const { hash } = hashPlane(plane);
    expect(hammingDistance(hash, hashPlane({ ...plane, at: (x, y) => plane.at(x, y) + 30 }).hash)).toBeLessThanOrEqual(
      2,
    );
    expect(hammingDistance(hash, hashPlane({ ...plane, at: (x, y) => plane.at(x, y) * 0.5 }).hash)).toBeLessThanOrEqual(
      2,
    );
    expect(hammingDistance(hash, hashPlane(planeOf(drawPattern(512, 512, 2))).hash)).toBeLessThanOrEqual(16);
  });

  it('changes as the algorithm says when the picture is turned upside down: rows of odd frequencies flip', () => {
    const upsideDown = { ...plane, at: (x: number, y: number) => plane.at(x, 255 - y) };
    const bitsOf = (hash: string) => [...BigInt(`0x${hash}`).toString(2).padStart(256, '0')].reverse();
    const before = bitsOf(hashPlane(plane).hash);
    const after = bitsOf(hashPlane(upsideDown).hash);
    const isKept = (bit: number) => before[bit] === after[bit];
    const oddRows = before.map((_, bit) => bit).filter((bit) => Math.floor(bit / 16) % 2 === 0);
    const evenRows = before.map((_, bit) => bit).filter((bit) => Math.floor(bit / 16) % 2 === 1);
    // The window is one longer ahead than behind, so a mirrored picture is filtered a little differently.
    expect(oddRows.filter(isKept).length).toBeLessThan(30);
    expect(evenRows.filter(isKept).length).toBeGreaterThan(98);
  });

  it('tells drawings apart', () => {
    const hashes = [drawFace(256), ...[1, 2, 3, 4].map((seed) => drawPattern(256, 256, seed))].map(
      (drawing) => hashPlane(planeOf(drawing)).hash,
    );
    for (const [index, hash] of hashes.entries()) {
      for (const other of hashes.slice(0, index)) expect(hammingDistance(hash, other)).toBeGreaterThan(60);
    }
  });

  it('has no trust in a plain surface', () => {
    expect(hashPlane({ width: 100, height: 100, at: () => 77 }).quality).toBe(0);
    expect(hashPlane(planeOf(drawFace(512))).quality).toBeGreaterThanOrEqual(50);
  });
});
