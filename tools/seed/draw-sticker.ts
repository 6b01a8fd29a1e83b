/**
 * Draws the stickers of the demo: 512 by 512 pixels, 16 of margin, transparent ground. The same art always gives the same bytes
 * (of one version of sharp), which is what makes a repeated upload harmless.
 *
 * Uses sharp directly: @omnizap/imaging, once configured, refuses SVG, because strangers' SVG is not for servers. This is ours.
 */
import sharp, { type Sharp } from 'sharp';
import { joinApng } from './apng.ts';
import type { EmojiArt } from './emoji-art.ts';

export type StickerFormat = 'png' | 'webp' | 'gif' | 'apng' | 'animated-webp';

const side = 512;
const margin = 16;
/** The art's own units. */
const artSide = 36;
const frameMs = 120;
/** Flat art: 34 KiB of lossless WebP take 14 ms to make, 13 KiB of lossy WebP 37 ms, and both are well below WhatsApp's 100 KB. */
const webpOptions = { lossless: true, effort: 0 } as const;
const pngOptions = { compressionLevel: 6 } as const;

/** How one frame differs from the still picture: degrees, units of the art, factor. */
type Pose = { rotation?: number; lift?: number; scale?: number };

/** Small enough that no corner leaves the canvas. */
const motions: Pose[][] = [
  [-9, 0, 9, 0].map((rotation) => ({ rotation, scale: 0.84 })),
  [-2.4, 0.6, 2.4, 0.6].map((lift) => ({ lift, scale: 0.84 })),
  [1, 0.94, 0.88, 0.94].map((scale) => ({ scale })),
];

/** One native thread per picture: several are drawn at the same time, and the fleet needs the other processors. */
export function configureDrawing(): void {
  sharp.concurrency(1);
  sharp.cache(false);
  // Where something else of this process reads strangers' pictures, only their formats are left; the art is our own SVG.
  sharp.unblock({ operation: ['VipsForeignLoadSvgBuffer'] });
}

/** The file of one sticker. `variation` chooses the motion of an animated one. */
export async function drawSticker(
  art: EmojiArt,
  format: StickerFormat,
  variation: number,
): Promise<{ bytes: Buffer; contentType: string }> {
  const poses = motions[variation % motions.length] ?? [];
  const frames = poses.map((pose) => poseArt(art, pose));
  switch (format) {
    case 'png':
      return { bytes: await sharp(poseArt(art, {})).png(pngOptions).toBuffer(), contentType: 'image/png' };
    case 'webp':
      return { bytes: await sharp(poseArt(art, {})).webp(webpOptions).toBuffer(), contentType: 'image/webp' };
    case 'apng': {
      const pictures = await Promise.all(frames.map(async (frame) => await sharp(frame).png(pngOptions).toBuffer()));
      return { bytes: joinApng(pictures, frameMs), contentType: 'image/apng' };
    }
    case 'gif':
      return {
        bytes: await animate(frames)
          .gif({ loop: 0, delay: frames.map(() => frameMs), effort: 1 })
          .toBuffer(),
        contentType: 'image/gif',
      };
    case 'animated-webp':
      return {
        bytes: await animate(frames)
          .webp({ ...webpOptions, loop: 0, delay: frames.map(() => frameMs) })
          .toBuffer(),
        contentType: 'image/webp',
      };
  }
}

function animate(frames: Buffer[]): Sharp {
  return sharp(frames, { join: { animated: true } });
}

/** The art as vectors inside our canvas: turned and scaled before a pixel exists, so that edges stay sharp. */
function poseArt(art: EmojiArt, { rotation = 0, lift = 0, scale = 1 }: Pose): Buffer {
  const centre = artSide / 2;
  const factor = (scale * (side - 2 * margin)) / side;
  const transform = `translate(${centre} ${centre - lift}) rotate(${rotation}) scale(${factor}) translate(${-centre} ${-centre})`;
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}" viewBox="0 0 ${artSide} ${artSide}">` +
      `<g transform="${transform}">${art.svg}</g></svg>`,
  );
}
