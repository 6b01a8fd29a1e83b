/**
 * Zip files of strangers. Everything is judged on the central directory before a byte is unpacked, entries are unpacked one at a
 * time into memory, never under their own name on disk, and unpacking stops at the size that was declared. A file that is odd in
 * any way is refused whole: a pack has no need of links, passwords or two files of one name.
 */

import { crc32 } from 'node:zlib';
import { AppError } from '@omnizap/runtime';
import { fromBufferPromise, openPromise, type Entry, type ZipFile } from 'yauzl';

export type ZipLimits = {
  maxEntries: number;
  /** Of one entry, unpacked. */
  maxEntryBytes: number;
  /** Of all entries, unpacked. */
  maxTotalBytes: number;
  /** Unpacked to packed bytes of one entry; pictures are compressed already, so they hardly shrink. */
  maxRatio: number;
};

const mebibyte = 1_024 * 1_024;
const packZipLimits: ZipLimits = {
  maxEntries: 200,
  maxEntryBytes: 20 * mebibyte,
  maxTotalBytes: 64 * mebibyte,
  maxRatio: 100,
};

/** Texts of a few hundred bytes may well shrink to nothing. */
const ratioMattersFromBytes = 64 * 1_024;
const longestName = 255;
const localHeaderBytes = 30;
const encryptedFlags = 0x0001 | 0x0040 | 0x2000;
const storedMethod = 0;
const deflatedMethod = 8;
const unixTypeMask = 0xf000;
const unixRegular = 0x8000;
const unixDirectory = 0x4000;

export type OpenedZip = {
  /** Names of the files, as they are read by; folders are left out. */
  names: string[];
  /** @throws AppError pack-file-unsafe */
  read(name: string): Promise<Buffer>;
  close(): void;
};

/** True when `bytes` begin like a zip file. */
export function isZip(bytes: Buffer): boolean {
  return ['PK\x03\x04', 'PK\x05\x06'].includes(bytes.toString('latin1', 0, 4));
}

/**
 * Opens a zip file (a path, or its bytes) and checks every entry's header.
 * @throws AppError pack-file-invalid (no zip file), pack-file-unsafe (what must not be unpacked)
 */
export async function openZip(source: string | Buffer, limits: ZipLimits = packZipLimits): Promise<OpenedZip> {
  // Strings are decoded here: yauzl would repair backslashes and believe extra fields.
  const options = { decodeStrings: false, validateEntrySizes: true };
  const opening =
    typeof source === 'string'
      ? openPromise(source, { ...options, autoClose: false })
      : fromBufferPromise(source, options);
  const zip = await opening.catch((error: unknown) => {
    throw new AppError('pack-file-invalid', 'The file is no zip file, or its end is missing.', { cause: error });
  });
  try {
    const files = await listFiles(zip, limits);
    return {
      names: [...files.keys()],
      async read(name) {
        const entry = files.get(name);
        if (!entry) throw new Error(`The zip file has no entry ${JSON.stringify(name)}`);
        return unpack(zip, entry, name);
      },
      close: () => zip.close(),
    };
  } catch (error) {
    zip.close();
    throw error;
  }
}

async function listFiles(zip: ZipFile, limits: ZipLimits): Promise<Map<string, Entry>> {
  if (zip.entryCount > limits.maxEntries)
    throw unsafe(`it has ${zip.entryCount} entries, at most ${limits.maxEntries} are read`);
  const files = new Map<string, Entry>();
  const folded = new Set<string>();
  const extents: { start: number; end: number }[] = [];
  let totalBytes = 0;
  try {
    for await (const entry of zip.eachEntry()) {
      const name = nameOf(entry);
      checkEntry(entry, name, limits);
      totalBytes += entry.uncompressedSize;
      if (totalBytes > limits.maxTotalBytes)
        throw unsafe(`its entries unpack to more than ${limits.maxTotalBytes} bytes`);
      const key = name.normalize('NFC').toLowerCase();
      if (folded.has(key)) throw unsafe(`it has two entries ${quote(name)}`);
      folded.add(key);
      const start = entry.relativeOffsetOfLocalHeader;
      extents.push({ start, end: start + localHeaderBytes + entry.compressedSize });
      if (!name.endsWith('/')) files.set(name, entry);
    }
  } catch (error) {
    throw asUnsafe(error);
  }
  extents.sort((a, b) => a.start - b.start);
  const overlaps = extents.some(({ start }, index) => start < (extents[index - 1]?.end ?? 0));
  if (overlaps) throw unsafe('its entries overlap');
  return files;
}

