import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createFolder, drawFace, drawPattern, encode, encodeApng, encodeFrames } from '../test/drawings.ts';
import { imageLimits } from './image-limits.ts';
import { buildPng } from './png-container.ts';
import { probeImage } from './probe-image.ts';
import { buildWebp, parseWebp } from './webp-container.ts';

let folder: Awaited<ReturnType<typeof createFolder>>;
beforeAll(async () => {
  folder = await createFolder();
});
afterAll(() => folder.remove());

const probe = async (bytes: Buffer | string, extension?: string) => probeImage(await folder.write(bytes, extension));

function pngHeader(width: number, height: number): Buffer {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data.set([8, 6, 0, 0, 0], 8);
  return data;
}

const pngClaiming = (width: number, height: number) =>
  buildPng([
    { type: 'IHDR', data: pngHeader(width, height) },
    { type: 'IDAT', data: Buffer.alloc(16) },
  ]);

/** A GIF of 1x1 pixels, byte by byte from the specification. */
function gifOf(frameCount: number, delayTicks: number): Buffer {
  const header = Buffer.from('47494638396101000100800000ffffff000000', 'hex');
  const frame = Buffer.from(`21f9040000000000` + `2c000000000100010000` + `02024401` + `00`, 'hex');
  frame.writeUInt16LE(delayTicks, 4);
  return Buffer.concat([header, ...Array.from({ length: frameCount }, () => frame), Buffer.from('3b', 'hex')]);
}

