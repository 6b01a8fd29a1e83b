import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  blue,
  createFolder,
  draw,
  drawFace,
  drawPattern,
  encode,
  encodeApng,
  encodeFrames,
  red,
} from '../test/drawings.ts';
import { analyseImage } from './analyse-image.ts';
import { hammingDistance, isNearDuplicate } from './near-duplicate.ts';
import { probeImage } from './probe-image.ts';

let folder: Awaited<ReturnType<typeof createFolder>>;
beforeAll(async () => {
  folder = await createFolder();
});
afterAll(() => folder.remove());

async function analyse(bytes: Buffer) {
  const path = await folder.write(bytes);
  return analyseImage(path, await probeImage(path));
}

describe('analyseImage', () => {
  it('gives the same pixels the same identity in every lossless format, and others another', async () => {
    const face = drawFace(200);
    const { pixelSha256 } = await analyse(await encode.png(face));
    expect(await analyse(await encode.losslessWebp(face))).toMatchObject({ pixelSha256 });
    const changed = { ...face, rgba: Buffer.from(face.rgba) };
    changed.rgba[(100 * 200 + 100) * 4] = 7;
    expect((await analyse(await encode.png(changed))).pixelSha256).not.toBe(pixelSha256);
    const turned = draw(
      100,
      400,
      (x, y) => [...face.rgba.subarray((y * 100 + x) * 4, (y * 100 + x) * 4 + 4)] as [number, number, number, number],
    );
    expect(turned.rgba.equals(face.rgba)).toBe(true);
    expect((await analyse(await encode.png(turned))).pixelSha256).not.toBe(pixelSha256);
  });

  it('leaves durations out of the identity of an animation', async () => {
    const frames = [drawFace(64), drawFace(64, { turn: 2 }), drawFace(64, { turn: 3 })];
    const apng = (durationMs: number) => encodeApng(frames.map((drawing) => ({ drawing, durationMs })));
    expect((await analyse(await apng(30))).pixelSha256).toBe((await analyse(await apng(300))).pixelSha256);
  });

  it('finds a body that was cut, in every format', async () => {
    const animation = [drawPattern(120, 120, 1), drawPattern(120, 120, 2), drawPattern(120, 120, 3)];
    const jpeg = await encode.jpeg(drawPattern(200, 200));
    await expect(analyse(jpeg.subarray(0, Math.floor(jpeg.length * 0.6)))).rejects.toMatchObject({
      code: 'image-corrupt',
    });
    for (const bytes of [
      await encode.png(drawPattern(120, 120)),
      await encode.webp(drawPattern(120, 120)),
      await encodeFrames.webp(animation, [50, 50, 50]),
      await encodeFrames.gif(animation, [50, 50, 50]),
      await encodeApng(animation.map((drawing) => ({ drawing }))),
    ]) {
      await expect(analyse(bytes.subarray(0, Math.floor(bytes.length * 0.7)))).rejects.toMatchObject({
        code: 'image-corrupt',
      });
    }
  });

  it('finds a damaged body inside an intact WebP container', async () => {
    const webp = await encode.losslessWebp(drawPattern(120, 120));
    const damaged = Buffer.from(webp);
    // Everything behind the picture's own header; the chunk sizes stay right.
    damaged.fill(0xff, 40);
    await expect(analyse(damaged)).rejects.toMatchObject({ code: 'image-corrupt' });
  });

  it('describes what a picture looks like', async () => {
    const halves = await analyse(await encode.png(draw(64, 64, (x) => (x < 32 ? red : blue))));
    expect(halves.features).toMatchObject({
      hasTransparency: false,
      transparentShare: 0,
      isAnimated: false,
      frameCount: 1,
      durationMs: 0,
    });
    expect(halves.features.dominantColours.toSorted()).toEqual(['#283cd2', '#dc281e']);
    expect(halves.features.colourfulness).toBeGreaterThan(59);
    const grey = await analyse(await encode.png(draw(64, 64, () => [51, 51, 51, 255])));
    expect(grey.features).toMatchObject({
      colourfulness: 0,
      brightness: 0.2,
      edgeDensity: 0,
      blur: 1,
      dominantColours: ['#333333'],
    });
    const face = await analyse(await encode.png(drawFace(256)));
    // A disc of radius 0.9 in a square of side 2.
    expect(face.features.transparentShare).toBeCloseTo(1 - (Math.PI * 0.81) / 4, 1);
    expect(face.hashes.mask).not.toBeNull();
    const empty = await analyse(await encode.png(draw(32, 32, () => [0, 0, 0, 0])));
    expect(empty.features).toMatchObject({ transparentShare: 1, dominantColours: [], brightness: 0 });
  });

  it('sums the durations of an animation and hashes three of its frames', async () => {
    const frames = [1, 2, 3, 4, 5].map((seed) => drawPattern(96, 96, seed));
    const apng = await encodeApng(
      frames.map((drawing, index) => ({ drawing, durationMs: [40, 40, 40, 60, 70][index] ?? 0 })),
    );
    const { hashes, features } = await analyse(apng);
    expect(features).toMatchObject({ isAnimated: true, frameCount: 5, durationMs: 250 });
    const stills = await Promise.all(
      [0, 2, 4].map(async (index) => analyse(await encode.png(frames[index] ?? drawFace(8)))),
    );
    expect([hashes.first, hashes.middle, hashes.last]).toEqual(stills.map((still) => still.hashes.first));
  });
});

