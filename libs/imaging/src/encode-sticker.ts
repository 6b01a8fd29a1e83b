/**
 * Encodes pictures as WebP of 512x512 within WhatsApp's sizes. The first encode is at good quality; only what comes out
 * too large is searched for, because a second encode halves the throughput. It fails with the sizes it reached rather
 * than hand out a file that WhatsApp refuses.
 */

import { AppError } from '@omnizap/runtime';
import { openImage, openPixels } from './configure-imaging.ts';
import { decodeApng } from './decode-apng.ts';
import { frameAt } from './decoded-frames.ts';
import type { DecodedFrames } from './decoded-frames.ts';
import { mergeDurations } from './frame-timing.ts';
import { asImageError } from './image-errors.ts';
import { stickerLimits } from './image-limits.ts';
import type { ImageProbe } from './image-types.ts';

const { side } = stickerLimits;
const contain = { fit: 'contain', background: { r: 0, g: 0, b: 0, alpha: 0 } } as const;

const goodQuality = 85;
const lowestQuality = 15;
const searchSteps = 4;
/**
 * Effort 4 encodes about 3 animations a second on two cores, effort 6 one in five seconds for a few percent less.
 * `smartSubsample` doubled the time of a still picture (66 -> 139 ms) and made it larger.
 */
const effort = 4;
/** For a still picture that fits at once: half the CPU time of effort 4 (33 against 67 ms) for 17 % more bytes. */
const quickEffort = 2;

/**
 * Cheapest loss first: a viewer sees missing frames sooner than a lower quality. `saving` is about the factor by which
 * an attempt is smaller than the first; one that would have to save more than twice as much is not tried at all.
 */
const animationAttempts = [
  { quality: 75, step: 1, saving: 1 },
  { quality: 45, step: 1, saving: 1.2 },
  { quality: 25, step: 1, saving: 1.5 },
  { quality: 30, step: 2, saving: 2 },
  { quality: 20, step: 3, saving: 3 },
  { quality: 10, step: 4, saving: 4 },
] as const;

export type EncodedSticker = { webp: Buffer; adjustments: string[] };

/** The first frame on 512x512, at most `maxBytes`. @throws AppError image-cannot-fit, image-corrupt */
export async function encodeStatic(bytes: Buffer, probe: ImageProbe, maxBytes: number): Promise<EncodedSticker> {
  // Scaled once; the quality search then works on 1 MB of pixels, whatever the source was.
  const { data } = await scaleStatic(bytes, probe);
  const encode = (quality: number, atEffort = effort) =>
    openPixels(data, side, side).webp({ quality, effort: atEffort }).toBuffer();
  const first = await encode(goodQuality, quickEffort);
  if (first.length <= maxBytes) return { webp: first, adjustments: [] };
  let best: Buffer | null = null;
  let smallest = first.length;
  let low = lowestQuality;
  // The first encode was a quick one: the same quality may fit with more effort.
  let high = goodQuality;
  for (let step = 0; step < searchSteps && low <= high; step += 1) {
    const quality = Math.floor((low + high) / 2);
    const webp = await encode(quality);
    smallest = Math.min(smallest, webp.length);
    if (webp.length <= maxBytes) {
      best = webp;
      low = quality + 1;
    } else {
      high = quality - 1;
    }
  }
  best ??= await encode(lowestQuality).then((webp) => {
    smallest = Math.min(smallest, webp.length);
    return webp.length <= maxBytes ? webp : null;
  });
  if (!best) throw cannotFit(`at ${side}x${side} it still takes ${smallest} bytes, allowed are ${maxBytes}`);
  return { webp: best, adjustments: ['quality-lowered'] };
}

/**
 * All frames on 512x512 with `durationsMs`, at most `maxBytes`.
 * @throws AppError image-cannot-fit when neither quality nor every fourth frame suffices, image-corrupt
 */
export async function encodeAnimation(
  bytes: Buffer,
  probe: ImageProbe,
  durationsMs: number[],
  maxBytes: number,
): Promise<EncodedSticker> {
  const frames = await scaleFrames(bytes, probe);
  let smallest = Number.POSITIVE_INFINITY;
  let needed = 1;
  for (const [index, { quality, step, saving }] of animationAttempts.entries()) {
    const isLast = index === animationAttempts.length - 1;
    const isHopeless = needed > saving * 2;
    // A sticker of one frame would no longer be an animation.
    if (Math.ceil(frames.frameCount / step) < 2 || (isHopeless && !isLast)) continue;
    const kept = everyNth(frames, step);
    const webp = await openPixels(kept, side, kept.length / 4 / side, side)
      .webp({ quality, effort, delay: mergeDurations(durationsMs, step), loop: 0 })
      .toBuffer();
    if (webp.length <= maxBytes) {
      return {
        webp,
        adjustments: [...(index > 0 ? ['quality-lowered'] : []), ...(step > 1 ? ['frames-dropped'] : [])],
      };
    }
    smallest = Math.min(smallest, webp.length);
    needed = webp.length / maxBytes;
  }
  throw cannotFit(`its ${frames.frameCount} frames still take ${smallest} bytes, allowed are ${maxBytes}`);
}

async function scaleStatic(bytes: Buffer, probe: ImageProbe) {
  try {
    if (probe.format === 'apng') return { data: frameAt(await scaleFrames(bytes, probe), 0) };
    const image = openImage(bytes);
    if (probe.format === 'jpeg') image.autoOrient();
    const data = await image.toColourspace('srgb').ensureAlpha().resize(side, side, contain).raw().toBuffer();
    return { data };
  } catch (error) {
    throw asImageError(error);
  }
}

async function scaleFrames(bytes: Buffer, probe: ImageProbe): Promise<DecodedFrames> {
  if (probe.format === 'apng') return scaleApng(await decodeApng(bytes));
  try {
    const image = openImage(bytes, { animated: true }).toColourspace('srgb').ensureAlpha().resize(side, side, contain);
    const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
    return { width: side, height: side, frameCount: info.height / side, pixels: data };
  } catch (error) {
    throw asImageError(error);
  }
}

/** One frame at a time: libvips would scale stacked raw pixels as one tall picture. */
async function scaleApng(frames: DecodedFrames): Promise<DecodedFrames> {
  const scaled: Buffer[] = [];
  for (let index = 0; index < frames.frameCount; index += 1) {
    scaled.push(
      await openPixels(frameAt(frames, index), frames.width, frames.height)
        .resize(side, side, contain)
        .raw()
        .toBuffer(),
    );
  }
  return { width: side, height: side, frameCount: frames.frameCount, pixels: Buffer.concat(scaled) };
}

function everyNth(frames: DecodedFrames, step: number): Buffer {
  if (step === 1) return frames.pixels;
  const kept: Buffer[] = [];
  for (let index = 0; index < frames.frameCount; index += step) kept.push(frameAt(frames, index));
  return Buffer.concat(kept);
}

function cannotFit(reason: string): AppError {
  return new AppError(
    'image-cannot-fit',
    `The image cannot be made small enough for WhatsApp: ${reason}. Use a simpler or shorter picture.`,
    {
      details: { reason },
    },
  );
}
