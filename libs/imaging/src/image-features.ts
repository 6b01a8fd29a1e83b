/** Simple figures about what a sticker looks like, measured on up to 96x96 points of one or several frames. */

import type { ImageFeatures } from './image-types.ts';

/** RGBA pixels, row by row. `isOpaque`: no pixel lets anything shine through. */
export type Picture = { rgba: Buffer; width: number; height: number; isOpaque: boolean };

type PixelFeatures = Omit<ImageFeatures, 'isAnimated' | 'frameCount' | 'durationMs'>;

const pointsPerSide = 96;
const visibleAlpha = 128;
/** Luma step between opposite neighbours that the eye takes for an edge. */
const edgeStep = 32;
/** Variance of the Laplacian at which a picture counts as half blurred; photos in focus have several hundred. */
const halfBlurredVariance = 100;
const maxDominantColours = 5;
const minDominantShare = 0.02;
/** Closer colours (largest channel difference) are one colour to the eye of somebody who looks for "the red one". */
const minColourDifference = 40;

/** The backdrop of transparent pixels: white art vanishes on white and black art on black, so neither is used. */
const backdrop = 128;

/** Luma (Rec. 601, as PDQ uses it) of a row, 0..255, transparent parts laid on the backdrop. */
export function readLuma({ rgba, width }: Picture, line: Float32Array, y: number): void {
  for (let x = 0, offset = y * width * 4; x < width; x += 1, offset += 4) line[x] = lumaAt(rgba, offset);
}

/** Opacity of a row, 0..255. */
export function readAlpha({ rgba, width }: Picture, line: Float32Array, y: number): void {
  for (let x = 0, offset = y * width * 4 + 3; x < width; x += 1, offset += 4) line[x] = rgba[offset] as number;
}

/** Looks at every pixel once. */
export function pictureFrom(rgba: Buffer, width: number, height: number): Picture {
  let isOpaque = true;
  for (let offset = 3; isOpaque && offset < rgba.length; offset += 4) isOpaque = rgba[offset] === 255;
  return { rgba, width, height, isOpaque };
}

function lumaAt(rgba: Buffer, offset: number): number {
  const luma =
    0.299 * (rgba[offset] as number) + 0.587 * (rgba[offset + 1] as number) + 0.114 * (rgba[offset + 2] as number);
  const cover = rgba[offset + 3] as number;
  return cover === 255 ? luma : backdrop + ((luma - backdrop) * cover) / 255;
}

/** Collects figures over frames: `add` each, then `finish`. */
export function createFeatureMeter() {
  let points = 0;
  let visible = 0;
  let isTransparent = false;
  let edges = 0;
  let inner = 0;
  const brightness = createMoments();
  const laplacian = createMoments();
  const redGreen = createMoments();
  const yellowBlue = createMoments();
  const colours = new Float64Array(4096 * 4);

  function add(picture: Picture): void {
    const { rgba, width, height } = picture;
    const step = Math.ceil(Math.max(width, height) / pointsPerSide);
    const rowBytes = width * 4;
    isTransparent ||= !picture.isOpaque;
    for (let y = 0; y < height; y += step) {
      for (let x = 0; x < width; x += step) {
        const offset = y * rowBytes + x * 4;
        points += 1;
        if (x > 0 && y > 0 && x < width - 1 && y < height - 1) {
          const west = lumaAt(rgba, offset - 4);
          const east = lumaAt(rgba, offset + 4);
          const north = lumaAt(rgba, offset - rowBytes);
          const south = lumaAt(rgba, offset + rowBytes);
          inner += 1;
          if (Math.abs(west - east) + Math.abs(north - south) > edgeStep) edges += 1;
          addValue(laplacian, west + east + north + south - 4 * lumaAt(rgba, offset));
        }
        if ((rgba[offset + 3] as number) < visibleAlpha) continue;
        visible += 1;
        addColour(rgba[offset] as number, rgba[offset + 1] as number, rgba[offset + 2] as number);
      }
    }
  }

  function addColour(red: number, green: number, blue: number): void {
    addValue(brightness, (0.299 * red + 0.587 * green + 0.114 * blue) / 255);
    addValue(redGreen, red - green);
    addValue(yellowBlue, (red + green) / 2 - blue);
    const bin = (((red >> 4) << 8) | ((green >> 4) << 4) | (blue >> 4)) * 4;
    colours[bin] = (colours[bin] as number) + 1;
    colours[bin + 1] = (colours[bin + 1] as number) + red;
    colours[bin + 2] = (colours[bin + 2] as number) + green;
    colours[bin + 3] = (colours[bin + 3] as number) + blue;
  }

  function finish(): PixelFeatures {
    const spread = Math.sqrt(varianceOf(redGreen) + varianceOf(yellowBlue));
    const centre = Math.hypot(meanOf(redGreen), meanOf(yellowBlue));
    return {
      hasTransparency: isTransparent,
      transparentShare: round(points === 0 ? 0 : 1 - visible / points),
      // Hasler and Süsstrunk, "Measuring colourfulness in natural images", 2003: M = sigma + 0.3 mu.
      colourfulness: round(spread + 0.3 * centre),
      brightness: round(meanOf(brightness)),
      edgeDensity: round(inner === 0 ? 0 : edges / inner),
      blur: round(1 / (1 + varianceOf(laplacian) / halfBlurredVariance)),
      dominantColours: dominantColours(colours, visible),
    };
  }

  return { add, finish };
}

/** Count, sum and sum of squares: numbers in a typed array, because V8 allocates for each number a closure changes. */
function createMoments(): Float64Array {
  return new Float64Array(3);
}

function addValue(moments: Float64Array, value: number): void {
  moments[0] = (moments[0] as number) + 1;
  moments[1] = (moments[1] as number) + value;
  moments[2] = (moments[2] as number) + value * value;
}

function meanOf([count = 0, sum = 0]: Float64Array): number {
  return count === 0 ? 0 : sum / count;
}

function varianceOf([count = 0, sum = 0, squares = 0]: Float64Array): number {
  return count === 0 ? 0 : Math.max(0, squares / count - (sum / count) ** 2);
}

function dominantColours(bins: Float64Array, visible: number): string[] {
  const candidates: { count: number; rgb: [number, number, number] }[] = [];
  for (let bin = 0; bin < bins.length; bin += 4) {
    const count = bins[bin] as number;
    if (count === 0 || count < visible * minDominantShare) continue;
    candidates.push({
      count,
      rgb: [1, 2, 3].map((part) => (bins[bin + part] as number) / count) as [number, number, number],
    });
  }
  const chosen: [number, number, number][] = [];
  for (const { rgb } of candidates.sort((a, b) => b.count - a.count)) {
    const isNew = chosen.every(
      (other) =>
        Math.max(...other.map((value, part) => Math.abs(value - (rgb[part] as number)))) >= minColourDifference,
    );
    if (isNew && chosen.length < maxDominantColours) chosen.push(rgb);
  }
  return chosen.map((rgb) => `#${rgb.map((value) => Math.round(value).toString(16).padStart(2, '0')).join('')}`);
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
