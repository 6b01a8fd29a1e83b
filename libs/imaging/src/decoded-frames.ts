/** Decoded pictures as they lie in memory. */

export type DecodedFrames = {
  width: number;
  /** Of one frame. */
  height: number;
  frameCount: number;
  /** RGBA, 4 bytes a pixel, not premultiplied; the frames lie below each other. */
  pixels: Buffer;
};

/** The pixels of one frame, without copying. */
export function frameAt(frames: DecodedFrames, index: number): Buffer {
  const size = frames.width * frames.height * 4;
  return frames.pixels.subarray(index * size, (index + 1) * size);
}
