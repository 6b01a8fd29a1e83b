import { describe, expect, it } from '@jest/globals';
import { drawFace, encode } from '../test/drawings.ts';
import { openImage, openPixels, withPixelBudget } from './configure-imaging.ts';
import { imageLimits } from './image-limits.ts';

describe('openImage', () => {
  it('reads our formats and no other, whatever libvips could read', async () => {
    const { rgba, width, height } = drawFace(32);
    await expect(openImage(await encode.png(drawFace(32))).metadata()).resolves.toMatchObject({ format: 'png' });
    const tiff = await openPixels(rgba, width, height).tiff().toBuffer();
    const avif = await openPixels(rgba, width, height).avif({ effort: 0 }).toBuffer();
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>');
    for (const bytes of [tiff, avif, svg])
      await expect(openImage(bytes).metadata()).rejects.toThrow('unsupported image format');
  });
});

describe('withPixelBudget', () => {
  it('lets small pictures in together and large ones one after the other, in their order', async () => {
    const log: string[] = [];
    const gates = new Map<string, () => void>();
    const work = (name: string, share: number) =>
      withPixelBudget(imageLimits.maxPixelsInFlight * share, async () => {
        log.push(name);
        await new Promise<void>((open) => gates.set(name, open));
      });
    const pass = async () => {
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    };
    const all = [work('a', 0.6), work('b', 0.3), work('large', 3), work('d', 0.1)];
    await pass();
    expect(log).toEqual(['a', 'b']);
    gates.get('a')?.();
    gates.get('b')?.();
    await pass();
    // `d` would have fitted beside `a` and `b`, but does not overtake.
    expect(log).toEqual(['a', 'b', 'large']);
    gates.get('large')?.();
    await pass();
    gates.get('d')?.();
    await Promise.all(all);
  });

  it('gives its share back when the work fails', async () => {
    for (let round = 0; round < 3; round += 1) {
      await expect(
        withPixelBudget(imageLimits.maxPixelsInFlight, () => Promise.reject(new Error('broken'))),
      ).rejects.toThrow('broken');
    }
    await expect(withPixelBudget(imageLimits.maxPixelsInFlight, () => Promise.resolve('done'))).resolves.toBe('done');
  });
});
