import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createFolder,
  draw,
  drawFace,
  drawNoise,
  drawPattern,
  encode,
  encodeApng,
  encodeFrames,
} from '../test/drawings.ts';
import type { Drawing } from '../test/drawings.ts';
import { analyseImage } from './analyse-image.ts';
import { makeDerivatives } from './make-derivatives.ts';
import { isNearDuplicate } from './near-duplicate.ts';
import { probeImage } from './probe-image.ts';
import { writeStickerExif } from './sticker-exif.ts';
import { buildWebp, parseWebp } from './webp-container.ts';

let folder: Awaited<ReturnType<typeof createFolder>>;
beforeAll(async () => {
  folder = await createFolder();
});
afterAll(() => folder.remove());

const metadata = { packId: 'pack-1', packName: 'Caras', publisher: 'Ana', emojis: ['😀'], accessibilityText: 'a face' };

async function convert(bytes: Buffer) {
  const path = await folder.write(bytes);
  const probe = await probeImage(path);
  const derivatives = await makeDerivatives(path, probe, metadata);
  const servedPath = await folder.write(derivatives.sticker.bytes);
  const served = await probeImage(servedPath);
  return {
    ...derivatives,
    probe,
    served,
    before: () => analyseImage(path, probe),
    after: () => analyseImage(servedPath, served),
  };
}

const total = (values: number[]) => values.reduce((sum, value) => sum + value, 0);
const faces = (count: number, side: number): Drawing[] =>
  Array.from({ length: count }, (_, index) => drawFace(side, { turn: index % 5, light: index % 7 }));

describe('makeDerivatives of a still picture', () => {
  it('keeps the pixels of a WebP that complies and writes a clean container around them', async () => {
    const webp = await encode.webp(drawFace(512));
    const parsed = parseWebp(webp);
    const junk = Buffer.concat([Buffer.from('XYZW'), Buffer.from([5, 0, 0, 0]), Buffer.from('junk!\0')]);
    const riff = Buffer.concat([buildWebp(parsed), junk, Buffer.from('trailing garbage')]);
    riff.writeUInt32LE(riff.length - 8 - 'trailing garbage'.length, 4);
    const result = await convert(riff);
    expect(result.sticker).toMatchObject({
      keptPixels: true,
      width: 512,
      height: 512,
      frameCount: 1,
      isAnimated: false,
      adjustments: [],
    });
    expect((await result.after()).pixelSha256).toBe((await result.before()).pixelSha256);
    expect(result.sticker.bytes.includes('junk!')).toBe(false);
    expect(result.sticker.bytes.includes('garbage')).toBe(false);
    expect(result.served.metadata).toEqual(metadata);
  });

  it('keeps the pack id and emojis that the file brings, and repairs what it lacks', async () => {
    const parsed = parseWebp(await encode.webp(drawFace(512)));
    const own = { packId: 'theirs', emojis: ['🔥'] };
    const result = await convert(buildWebp({ ...parsed, exif: writeStickerExif(own) }));
    expect(result.served.metadata).toEqual({ ...metadata, packId: 'theirs', emojis: ['🔥'] });
  });

  it.each([
    ['PNG', () => encode.png(drawFace(300))],
    ['large JPEG', () => encode.jpeg(drawPattern(1600, 900))],
    ['small WebP', () => encode.webp(drawFace(96))],
    ['GIF of one frame', async () => encodeFrames.gif([drawFace(128)], [0])],
  ])('makes a %s fit 512x512 and 98,000 bytes, still the same picture', async (_, file) => {
    const { sticker, preview, served, before, after } = await convert(await file());
    expect(served).toMatchObject({ format: 'webp', width: 512, height: 512, isAnimated: false, metadata });
    expect(sticker.keptPixels).toBe(false);
    expect(sticker.bytes.length).toBeLessThanOrEqual(98_000);
    expect(await probeImage(await folder.write(preview.bytes))).toMatchObject({
      format: 'webp',
      width: 160,
      height: 160,
      isAnimated: false,
    });
    expect(preview.bytes.length).toBeLessThan(10_000);
    const [source, result] = [await before(), await after()];
    if (served.width === served.height && source.hashes.mask) expect(isNearDuplicate(source, result)).toBe(true);
  });

  it('centres a wide picture on a transparent square', async () => {
    const { after } = await convert(await encode.jpeg(draw(400, 200, () => [200, 30, 30, 255])));
    const { features } = await after();
    expect(features.transparentShare).toBeCloseTo(0.5, 1);
    expect(features.dominantColours).toHaveLength(1);
  });

  it('lowers the quality of what comes out too large', async () => {
    const grain = drawNoise(512, 512);
    const soft = draw(512, 512, (x, y) => {
      const noise = (grain.rgba[(y * 512 + x) * 4] ?? 0) / 255;
      return [Math.round(60 + noise * 70), Math.round(80 + noise * 70), Math.round(90 + noise * 70), 255];
    });
    const { sticker } = await convert(await encode.png(soft));
    expect(sticker.bytes.length).toBeLessThanOrEqual(98_000);
    expect(sticker.adjustments).toContain('quality-lowered');
  });

  it('says so when nothing makes it fit', async () => {
    const noise = drawNoise(512, 512);
    const holes = drawNoise(512, 512, 2);
    for (let offset = 3; offset < noise.rgba.length; offset += 4) noise.rgba[offset] = holes.rgba[offset - 3] ?? 0;
    await expect(convert(await encode.png(noise))).rejects.toMatchObject({
      code: 'image-cannot-fit',
      message: expect.stringMatching(/\d+ bytes, allowed are \d+/),
    });
  });
});

