/**
 * PDQ, the perceptual hash published by Facebook ("The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing
 * Algorithm", 2019): luma, two box filters in each direction, 64x64 samples, the 16x16 lowest frequencies of their
 * cosine transform without the constant one, and one bit for each that lies above their median.
 */

const sampleSide = 64;
const frequencySide = 16;

export type Pdq = {
  /** 256 bits, most significant first, as 64 hexadecimal digits. */
  hash: string;
  /** 0 for a plain surface to 100; the paper advises against comparing hashes below 50. */
  quality: number;
};

/** Fills `line` with row `y` of a picture, one luma value 0..255 per pixel. */
export type ReadRow = (line: Float32Array, y: number) => void;

/** Hashes a `width` x `height` picture. Meant for sides up to 512. */
export function hashRows(readRow: ReadRow, width: number, height: number): Pdq {
  const samples = sampleRows(readRow, width, height);
  return { hash: thresholdAtMedian(lowFrequencies(samples)), quality: qualityOf(samples) };
}

/**
 * The 64x64 filtered samples. The filters and the sampling are linear and act on rows and columns apart, so each sample
 * of a line is a fixed weighted sum of a few neighbours: the same numbers as filtering the whole picture, in a fifth of
 * the time. Rows are asked for one at a time, because a whole plane of floats costs more to allocate than to compute.
 */
export function sampleRows(readRow: ReadRow, width: number, height: number): Float64Array {
  const columns = samplingWeights(width);
  const rows = samplingWeights(height);
  const line = new Float32Array(width);
  const narrow = new Float64Array(height * sampleSide);
  for (let y = 0; y < height; y += 1) {
    readRow(line, y);
    for (let sample = 0; sample < sampleSide; sample += 1) {
      const from = columns.starts[sample] as number;
      let sum = 0;
      for (let tap = 0; tap < columns.taps; tap += 1) {
        sum += (line[from + tap] as number) * (columns.weights[sample * columns.taps + tap] as number);
      }
      narrow[y * sampleSide + sample] = sum;
    }
  }
  const samples = new Float64Array(sampleSide * sampleSide);
  for (let sample = 0; sample < sampleSide; sample += 1) {
    for (let tap = 0; tap < rows.taps; tap += 1) {
      const from = ((rows.starts[sample] as number) + tap) * sampleSide;
      const weight = rows.weights[sample * rows.taps + tap] as number;
      for (let x = 0; x < sampleSide; x += 1) {
        samples[sample * sampleSide + x] =
          (samples[sample * sampleSide + x] as number) + weight * (narrow[from + x] as number);
      }
    }
  }
  return samples;
}

/** Sample `i` is the sum of the `taps` values from `starts[i]` on, times `weights[i * taps ...]`. */
type Weights = { taps: number; starts: Int32Array; weights: Float64Array };
const weightsOfLength = new Map<number, Weights>();

function samplingWeights(length: number): Weights {
  const known = weightsOfLength.get(length);
  if (known) return known;
  const taps = Math.min(length, 2 * windowSize(length) - 1);
  const weights: Weights = { taps, starts: new Int32Array(sampleSide), weights: new Float64Array(sampleSide * taps) };
  for (let sample = 0; sample < sampleSide; sample += 1) addSample(weights, sample, length);
  weightsOfLength.set(length, weights);
  return weights;
}

function windowSize(length: number): number {
  return Math.floor((length + 2 * sampleSide - 1) / (2 * sampleSide));
}

/** The window reaches one further ahead than behind when its size is even, and shrinks at the border. */
function boxWindow(position: number, length: number): { start: number; end: number } {
  const size = windowSize(length);
  const ahead = Math.floor((size + 2) / 2) - 1;
  const behind = size - 1 - ahead;
  return { start: Math.max(0, position - behind), end: Math.min(length - 1, position + ahead) };
}

/** Two box filters after each other, looked at in one place: a window over windows. */
function addSample({ taps, starts, weights }: Weights, sample: number, length: number): void {
  const outer = boxWindow(Math.floor(((sample + 0.5) * length) / sampleSide), length);
  const start = Math.min(boxWindow(outer.start, length).start, length - taps);
  starts[sample] = start;
  for (let middle = outer.start; middle <= outer.end; middle += 1) {
    const inner = boxWindow(middle, length);
    const share = 1 / (outer.end - outer.start + 1) / (inner.end - inner.start + 1);
    for (let index = inner.start; index <= inner.end; index += 1) {
      const at = sample * taps + index - start;
      weights[at] = (weights[at] as number) + share;
    }
  }
}

const cosines = Float64Array.from({ length: frequencySide * sampleSide }, (_, index) => {
  const frequency = Math.floor(index / sampleSide) + 1;
  const sample = index % sampleSide;
  return Math.sqrt(2 / sampleSide) * Math.cos((Math.PI / (2 * sampleSide)) * frequency * (2 * sample + 1));
});

/** Cosine transform of the 64x64 samples, frequencies 1..16 in both directions, row by row. */
export function lowFrequencies(samples: Float64Array): Float64Array {
  const half = new Float64Array(frequencySide * sampleSide);
  for (let frequency = 0; frequency < frequencySide; frequency += 1) {
    for (let row = 0; row < sampleSide; row += 1) {
      const cosine = cosines[frequency * sampleSide + row] as number;
      for (let x = 0; x < sampleSide; x += 1) {
        half[frequency * sampleSide + x] =
          (half[frequency * sampleSide + x] as number) + cosine * (samples[row * sampleSide + x] as number);
      }
    }
  }
  return Float64Array.from({ length: frequencySide * frequencySide }, (_, index) => {
    const vertical = Math.floor(index / frequencySide) * sampleSide;
    const horizontal = (index % frequencySide) * sampleSide;
    let sum = 0;
    for (let x = 0; x < sampleSide; x += 1) sum += (half[vertical + x] as number) * (cosines[horizontal + x] as number);
    return sum;
  });
}

function thresholdAtMedian(frequencies: Float64Array): string {
  const median = frequencies.toSorted()[frequencies.length / 2 - 1] as number;
  const digits = Array.from({ length: 64 }, () => 0);
  frequencies.forEach((value, bit) => {
    const digit = 63 - (bit >> 2);
    if (value > median) digits[digit] = (digits[digit] as number) | (1 << (bit & 3));
  });
  return digits.map((digit) => digit.toString(16)).join('');
}

/** Sum of the steps between neighbouring samples, in whole percent of the range, scaled as the paper does. */
function qualityOf(samples: Float64Array): number {
  let gradients = 0;
  for (let row = 0; row < sampleSide; row += 1) {
    for (let x = 0; x < sampleSide; x += 1) {
      const here = samples[row * sampleSide + x] as number;
      if (row + 1 < sampleSide) gradients += percentStep(here, samples[(row + 1) * sampleSide + x] as number);
      if (x + 1 < sampleSide) gradients += percentStep(here, samples[row * sampleSide + x + 1] as number);
    }
  }
  return Math.min(100, Math.floor(gradients / 90));
}

function percentStep(a: number, b: number): number {
  return Math.floor(Math.abs(a - b) * (100 / 255));
}
