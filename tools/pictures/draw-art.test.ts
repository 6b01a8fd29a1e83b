import { describe, expect, it } from '@jest/globals';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';

const art = path.resolve(import.meta.dirname, '../../apps/console/art');

describe('the pages’ pictures', () => {
  it.each([
    ['hero-1280.avif', 'heif', 1280, 960, 80_000],
    ['hero-1280.webp', 'webp', 1280, 960, 120_000],
    ['hero-1280.jpg', 'jpeg', 1280, 960, 160_000],
    ['hero-720.avif', 'heif', 720, 540, 40_000],
    ['hero-720.webp', 'webp', 720, 540, 60_000],
    ['hero-720.jpg', 'jpeg', 720, 540, 80_000],
    ['icon-192.png', 'png', 192, 192, 20_000],
    ['logo-128.webp', 'webp', 128, 128, 8_000],
  ])('%s is a %s of %i by %i pixels, below %i bytes', async (file, format, width, height, maxBytes) => {
    const picture = path.join(art, file);

    expect(await sharp(picture).metadata()).toMatchObject({ format, width, height });
    expect((await stat(picture)).size).toBeLessThan(maxBytes);
  });

  it('have no script and name no other file in their drawings', async () => {
    const drawings = (await readdir(art)).filter((name) => name.endsWith('.svg'));
    expect(drawings.length).toBeGreaterThanOrEqual(3);
    for (const name of drawings) {
      const text = await readFile(path.join(art, name), 'utf8');
      expect(text).not.toMatch(/<script|\son\w+=|href="(?!#)|url\((?!#)/);
    }
  });
});
