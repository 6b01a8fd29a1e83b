/** How long each frame of a sticker is shown, within WhatsApp's rules. */

import { stickerLimits } from './image-limits.ts';
import type { ImageFormat } from './image-types.ts';

/** Every GIF viewer shows frames of 0 and 10 ms for 100 ms; taken literally such files would race. */
const fastestGifFrameMs = 10;
const conventionalGifFrameMs = 100;

/**
 * Durations of at least 20 ms that sum to at most 10 s. A longer animation is sped up as a whole rather than cut, so
 * that its end stays: what each frame has above 20 ms shrinks by one factor.
 */
export function fitDurations(durationsMs: number[], format: ImageFormat): number[] {
  const { minFrameMs, maxTotalMs } = stickerLimits;
  const raised = durationsMs.map((duration) =>
    Math.max(minFrameMs, format === 'gif' && duration <= fastestGifFrameMs ? conventionalGifFrameMs : duration),
  );
  const total = sum(raised);
  if (total <= maxTotalMs) return raised;
  const shortest = minFrameMs * raised.length;
  const factor = (maxTotalMs - shortest) / (total - shortest);
  // Rounding down keeps the sum below the limit.
  return raised.map((duration) => minFrameMs + Math.floor((duration - minFrameMs) * factor));
}

/** `durationsMs` of every `step`-th frame, each shown for what it replaces as well. */
export function mergeDurations(durationsMs: number[], step: number): number[] {
  const merged: number[] = [];
  for (let start = 0; start < durationsMs.length; start += step)
    merged.push(sum(durationsMs.slice(start, start + step)));
  return merged;
}

/** Sum of `values`. */
export function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
