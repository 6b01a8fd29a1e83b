/** WebP files by hand, from the container specification: right where the test does not want them wrong. Their pixels are no picture. */

export type RiffChunk = [fourCc: string, data: Buffer];

/** A lossless picture's header; nothing that only looks at containers reads on. */
export function vp8l(width: number, height: number, bytes = 5): Buffer {
  const data = Buffer.alloc(Math.max(5, bytes));
  data.writeUInt8(0x2f, 0);
  data.writeUInt32LE(((width - 1) | ((height - 1) << 14)) >>> 0, 1);
  return data;
}

export function vp8x(width: number, height: number, flags: number): Buffer {
  const data = Buffer.alloc(10);
  data.writeUInt8(flags, 0);
  data.writeUIntLE(width - 1, 4, 3);
  data.writeUIntLE(height - 1, 7, 3);
  return data;
}

export function anmf(side: number, durationMs: number, x = 0, pictureBytes = 5): Buffer {
  const data = Buffer.alloc(16);
  data.writeUIntLE(x / 2, 0, 3);
  data.writeUIntLE(side - 1, 6, 3);
  data.writeUIntLE(side - 1, 9, 3);
  data.writeUIntLE(durationMs, 12, 3);
  return Buffer.concat([data, chunkBytes(['VP8L', vp8l(side, side, pictureBytes)])]);
}

export function riff(chunks: RiffChunk[], saidBytes?: number): Buffer {
  const body = Buffer.concat(chunks.map(chunkBytes));
  const header = Buffer.alloc(12);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(saidBytes ?? 4 + body.length, 4);
  header.write('WEBP', 8, 'latin1');
  return Buffer.concat([header, body]);
}

export const animationFlag = 0x02;
export const exifFlag = 0x08;

/** An endless animation with those durations. */
export function animation(durationsMs: number[], side = 512): Buffer {
  return riff([
    ['VP8X', vp8x(side, side, animationFlag)],
    ['ANIM', Buffer.alloc(6)],
    ...durationsMs.map((duration): RiffChunk => ['ANMF', anmf(side, duration)]),
  ]);
}

function chunkBytes([fourCc, data]: RiffChunk): Buffer {
  const header = Buffer.alloc(8);
  header.write(fourCc, 0, 'latin1');
  header.writeUInt32LE(data.length, 4);
  return Buffer.concat([header, data, Buffer.alloc(data.length & 1)]);
}
