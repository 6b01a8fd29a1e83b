/** Zip files for download: stored, not deflated, because pictures do not shrink; equal entries give equal bytes. */

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';

export type ZipItem = { name: string; bytes: Buffer };

/** DOS dates are local time: made from local parts, it is the same everywhere. The earliest that the format knows. */
const constantTime = new Date(1980, 0, 1);
const plainFileMode = 0o100644;

/**
 * Writes `items` to `path` in their order, taking the next one when the one before has been written. Sizes and checksums stand
 * before each file's bytes: readers that unpack while they receive, such as Java's ZipInputStream, refuse stored files without.
 */
export async function writeZip(path: string, items: AsyncIterable<ZipItem>): Promise<void> {
  const zip = new ZipFile();
  const output = zip.outputStream as unknown as NodeJS.ReadWriteStream & { writableNeedDrain: boolean };
  const stopped = new AbortController();
  const written = pipeline(output, createWriteStream(path, { mode: 0o600 }), { signal: stopped.signal });
  // Whoever fails first is what is reported.
  written.catch(() => undefined);
  try {
    for await (const { name, bytes } of items) {
      zip.addBuffer(bytes, name, {
        compress: false,
        mtime: constantTime,
        mode: plainFileMode,
        forceDosTimestamp: true,
      });
      if (output.writableNeedDrain) await Promise.race([once(output, 'drain'), written]);
    }
    zip.end();
  } catch (error) {
    stopped.abort();
    await written.catch(() => undefined);
    throw error;
  }
  await written;
}
