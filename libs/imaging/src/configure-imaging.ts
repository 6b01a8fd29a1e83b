/** The only file that imports sharp: how it is opened for hostile input, and how much may be decoded at once. */

import sharp from 'sharp';
import type { Sharp, SharpOptions } from 'sharp';
import { imageLimits } from './image-limits.ts';

let isConfigured = false;

/**
 * Once per process, before the first image; further calls do nothing. libvips keeps only the loaders of the formats
 * that we accept (SVG, PDF, TIFF and HEIF readers are the ones with a history), and neither caches nor multiplies threads:
 * parallel work comes from several images at once, and a cache only keeps pictures that nobody asks for again.
 */
export function configureImaging(): void {
  if (isConfigured) return;
  isConfigured = true;
  sharp.cache(false);
  sharp.concurrency(1);
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({
    operation: [
      'VipsForeignLoadWebpBuffer',
      'VipsForeignLoadPngBuffer',
      'VipsForeignLoadJpegBuffer',
      'VipsForeignLoadNsgifBuffer',
    ],
  });
}

/**
 * Opens an encoded picture. `failOn: 'error'` refuses truncated and damaged data but lets pass what decoders merely
 * remark on, such as stray bytes between JPEG markers, which real cameras write.
 */
/** No single operation on a picture within the limits takes this long; one that does is given up by libvips itself. */
const maxOperationSeconds = 60;

export function openImage(bytes: Buffer, options: SharpOptions = {}): Sharp {
  configureImaging();
  return sharp(bytes, {
    failOn: 'error',
    limitInputPixels: imageLimits.maxTotalPixels,
    sequentialRead: true,
    ...options,
  }).timeout({ seconds: maxOperationSeconds });
}

/** Opens RGBA pixels; several frames lie below each other and `frameHeight` is the height of one. */
export function openPixels(pixels: Buffer, width: number, height: number, frameHeight = height): Sharp {
  configureImaging();
  const raw = { width, height, channels: 4 as const, ...(frameHeight === height ? {} : { pageHeight: frameHeight }) };
  return sharp(pixels, { raw, limitInputPixels: imageLimits.maxTotalPixels }).timeout({ seconds: maxOperationSeconds });
}

/** Composing an APNG holds the canvas, what it replaces and the decoded frame beside the finished frames. */
export function extraCanvases(probe: { format: string }): number {
  return probe.format === 'apng' ? 3 : 0;
}

let pixelsInFlight = 0;
const waiting: { pixels: number; start: () => void }[] = [];

/**
 * Runs `work` when its pixels fit into `imageLimits.maxPixelsInFlight` beside what is being decoded already; first come,
 * first served, so a large picture is not overtaken for ever. Without it four parallel photos take more than a gigabyte.
 */
export async function withPixelBudget<Result>(pixels: number, work: () => Promise<Result>): Promise<Result> {
  const share = Math.min(pixels, imageLimits.maxPixelsInFlight);
  if (waiting.length > 0 || pixelsInFlight + share > imageLimits.maxPixelsInFlight) {
    // Whoever frees the budget books it for us, so that no newcomer slips in between.
    await new Promise<void>((start) => waiting.push({ pixels: share, start }));
  } else {
    pixelsInFlight += share;
  }
  try {
    return await work();
  } finally {
    pixelsInFlight -= share;
    for (
      let next = waiting[0];
      next && pixelsInFlight + next.pixels <= imageLimits.maxPixelsInFlight;
      next = waiting[0]
    ) {
      waiting.shift();
      pixelsInFlight += next.pixels;
      next.start();
    }
  }
}
