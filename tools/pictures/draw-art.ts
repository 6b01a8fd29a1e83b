/**
 * The pages' pictures from their drawings: what browsers are given is committed beside its source, so that serving needs no
 * renderer. Made again with `npm run pictures -- art` whenever a drawing changes.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import sharp, { type Sharp } from 'sharp';

type Rendering = { source: string; width: number; file: string; encode: (picture: Sharp) => Sharp };

const heroWidths = [1_280, 720];
/** Dots per inch at which one unit of a drawing is one pixel. */
const unitDensity = 72;

const renderings: Rendering[] = [
  ...heroWidths.flatMap((width): Rendering[] => [
    {
      source: 'hero',
      width,
      file: `hero-${width}.avif`,
      encode: (picture) => picture.avif({ quality: 58, effort: 7 }),
    },
    {
      source: 'hero',
      width,
      file: `hero-${width}.webp`,
      encode: (picture) => picture.webp({ quality: 80, effort: 6 }),
    },
    {
      source: 'hero',
      width,
      file: `hero-${width}.jpg`,
      encode: (picture) => picture.jpeg({ quality: 80, mozjpeg: true }),
    },
  ]),
  { source: 'brand', width: 192, file: 'icon-192.png', encode: (picture) => picture.png({ compressionLevel: 9 }) },
  { source: 'brand', width: 128, file: 'logo-128.webp', encode: (picture) => picture.webp({ quality: 90, effort: 6 }) },
];

/** Writes them into `folder`, where the drawings are. Returns what it wrote, with its size in bytes. */
export async function drawArt(folder: string): Promise<{ file: string; bytes: number }[]> {
  await mkdir(folder, { recursive: true });
  const written: { file: string; bytes: number }[] = [];
  for (const { source, width, file, encode } of renderings) {
    const drawing = path.join(folder, `${source}.svg`);
    const { width: units = width } = await sharp(drawing).metadata();
    const picture = sharp(drawing, { density: (unitDensity * width * 2) / units }).resize({ width });
    const { size } = await encode(picture).toFile(path.join(folder, file));
    written.push({ file, bytes: size });
  }
  return written;
}
