/**
 * Joins PNG files of one size into an APNG. Sharp does not write this format, and the demo should hold one of each that can be
 * uploaded. Layout: W3C, Portable Network Graphics (Third Edition), chapter 11.3.4, "Animation information".
 */
import { crc32 } from 'node:zlib';

const signatureBytes = 8;
/** Length, name and checksum around the data of a chunk. */
const lengthBytes = 4;
const nameBytes = 4;
const checksumBytes = 4;
const millisecondsPerSecond = 1_000;

type Chunk = { name: string; data: Buffer };

/** All `frames` must be of the same width, height and colour type; the animation repeats for ever. */
export function joinApng(frames: Buffer[], frameMs: number): Buffer {
  const [first] = frames;
  if (!first) throw new RangeError('An animation needs at least one frame');
  const header = readChunks(first).find(({ name }) => name === 'IHDR');
  if (!header) throw new RangeError('The first frame is not a PNG');
  const parts = [
    first.subarray(0, signatureBytes),
    writeChunk('IHDR', header.data),
    writeChunk('acTL', words(frames.length, 0)),
  ];
  let sequence = 0;
  for (const [index, frame] of frames.entries()) {
    parts.push(writeChunk('fcTL', frameControl(sequence, header.data, frameMs)));
    sequence += 1;
    for (const { data } of readChunks(frame).filter(({ name }) => name === 'IDAT')) {
      // The first frame is the picture that viewers without animations show, so it keeps the plain chunks.
      if (index === 0) parts.push(writeChunk('IDAT', data));
      else {
        parts.push(writeChunk('fdAT', Buffer.concat([words(sequence), data])));
        sequence += 1;
      }
    }
  }
  return Buffer.concat([...parts, writeChunk('IEND', Buffer.alloc(0))]);
}

/** Whole-canvas frames that replace what was there before. */
function frameControl(sequence: number, header: Buffer, frameMs: number): Buffer {
  const timing = Buffer.alloc(6);
  timing.writeUInt16BE(frameMs, 0);
  timing.writeUInt16BE(millisecondsPerSecond, 2);
  return Buffer.concat([words(sequence, header.readUInt32BE(0), header.readUInt32BE(4), 0, 0), timing]);
}

function readChunks(png: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  for (let offset = signatureBytes; offset < png.length;) {
    const start = offset + lengthBytes + nameBytes;
    const end = start + png.readUInt32BE(offset);
    chunks.push({ name: png.toString('latin1', offset + lengthBytes, start), data: png.subarray(start, end) });
    offset = end + checksumBytes;
  }
  return chunks;
}

function writeChunk(name: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  return Buffer.concat([words(data.length), named, words(crc32(named))]);
}

function words(...values: number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) buffer.writeUInt32BE(value, index * 4);
  return buffer;
}
