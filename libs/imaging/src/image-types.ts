/** The data that travels between the steps of this library. */

export type ImageFormat = 'webp' | 'png' | 'apng' | 'jpeg' | 'gif';

/** What WhatsApp stores inside a sticker. Everything is optional: files in the wild hold any part of it. */
export type StickerMetadata = {
  packId?: string | undefined;
  packName?: string | undefined;
  publisher?: string | undefined;
  emojis: string[];
  accessibilityText?: string | undefined;
};

/** What the parser of one format reads from a file without decoding a pixel. */
export type ImageHeader = {
  format: ImageFormat;
  /** Pixels as stored; a JPEG that its EXIF block turns by 90 degrees is displayed with the sides exchanged. */
  width: number;
  height: number;
  frameCount: number;
  /** As the file says, one per frame; a still image has none. */
  frameDurationsMs: number[];
  /** The file can hold transparent pixels; whether it does is known after `analyseImage`. */
  hasAlpha: boolean;
  metadata: StickerMetadata | null;
};

export type ImageProbe = ImageHeader & { mimetype: string; isAnimated: boolean; sizeBytes: number };

export type ImageFeatures = {
  isAnimated: boolean;
  frameCount: number;
  /** Sum of the frames' durations as the file says; 0 for a still image. */
  durationMs: number;
  hasTransparency: boolean;
  /** Share (0..1) of pixels that are more transparent than opaque. */
  transparentShare: number;
  /** Hasler and Süsstrunk's metric M: 0 grey, about 33 moderately, 59 quite, 109 extremely colourful. */
  colourfulness: number;
  /** Mean luma of the visible pixels, 0 black to 1 white. */
  brightness: number;
  /** Share (0..1) of pixels on an edge. */
  edgeDensity: number;
  /** 0 sharp to 1 without any detail, from the variance of the Laplacian. */
  blur: number;
  /** `#rrggbb`, up to five, largest area first; empty when nothing is visible. */
  dominantColours: string[];
};

/** PDQ hashes, 64 hexadecimal digits each. */
export type ImageHashes = {
  first: string;
  /** Only of animations. */
  middle: string | null;
  last: string | null;
  /** Of the first frame's alpha channel; null when every pixel is opaque. */
  mask: string | null;
};

export type ImageAnalysis = {
  /** Equal exactly when size, number of frames and every decoded RGBA byte are equal; durations do not count. */
  pixelSha256: string;
  hashes: ImageHashes;
  /** PDQ quality of the first frame, 0..100. Below 50 the hash says little. */
  hashQuality: number;
  features: ImageFeatures;
};
