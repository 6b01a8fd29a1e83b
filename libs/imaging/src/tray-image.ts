/** The tray image: the small picture by which WhatsApp shows a pack in its list. Judged here, and made from a sticker. */

import { isAppError } from '@omnizap/runtime';
import { openImage } from './configure-imaging.ts';
import { asImageError } from './image-errors.ts';
import { parseImageHeader } from './probe-image.ts';
import { finding, whatsappLimits, type Finding } from './whatsapp-rules.ts';

/** Judges the bytes of a tray image. Never throws. */
export function validateTray(bytes: Buffer): Finding[] {
  const { minTraySide, maxTraySide, recommendedTraySide, maxTrayBytes } = whatsappLimits;
  const findings: Finding[] = [];
  if (bytes.length > maxTrayBytes) findings.push(finding('tray-bytes', `The tray image has ${bytes.length} bytes.`));
  try {
    const { format, width, height, frameCount } = parseImageHeader(bytes);
    if (format !== 'png' && format !== 'webp' && format !== 'apng')
      findings.push(finding('tray-format', `The tray image is a ${format.toUpperCase()}.`));
    const sides = `${width}x${height} pixels`;
    if (Math.min(width, height) < minTraySide || Math.max(width, height) > maxTraySide)
      findings.push(finding('tray-size', `The tray image has ${sides}.`));
    else if (frameCount > 1) findings.push(finding('tray-recommended', `The tray image has ${frameCount} frames.`));
    else if (width !== recommendedTraySide || height !== recommendedTraySide)
      findings.push(finding('tray-recommended', `The tray image has ${sides}.`));
  } catch (error) {
    if (!isAppError(error)) throw error;
    findings.push(finding('tray-format', `The tray image cannot be read: ${error.message}`));
  }
  return findings;
}

/** A PNG of 96x96 from the first frame of a sticker: 36 KB of pixels, so it is below 50 KiB whatever it shows. */
export async function makeTray(sticker: Buffer): Promise<Buffer> {
  const side = whatsappLimits.recommendedTraySide;
  try {
    return await openImage(sticker)
      .resize(side, side, { fit: 'contain', background: { r: 0, g: 0, b: 0, alpha: 0 } })
      .png({ compressionLevel: 9 })
      .toBuffer();
  } catch (error) {
    throw asImageError(error);
  }
}
