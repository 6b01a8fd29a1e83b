/**
 * The two files that are served of each upload: the sticker as WhatsApp wants it, and a small still preview. A WebP that
 * already complies keeps its pixels, because every encode costs quality and 30 times the time; only its container is
 * written anew, without what strangers put into it.
 */

import { extraCanvases, openImage, withPixelBudget } from './configure-imaging.ts';
import { encodeAnimation, encodeStatic } from './encode-sticker.ts';
import { fitDurations, sum } from './frame-timing.ts';
import { asImageError, corruptImage } from './image-errors.ts';
import { stickerLimits } from './image-limits.ts';
import type { ImageProbe, StickerMetadata } from './image-types.ts';
import { readImageFile } from './probe-image.ts';
import { writeStickerExif } from './sticker-exif.ts';
import { buildWebp, parseWebp } from './webp-container.ts';
import type { WebpFile } from './webp-container.ts';

/** What the catalogue knows about the sticker; used where the file itself says nothing valid. */
export type StickerMetadataInput = StickerMetadata & { packId: string; packName: string; publisher: string };

/** What had to be changed so that WhatsApp accepts the sticker, for the answer to the uploader. */
export type StickerAdjustment = 'converted' | 'frames-slowed' | 'sped-up' | 'quality-lowered' | 'frames-dropped';

export type Derivatives = {
  sticker: {
    bytes: Buffer;
    width: number;
    height: number;
    frameCount: number;
    isAnimated: boolean;
    durationMs: number;
    keptPixels: boolean;
    adjustments: string[];
  };
  preview: { bytes: Buffer; width: number; height: number };
};

const previewQuality = 70;
const previewEffort = 2;
/** RIFF headers around the parts that the encoder's own size does not contain. */
const containerReserveBytes = 64;

/**
 * Makes a WebP of 512x512 (static at most 100,000 bytes, animated at most 500,000; frames of at least 20 ms, at most 10 s,
 * endless) with WhatsApp's EXIF block, and a preview of its first frame. The sticker is fully decoded once more before it
 * is handed out, so a caller may skip `analyseImage`. A pack id or emojis found in the file win over `metadata`.
 * @throws AppError image-cannot-fit, image-corrupt
 */
export async function makeDerivatives(
  path: string,
  probe: ImageProbe,
  metadata: StickerMetadataInput,
): Promise<Derivatives> {
  const { side } = stickerLimits;
  const framePixels = Math.max(probe.width * probe.height, side * side);
  return withPixelBudget(framePixels * (probe.frameCount + extraCanvases(probe)), async () => {
    const bytes = await readImageFile(path);
    const exif = writeStickerExif(mergeMetadata(probe.metadata, metadata));
    const durationsMs = fitDurations(probe.frameDurationsMs, probe.format);
    const timing = timingAdjustments(probe.frameDurationsMs, durationsMs);
    const kept = keepPixels(bytes, probe, durationsMs, exif);
    const encoded = kept ?? (await encode(bytes, probe, durationsMs, exif));
    const file = parseWebp(encoded.webp);
    if (file.frames.length > 1) await checkDecodes(encoded.webp, file);
    // Of a still picture the preview is the check: it decodes the only frame, and a second decode takes as long again.
    const preview = await makePreview(encoded.webp);
    return {
      sticker: {
        bytes: encoded.webp,
        width: file.width,
        height: file.height,
        frameCount: file.frames.length,
        isAnimated: file.animation !== null,
        durationMs: sum(file.frames.map((frame) => frame.durationMs)),
        keptPixels: kept !== null,
        adjustments: [...encoded.adjustments, ...timing],
      },
      preview,
    };
  });
}

type Encoded = { webp: Buffer; adjustments: string[] };

function keepPixels(bytes: Buffer, probe: ImageProbe, durationsMs: number[], exif: Buffer): Encoded | null {
  const { side, keptStaticBytes, maxAnimatedBytes } = stickerLimits;
  if (probe.format !== 'webp' || probe.width !== side || probe.height !== side) return null;
  const file = parseWebp(bytes);
  // An animation of one frame is a still picture to us, but an animation to WhatsApp.
  if (file.animation && !probe.isAnimated) return null;
  const webp = rewrite(file, durationsMs, exif);
  return webp.length <= (probe.isAnimated ? maxAnimatedBytes : keptStaticBytes) ? { webp, adjustments: [] } : null;
}

async function encode(bytes: Buffer, probe: ImageProbe, durationsMs: number[], exif: Buffer): Promise<Encoded> {
  const { targetStaticBytes, maxAnimatedBytes } = stickerLimits;
  const reserved = exif.length + containerReserveBytes;
  if (probe.isAnimated) {
    const { webp, adjustments } = await encodeAnimation(bytes, probe, durationsMs, maxAnimatedBytes - reserved);
    const file = parseWebp(webp);
    const encodedDurations = file.frames.map((frame) => frame.durationMs);
    // The encoder merges equal frames; a film of one picture comes out as a still one.
    if (file.frames.length > 1) {
      return {
        webp: rewrite(file, fitDurations(encodedDurations, 'webp'), exif),
        adjustments: ['converted', ...adjustments],
      };
    }
  }
  const { webp, adjustments } = await encodeStatic(bytes, probe, targetStaticBytes - reserved);
  return { webp: rewrite(parseWebp(webp), [], exif), adjustments: ['converted', ...adjustments] };
}

function rewrite(file: WebpFile, durationsMs: number[], exif: Buffer): Buffer {
  return buildWebp({
    ...file,
    frames: file.frames.map((frame, index) => ({ ...frame, durationMs: durationsMs[index] ?? 0 })),
    animation: file.animation && { ...file.animation, loopCount: 0 },
    exif,
  });
}

/** Decodes every frame of what will be served, at a size that needs little memory. */
async function checkDecodes(webp: Buffer, file: WebpFile): Promise<void> {
  try {
    const { info } = await openImage(webp, { animated: true })
      .resize(16, 16)
      .raw()
      .toBuffer({ resolveWithObject: true });
    if ((info.pages ?? 1) !== file.frames.length)
      throw corruptImage(`${info.pages ?? 1} of ${file.frames.length} frames could be decoded`);
  } catch (error) {
    throw asImageError(error);
  }
}

async function makePreview(webp: Buffer): Promise<Derivatives['preview']> {
  const { previewSide } = stickerLimits;
  try {
    const { data, info } = await openImage(webp)
      .resize(previewSide, previewSide)
      .webp({ quality: previewQuality, effort: previewEffort })
      .toBuffer({ resolveWithObject: true });
    return { bytes: data, width: info.width, height: info.height };
  } catch (error) {
    throw asImageError(error);
  }
}

function mergeMetadata(own: StickerMetadata | null, given: StickerMetadataInput): StickerMetadata {
  // Id, name and publisher describe one pack and stay together.
  const identity = own?.packId
    ? { packId: own.packId, packName: own.packName ?? given.packName, publisher: own.publisher ?? given.publisher }
    : { packId: given.packId, packName: given.packName, publisher: given.publisher };
  return {
    ...identity,
    emojis: own && own.emojis.length > 0 ? own.emojis : given.emojis,
    accessibilityText: given.accessibilityText ?? own?.accessibilityText,
  };
}

function timingAdjustments(before: number[], after: number[]): StickerAdjustment[] {
  const isSlowed = after.some((duration, index) => duration > (before[index] ?? 0));
  return [
    ...(isSlowed ? (['frames-slowed'] as const) : []),
    ...(sum(after) < sum(before) ? (['sped-up'] as const) : []),
  ];
}
