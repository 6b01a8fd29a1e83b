/**
 * What is wrong with WhatsApp's block in a WebP's EXIF chunk. `readStickerExif` takes what it can use and is silent about the
 * rest; here each departure is said. Nothing of it is fatal: every file that we make has a block of our own.
 */

import { keepEmojis } from './emoji-index.ts';
import { imageLimits } from './image-limits.ts';
import { identifierProblem } from './pack-identifier.ts';
import { stickerTag } from './sticker-exif.ts';
import { finding, whatsappLimits, type Finding } from './whatsapp-rules.ts';

const entryBytes = 12;
/** Directories of cameras have a few dozen entries. */
const maxEntries = 256;
const longestQuote = 40;

/** Judges the content of an EXIF chunk. Never throws. */
export function validateExif(exif: Buffer): Finding[] {
  const hasMarker = exif.toString('latin1', 0, 6) === 'Exif\0\0';
  const tiff = hasMarker ? exif.subarray(6) : exif;
  if (tiff.length < 8 || tiff.toString('latin1', 0, 4) !== 'II*\0')
    return [finding('exif-block', `The EXIF chunk begins with ${quoteBytes(exif)} and not with "II*\\0".`)];
  const field = findField(tiff);
  if (!field) return [finding('exif-block', 'The EXIF chunk has no entry with tag 0x5741.')];
  const findings = hasMarker
    ? [finding('exif-block', 'The EXIF chunk begins with the marker that belongs into a JPEG.')]
    : [];
  const { length, start } = field;
  if (length > imageLimits.maxMetadataBytes)
    return [...findings, finding('exif-too-big', `The block says that it has ${length} bytes.`)];
  const available = Math.max(0, tiff.length - start);
  const declared = parseObject(tiff.subarray(start, start + length));
  const whole = available > imageLimits.maxMetadataBytes ? undefined : parseObject(tiff.subarray(start));
  if (length > available || (declared === undefined && whole !== undefined))
    findings.push(finding('exif-length', `The length field says ${length} bytes; ${available} follow its start.`));
  const block = length > available ? whole : (declared ?? whole);
  if (block === undefined)
    return [...findings, finding('exif-json', `The block of ${length} bytes is no JSON object.`)];
  return [...findings, ...validateFields(block)];
}

function findField(tiff: Buffer): { length: number; start: number } | null {
  const directory = tiff.readUInt32LE(4);
  if (directory + 2 > tiff.length) return null;
  const count = Math.min(tiff.readUInt16LE(directory), maxEntries);
  for (let index = 0; index < count; index += 1) {
    const entry = directory + 2 + index * entryBytes;
    if (entry + entryBytes > tiff.length) return null;
    if (tiff.readUInt16LE(entry) === stickerTag)
      return { length: tiff.readUInt32LE(entry + 4), start: tiff.readUInt32LE(entry + 8) };
  }
  return null;
}

function validateFields(block: Record<string, unknown>): Finding[] {
  const { maxTextLength, maxAnimatedAltText, maxEmojis } = whatsappLimits;
  const wrong: string[] = [];
  const checkText = (name: string, maxLength: number): void => {
    const value = block[name];
    if (value === undefined) return;
    if (typeof value !== 'string') wrong.push(`"${name}" is no text`);
    else if (value.length > maxLength) wrong.push(`"${name}" has ${value.length} characters, at most ${maxLength} fit`);
  };
  const id = block['sticker-pack-id'];
  if (id !== undefined) {
    const problem = typeof id === 'string' ? identifierProblem(id) : 'is no text';
    if (problem !== null) wrong.push(`"sticker-pack-id" ${problem}`);
  }
  checkText('sticker-pack-name', maxTextLength);
  checkText('sticker-pack-publisher', maxTextLength);
  checkText('accessibility-text', maxAnimatedAltText);
  for (const link of ['android-app-store-link', 'ios-app-store-link', 'publisher-website']) checkText(link, 2_048);
  const { emojis } = block;
  if (emojis !== undefined) {
    if (!Array.isArray(emojis)) wrong.push('"emojis" is no list');
    else if (emojis.length > maxEmojis) wrong.push(`"emojis" has ${emojis.length} entries, at most ${maxEmojis} count`);
    else if (keepEmojis(emojis).length < new Set(emojis).size) wrong.push('"emojis" holds what is no emoji');
  }
  return wrong.map((what) => finding('exif-field', `Of the EXIF block, ${what}.`));
}

function parseObject(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8').replace(/\0+$/, ''));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function quoteBytes(bytes: Buffer): string {
  return JSON.stringify(bytes.toString('latin1', 0, 4)).slice(0, longestQuote);
}