describe('makeDerivatives of an animation', () => {
  it('keeps the pixels of a WebP whose timing is wrong, and repairs the timing', async () => {
    const parsed = parseWebp(await encodeFrames.webp(faces(4, 512), [50, 50, 50, 50]));
    parsed.frames.forEach((frame) => {
      frame.durationMs = 8;
    });
    const fast = await convert(buildWebp(parsed));
    expect(fast.served).toMatchObject({ frameDurationsMs: [20, 20, 20, 20], isAnimated: true });
    expect(fast.sticker).toMatchObject({ keptPixels: true, durationMs: 80, adjustments: ['frames-slowed'] });
    expect((await fast.after()).pixelSha256).toBe((await fast.before()).pixelSha256);
    expect(parseWebp(fast.sticker.bytes).animation?.loopCount).toBe(0);
    parsed.frames.forEach((frame) => {
      frame.durationMs = 6000;
    });
    const slow = await convert(buildWebp(parsed));
    expect(slow.sticker).toMatchObject({ keptPixels: true, adjustments: ['sped-up'] });
    expect(slow.sticker.durationMs).toBeLessThanOrEqual(10_000);
  });

  it.each([
    ['GIF', () => encodeFrames.gif(faces(5, 200), [40, 80, 40, 80, 40])],
    ['APNG', () => encodeApng(faces(5, 200).map((drawing, index) => ({ drawing, durationMs: index % 2 ? 80 : 40 })))],
    ['small WebP', () => encodeFrames.webp(faces(5, 200), [40, 80, 40, 80, 40])],
  ])('turns a %s into an animated WebP with the same frames and durations', async (_, file) => {
    const { sticker, served, preview, before, after } = await convert(await file());
    expect(served).toMatchObject({
      format: 'webp',
      width: 512,
      height: 512,
      frameCount: 5,
      frameDurationsMs: [40, 80, 40, 80, 40],
      metadata,
    });
    expect(sticker.bytes.length).toBeLessThanOrEqual(500_000);
    expect(isNearDuplicate(await before(), await after())).toBe(true);
    expect(await probeImage(await folder.write(preview.bytes))).toMatchObject({ isAnimated: false });
  });

  it('plays a GIF without delays as viewers do', async () => {
    const { served } = await convert(await encodeFrames.gif(faces(3, 64), [0, 0, 0]));
    expect(total(served.frameDurationsMs)).toBe(300);
  });

  it('drops frames when quality alone does not make it fit', async () => {
    const moving = Array.from({ length: 16 }, (_, index) => {
      const grain = drawNoise(128, 128, index + 1);
      return draw(128, 128, (x, y) => {
        const noise = (grain.rgba[(y * 128 + x) * 4] ?? 0) / 255;
        return [Math.round(40 + noise * 190), Math.round(60 + noise * 170), 128, 255];
      });
    });
    const { sticker, served } = await convert(await encodeApng(moving.map((drawing) => ({ drawing, durationMs: 50 }))));
    expect(sticker.bytes.length).toBeLessThanOrEqual(500_000);
    expect(sticker.adjustments).toContain('frames-dropped');
    expect(served.frameCount).toBeLessThan(16);
    expect(total(served.frameDurationsMs)).toBe(16 * 50);
  });

  it('makes a still sticker of an animation in which nothing moves', async () => {
    const { sticker } = await convert(await encodeApng([{ drawing: drawFace(64) }, { drawing: drawFace(64) }]));
    expect(sticker).toMatchObject({ isAnimated: false, frameCount: 1, durationMs: 0 });
    expect(sticker.bytes.length).toBeLessThanOrEqual(98_000);
  });
});