describe('probeImage', () => {
  it('recognises each format by its first bytes, whatever the name says', async () => {
    const face = drawFace(64);
    expect(await probe(await encode.png(face), 'webp')).toMatchObject({
      format: 'png',
      mimetype: 'image/png',
      width: 64,
      height: 64,
      frameCount: 1,
      isAnimated: false,
      hasAlpha: true,
    });
    expect(await probe(await encode.webp(face), 'png')).toMatchObject({
      format: 'webp',
      mimetype: 'image/webp',
      width: 64,
      height: 64,
      hasAlpha: true,
    });
    expect(await probe(await encode.jpeg(drawPattern(90, 40)))).toMatchObject({
      format: 'jpeg',
      mimetype: 'image/jpeg',
      width: 90,
      height: 40,
      hasAlpha: false,
    });
    expect(await probe(gifOf(1, 0))).toMatchObject({
      format: 'gif',
      mimetype: 'image/gif',
      width: 1,
      height: 1,
      isAnimated: false,
      frameDurationsMs: [],
    });
  });

  it('reads frames and durations of animations from the file, 8 ms included', async () => {
    const frames = [drawFace(32), drawFace(32, { turn: 1 }), drawFace(32, { turn: 2 })];
    const webp = parseWebp(await encodeFrames.webp(frames, [40, 50, 60]));
    webp.frames.forEach((frame, index) => {
      frame.durationMs = 8 + index;
    });
    expect(await probe(buildWebp(webp))).toMatchObject({
      format: 'webp',
      frameCount: 3,
      isAnimated: true,
      frameDurationsMs: [8, 9, 10],
    });
    expect(await probe(await encodeFrames.gif(frames, [30, 70, 110]))).toMatchObject({
      format: 'gif',
      frameCount: 3,
      frameDurationsMs: [30, 70, 110],
    });
    const apng = await encodeApng(frames.map((drawing, index) => ({ drawing, durationMs: 25 * (index + 1) })));
    expect(await probe(apng)).toMatchObject({
      format: 'apng',
      mimetype: 'image/apng',
      frameCount: 3,
      frameDurationsMs: [25, 50, 75],
    });
  });

  it('refuses what is no picture of ours', async () => {
    for (const text of [
      'hello, I am a text',
      '<svg xmlns="http://www.w3.org/2000/svg"/>',
      '%PDF-1.7 ...............',
      '\0\0\0 ftypheic\0\0\0\0mif1',
      'II*\0....',
      'x',
    ]) {
      await expect(probe(text, 'webp')).rejects.toMatchObject({ code: 'image-unsupported' });
    }
  });

  it('calls an empty file corrupt', async () => {
    await expect(probe('')).rejects.toMatchObject({ code: 'image-corrupt' });
  });

  it('finds a header that was cut at any byte', async () => {
    const animation = await encodeFrames.webp([drawFace(16), drawFace(16, { turn: 2 })], [50, 50]);
    for (const whole of [await encode.png(drawFace(16)), animation]) {
      for (let length = 12; length < whole.length; length += 1) {
        await expect(probe(whole.subarray(0, length))).rejects.toMatchObject({ code: 'image-corrupt' });
      }
    }
    const jpeg = await encode.jpeg(drawFace(16));
    await expect(probe(jpeg.subarray(0, 40))).rejects.toMatchObject({ code: 'image-corrupt' });
    const gif = gifOf(1, 5);
    await expect(probe(gif.subarray(0, gif.length - 3))).rejects.toMatchObject({ code: 'image-corrupt' });
  });

  it('answers random damage with a refusal or a result, never with another error', async () => {
    const files = [
      await encode.png(drawFace(24)),
      await encodeFrames.webp([drawFace(24), drawFace(24, { turn: 2 })], [50, 50]),
      await encode.jpeg(drawFace(24)),
      await encodeFrames.gif([drawFace(24), drawFace(24, { turn: 2 })], [50, 50]),
    ];
    const seen = new Set<string>();
    for (const file of files) {
      for (let round = 0; round < 300; round += 1) {
        const damaged = Buffer.from(file);
        damaged[(round * 7919) % damaged.length] = (round * 31) & 255;
        await probe(damaged).then(
          () => seen.add('read'),
          (error: { code?: string; message: string }) => seen.add(error.code ?? error.message),
        );
      }
    }
    expect([...seen].filter((outcome) => outcome !== 'read' && !outcome.startsWith('image-'))).toEqual([]);
  });

  it('accepts a GIF without its trailer byte, which many programs leave out', async () => {
    expect(await probe(gifOf(3, 5).subarray(0, -1))).toMatchObject({ frameCount: 3, frameDurationsMs: [50, 50, 50] });
  });

  it('refuses 100 megapixels on the header alone', async () => {
    await expect(probe(pngClaiming(10_000, 10_000))).rejects.toMatchObject({ code: 'image-too-many-pixels' });
    await expect(probe(pngClaiming(0xffffffff, 1))).rejects.toMatchObject({ code: 'image-too-many-pixels' });
    await expect(probe(pngClaiming(0, 5))).rejects.toMatchObject({ code: 'image-corrupt' });
  });

  it('refuses 2,000 frames, and many large ones', async () => {
    await expect(probe(gifOf(2000, 5))).rejects.toMatchObject({ code: 'image-too-many-frames' });
    const webp = parseWebp(await encodeFrames.webp([drawFace(16), drawFace(16, { turn: 2 })], [50, 50]));
    const [frame] = webp.frames;
    if (!frame) throw new Error('no frame');
    await expect(
      probe(buildWebp({ ...webp, frames: Array.from({ length: 2000 }, () => frame) })),
    ).rejects.toMatchObject({ code: 'image-too-many-frames' });
    const wide = { ...webp, width: 4000, height: 4000, frames: Array.from({ length: 6 }, () => frame) };
    await expect(probe(buildWebp(wide))).rejects.toMatchObject({ code: 'image-too-many-pixels' });
  });

  it('refuses a WebP frame that leaves the canvas and a file of a million empty chunks', async () => {
    const webp = parseWebp(await encodeFrames.webp([drawFace(16), drawFace(16, { turn: 2 })], [50, 50]));
    const outside = { ...webp, frames: webp.frames.map((frame) => ({ ...frame, x: 14 })) };
    await expect(probe(buildWebp(outside))).rejects.toMatchObject({ code: 'image-corrupt' });
    const header = Buffer.from('RIFF....WEBP');
    const chunks = Buffer.alloc(8 * 1_000_000);
    header.writeUInt32LE(4 + chunks.length, 4);
    await expect(probe(Buffer.concat([header, chunks]))).rejects.toMatchObject({ code: 'image-corrupt' });
  });

  it('refuses a file above the upload limit without reading it', async () => {
    await expect(probe(Buffer.alloc(imageLimits.maxBytes + 1))).rejects.toMatchObject({ code: 'payload-too-large' });
  });
});
