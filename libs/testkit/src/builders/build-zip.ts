/**
 * A zip file written by hand (APPNOTE.TXT 6.3), so that tests can also write wrong ones: each field of an entry can be said to be
 * something else than it is.
 */
import { crc32, deflateRawSync } from 'node:zlib';

export type ZipPart = {
  name: string | Buffer;
  bytes: Buffer | string;
  deflate?: boolean;
  /** Said in the headers instead of the truth. */
  saidSize?: number;
  saidCrc?: number;
  flags?: number;
  method?: number;
  /** Unix mode with its type bits, such as 0o120777 for a link. */
  mode?: number;
  /** Points at this entry's local header instead of an own one. */
  sameDataAs?: number;
};

const utf8Flag = 0x0800;
const madeByUnix = 0x031e;

export function buildZip(parts: ZipPart[]): Buffer {
  const pieces: Buffer[] = [];
  const directory: Buffer[] = [];
  const offsets: number[] = [];
  let offset = 0;
  for (const part of parts) {
    const name = Buffer.from(part.name);
    const bytes = Buffer.from(part.bytes);
    const packed = part.deflate === true ? deflateRawSync(bytes) : bytes;
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(part.flags ?? utf8Flag, 2);
    fields.writeUInt16LE(part.method ?? (part.deflate === true ? 8 : 0), 4);
    fields.writeUInt16LE(0x0021, 8);
    fields.writeUInt32LE(part.saidCrc ?? crc32(bytes), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(part.saidSize ?? bytes.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const start = part.sameDataAs === undefined ? offset : (offsets[part.sameDataAs] ?? 0);
    offsets.push(start);
    if (part.sameDataAs === undefined) {
      const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, name, packed]);
      pieces.push(local);
      offset += local.length;
    }
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(((part.mode ?? 0o100644) << 16) >>> 0, 6);
    rest.writeUInt32LE(start, 10);
    const version = Buffer.alloc(2);
    version.writeUInt16LE(madeByUnix);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02', 'latin1'), version, fields, rest, name]));
  }
  const entries = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(parts.length, 8);
  end.writeUInt16LE(parts.length, 10);
  end.writeUInt32LE(entries.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...pieces, entries, end]);
}
