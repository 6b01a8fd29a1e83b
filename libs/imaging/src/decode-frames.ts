/** Decodes every frame to RGBA. A body that is truncated or damaged anywhere is found here, not by whoever shows it. */

import { openImage } from './configure-imaging.ts';
import { decodeApng } from './decode-apng.ts';
import type { DecodedFrames } from './decoded-frames.ts';
import { asImageError, corruptImage } from './image-errors.ts';
import type { ImageProbe } from './image-types.ts';

/**
 * Decodes at most `imageLimits.maxTotalPixels`, in sRGB, JPEGs turned upright.
 * @throws AppError image-corrupt when a frame cannot be decoded or is missing
 */
export async function decodeFrames(bytes: Buffer, probe: ImageProbe): Promise<DecodedFrames> {
  if (probe.format === 'apng' && probe.isAnimated) return decodeApng(bytes);
  try {
    const image = openImage(bytes, probe.isAnimated ? { animated: true } : {});
    if (probe.format === 'jpeg') image.autoOrient();
    const { data, info } = await image.toColourspace('srgb').ensureAlpha().raw().toBuffer({ resolveWithObject: true });
    const height = info.pageHeight ?? info.height;
    const frameCount = info.height / height;
    if (frameCount !== probe.frameCount)
      throw corruptImage(`${frameCount} of ${probe.frameCount} frames could be decoded`);
    if (info.channels !== 4) throw corruptImage(`its pixels have ${info.channels} channels`);
    return { width: info.width, height, frameCount, pixels: data };
  } catch (error) {
    throw asImageError(error);
  }
}
