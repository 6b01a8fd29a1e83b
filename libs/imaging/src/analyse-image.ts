/** What a sticker shows, in figures: identity of its pixels, perceptual hashes, features. Decodes everything once. */

import { createHash } from 'node:crypto';
import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { extraCanvases, openPixels, withPixelBudget } from './configure-imaging.ts';
import { decodeFrames } from './decode-frames.ts';
import { frameAt } from './decoded-frames.ts';
import type { DecodedFrames } from './decoded-frames.ts';
import { createFeatureMeter, pictureFrom, readAlpha, readLuma } from './image-features.ts';
import type { Picture } from './image-features.ts';
import type { ImageAnalysis, ImageProbe } from './image-types.ts';
import { hashRows } from './pdq-hash.ts';
import { readImageFile } from './probe-image.ts';

/**
 * Longest side of what is hashed. PDQ's reference scales down only; we scale small pictures up as well, because its
 * filter shifts a picture by a size-dependent fraction, and on symmetric art that shift is all that half the bits hold:
 * the same face at 300 and at 512 pixels would differ in a hundred bits.
 */
const analysisSide = 512;
/** Hashed at one go; longer ones would hold up the health probes of the process. About 4 ms. */
const hashSliceBytes = 4 * 1024 * 1024;

/**
 * Decodes all frames within the limits that `probeImage` checked, and describes them. Perceptual hashes and features
 * come from the first, the middle and the last frame, `pixelSha256` from all.
 * @throws AppError image-corrupt when any frame cannot be decoded
 */
export async function analyseImage(path: string, probe: ImageProbe): Promise<ImageAnalysis> {
  const { width, height, frameCount } = probe;
  return withPixelBudget(width * height * (frameCount + extraCanvases(probe)), async () => {
    const frames = await decodeFrames(await readImageFile(path), probe);
    const first = await pictureOf(frames, 0);
    const middle = probe.isAnimated ? await pictureOf(frames, Math.floor(frameCount / 2)) : null;
    const last = probe.isAnimated ? await pictureOf(frames, frameCount - 1) : null;
    const meter = createFeatureMeter();
    for (const picture of [first, middle, last]) if (picture) meter.add(picture);
    const firstHash = hashPicture(first);
    return {
      pixelSha256: await hashPixels(frames),
      hashes: {
        first: firstHash.hash,
        middle: middle && hashPicture(middle).hash,
        last: last && hashPicture(last).hash,
        mask: first.isOpaque ? null : hashMask(first),
      },
      hashQuality: firstHash.quality,
      features: {
        isAnimated: probe.isAnimated,
        frameCount,
        durationMs: probe.frameDurationsMs.reduce((sum, duration) => sum + duration, 0),
        ...meter.finish(),
      },
    };
  });
}

/** SHA-256 of the line `<width>x<height>x<frames>` and all RGBA bytes. */
async function hashPixels(frames: DecodedFrames): Promise<string> {
  const hash = createHash('sha256').update(`${frames.width}x${frames.height}x${frames.frameCount}\n`);
  for (let start = 0; start < frames.pixels.length; start += hashSliceBytes) {
    if (start > 0) await yieldToEventLoop();
    hash.update(frames.pixels.subarray(start, start + hashSliceBytes));
  }
  return hash.digest('hex');
}

async function pictureOf(frames: DecodedFrames, index: number): Promise<Picture> {
  const rgba = frameAt(frames, index);
  const { width, height } = frames;
  if (Math.max(width, height) === analysisSide) return pictureFrom(rgba, width, height);
  const { data, info } = await openPixels(rgba, width, height)
    .resize(analysisSide, analysisSide, { fit: 'inside' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return pictureFrom(data, info.width, info.height);
}

function hashPicture(picture: Picture) {
  return hashRows((line, y) => readLuma(picture, line, y), picture.width, picture.height);
}

function hashMask(picture: Picture): string {
  return hashRows((line, y) => readAlpha(picture, line, y), picture.width, picture.height).hash;
}
