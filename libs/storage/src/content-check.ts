/** Whether bytes are what their name, or an object's ETag, says. */
import { createHash } from 'node:crypto';

const md5Of = (etag: string): string => etag.replace(/^W\//, '').replaceAll('"', '').toLowerCase();

/** Null: the ETag is no MD5, and says nothing of the bytes. */
export function isEtagOf(etag: string, bytes: Buffer): boolean | null {
  if (!/^[0-9a-f]{32}$/.test(md5Of(etag))) return null;
  return md5Of(etag) === createHash('md5').update(bytes).digest('hex');
}

export function isNamed(sha256: string, bytes: Buffer): boolean {
  return createHash('sha256').update(bytes).digest('hex') === sha256;
}