describe('isNearDuplicate', () => {
  it('sees through another format, size, quality and light', async () => {
    const original = await analyse(await encode.png(drawFace(512)));
    for (const copy of [
      await encode.webp(drawFace(512), 60),
      await encode.png(drawFace(300)),
      await encode.png(drawFace(700)),
      await encode.webp(drawFace(512, { light: 12 })),
    ]) {
      const { hashes, ...rest } = await analyse(copy);
      expect(hammingDistance(hashes.first, original.hashes.first)).toBeLessThanOrEqual(10);
      expect(isNearDuplicate(original, { hashes, ...rest })).toBe(true);
    }
  });

  it('keeps different drawings apart', async () => {
    const analyses = await Promise.all(
      [encode.png(drawFace(256)), ...[1, 2, 3, 4].map((seed) => encode.png(drawPattern(256, 256, seed)))].map(
        async (png) => analyse(await png),
      ),
    );
    for (const [index, one] of analyses.entries()) {
      for (const other of analyses.slice(0, index)) expect(isNearDuplicate(one, other)).toBe(false);
    }
  });

  it('tells shapes in the colour of the backdrop apart by their mask', async () => {
    const shape = (isInside: (u: number, v: number) => boolean) =>
      draw(256, 256, (x, y) => (isInside(x / 128 - 1, y / 128 - 1) ? [128, 128, 128, 255] : [128, 128, 128, 0]));
    const ring = await analyse(await encode.png(shape((u, v) => Math.abs(Math.hypot(u, v) - 0.6) < 0.2)));
    const cross = await analyse(await encode.png(shape((u, v) => Math.abs(u + 0.2) < 0.15 || Math.abs(v - 0.1) < 0.2)));
    expect(isNearDuplicate(ring, cross)).toBe(false);
    expect(isNearDuplicate({ ...ring, hashQuality: 100 }, { ...cross, hashQuality: 100 })).toBe(false);
    expect(hammingDistance(ring.hashes.mask ?? '', cross.hashes.mask ?? '')).toBeGreaterThan(60);
  });

  it('matches a still picture with no animation, and poor hashes only with equal pixels', async () => {
    const still = await analyse(await encode.png(drawFace(128)));
    const moving = await analyse(
      await encodeApng([{ drawing: drawFace(128) }, { drawing: drawFace(128, { turn: 2 }) }]),
    );
    expect(isNearDuplicate(still, moving)).toBe(false);
    const poor = { ...still, hashQuality: 49 };
    expect(isNearDuplicate(poor, { ...poor, pixelSha256: 'other' })).toBe(false);
    expect(isNearDuplicate(poor, poor)).toBe(true);
  });
});

describe('hammingDistance', () => {
  it('counts different bits', () => {
    const zero = '0'.repeat(64);
    expect(hammingDistance(zero, zero)).toBe(0);
    expect(hammingDistance(zero, 'f'.repeat(64))).toBe(256);
    expect(hammingDistance(zero, `8${'0'.repeat(55)}7${'0'.repeat(7)}`)).toBe(4);
    expect(() => hammingDistance(zero, 'short')).toThrow('64 hexadecimal');
  });
});
