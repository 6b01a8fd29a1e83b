/** First contact with an upload: what it is and how large, from its container alone. It refuses rather than guesses. */

import { open } from 'node:fs/promises';
import { AppError } from '@omnizap/runtime';
import { isGif, parseGif } from './gif-container.ts';
import { corruptImage } from './image-errors.ts';
import { imageLimits } from './image-limits.ts';
import type { ImageHeader, ImageProbe } from './image-types.ts';
import { isJpeg, parseJpeg } from './jpeg-container.ts';
import { isPng, parsePngHeader } from './png-container.ts';
import { readStickerExif } from './sticker-exif.ts';
import { isWebp, parseWebp } from './webp-container.ts';

const mimetypes = {
  webp: 'image/webp',
  png: 'image/png',
  apng: 'image/apng',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
} as const;

/**
 * Reads format, size, frames and WhatsApp's metadata; no pixel is decoded, and the file's name plays no part.
 * @throws AppError image-unsupported (none of our formats), image-corrupt (empty, truncated, contradictory),
 * image-too-many-pixels, image-too-many-frames, payload-too-large
 */
export async function probeImage(path: string): Promise<ImageProbe> {
  const bytes = await readImageFile(path);
  const header = parseImageHeader(bytes);
  const { width, height, frameCount } = header;
  if (width === 0 || height === 0) throw corruptImage(`its header says ${width}x${height} pixels`);
  if (frameCount > imageLimits.maxFrames) {
    throw new AppError(
      'image-too-many-frames',
      `The animation has more than ${imageLimits.maxFrames} frames. Shorten it.`,
      {
        details: { frameCount, maxFrames: imageLimits.maxFrames },
      },
    );
  }
  const pixels = width * height;
  const isTooLarge = pixels > imageLimits.maxPixels || Math.max(width, height) > imageLimits.maxSide;
  if (isTooLarge || pixels * frameCount > imageLimits.maxTotalPixels) {
    const { maxPixels, maxTotalPixels, maxSide } = imageLimits;
    throw new AppError(
      'image-too-many-pixels',
      `${frameCount} frame(s) of ${width}x${height} pixels are too many: at most ${maxPixels} in one frame, ` +
        `${maxTotalPixels} in all, and ${maxSide} on a side. Make the image smaller.`,
      { details: { width, height, frameCount } },
    );
  }
  return { ...header, mimetype: mimetypes[header.format], isAnimated: frameCount > 1, sizeBytes: bytes.length };
}

/** Reads a whole file of at most `imageLimits.maxBytes`. @throws AppError payload-too-large */
export async function readImageFile(path: string): Promise<Buffer> {
  await using file = await open(path, 'r');
  const { size } = await file.stat();
  if (size > imageLimits.maxBytes) {
    throw new AppError(
      'payload-too-large',
      `The file has ${size} bytes, at most ${imageLimits.maxBytes} are accepted.`,
    );
  }
  return await file.readFile();
}

/** Reads what the container says, within no limits but its own. @throws AppError image-unsupported, image-corrupt */
export function parseImageHeader(bytes: Buffer): ImageHeader {
  if (bytes.length === 0) throw corruptImage('the file is empty');
  if (isWebp(bytes)) return parseWebpHeader(bytes);
  if (isPng(bytes)) return parsePngHeader(bytes);
  if (isJpeg(bytes)) return parseJpeg(bytes);
  if (isGif(bytes)) return parseGif(bytes, imageLimits.maxFrames);
  throw new AppError(
    'image-unsupported',
    'The file is none of WebP, PNG, APNG, JPEG and GIF. Convert it to one of them.',
  );
}

function parseWebpHeader(bytes: Buffer): ImageHeader {
  const { width, height, hasAlpha, frames, exif } = parseWebp(bytes);
  return {
    format: 'webp',
    width,
    height,
    frameCount: frames.length,
    frameDurationsMs: frames.length > 1 ? frames.map((frame) => frame.durationMs) : [],
    hasAlpha,
    metadata: exif ? readStickerExif(exif) : null,
  };
}
