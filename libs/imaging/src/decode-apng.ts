/**
 * APNG, of which libvips reads only the default picture: each frame is decoded as a PNG of its own and laid on a canvas
 * as the specification's dispose and blend operations say (W3C PNG, third edition, section 11.3.4).
 */

import { openImage } from './configure-imaging.ts';
import type { DecodedFrames } from './decoded-frames.ts';
import { asImageError, corruptImage } from './image-errors.ts';
import { buildFramePng, parsePng } from './png-container.ts';
import type { ApngFrame } from './png-container.ts';

type Canvas = { pixels: Buffer; width: number };

/** Decodes all frames as a viewer shows them. @throws AppError image-corrupt */
export async function decodeApng(bytes: Buffer): Promise<DecodedFrames> {
  const file = parsePng(bytes);
  const frames = file.frames ?? [];
  const frameBytes = file.width * file.height * 4;
  const pixels = Buffer.alloc(frameBytes * frames.length);
  const canvas: Canvas = { pixels: Buffer.alloc(frameBytes), width: file.width };
  for (const [index, frame] of frames.entries()) {
    const picture = await decodePicture(buildFramePng(file, frame), frame);
    // Before the first frame there is nothing to go back to: the specification says to clear instead.
    const dispose = index === 0 && frame.dispose === 'previous' ? 'background' : frame.dispose;
    const before = dispose === 'previous' ? Buffer.from(canvas.pixels) : null;
    draw(canvas, frame, picture);
    canvas.pixels.copy(pixels, index * frameBytes);
    if (before) canvas.pixels = before;
    if (dispose === 'background') clear(canvas, frame);
  }
  return { width: file.width, height: file.height, frameCount: frames.length, pixels };
}

async function decodePicture(png: Buffer, frame: ApngFrame): Promise<Buffer> {
  try {
    const { data, info } = await openImage(png)
      .toColourspace('srgb')
      .ensureAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (info.width !== frame.width || info.height !== frame.height || info.channels !== 4) {
      throw corruptImage('an APNG frame differs from its picture in size');
    }
    return data;
  } catch (error) {
    throw asImageError(error);
  }
}

function draw(canvas: Canvas, frame: ApngFrame, picture: Buffer): void {
  const rowBytes = frame.width * 4;
  for (let row = 0; row < frame.height; row += 1) {
    const target = ((frame.y + row) * canvas.width + frame.x) * 4;
    const source = row * rowBytes;
    if (frame.blend === 'source') picture.copy(canvas.pixels, target, source, source + rowBytes);
    else blendRow(canvas.pixels, target, picture, source, rowBytes);
  }
}

/** Source-over on colours that are not premultiplied (PNG specification, "Alpha channel processing"). */
function blendRow(target: Buffer, targetStart: number, source: Buffer, sourceStart: number, rowBytes: number): void {
  for (let offset = 0; offset < rowBytes; offset += 4) {
    const from = sourceStart + offset;
    const to = targetStart + offset;
    const alpha = source[from + 3] ?? 0;
    if (alpha === 0) continue;
    const below = target[to + 3] ?? 0;
    if (alpha === 255 || below === 0) {
      source.copy(target, to, from, from + 4);
      continue;
    }
    const sourceShare = alpha * 255;
    const belowShare = (255 - alpha) * below;
    const total = sourceShare + belowShare;
    for (let channel = 0; channel < 3; channel += 1) {
      const mixed = (source[from + channel] ?? 0) * sourceShare + (target[to + channel] ?? 0) * belowShare;
      target[to + channel] = Math.round(mixed / total);
    }
    target[to + 3] = Math.round(total / 255);
  }
}

function clear(canvas: Canvas, frame: ApngFrame): void {
  for (let row = 0; row < frame.height; row += 1) {
    const start = ((frame.y + row) * canvas.width + frame.x) * 4;
    canvas.pixels.fill(0, start, start + frame.width * 4);
  }
}
