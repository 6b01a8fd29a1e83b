/** Stickers in each format that may come in, and files that are wrong in a chosen way. */
import sharp from 'sharp';
import { drawApng, drawPng } from '@omnizap/testkit';

const side = 512;
const frameMs = 100;

/** One picture per format; `seed` decides what it shows. */
export const pictures = {
  compliantWebp: async (seed: number): Promise<Buffer> =>
    await sharp(drawPng(seed, 128)).resize(side, side).webp({ quality: 80 }).toBuffer(),
  png: async (seed: number): Promise<Buffer> => await Promise.resolve(drawPng(seed)),
  jpeg: async (seed: number): Promise<Buffer> => await sharp(drawPng(seed, 160)).jpeg({ quality: 90 }).toBuffer(),
  gif: async (seed: number): Promise<Buffer> =>
    await sharp(framesOf(seed), { join: { animated: true } })
      .gif({ delay: [frameMs, frameMs] })
      .toBuffer(),
  apng: async (seed: number): Promise<Buffer> => await Promise.resolve(drawApng([seed, seed + 1], 96, frameMs)),
  animatedWebp: async (seed: number): Promise<Buffer> =>
    await sharp(framesOf(seed), { join: { animated: true } })
      .webp({ delay: [frameMs, frameMs] })
      .toBuffer(),
};

/** Its header is right and its body ends half way: only decoding it shows that. */
export async function halfJpeg(seed: number): Promise<Buffer> {
  const whole = await pictures.jpeg(seed);
  return whole.subarray(0, Math.floor(whole.length * 0.6));
}

function framesOf(seed: number): Buffer[] {
  return [drawPng(seed), drawPng(seed + 1)];
}

/** The pixels of every frame, as any decoder sees them. */
export async function pixelsOf(image: Buffer): Promise<Buffer> {
  return await sharp(image, { animated: true }).ensureAlpha().raw().toBuffer();
}

/** What WhatsApp reads in a sticker's EXIF chunk: JSON behind a TIFF directory of one entry, so behind 22 bytes. */
export async function exifOf(image: Buffer): Promise<Record<string, unknown>> {
  const { exif } = await sharp(image).metadata();
  if (!exif) throw new Error('The sticker has no EXIF chunk');
  const text = exif.toString('utf8');
  return JSON.parse(text.slice(text.indexOf('{'))) as Record<string, unknown>;
}
