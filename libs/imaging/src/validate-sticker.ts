/**
 * Predicts what WhatsApp says to one sticker file, from its bytes alone. Durations and frames come from the ANMF chunks: decoders
 * round them. Nothing is decoded and nothing is thrown: whatever the bytes are, the answer is a list of findings.
 */

import { isAppError } from '@omnizap/runtime';
import { keepEmojis } from './emoji-index.ts';
import { sum } from './frame-timing.ts';
import { imageLimits } from './image-limits.ts';
import type { ImageFormat } from './image-types.ts';
import { parseImageHeader } from './probe-image.ts';
import { validateExif } from './validate-exif.ts';
import { isWebp, listWebpChunks, parseWebp } from './webp-container.ts';
import { finding, whatsappLimits, type Finding } from './whatsapp-rules.ts';

export type StickerFacts = {
  format: ImageFormat;
  width: number;
  height: number;
  frameCount: number;
  /** More than one frame, which is what WhatsApp goes by. */
  isAnimated: boolean;
  /** As the file says; 0 for a still picture. */
  durationMs: number;
  sizeBytes: number;
};

/** `facts` is null when the file cannot be read at all. */
export type StickerVerdict = { facts: StickerFacts | null; findings: Finding[] };

const pictureChunks = new Set(['VP8X', 'VP8 ', 'VP8L', 'ALPH', 'ANIM', 'ANMF', 'ICCP', 'EXIF']);
/** Of the VP8X header. */
const flagOfChunk = { ICCP: 0x20, EXIF: 0x08, 'XMP ': 0x04 } as const;
/** A file may hold thousands of wrong frames or chunks: the first few show what is wrong. */
const mostOfAKind = 3;

/** Judges the bytes of a sticker file of any format that is accepted. Never throws. */
export function validateSticker(bytes: Buffer): StickerVerdict {
  if (isWebp(bytes)) {
    const saidBytes = 8 + bytes.readUInt32LE(4);
    if (saidBytes > bytes.length)
      return unreadable(
        finding('riff-complete', `The RIFF header says ${saidBytes} bytes, the file has ${bytes.length}.`),
      );
  }
  let facts: StickerFacts;
  let durationsMs: number[];
  try {
    const header = parseImageHeader(bytes);
    durationsMs = header.frameDurationsMs;
    facts = {
      format: header.format,
      width: header.width,
      height: header.height,
      frameCount: header.frameCount,
      isAnimated: header.frameCount > 1,
      durationMs: sum(durationsMs),
      sizeBytes: bytes.length,
    };
  } catch (error) {
    if (!isAppError(error)) throw error;
    const reason = typeof error.details.reason === 'string' ? `${error.details.reason}.` : error.message;
    return unreadable(
      finding(isWebp(bytes) ? 'webp-structure' : 'image-readable', `The file cannot be read: ${reason}`),
    );
  }
  const container =
    facts.format === 'webp'
      ? validateContainer(bytes)
      : [finding('webp-format', `The file is a ${facts.format.toUpperCase()}, not a WebP.`)];
  return { facts, findings: [...container, ...validateMeasures(facts), ...validateTiming(facts, durationsMs)] };
}

/** Judges what is said about a sticker beside its picture. */
export function validateStickerWords(sticker: {
  isAnimated: boolean;
  emojis: string[];
  accessibilityText: string | null;
}): Finding[] {
  const { maxEmojis, maxStaticAltText, maxAnimatedAltText } = whatsappLimits;
  const { emojis, accessibilityText, isAnimated } = sticker;
  const findings: Finding[] = [];
  const valid = keepEmojis(emojis, Number.POSITIVE_INFINITY).length;
  if (emojis.length === 0 || emojis.length > maxEmojis)
    findings.push(finding('sticker-emojis', `It has ${emojis.length} emojis.`));
  else if (valid < new Set(emojis).size) findings.push(finding('sticker-emojis', 'One of its emojis is none.'));
  const longest = isAnimated ? maxAnimatedAltText : maxStaticAltText;
  if (accessibilityText !== null && accessibilityText.length > longest)
    findings.push(
      finding(
        'alt-text-length',
        `Its accessibility text has ${accessibilityText.length} characters, at most ${longest} fit.`,
      ),
    );
  return findings;
}

function unreadable(one: Finding): StickerVerdict {
  return { facts: null, findings: [one] };
}

function validateMeasures({ width, height, isAnimated, sizeBytes }: StickerFacts): Finding[] {
  const { side, maxStaticBytes, maxAnimatedBytes } = whatsappLimits;
  const findings: Finding[] = [];
  if (width !== side || height !== side)
    findings.push(finding('canvas-size', `The canvas has ${width}x${height} pixels, not ${side}x${side}.`));
  const maxBytes = isAnimated ? maxAnimatedBytes : maxStaticBytes;
  if (sizeBytes > maxBytes)
    findings.push(
      finding(
        isAnimated ? 'animated-bytes' : 'static-bytes',
        `The file has ${sizeBytes} bytes, at most ${maxBytes} fit.`,
      ),
    );
  return findings;
}

function validateTiming({ durationMs, frameCount }: StickerFacts, durationsMs: number[]): Finding[] {
  const { minFrameMs, maxTotalMs } = whatsappLimits;
  if (frameCount < 2) return [];
  const findings: Finding[] = [];
  const tooShort = durationsMs.flatMap((duration, index) => (duration < minFrameMs ? [{ duration, index }] : []));
  const [first] = tooShort;
  if (first)
    findings.push(
      finding(
        'frame-duration',
        `${tooShort.length} of ${frameCount} frames are too short: frame ${first.index + 1} is shown for ${first.duration} ms.`,
      ),
    );
  if (durationMs > maxTotalMs) findings.push(finding('total-duration', `The animation takes ${durationMs} ms.`));
  return findings;
}

/** Of a file that `parseWebp` has read. */
function validateContainer(bytes: Buffer): Finding[] {
  const findings: Finding[] = [];
  const { chunks, restBytes } = listWebpChunks(bytes);
  if (restBytes > 0) findings.push(finding('riff-trailing-bytes', `${restBytes} bytes follow the last chunk.`));
  const foreign = [...new Set(chunks.map(({ fourCc }) => fourCc).filter((fourCc) => !pictureChunks.has(fourCc)))];
  for (const fourCc of foreign.slice(0, mostOfAKind))
    findings.push(finding('webp-foreign-chunk', `There is a chunk ${JSON.stringify(fourCc)}.`));
  const header = chunks[0]?.fourCc === 'VP8X' ? chunks[0].data : null;
  if (header === null) {
    if (chunks.length > 1) findings.push(finding('webp-flags', 'There are several chunks, but no VP8X before them.'));
    return findings;
  }
  for (const [fourCc, flag] of Object.entries(flagOfChunk)) {
    const isThere = chunks.some((chunk) => chunk.fourCc === fourCc);
    if (isThere !== ((header.readUInt8(0) & flag) !== 0))
      findings.push(
        finding(
          'webp-flags',
          `VP8X says that there is ${isThere ? 'no' : 'a'} chunk "${fourCc}"; there is ${isThere ? 'one' : 'none'}.`,
        ),
      );
  }
  const { animation, frames, exif } = parseWebp(bytes);
  if (animation && frames.length === 1)
    findings.push(finding('animation-one-frame', 'The file is an animation of one frame.'));
  if (exif) {
    findings.push(
      ...(exif.length > imageLimits.maxMetadataBytes + 1_024
        ? [finding('exif-too-big', `The EXIF chunk has ${exif.length} bytes.`)]
        : validateExif(exif)),
    );
  }
  return findings;
}
