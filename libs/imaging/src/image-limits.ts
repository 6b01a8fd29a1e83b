/**
 * What an image may ask of a worker, checked on its header before anything is decoded. A refused file costs a few
 * milliseconds; an accepted one can never hold more memory than `maxPixelsInFlight` allows.
 */

const mebibyte = 1024 * 1024;

export const imageLimits = {
  /** The upload limit of the API. Files are read whole: this also bounds the memory of the container parsers. */
  maxBytes: 20 * mebibyte,
  /** Of one frame. 50 megapixels is the largest photo that phones commonly produce; decoded it takes 200 MB. */
  maxPixels: 50_000_000,
  /** Of all frames together, because libvips stacks them: 300 frames of 512x512 are 78.6 million (315 MB). */
  maxTotalPixels: 80_000_000,
  /** 300 frames of 20 ms are 6 s, so a full animation can always be brought below WhatsApp's 10 s. */
  maxFrames: 300,
  /** Longest side of one frame: what a WebP can hold at all. */
  maxSide: 16_383,
  /** Decoded at the same time in one process (4 bytes each: 400 MB). Further work waits in line. */
  maxPixelsInFlight: 100_000_000,
  /** JSON in WhatsApp's EXIF block is a few hundred bytes; what is larger is ignored, not parsed. */
  maxMetadataBytes: 16 * 1024,
} as const;

/** WhatsApp's rules for a sticker, and the margins that we keep. Sources: the validator of WhatsApp's sample app. */
export const stickerLimits = {
  side: 512,
  /** What the encoder aims at: readers disagree whether 100 KB is 100,000 or 102,400 bytes, and both leave room. */
  targetStaticBytes: 98_000,
  /** A file that needs no encoding may use what both readings of 100 KB accept. */
  keptStaticBytes: 100_000,
  maxAnimatedBytes: 500_000,
  /** WhatsApp accepts 8 ms, but common decoders play anything below 20 ms at 100 ms. */
  minFrameMs: 20,
  maxTotalMs: 10_000,
  previewSide: 160,
} as const;
