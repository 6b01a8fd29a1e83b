import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { blue, clear, createFolder, draw, drawFace, encode, encodeApng, green, red } from '../test/drawings.ts';
import type { Colour } from '../test/drawings.ts';
import { decodeFrames } from './decode-frames.ts';
import { frameAt } from './decoded-frames.ts';
import { probeImage } from './probe-image.ts';

let folder: Awaited<ReturnType<typeof createFolder>>;
beforeAll(async () => {
  folder = await createFolder();
});
afterAll(() => folder.remove());

const decode = async (bytes: Buffer) => decodeFrames(bytes, await probeImage(await folder.write(bytes)));
const plain = (side: number, colour: Colour) => draw(side, side, () => colour);

/** Colours of a 4x4 frame at the outer corner, and inside the 2x2 square at (1,1). */
async function framesOf(apng: Buffer) {
  const frames = await decode(apng);
  return Array.from({ length: frames.frameCount }, (_, index) => {
    const pixels = frameAt(frames, index);
    return { outer: [...pixels.subarray(0, 4)], inner: [...pixels.subarray((4 + 1) * 4, (4 + 2) * 4)] };
  });
}

describe('decodeFrames', () => {
  it('gives the drawn pixels back from every lossless format', async () => {
    const face = drawFace(40, { turn: 1 });
    for (const bytes of [
      await encode.png(face),
      await encode.losslessWebp(face),
      await encodeApng([{ drawing: face }, { drawing: face }]),
    ]) {
      const frames = await decode(bytes);
      expect([frames.width, frames.height]).toEqual([40, 40]);
      expect(frameAt(frames, 0).equals(face.rgba)).toBe(true);
    }
  });

  it('turns grey and palette pictures into RGBA', async () => {
    const grey = draw(8, 8, (x) => [x * 30, x * 30, x * 30, 255]);
    const { pixels } = await decode(await encode.png(grey));
    expect(pixels.equals(grey.rgba)).toBe(true);
  });
});

describe('decodeFrames of an APNG', () => {
  const square = { x: 1, y: 1 };

  it('keeps what was drawn when a frame is not disposed of', async () => {
    const frames = await framesOf(
      await encodeApng([
        { drawing: plain(4, red) },
        { drawing: plain(2, green), ...square },
        { drawing: plain(2, clear), x: 2, y: 2, blend: 'over' },
      ]),
    );
    expect(frames).toEqual([
      { outer: red, inner: red },
      { outer: red, inner: green },
      { outer: red, inner: green },
    ]);
  });

  it('clears the square of a frame that is disposed of to the background', async () => {
    const frames = await framesOf(
      await encodeApng([
        { drawing: plain(4, red) },
        { drawing: plain(2, green), ...square, dispose: 'background' },
        { drawing: plain(1, blue), x: 3, y: 3 },
      ]),
    );
    expect(frames[2]).toEqual({ outer: red, inner: clear });
  });

  it('goes back to the picture before a frame that is disposed of to the previous one', async () => {
    const frames = await framesOf(
      await encodeApng([
        { drawing: plain(4, red) },
        { drawing: plain(2, green), ...square, dispose: 'previous' },
        { drawing: plain(1, blue), x: 3, y: 3 },
      ]),
    );
    expect(frames[1]).toEqual({ outer: red, inner: green });
    expect(frames[2]).toEqual({ outer: red, inner: red });
  });

  it('clears the first frame that asks for the previous one, because there is none', async () => {
    const frames = await framesOf(
      await encodeApng([
        { drawing: plain(4, red), dispose: 'previous' },
        { drawing: plain(1, blue), x: 3, y: 3 },
      ]),
    );
    expect(frames[1]).toEqual({ outer: clear, inner: clear });
  });

  it('replaces pixels or mixes them as the frame says', async () => {
    const half: Colour = [0, 0, 200, 128];
    const [, over] = await framesOf(
      await encodeApng([{ drawing: plain(4, red) }, { drawing: plain(2, half), ...square, blend: 'over' }]),
    );
    const share = 128 / 255;
    expect(over?.inner).toEqual(
      [red[0] * (1 - share), red[1] * (1 - share), red[2] * (1 - share) + 200 * share, 255].map(Math.round),
    );
    const [, replaced] = await framesOf(
      await encodeApng([{ drawing: plain(4, red) }, { drawing: plain(2, half), ...square, blend: 'source' }]),
    );
    expect(replaced?.inner).toEqual(half);
  });

  it('refuses frames that are out of order', async () => {
    const apng = await encodeApng([
      { drawing: plain(4, red) },
      { drawing: plain(4, green) },
      { drawing: plain(4, blue) },
    ]);
    const end = apng.length - 12;
    const lastControl = apng.lastIndexOf('fcTL') - 4;
    const repeated = Buffer.concat([apng.subarray(0, end), apng.subarray(lastControl)]);
    await expect(folder.write(repeated).then(probeImage)).rejects.toMatchObject({ code: 'image-corrupt' });
  });
});
