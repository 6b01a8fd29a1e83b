import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { imageLimits, probeImage, stickerLimits } from '@omnizap/imaging';
import sharp from 'sharp';
import { configureDrawing, drawSticker, type StickerFormat } from './draw-sticker.ts';
import { readEmojiArt } from './emoji-art.ts';

const side = stickerLimits.side;
const margin = 16;

let folder: string;
beforeAll(async () => {
  configureDrawing();
  folder = await mkdtemp(path.join(tmpdir(), 'omnizap-draw-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function draw(emoji: string, format: StickerFormat, variation = 0): Promise<Buffer> {
  return (await drawSticker(await readEmojiArt(emoji), format, variation)).bytes;
}

async function probe(bytes: Buffer, name: string) {
  const file = path.join(folder, name);
  await writeFile(file, bytes);
  return await probeImage(file);
}

/** Alpha of one pixel of the first frame. */
async function alphaAt(bytes: Buffer): Promise<(x: number, y: number) => number> {
  const { data, info } = await sharp(bytes).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return (x, y) => data[(y * info.width + x) * info.channels + 3] ?? -1;
}

describe('drawSticker', () => {
  it.each(['png', 'webp'] as const)('draws a still %s of 512 by 512 within the upload limit', async (format) => {
    const seen = await probe(await draw('🍕', format), `still.${format}`);
    expect(seen).toMatchObject({ format, width: side, height: side, frameCount: 1, isAnimated: false, hasAlpha: true });
    expect(seen.sizeBytes).toBeLessThan(imageLimits.maxBytes);
  });

  it('draws WebPs small enough to be kept as they are', async () => {
    for (const emoji of ['🍕', '🪩', '🎆']) {
      expect((await draw(emoji, 'webp')).length).toBeLessThanOrEqual(stickerLimits.keptStaticBytes);
    }
  });

  it.each([
    ['gif', 'gif'],
    ['apng', 'apng'],
    ['animated-webp', 'webp'],
  ] as const)('draws an animated %s of four frames of 120 ms', async (format, container) => {
    const bytes = await draw('🐸', format);
    expect(await probe(bytes, `moving.${format}`)).toMatchObject({
      format: container,
      width: side,
      height: side,
      isAnimated: true,
      frameDurationsMs: [120, 120, 120, 120],
    });
    expect(bytes.length).toBeLessThanOrEqual(stickerLimits.maxAnimatedBytes);
  });

  it('leaves 16 transparent pixels around the art, which fills the rest', async () => {
    // A face is a circle as wide as the art.
    const alpha = await alphaAt(await draw('😀', 'png'));
    for (let step = 0; step < side; step += 1) {
      for (const edge of [0, margin - 2, side - margin + 1, side - 1]) {
        expect(alpha(edge, step)).toBe(0);
        expect(alpha(step, edge)).toBe(0);
      }
    }
    expect(alpha(margin + 3, side / 2)).toBe(255);
    expect(alpha(side - margin - 4, side / 2)).toBe(255);
    expect(alpha(side / 2, margin + 3)).toBe(255);
  });

  it.each([0, 1, 2])('keeps motion %d inside the canvas', async (variation) => {
    const { data, info } = await sharp(await draw('🟦', 'animated-webp', variation), { animated: true })
      .raw()
      .toBuffer({ resolveWithObject: true });
    const height = info.pageHeight ?? 0;
    expect(info.height / height).toBe(4);
    for (let row = 0; row < info.height; row += 1) {
      const columns = row % height === 0 || row % height === height - 1 ? [...Array(side).keys()] : [0, side - 1];
      for (const column of columns) expect(data[(row * side + column) * 4 + 3]).toBe(0);
    }
  });

  it('draws an APNG whose first picture is what viewers without animations show', async () => {
    const alpha = await alphaAt(await draw('😀', 'apng', 2));
    expect(alpha(margin + 3, side / 2)).toBe(255);
  });

  it('gives the same bytes again, so that a repeated upload changes nothing', async () => {
    for (const format of ['png', 'webp', 'gif', 'apng', 'animated-webp'] as const) {
      expect((await draw('🎈', format, 1)).equals(await draw('🎈', format, 1))).toBe(true);
    }
  });
});
