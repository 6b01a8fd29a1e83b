/** What the ETag of an object says of its bytes. */
import { createHash } from 'node:crypto';

const md5Of = (etag: string): string => etag.replace(/^W\//, '').replaceAll('"', '').toLowerCase();

/** Null: the ETag is no MD5, and says nothing of the bytes. */
export function isEtagOf(etag: string, bytes: Buffer): boolean | null {
  if (!/^[0-9a-f]{32}$/.test(md5Of(etag))) return null;
  return md5Of(etag) === createHash('md5').update(bytes).digest('hex');
}
