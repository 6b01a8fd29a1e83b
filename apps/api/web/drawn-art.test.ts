import { beforeAll, afterAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { drawnArt } from './drawn-art.ts';

/** A process of its own: whichever test ran before in this one may have left no reader switched on but those of what is uploaded. */
const readHeaders = `
  const { default: sharp } = await import('sharp');
  const headers = {};
  for (const file of process.argv.slice(1)) headers[file] = await sharp(file).metadata();
  process.stdout.write(JSON.stringify(headers));
`;

const drawings = path.resolve(import.meta.dirname, '../../console/art');

describe('drawnArt', () => {
  let base: string;
  let art: string;
  let headers: Record<string, unknown>;
  beforeAll(async () => {
    base = await mkdtemp(path.join(os.tmpdir(), 'omnizap art-'));
    // Two processes that start together.
    const [one, other] = await Promise.all([drawnArt([base]), drawnArt([base])]);
    expect(other).toBe(one);
    art = one;
    const files = (await readdir(art)).map((name) => path.join(art, name));
    const reading = promisify(execFile)(process.execPath, ['--input-type=module', '-e', readHeaders, ...files], {
      cwd: import.meta.dirname,
    });
    headers = JSON.parse((await reading).stdout) as Record<string, unknown>;
  });
  afterAll(() => rm(base, { recursive: true, force: true }));

  it.each([
    ['hero-1280.avif', 'heif', 1280, 960, 80_000],
    ['hero-1280.webp', 'webp', 1280, 960, 120_000],
    ['hero-1280.jpg', 'jpeg', 1280, 960, 160_000],
    ['hero-720.avif', 'heif', 720, 540, 40_000],
    ['hero-720.webp', 'webp', 720, 540, 60_000],
    ['hero-720.jpg', 'jpeg', 720, 540, 80_000],
    ['icon-192.png', 'png', 192, 192, 20_000],
    ['logo-128.webp', 'webp', 128, 128, 8_000],
  ])('draws %s as %s of %i by %i pixels, below %i bytes', async (file, format, width, height, maxBytes) => {
    const picture = path.join(art, file);

    expect(headers[picture]).toMatchObject({ format, width, height });
    expect((await stat(picture)).size).toBeLessThan(maxBytes);
  });

  it('leaves nothing beside them, and does not draw what is there', async () => {
    expect(await readdir(base)).toEqual([path.basename(art)]);
    const before = await stat(path.join(art, 'icon-192.png'));

    expect(await drawnArt([path.join(base, 'elsewhere'), base])).toBe(art);
    expect(await stat(path.join(art, 'icon-192.png'))).toEqual(before);
  });

  it('goes to the next folder where one cannot be written, and says so when none can', async () => {
    const file = path.join(base, 'a file');
    await writeFile(file, '');
    const second = path.join(base, 'second');

    expect(path.dirname(await drawnArt([file, second]))).toBe(second);
    await expect(drawnArt([file])).rejects.toMatchObject({
      code: 'configuration-invalid',
      message: expect.stringContaining(file),
    });
  });

  it('is of drawings that have no script and name no other file', async () => {
    const names = (await readdir(drawings)).filter((name) => name.endsWith('.svg'));
    expect(names.length).toBeGreaterThanOrEqual(3);
    for (const name of names) {
      const text = await readFile(path.join(drawings, name), 'utf8');
      expect(text).not.toMatch(/<script|\son\w+=|href="(?!#)|url\((?!#)/);
    }
  });
});
