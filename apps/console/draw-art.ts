/**
 * The pages' pictures from their drawings: `node apps/console/draw-art.ts <folder>`. A process of its own, because the API's never
 * reads SVG: that reader is switched off there for all that strangers send.
 */
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import sharp, { type Sharp } from 'sharp';

type Rendering = { source: string; width: number; files: Record<string, (picture: Sharp) => Sharp> };

/** Efforts are low: this runs before a first start, and its size is a tenth more at most. */
const renderings: Rendering[] = [
  ...[1_280, 720].map((width) => ({
    source: 'hero',
    width,
    files: {
      [`hero-${width}.avif`]: (picture: Sharp) => picture.avif({ quality: 58, effort: 2 }),
      [`hero-${width}.webp`]: (picture: Sharp) => picture.webp({ quality: 80, effort: 4 }),
      [`hero-${width}.jpg`]: (picture: Sharp) => picture.jpeg({ quality: 80, mozjpeg: true }),
    },
  })),
  { source: 'brand', width: 192, files: { 'icon-192.png': (picture) => picture.png({ compressionLevel: 9 }) } },
  { source: 'brand', width: 128, files: { 'logo-128.webp': (picture) => picture.webp({ quality: 90 }) } },
];
/** Dots per inch at which one unit of a drawing is one pixel. */
const unitDensity = 72;
const drawings = path.join(import.meta.dirname, 'art');

/** Makes `folder` with all of them, or nothing: others may draw at the same time, and any of them may be stopped. */
async function drawArt(folder: string): Promise<void> {
  await mkdir(path.dirname(folder), { recursive: true });
  // Not by process id: hosts that share the folder have the same ones.
  const draft = await mkdtemp(`${folder}.`);
  try {
    for (const { source, width, files } of renderings) {
      const drawing = path.join(drawings, `${source}.svg`);
      const { width: units = width } = await sharp(drawing).metadata();
      const density = (unitDensity * width * 2) / units;
      const pixels = await sharp(drawing, { density }).resize({ width }).raw().toBuffer({ resolveWithObject: true });
      const { info } = pixels;
      const raw = { width: info.width, height: info.height, channels: info.channels };
      for (const [file, encode] of Object.entries(files))
        await encode(sharp(pixels.data, { raw })).toFile(path.join(draft, file));
    }
    // Made for its owner alone; whoever runs the API next may be somebody else.
    await chmod(draft, 0o755);
    await rename(draft, folder).catch((error: unknown) => {
      if (!isThere(error)) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

function isThere(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === 'ENOTEMPTY' || code === 'EEXIST';
}

const [folder, ...rest] = process.argv.slice(2);
if (folder === undefined || rest.length > 0) {
  process.stderr.write('usage: node apps/console/draw-art.ts <folder>\n');
  process.exit(2);
}
await drawArt(path.resolve(folder));
