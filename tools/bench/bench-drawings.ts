/**
 * The pictures that benches upload: a face of soft gradients with many strokes around it on a transparent ground, which comes
 * out at the size that hand-made stickers have (a still WebP of 8 to 20 KB). Every seed is another picture.
 *
 * Draws with sharp itself: @omnizap/imaging refuses SVG, because strangers' SVG is not for servers. This is ours.
 */
import sharp from 'sharp';
import type { BenchSticker } from './owner-session.ts';
import { createSeededRandom } from '../simulation/seeded-random.ts';

export type DrawingKind = 'webp' | 'png' | 'jpeg' | 'animated-webp';

const side = 512;
const strokeCount = 20;
const frameMs = 80;
const fewestFrames = 12;
const mostFrames = 20;
/** More effort makes files a little smaller and drawing them much slower; decoding costs the same. */
const webpOptions = { quality: 75, effort: 2 } as const;
/** Pictures drawn side by side. */
const drawnAtOnce = 4;

/** `count` pictures with the seeds from `firstSeed` on. */
export async function drawBenchStickers(kind: DrawingKind, count: number, firstSeed: number): Promise<BenchSticker[]> {
  sharp.concurrency(1);
  sharp.cache(false);
  const stickers: BenchSticker[] = Array.from({ length: count });
  const waiting = stickers.keys();
  const work = async (): Promise<void> => {
    for (const index of waiting) stickers[index] = await drawOne(kind, firstSeed + index);
  };
  await Promise.all(Array.from({ length: drawnAtOnce }, work));
  return stickers;
}

async function drawOne(kind: DrawingKind, seed: number): Promise<BenchSticker> {
  const still = Buffer.from(svgOf(seed, 0));
  switch (kind) {
    case 'webp':
      return { bytes: await sharp(still).webp(webpOptions).toBuffer(), contentType: 'image/webp' };
    case 'png':
      return { bytes: await sharp(still).png({ compressionLevel: 6 }).toBuffer(), contentType: 'image/png' };
    case 'jpeg':
      return {
        bytes: await sharp(still).flatten({ background: 'white' }).jpeg({ quality: 85 }).toBuffer(),
        contentType: 'image/jpeg',
      };
    case 'animated-webp': {
      const frameCount = fewestFrames + (seed % (mostFrames - fewestFrames + 1));
      const frames = Array.from({ length: frameCount }, (_, index) => Buffer.from(svgOf(seed, index / frameCount)));
      const bytes = await sharp(frames, { join: { animated: true } })
        .webp({ ...webpOptions, effort: 0, loop: 0, delay: frameMs })
        .toBuffer();
      return { bytes, contentType: 'image/webp' };
    }
  }
}

/** `phase` from 0 to 1 turns the face once to and fro. */
function svgOf(seed: number, phase: number): string {
  const random = createSeededRandom(seed);
  const between = (low: number, high: number): number => low + random() * (high - low);
  const colour = (lightness: number): string =>
    `hsl(${Math.floor(between(0, 360))} ${Math.floor(between(45, 95))}% ${lightness}%)`;
  const strokes = Array.from({ length: strokeCount }, () => {
    const [x, y, bend, reach] = [between(40, 472), between(40, 472), between(-60, 60), between(-50, 50)];
    const width = between(2, 9).toFixed(1);
    return `<path d="M${x.toFixed(1)} ${y.toFixed(1)} q${bend.toFixed(1)} ${reach.toFixed(1)} ${reach.toFixed(1)} ${bend.toFixed(1)}" stroke="${colour(between(30, 75))}" stroke-width="${width}" stroke-linecap="round" fill="none" opacity="${between(0.5, 1).toFixed(2)}"/>`;
  }).join('');
  const eye = (x: number): string =>
    `<ellipse cx="${x}" cy="${between(200, 230).toFixed(0)}" rx="${between(26, 40).toFixed(0)}" ry="${between(30, 48).toFixed(0)}" fill="#fff"/>` +
    `<circle cx="${(x + between(-10, 10)).toFixed(0)}" cy="220" r="${between(12, 20).toFixed(0)}" fill="${colour(20)}"/>`;
  const turn = Math.sin(phase * 2 * Math.PI) * 12;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}"><defs>` +
    `<radialGradient id="g" cx="0.4" cy="0.35" r="0.8"><stop offset="0" stop-color="${colour(82)}"/><stop offset="1" stop-color="${colour(45)}"/></radialGradient></defs>` +
    `<g transform="rotate(${turn.toFixed(2)} 256 256)">${strokes}` +
    `<circle cx="256" cy="256" r="${between(150, 185).toFixed(0)}" fill="url(#g)" stroke="${colour(25)}" stroke-width="8"/>` +
    `${eye(200)}${eye(312)}<path d="M180 320 Q256 ${between(330, 420).toFixed(0)} 332 320" stroke="${colour(15)}" stroke-width="14" fill="none" stroke-linecap="round"/>` +
    `<text x="256" y="470" font-size="64" text-anchor="middle" font-family="sans-serif" font-weight="bold" fill="${colour(90)}" stroke="#222" stroke-width="2">No ${seed}</text></g></svg>`
  );
}