/** @throws AppError pack-file-unsafe */
function nameOf(entry: Entry): string {
  const raw = entry.fileNameRaw;
  let name: string;
  try {
    name = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw);
  } catch (error) {
    throw unsafe(`the name ${quote(raw.toString('latin1'))} is not UTF-8`, error);
  }
  if (name === '' || raw.length > longestName) throw unsafe(`a name has ${raw.length} bytes`);
  if (/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(name.replaceAll('\u200d', '')))
    throw unsafe(`the name ${quote(name)} holds control characters`);
  if (name.includes('\\')) throw unsafe(`the name ${quote(name)} holds a backslash`);
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name)) throw unsafe(`the name ${quote(name)} is absolute`);
  const parts = name.replace(/\/$/, '').split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..'))
    throw unsafe(`the name ${quote(name)} leaves its folder`);
  return name;
}

function checkEntry(entry: Entry, name: string, limits: ZipLimits): void {
  const { compressedSize, uncompressedSize, compressionMethod } = entry;
  if ((entry.generalPurposeBitFlag & encryptedFlags) !== 0) throw unsafe(`${quote(name)} is encrypted`);
  // The upper half is the mode of the system that made the zip: zero, or a plain file or folder.
  const type = (entry.externalFileAttributes >>> 16) & unixTypeMask;
  if (type !== 0 && type !== unixRegular && type !== unixDirectory)
    throw unsafe(`${quote(name)} is a link or a device`);
  if (compressionMethod !== storedMethod && compressionMethod !== deflatedMethod)
    throw unsafe(`${quote(name)} is packed by method ${compressionMethod}`);
  if (uncompressedSize > limits.maxEntryBytes)
    throw unsafe(`${quote(name)} unpacks to ${uncompressedSize} bytes, at most ${limits.maxEntryBytes} are read`);
  if (uncompressedSize > ratioMattersFromBytes && uncompressedSize > compressedSize * limits.maxRatio)
    throw unsafe(`${quote(name)} unpacks ${compressedSize} bytes to ${uncompressedSize}`);
  if (name.endsWith('/') && uncompressedSize > 0) throw unsafe(`the folder ${quote(name)} has content`);
}

async function unpack(zip: ZipFile, entry: Entry, name: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of await zip.openReadStreamPromise(entry)) {
      length += (chunk as Buffer).length;
      if (length > entry.uncompressedSize) throw unsafe(`${quote(name)} unpacks to more than it says`);
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    throw asUnsafe(error);
  }
  const bytes = Buffer.concat(chunks);
  if (bytes.length !== entry.uncompressedSize || crc32(bytes) !== entry.crc32)
    throw unsafe(`${quote(name)} is damaged: its checksum differs`);
  return bytes;
}

function asUnsafe(error: unknown): AppError {
  if (error instanceof AppError) return error;
  return unsafe(error instanceof Error ? error.message.slice(0, 200) : 'it cannot be read', error);
}

function unsafe(reason: string, cause?: unknown): AppError {
  return new AppError(
    'pack-file-unsafe',
    `The zip file is not unpacked: ${reason}. Pack it again, with plain files only.`,
    {
      cause,
      details: { reason },
    },
  );
}

function quote(name: string): string {
  return JSON.stringify(name.slice(0, 80));
}
